//! The program of a profile's `credential_process` does not do what it should: the run stays within
//! its bounds, and nothing of the program outlives it.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use pullpass_tests::plugin::{PluginCommand, binary};
use pullpass_tests::world::{Trial, World};
use tempfile::TempDir;

use super::{IDENTITY, UNAVAILABLE, fails};
use crate::PLUGIN;
use crate::cloud::{Cloud, REGISTRY, request, role};

const ERROR: &str = "the profile gave no AWS credentials";
const HINT: &str = "hint: run it by hand as the kubelet's user";

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(programs_that_fail),
        Trial::of(a_program_that_prints_a_gigabyte),
        Trial::of(a_program_that_prints_without_end),
        Trial::of(a_program_that_hangs),
        Trial::of(what_a_program_leaves_in_the_background),
    ]
}

/// A node whose profile has a program.
struct Node {
    folder: TempDir,
}

impl Node {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// Where a program leaves its process's number.
    fn pid_file(&self) -> PathBuf {
        self.folder.path().join("pid")
    }

    /// The plugin, with this script as the program.
    fn with(&self, plugin: PluginCommand, script: &str) -> PluginCommand {
        let program = self.folder.path().join("program");
        fs::write(&program, script).unwrap();
        let config = self.folder.path().join("config");
        let text = format!("[default]\ncredential_process = sh {}\n", program.display());
        fs::write(&config, text).unwrap();
        plugin.env("PATH", "/usr/bin:/bin").env("AWS_CONFIG_FILE", &config)
    }

    /// Fails if the process whose number the program left is still there soon after.
    fn expect_gone(&self, name: &str) {
        let pid = fs::read_to_string(self.pid_file()).unwrap();
        let place = Path::new("/proc").join(pid.trim());
        for _ in 0..100 {
            let status = fs::read_to_string(place.join("status")).unwrap_or_default();
            if status.is_empty() || status.contains("State:\tZ") {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("{name}: process {pid} outlives the plugin");
    }
}

/// What the program prints may be a secret, and is shown nowhere.
fn programs_that_fail(world: &World) {
    let (cloud, node) = (Cloud::new(world), Node::new());
    for (script, why) in [
        ("echo hunter2/Bearer", "printed no credentials: its output is not a JSON object"),
        ("echo '{\"hunter2/Bearer\":1}'", "printed no credentials: `Version` is not 1"),
        ("exit 0", "printed no credentials: its output is not a JSON object"),
        ("exec /nowhere/helper", "exited with 127"),
        ("echo hunter2/Bearer >&2; exit 3", "exited with 3"),
        ("echo hunter2/Bearer; kill -9 $$", "was killed by a signal"),
    ] {
        let plugin = node.with(cloud.plugin(), script);
        let plugin = plugin.secret("what the program wrote", "hunter2/Bearer");
        let run = cloud.run(plugin, &request(REGISTRY));
        let why = format!("caused by: the program of `credential_process` {why}");
        fails(&run, REGISTRY, IDENTITY, ERROR, &[&why, HINT], script);
    }
}

/// With no more memory for the plugin than it needs otherwise.
fn a_program_that_prints_a_gigabyte(world: &World) {
    let (cloud, node) = (Cloud::new(world), Node::new());
    let limited = || {
        let script = format!("ulimit -v 400000; exec {} \"$@\"", binary(PLUGIN).display());
        PluginCommand::at(Path::new("/bin/sh")).arg("-c").arg(script).arg(PLUGIN)
    };
    for (script, why) in [
        ("head -c 1000000000 /dev/zero", "printed more than 1048576 bytes"),
        ("head -c 1000000000 /dev/zero >&2; exit 3", "exited with 3"),
    ] {
        let run = cloud.run(node.with(limited(), script), &request(REGISTRY));
        let why = format!("caused by: the program of `credential_process` {why}");
        fails(&run, REGISTRY, IDENTITY, ERROR, &[&why, HINT], script);
    }
}

fn a_program_that_prints_without_end(world: &World) {
    let (cloud, node) = (Cloud::new(world), Node::new());
    let script = format!("echo $$ > {}; exec yes", node.pid_file().display());
    let run = cloud.run(node.with(cloud.plugin(), &script), &request(REGISTRY));
    let why = "caused by: the program of `credential_process` printed more than 1048576 bytes";
    fails(&run, REGISTRY, IDENTITY, ERROR, &[why, HINT], "yes");
    assert!(run.duration < Duration::from_secs(5), "{:?}", run.duration);
    node.expect_gone("yes");
}

fn a_program_that_hangs(world: &World) {
    let (cloud, node) = (Cloud::new(world), Node::new());
    for command in ["sleep 300", "sleep 300 >&-", "yes >&2"] {
        let script = format!("echo $$ > {}; exec {command}", node.pid_file().display());
        let plugin = node.with(cloud.plugin(), &script).arg("--timeout=1s");
        let run = cloud.run(plugin, &request(REGISTRY));
        let why = "caused by: the program of `credential_process` was still running after 0.9 s";
        fails(&run, REGISTRY, UNAVAILABLE, ERROR, &[why, HINT], command);
        assert!(run.duration < Duration::from_secs(2), "{command}: {:?}", run.duration);
        node.expect_gone(command);
    }
    let plugin = node.with(cloud.plugin(), "exec sleep 300").arg("--timeout=1s");
    let run = plugin.arg("--log=debug").run(request(REGISTRY).to_string().as_bytes());
    let log = "running the program of `credential_process`";
    assert!(run.stderr.contains(log), "{}", run.stderr);
}

/// It may keep the pipe open; the credentials are there all the same.
fn what_a_program_leaves_in_the_background(world: &World) {
    let (cloud, node) = (Cloud::new(world), Node::new());
    let keys = cloud.aws.session(&role("node"), "anywhere", 3600);
    let answer = serde_json::json!({
        "Version": 1,
        "AccessKeyId": keys.access_key_id,
        "SecretAccessKey": keys.secret_access_key,
        "SessionToken": keys.session_token,
    });
    let background = format!("sleep 300 & echo $! > {}", node.pid_file().display());
    let plugin = node.with(cloud.plugin(), &format!("{background}; echo '{answer}'"));
    let (_, principal, _) = cloud.login(plugin, &request(REGISTRY));
    assert_eq!(principal, keys.principal);
    node.expect_gone("after a success");
    let run =
        cloud.run(node.with(cloud.plugin(), &format!("{background}; exit 3")), &request(REGISTRY));
    fails(&run, REGISTRY, IDENTITY, ERROR, &["exited with 3", HINT], "background");
    node.expect_gone("after a failure");
}
