//! Runs a plugin's binary: request in, exit code and output back. Every run fails the test if a
//! registered secret shows where it must not, or if a failed plugin wrote to stdout.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::leaks::Secrets;

/// The kubelet's patience, and so ours.
const PATIENCE: Duration = Duration::from_secs(60);

/// How to start a plugin. The environment is empty but for `PULLPASS_LOG=trace`: what leaks, leaks
/// in the most talkative log.
#[derive(Clone)]
pub struct PluginCommand {
    binary: PathBuf,
    args: Vec<OsString>,
    env: BTreeMap<OsString, OsString>,
    secrets: Secrets,
}

impl PluginCommand {
    /// The plugin of that name, built if need be: see [`binary`].
    pub fn new(name: &str) -> Self {
        Self::at(&binary(name))
    }

    /// The plugin in that file.
    pub fn at(binary: &Path) -> Self {
        let command = Self {
            binary: binary.to_owned(),
            args: Vec::new(),
            env: BTreeMap::new(),
            secrets: Secrets::default(),
        };
        command.env("PULLPASS_LOG", "trace")
    }

    /// One argument more.
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// An environment variable.
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// With the log as it is by default, so that stderr is the error and nothing else.
    pub fn quiet(mut self) -> Self {
        self.env.remove(&OsString::from("PULLPASS_LOG"));
        self
    }

    /// A text that must not show: a token, a password, a client's secret.
    pub fn secret(mut self, name: &str, secret: &str) -> Self {
        self.secrets.add(name, secret);
        self
    }

    /// Runs it once on these bytes.
    ///
    /// # Panics
    /// On a leaked secret, on output of a plugin that failed, on success without output, and when
    /// the kubelet would have lost its patience.
    pub fn run(&self, stdin: &[u8]) -> PluginRun {
        let started = Instant::now();
        let mut child = self
            .command()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start `{}`: {error}", self.binary.display()));
        let mut input = child.stdin.take().unwrap();
        let (mut output, mut errors) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (status, stdout, stderr) = thread::scope(|scope| {
            // A plugin may exit without reading; the kubelet does not mind either.
            scope.spawn(move || input.write_all(stdin));
            let stdout = scope.spawn(move || read_all(&mut output));
            let stderr = scope.spawn(move || read_all(&mut errors));
            let status = loop {
                if let Some(status) = child.try_wait().unwrap() {
                    break Some(status);
                }
                if started.elapsed() > PATIENCE {
                    child.kill().unwrap();
                    child.wait().unwrap();
                    break None;
                }
                thread::sleep(Duration::from_millis(2));
            };
            (status, stdout.join().unwrap(), stderr.join().unwrap())
        });
        let run = PluginRun {
            code: status.and_then(|status| status.code()),
            stdout,
            stderr: String::from_utf8(stderr).expect("stderr is text"),
            duration: started.elapsed(),
        };
        self.check(&run);
        // No secret is in there, and a test that fails shows it.
        eprintln!("exit code {:?} after {:?}\n{}", run.code, run.duration, run.stderr);
        run
    }

    /// The command itself, for a test about its streams: what it prints is then that test's to check.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(&self.args).env_clear().envs(&self.env).current_dir("/");
        command
    }

    /// Runs it with the log at trace and then as it is by default; returns the second run.
    pub fn run_both(&self, stdin: &[u8]) -> PluginRun {
        self.run(stdin);
        self.clone().quiet().run(stdin)
    }

    /// What holds for every run of every plugin. No output is quoted here: it may hold the secret.
    fn check(&self, run: &PluginRun) {
        let stdout = String::from_utf8_lossy(&run.stdout);
        let leaks = self.secrets.found_in(&run.stderr);
        assert!(leaks.is_empty(), "stderr holds {leaks:?}");
        let leaks = self.secrets.found_in_response(&stdout);
        assert!(leaks.is_empty(), "stdout holds {leaks:?} outside of a login's password");
        match run.code {
            None => panic!("no exit code after {:?}: killed, or timed out", run.duration),
            Some(0) => assert!(!stdout.trim().is_empty(), "exit code 0 with nothing on stdout"),
            Some(code) => assert!(run.stdout.is_empty(), "exit code {code} with bytes on stdout"),
        }
    }
}

/// What a run came to.
pub struct PluginRun {
    /// The exit code.
    pub code: Option<i32>,
    /// All of stdout.
    pub stdout: Vec<u8>,
    /// All of stderr.
    pub stderr: String,
    /// From start to end.
    pub duration: Duration,
}

impl PluginRun {
    /// The response, after a success.
    pub fn response(&self) -> Value {
        assert_eq!(self.code, Some(0), "the plugin failed: {}", self.stderr);
        serde_json::from_slice(&self.stdout).expect("one JSON object on stdout")
    }

    /// The one login of the response: key, user name, password.
    pub fn login(&self) -> (String, String, String) {
        let response = self.response();
        let auth = response["auth"].as_object().expect("`auth` is an object");
        assert_eq!(auth.len(), 1, "one login was expected");
        let (key, login) = auth.iter().next().unwrap();
        let field = |name: &str| login[name].as_str().expect("a text").to_owned();
        (key.clone(), field("username"), field("password"))
    }

    /// The text after `error: `, after a failure.
    pub fn error(&self) -> &str {
        assert_ne!(self.code, Some(0), "the plugin succeeded");
        let mut lines = self.stderr.lines().filter_map(|line| line.strip_prefix("error: "));
        let error = lines.next().unwrap_or_else(|| panic!("no `error:` line: {}", self.stderr));
        assert_eq!(lines.next(), None, "a second `error:` line");
        error
    }
}

/// The plugin's file: from `PULLPASS_BIN_DIR`, as `cargo xtask test` sets it, or else built now,
/// once per process, with the cargo that runs the test.
pub fn binary(name: &str) -> PathBuf {
    static BUILT: OnceLock<Mutex<HashMap<String, PathBuf>>> = OnceLock::new();

    if let Some(folder) = std::env::var_os("PULLPASS_BIN_DIR") {
        let file = PathBuf::from(folder).join(name);
        assert!(file.is_file(), "`PULLPASS_BIN_DIR` holds no `{name}`");
        return file;
    }
    let built = BUILT.get_or_init(Mutex::default);
    // A build that panicked in another test must not hide its reason behind a poisoned lock.
    let mut built = built.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    built.entry(name.to_owned()).or_insert_with(|| build(name)).clone()
}

fn build(name: &str) -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let mut build = Command::new(cargo);
    // With them, crates whose build scripts read them are built anew.
    for (name, _) in std::env::vars_os() {
        let inherited = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if inherited {
            build.env_remove(name);
        }
    }
    let output = build
        .args(["build", "--quiet", "--message-format=json-render-diagnostics", "-p", name])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "`cargo build -p {name}` failed");
    // Cargo says itself where it put the binary, whatever target folder is configured.
    let executable = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == name)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from));
    executable.unwrap_or_else(|| panic!("`cargo build -p {name}` made no binary"))
}

fn read_all(source: &mut impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    source.read_to_end(&mut bytes).unwrap();
    bytes
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    const SECRET: &str = "eyJh.eyJz.dGhlLXNpZ25hdHVyZQ";

    fn shell(script: &str) -> PluginCommand {
        PluginCommand::at(Path::new("/bin/sh")).arg("-c").arg(script).secret("token", SECRET)
    }

    fn fails(script: &str) -> bool {
        catch_unwind(AssertUnwindSafe(|| shell(script).run(SECRET.as_bytes()))).is_err()
    }

    #[test]
    fn a_run_returns_code_output_and_the_error_line() {
        let run = shell("read line; echo \"error: $line\" >&2; exit 3").run(b"no such profile\n");
        assert_eq!(run.code, Some(3));
        assert_eq!(run.error(), "no such profile");
        let run = shell("cat").run(b"{\"auth\":{}}");
        assert_eq!(run.response()["auth"], serde_json::json!({}));
    }

    #[test]
    fn every_leak_stops_the_test() {
        assert!(fails("cat >&2; exit 3"), "the token on stderr");
        assert!(fails("cat"), "the token on stdout");
        assert!(fails("cat | base64 -w0 >&2; exit 3"), "the token as base64");
        assert!(fails(
            "printf '{\"auth\":{\"r\":{\"username\":\"%s\",\"password\":\"x\"}}}' $(cat)"
        ));
        assert!(!fails(
            "printf '{\"auth\":{\"r\":{\"username\":\"u\",\"password\":\"%s\"}}}' $(cat)"
        ));
    }

    #[test]
    fn output_and_exit_code_must_agree() {
        assert!(fails("echo '{}'; exit 3"), "output of a plugin that failed");
        assert!(fails("exit 0"), "success without output");
        assert!(fails("kill -9 $$"), "killed");
    }

    #[test]
    fn the_environment_is_empty_but_for_what_was_asked() {
        let run = shell("env >&2; exit 3").env("WANTED", "1").run(b"");
        let names: Vec<&str> =
            run.stderr.lines().filter_map(|line| line.split('=').next()).collect();
        for name in ["PULLPASS_LOG", "WANTED"] {
            assert!(names.contains(&name), "{names:?}");
        }
        assert!(!names.contains(&"CARGO") && !names.contains(&"HOME"), "{names:?}");
    }
}
