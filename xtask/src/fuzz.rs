//! `fuzz`: the targets in `fuzz/`, by libFuzzer on the stable toolchain.
//!
//! Seeds are in `fuzz/corpus/TARGET`. What a run finds worth keeping goes to
//! `target/fuzz/corpus/TARGET`, an input that fails to `target/fuzz/artifacts`.

mod outcome;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use xshell::{Cmd, cmd};

use self::outcome::Outcome;
use crate::judges::oracle;
use crate::workspace::{Workspace, on_path};
use crate::{Result, flags};

/// The compiler flags for coverage, without `cargo-fuzz` and a nightly compiler.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
                        -Cllvm-args=-sanitizer-coverage-pc-table \
                        -Cllvm-args=-sanitizer-coverage-trace-compares";

/// The crates have their code for fuzz targets under this `cfg`.
const FUZZING: &str = "--cfg fuzzing";

const DEFAULT_SECONDS: u64 = 60;

/// In MiB. No target needs a tenth of it.
const MEMORY: u64 = 2048;

/// Runs the targets one after the other, or their corpora once.
pub(crate) fn run(workspace: &Workspace, flags: &flags::Fuzz) -> Result {
    let fuzz = Fuzz::new(workspace)?;
    if flags.replay {
        return fuzz.replay();
    }
    let targets = fuzz.targets(flags.target.as_deref())?;
    if on_path("c++").is_none() {
        return Err("there is no C++ compiler (`c++`), which libFuzzer needs\n\
             hint: install `g++`; `cargo xtask fuzz --replay` runs the corpora without it"
            .into());
    }
    fuzz.build(&targets)?;
    if flags.minimize {
        return targets.iter().try_for_each(|target| fuzz.minimize(target));
    }
    let seconds = flags.seconds.unwrap_or(DEFAULT_SECONDS);
    println!("{}", Outcome::TITLES);
    let mut failed = Vec::new();
    for target in &targets {
        let outcome = fuzz.run(target, seconds)?;
        println!("{outcome}");
        if outcome.has_failed {
            failed.push(format!("{target}: see {}", fuzz.log(target).display()));
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!("fuzzing found something\n{}", failed.join("\n")).into()),
    }
}

/// The folders.
struct Fuzz<'a> {
    workspace: &'a Workspace,
    /// The crate.
    source: PathBuf,
    /// Cargo's output and the findings.
    output: PathBuf,
    host: String,
}

impl<'a> Fuzz<'a> {
    fn new(workspace: &'a Workspace) -> Result<Self> {
        Ok(Self {
            workspace,
            source: workspace.root.join("fuzz"),
            output: workspace.target.join("fuzz"),
            host: cmd!(workspace.shell, "rustc --print host-tuple").quiet().read()?,
        })
    }

    /// All targets, or the one that was named.
    fn targets(&self, named: Option<&str>) -> Result<Vec<String>> {
        let mut targets = Vec::new();
        for entry in fs::read_dir(self.source.join("src/bin"))? {
            let name = entry?.path().file_stem().map(|name| name.to_string_lossy().into_owned());
            targets.extend(name);
        }
        targets.sort();
        match named {
            None => Ok(targets),
            Some(named) if targets.iter().any(|target| target == named) => {
                Ok(vec![named.to_owned()])
            }
            Some(named) => Err(format!("no target `{named}`, only {}", targets.join(", ")).into()),
        }
    }

    /// `cargo` for the crate. With `--target` the flags are not those of build scripts, which
    /// would not link.
    fn cargo(&self, command: &str, flags: &str) -> Cmd<'_> {
        let manifest = self.source.join("Cargo.toml");
        self.workspace
            .cargo()
            .arg(command)
            .arg("--manifest-path")
            .arg(manifest)
            .args(["--target", &self.host])
            .env("CARGO_TARGET_DIR", &self.output)
            .env("RUSTFLAGS", flags)
            .env("PULLPASS_ORACLE_DIR", oracle::program_folder(self.workspace))
    }

    /// Each input of the corpora once, as a test: without coverage, and so without libFuzzer.
    fn replay(&self) -> Result {
        Ok(self.cargo("test", FUZZING).args(["--quiet", "--lib"]).run()?)
    }

    fn build(&self, targets: &[String]) -> Result {
        let build = self.cargo("build", &format!("{COVERAGE} {FUZZING}"));
        let build = build.args(["--release", "--features", "libfuzzer"]);
        let bins = targets.iter().flat_map(|target| ["--bin", target.as_str()]);
        Ok(build.args(bins).run()?)
    }

    /// The program of a target.
    fn command(&self, target: &str) -> Command {
        let program = self.output.join(&self.host).join("release").join(target);
        let mut command = Command::new(program);
        command.env("PULLPASS_ORACLE_DIR", oracle::program_folder(self.workspace));
        command.arg(format!("-rss_limit_mb={MEMORY}"));
        command
    }

    fn run(&self, target: &str, seconds: u64) -> Result<Outcome> {
        let (found, artifacts) = (self.found(target), self.output.join("artifacts"));
        fs::create_dir_all(&found)?;
        fs::create_dir_all(&artifacts)?;
        let log = File::create(self.log(target))?;
        let status = self
            .command(target)
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-artifact_prefix={}/{target}-", artifacts.display()))
            .args(["-timeout=20", "-print_final_stats=1"])
            .args([found, self.corpus(target)])
            .stderr(log)
            .status()?;
        Ok(Outcome::read(target, &fs::read_to_string(self.log(target))?, status.success()))
    }

    /// Rebuilds the corpus from its inputs and the new ones: as few inputs as reach the same code.
    fn minimize(&self, target: &str) -> Result {
        let (corpus, found) = (self.corpus(target), self.found(target));
        let merged = self.output.join("merged").join(target);
        if merged.exists() {
            fs::remove_dir_all(&merged)?;
        }
        for folder in [&merged, &found] {
            fs::create_dir_all(folder)?;
        }
        let log = File::create(self.log(target))?;
        let status = self
            .command(target)
            .args(["-set_cover_merge=1", "-use_counters=0"])
            .args([&merged, &corpus, &found])
            .stderr(log)
            .status()?;
        if !status.success() {
            return Err(format!("{target}: see {}", self.log(target).display()).into());
        }
        fs::remove_dir_all(&corpus)?;
        copy(&merged, &corpus)?;
        println!("{target}: {} inputs", fs::read_dir(&corpus)?.count());
        Ok(())
    }

    fn corpus(&self, target: &str) -> PathBuf {
        self.source.join("corpus").join(target)
    }

    fn found(&self, target: &str) -> PathBuf {
        self.output.join("corpus").join(target)
    }

    fn log(&self, target: &str) -> PathBuf {
        self.output.join(format!("{target}.log"))
    }
}

fn copy(from: &Path, to: &Path) -> Result {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}
