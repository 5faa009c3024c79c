//! Third-party programs that check what our plugins print.
//!
//! Each judge is one function from the workspace to the path of a program, or of a folder of
//! them. It is looked for on `PATH`, where any version is accepted, then in `target/`. If it is in
//! neither, it is fetched or built there, so a second run fetches nothing. A test finds its judge by
//! the environment variable listed with it.

pub(crate) mod cluster;
mod debian;
mod go;
mod java;
mod node;
pub(crate) mod oracle;
mod python;

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use xshell::Cmd;

use crate::Result;
use crate::flags;
use crate::workspace::{Workspace, on_path};

/// `judges`: prepares every judge and prints what a shell needs to run the tests without this task.
pub(crate) fn run(workspace: &Workspace, flags: &flags::Judges) -> Result {
    let judges = Judges::prepare(workspace, Wanted::new(flags.hermetic, flags.all)?);
    for (variable, value) in judges.environment() {
        match value {
            Some(value) => println!("export {variable}={}", quote(&value.to_string_lossy())),
            None => println!("unset {variable}"),
        }
    }
    judges.require()
}

/// Which judges a run asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Those that are on this machine.
    Present,
    /// Those that are on this machine, and those that can be fetched or built in a few minutes.
    Usual,
    /// Every one.
    All,
}

impl Wanted {
    /// From the flags `--hermetic` and `--all`.
    ///
    /// # Errors
    /// If both are given.
    pub(crate) fn new(hermetic: bool, all: bool) -> Result<Self> {
        match (hermetic, all) {
            (true, true) => Err("`--all` cannot be combined with `--hermetic`".into()),
            (true, false) => Ok(Self::Present),
            (false, true) => Ok(Self::All),
            (false, false) => Ok(Self::Usual),
        }
    }
}

/// Whether a judge may be fetched.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fetch {
    /// Yes, if it is not here.
    WhenMissing,
    /// No: the caller asked for a run without network.
    Never,
}

/// Every judge of the tests.
pub(crate) struct Judges {
    all: Vec<Judge>,
    /// The minors whose kubelets are asked.
    minors: Vec<&'static str>,
    hermetic: bool,
}

/// One judge: where it is, or why it is not here.
struct Judge {
    /// The program's name.
    name: &'static str,
    /// The environment variable by which the tests find it.
    variable: &'static str,
    /// The program's path, or the reason why there is none.
    program: std::result::Result<PathBuf, String>,
    /// Whether it may be missing if it cannot be fetched. It is reported clearly in any case.
    optional: bool,
}

impl Judge {
    /// A test run must not require the tools of another language: without them the judge may be
    /// missing.
    fn needs(self, tools: &[&str]) -> Self {
        Self { optional: self.optional || tools.iter().any(|tool| on_path(tool).is_none()), ..self }
    }
}

impl Judges {
    /// Finds every judge, and fetches those that are wanted.
    pub(crate) fn prepare(workspace: &Workspace, wanted: Wanted) -> Self {
        let fetch = if wanted == Wanted::Present { Fetch::Never } else { Fetch::WhenMissing };
        let find = |name, variable, judge: fn(&Workspace, Fetch) -> Result<PathBuf>| Judge {
            name,
            variable,
            program: judge(workspace, fetch).map_err(|error| error.to_string()),
            optional: false,
        };
        // One that takes minutes is used where it was built before.
        let find_slow = |name, variable, judge: fn(&Workspace, Fetch) -> Result<PathBuf>| {
            if wanted != Wanted::Usual {
                return find(name, variable, judge);
            }
            let program = judge(workspace, Fetch::Never);
            let program =
                program.map_err(|_| "left out, `cargo xtask test --all` has it".to_owned());
            Judge { name, variable, program, optional: true }
        };
        let minors = oracle::minors(workspace, wanted);
        let kubelets = Judge {
            name: "kubelet-oracle",
            variable: "PULLPASS_ORACLE_DIR",
            program: oracle::programs(workspace, &minors, fetch).map_err(|error| error.to_string()),
            optional: false,
        };
        let all = vec![
            find("docker-registry", "PULLPASS_JUDGE_DOCKER_REGISTRY", docker_registry),
            find("skopeo", "PULLPASS_JUDGE_SKOPEO", skopeo),
            find("moto", "PULLPASS_JUDGE_MOTO", python::moto),
            find("idpyoidc", "PULLPASS_JUDGE_IDPYOIDC", python::idpyoidc),
            find("oidc-provider", "PULLPASS_JUDGE_OIDC_PROVIDER", node::oidc_provider)
                .needs(&["node", "npm"]),
            find_slow("keycloak", "PULLPASS_JUDGE_KEYCLOAK", java::keycloak)
                .needs(&["java", "mvn"]),
            find_slow("mock-oauth2-server", "PULLPASS_JUDGE_MOCK_OAUTH2", java::mock_oauth2_server)
                .needs(&["java", "mvn"]),
            find_slow("vault", "PULLPASS_JUDGE_VAULT", go::vault).needs(&["go"]),
            kubelets.needs(&["go"]),
        ];
        Self { all, minors, hermetic: wanted == Wanted::Present }
    }

    /// Says which judges are missing.
    ///
    /// # Errors
    /// If one of them must not be missing.
    pub(crate) fn require(&self) -> Result {
        let missing = |judge: &&Judge| judge.program.is_err();
        let count = self.all.iter().filter(missing).count();
        if count == 0 {
            return Ok(());
        }
        let allowed = self.hermetic || self.all.iter().filter(missing).all(|judge| judge.optional);
        let word = if allowed { "warning" } else { "error" };
        for judge in &self.all {
            if let Err(reason) = &judge.program {
                eprintln!("{word}: judge `{}` is missing: {reason}", judge.name);
            }
        }
        if allowed {
            eprintln!("warning: {count} JUDGE(S) MISSING: their tests prove nothing");
            return Ok(());
        }
        eprintln!("hint: `--hermetic` runs the tests without the judges that are missing");
        Err("a judge is missing, so its tests would prove nothing".into())
    }

    /// What a run with these judges did not do, a line for each; empty if it did everything.
    pub(crate) fn not_run(&self) -> Vec<String> {
        let missing = self.all.iter().filter_map(|judge| {
            let reason = judge.program.as_ref().err()?;
            Some(format!("what `{}` judges: {reason}", judge.name))
        });
        let minors = oracle::TESTED_MINORS.iter().filter(|minor| !self.minors.contains(minor));
        missing
            .chain(minors.map(|minor| {
                format!("the kubelet of {minor}: left out, `cargo xtask test --all` has it")
            }))
            .collect()
    }

    /// The environment that tells the tests; `None` for a variable that must not be set.
    pub(crate) fn environment(&self) -> Vec<(&'static str, Option<OsString>)> {
        let judges = self.all.iter().map(|judge| match &judge.program {
            Ok(program) => (judge.variable, Some(program.into())),
            // Not even one that the caller's environment names: what was printed must be correct.
            Err(_) if judge.optional => (judge.variable, Some("missing".into())),
            Err(_) => (judge.variable, None),
        });
        let hermetic = ("PULLPASS_HERMETIC", self.hermetic.then(|| "1".into()));
        // Others that `oracle --all` built are not used: they may be old, and take time.
        let minors = ("PULLPASS_ORACLE_MINORS", Some(self.minors.join(",").into()));
        judges.chain([hermetic, minors]).collect()
    }
}

/// The registry of the Distribution project, with token authentication.
fn docker_registry(workspace: &Workspace, fetch: Fetch) -> Result<PathBuf> {
    match on_path("docker-registry") {
        Some(program) => Ok(program),
        None => debian::program(workspace, "docker-registry", fetch),
    }
}

/// A client that pulls with the login it is given.
fn skopeo(workspace: &Workspace, fetch: Fetch) -> Result<PathBuf> {
    match on_path("skopeo") {
        Some(program) => Ok(program),
        None => debian::program(workspace, "skopeo", fetch),
    }
}

/// Whether the judge was finished, and from these pins.
fn is_current(stamp: &Path, pins: &str) -> bool {
    fs::read_to_string(stamp).is_ok_and(|made_from| made_from == pins)
}

/// Whether the program is there and no file of these folders is newer.
fn source_is_older(program: &Path, folders: &[&Path]) -> Result<bool> {
    let Ok(built) = fs::metadata(program).and_then(|metadata| metadata.modified()) else {
        return Ok(false);
    };
    let mut newest = SystemTime::UNIX_EPOCH;
    for folder in folders {
        for entry in fs::read_dir(folder)? {
            let metadata = entry?.metadata()?;
            if metadata.is_file() {
                newest = newest.max(metadata.modified()?);
            }
        }
    }
    Ok(newest <= built)
}

/// Runs a tool whose output goes to stderr: stdout is for a shell to read.
fn run_tool(tool: Cmd<'_>) -> Result {
    let words = tool.to_string();
    let status = Command::from(tool)
        .stdout(io::stderr())
        .status()
        .map_err(|error| format!("cannot run `{words}`: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{words}` failed: {status}").into()) }
}

/// For a shell: between single quotes nothing but the quote has a meaning.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::Duration;

    use super::*;

    fn judges(program: std::result::Result<PathBuf, String>, optional: bool) -> Judges {
        let (name, variable) = ("judge", "PULLPASS_JUDGE");
        let all = vec![Judge { name, variable, program, optional }];
        Judges { all, minors: oracle::TESTED_MINORS.to_vec(), hermetic: false }
    }

    #[test]
    fn only_an_optional_judge_or_a_hermetic_run_may_do_without() {
        let missing = || Err("no such thing".to_owned());
        assert!(judges(Ok("/bin/judge".into()), false).require().is_ok());
        assert!(judges(missing(), false).require().is_err());
        assert!(judges(missing(), true).require().is_ok());
        assert!(Judges { hermetic: true, ..judges(missing(), false) }.require().is_ok());
    }

    #[test]
    fn the_environment_never_names_a_judge_that_is_missing() {
        let value = |judges: Judges| judges.environment()[0].1.clone();
        assert_eq!(value(judges(Ok("/bin/judge".into()), true)), Some("/bin/judge".into()));
        assert_eq!(value(judges(Err(String::new()), true)), Some("missing".into()));
        assert_eq!(value(judges(Err(String::new()), false)), None);
    }

    #[test]
    fn what_was_not_run_is_named() {
        let all = judges(Ok("/bin/judge".into()), false);
        assert!(all.not_run().is_empty());
        let some = Judges { minors: vec!["1.37"], ..judges(Err("left out".to_owned()), true) };
        let expected = [
            "what `judge` judges: left out",
            "the kubelet of 1.33: left out, `cargo xtask test --all` has it",
            "the kubelet of 1.34: left out, `cargo xtask test --all` has it",
        ];
        assert_eq!(some.not_run(), expected);
    }

    #[test]
    fn all_and_hermetic_exclude_each_other() {
        assert!(Wanted::new(true, true).is_err());
        assert!(Wanted::new(false, false).unwrap() == Wanted::Usual);
    }

    #[test]
    fn a_judge_of_other_pins_is_not_current() {
        let stamp = std::env::temp_dir().join(format!("pullpass-stamp-{}", std::process::id()));
        let unfinished = is_current(&stamp, "judge==1\n");
        fs::write(&stamp, "judge==1\n").unwrap();
        let same = is_current(&stamp, "judge==1\n");
        let other = is_current(&stamp, "judge==2\n");
        fs::remove_file(&stamp).unwrap();
        assert_eq!((unfinished, same, other), (false, true, false));
    }

    #[test]
    fn a_shell_reads_a_path_back() {
        assert_eq!(quote("/it's here"), r"'/it'\''s here'");
    }

    #[test]
    fn a_program_older_than_its_source_is_not_current() {
        let folder = std::env::temp_dir().join(format!("pullpass-oracle-{}", std::process::id()));
        fs::create_dir_all(folder.join("source")).unwrap();
        let (program, source) = (folder.join("1.34"), folder.join("source/main.go"));
        File::create(&source).unwrap();
        let check = || source_is_older(&program, &[&folder.join("source")]).unwrap();
        let without = check();
        let file = File::create(&program).unwrap();
        let now = SystemTime::now();
        file.set_modified(now + Duration::from_secs(1)).unwrap();
        let newer = check();
        file.set_modified(now - Duration::from_secs(60)).unwrap();
        let older = check();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!((without, newer, older), (false, true, false));
    }
}
