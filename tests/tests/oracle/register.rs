//! Would the kubelet start with this configuration, and if not, what does it say?

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use pullpass_kubelet::{
    Config, FeatureGates, SERVICE_ACCOUNT_TOKENS, StartupError, Target, startup,
};
use serde_json::{Value, json};

use crate::bench::{Bench, Verdict};
use crate::configs;
use crate::explained::Context;
use crate::faults;
use crate::odd;
use crate::random::Random;

/// One configuration, good or not.
pub(crate) fn register(bench: &mut Bench, random: &mut Random) -> Verdict {
    let folder = bench.folder().join("register");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let bin_dir = bin_dir(bench.folder());
    let mut input = json!({});
    let (config, shown) = write_files(&folder, random, bench);
    input["files"] = shown;
    let bin_dir = match random.below(60) {
        0 => folder.join("absent").display().to_string(),
        1 => String::new(),
        2 => bin_dir.join("p0").display().to_string(),
        3 => bin_dir.join("p0/x").display().to_string(),
        4 => format!("{}//", bin_dir.display()),
        5 => format!("{}/./../bin", bin_dir.display()),
        _ => bin_dir.display().to_string(),
    };
    let target = target(bench, random, 15);
    let registration = Registration { config, bin_dir, target };
    let question = registration.question();
    input["question"] = question.clone();
    let kubelet = bench.judge.ask(&question);
    let (_, ours, mut context) = registration.ours();
    let label = label(&kubelet);
    context.version = bench.version;
    let mut verdict = Verdict::new(label, input);
    verdict.compare(&context, &kubelet, &ours, &["verdict", "message", "providers"]);
    if kubelet["message"] == ours["message"] {
        verdict.compare(&context, &kubelet, &ours, &["line"]);
    }
    verdict
}

fn label(kubelet: &Value) -> &'static str {
    let message = kubelet["message"].as_str().unwrap();
    match () {
        () if kubelet["verdict"] == "accepted" => "register: accepted",
        () if message.contains("strict decoding") => "register: refused, strict decoding",
        () if message.starts_with("error decoding") => "register: refused, decoding",
        () if message.contains("validate credential provider config: [") => {
            "register: refused, several faults"
        }
        () if message.contains("validate credential provider") => "register: refused, one fault",
        () if message.contains("duplicate provider") => "register: refused, repeated name",
        () if message.contains("binary") => "register: refused, binaries",
        () => "register: refused, files",
    }
}

/// What the kubelet is started with.
pub(crate) struct Registration {
    pub(crate) config: String,
    pub(crate) bin_dir: String,
    pub(crate) target: Target,
}

impl Registration {
    pub(crate) fn question(&self) -> Value {
        let gates: serde_json::Map<String, Value> =
            self.target.gates.iter().map(|(name, on)| (name.to_owned(), json!(on))).collect();
        json!({
            "op": "register", "config": self.config, "bin_dir": self.bin_dir,
            "feature_gates": gates,
        })
    }

    /// Our verdict in the oracle's form, and the configuration if it is accepted.
    pub(crate) fn ours(&self) -> (Option<Config>, Value, Context) {
        let mut context = Context::new(self.target.version);
        let refused = |error: &StartupError| {
            json!({
                "verdict": "refused", "message": error.message, "line": error.log_line(),
                "providers": [],
            })
        };
        let bin_dir = Path::new(&self.bin_dir);
        let config =
            match startup(Path::new(&self.config), Some(bin_dir), &self.target).into_config() {
                Ok(config) => config,
                Err(error) => {
                    context.not_verbatim = !error.verbatim;
                    return (None, refused(&error), context);
                }
            };
        let names: Vec<&str> = config.providers.iter().map(|one| one.name.as_str()).collect();
        let ours = json!({"verdict": "accepted", "message": "", "line": "", "providers": names});
        (Some(config), ours, context)
    }
}

/// The kubelet of this bench, with its token gate turned over this often in a hundred.
pub(crate) fn target(bench: &Bench, random: &mut Random, odd: usize) -> Target {
    let mut gates = FeatureGates::default();
    let odd = random.percent(odd);
    match bench.version.minor() {
        // It does not exist, and a kubelet does not start with an unknown one.
        ..33 => {}
        // Off by default: a test with the default would see little of tokens.
        33 if !odd => gates.set(SERVICE_ACCOUNT_TOKENS, true),
        33 => {}
        _ if odd => gates.set(SERVICE_ACCOUNT_TOKENS, random.percent(30)),
        _ => {}
    }
    Target { version: bench.version, gates }
}

/// A bin dir with programs of every kind, made once.
pub(crate) fn bin_dir(folder: &Path) -> PathBuf {
    let bin = folder.join("bin");
    if bin.exists() {
        return bin;
    }
    fs::create_dir(&bin).unwrap();
    for program in configs::PROGRAMS {
        fs::write(bin.join(program), "#!/bin/sh\n").unwrap();
        fs::set_permissions(bin.join(program), fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::write(bin.join("noexec"), "").unwrap();
    fs::set_permissions(bin.join("noexec"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::create_dir(bin.join("folder")).unwrap();
    symlink("nowhere", bin.join("dangling")).unwrap();
    symlink("p0", bin.join("link")).unwrap();
    bin
}

/// Writes the configuration, and says to which path and what.
fn write_files(folder: &Path, random: &mut Random, bench: &Bench) -> (String, Value) {
    let mut shown = serde_json::Map::new();
    let mut write = |path: &Path, bytes: &[u8]| {
        fs::write(path, bytes).unwrap();
        let text = bytes.iter().map(|byte| std::ascii::escape_default(*byte).to_string());
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => text.collect(),
        };
        shown.insert(path.strip_prefix(folder).unwrap().display().to_string(), json!(text));
    };
    let directory = random.below(if bench.version.minor() >= 34 { 6 } else { 40 }) == 0;
    if !directory {
        let file = folder.join(random.word(&["c.yaml", "c.json", "c", "é \"q\".yml"]));
        write(&file, &file_text(random, bench, &["p0", "p1", "p2"]));
        return (
            match random.below(60) {
                0 => folder.join("absent.yaml").display().to_string(),
                1 => String::new(),
                2 => file.join("below").display().to_string(),
                3 => {
                    symlink(&file, folder.join("link")).unwrap();
                    folder.join("link").display().to_string()
                }
                _ => file.display().to_string(),
            },
            Value::Object(shown),
        );
    }
    let mut programs = configs::PROGRAMS.to_vec();
    for _ in 0..random.below(5) {
        let name = random.word(&[
            "a.yaml",
            "b.json",
            "c.yml",
            "B.yaml",
            ".hidden.yaml",
            "x.YAML",
            "readme.txt",
            "yaml",
            ".json",
            "a.yaml.bak",
            "10.json",
            "9.json",
            "é.yml",
        ]);
        let taken = random.below(programs.len().min(2) + 1);
        // A file that is not read, or one with the name of another, is a case too.
        let names: Vec<&str> = programs.drain(..taken).collect();
        let names = if names.is_empty() { vec!["p0"] } else { names };
        write(&folder.join(name), &file_text(random, bench, &names));
    }
    match random.below(12) {
        0 => fs::create_dir(folder.join("sub.yaml")).unwrap(),
        1 => symlink("nowhere", folder.join("z.yaml")).unwrap(),
        2 => symlink("/", folder.join("y.json")).unwrap(),
        3 => {
            fs::create_dir(folder.join("..data")).unwrap();
            fs::write(folder.join("..data/d.yaml"), file_text(random, bench, &["p-3.x"])).unwrap();
            symlink("..data/d.yaml", folder.join("d.yaml")).unwrap();
        }
        _ => {}
    }
    let slash = if random.percent(20) { "/" } else { "" };
    (format!("{}{slash}", folder.display()), Value::Object(shown))
}

fn file_text(random: &mut Random, bench: &Bench, names: &[&str]) -> Vec<u8> {
    let count = if random.percent(70) { 1 } else { names.len() };
    let mut config = configs::good(random, bench.version, &names[..count]);
    let faults = match random.below(20) {
        0..=5 => 0,
        6..=14 => 1,
        15..=17 => 2,
        _ => random.below(5) + 3,
    };
    for _ in 0..faults {
        faults::break_once(&mut config, random);
    }
    let faulty = random.percent(if faults == 0 { 50 } else { 8 });
    odd::bytes(&config, random, faulty)
}
