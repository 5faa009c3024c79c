//! The program of a profile's `credential_process` does not do what it should: the run stays within
//! its bounds, and nothing of the program outlives it.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use pullpass_tests::fixtures::requests::request;
use pullpass_tests::plugin::{PluginCommand, binary};
use pullpass_tests::world::{Trial, World};
use tempfile::TempDir;

use super::{IDENTITY, UNAVAILABLE, fails};
use crate::PLUGIN;
use crate::cloud::{Cloud, REGISTRY, role};

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

    /// What a program's script begins with: it starts another in the background, which holds the
    /// program's stdout open and shows by a file that it is there.
    fn background(&self) -> String {
        format!("(while :; do echo >> {}; sleep 0.02; done) &", self.trace().display())
    }

    fn trace(&self) -> PathBuf {
        self.folder.path().join("trace")
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

    /// Fails if what [`background`](Self::background) started is still there.
    fn expect_gone(&self, name: &str) {
        let size = || fs::metadata(self.trace()).expect("it was there").len();
        // What was killed may still be writing for a moment.
        thread::sleep(Duration::from_millis(100));
        let before = size();
        thread::sleep(Duration::from_millis(300));
        assert_eq!(size(), before, "{name}: a process outlives the plugin");
        fs::remove_file(self.trace()).unwrap();
    }
}

/// What the program prints may be a secret, and is never shown.
fn programs_that_fail(world: &World) {
    let (cloud, node) = (Cloud::new(world), Node::new());
    for (script, why) in [
        ("echo hunter2/Bearer", "printed no credentials: its output is not a JSON object"),
        ("echo '{\"hunter2/Bearer\":1}'", "printed no credentials: `Version` is not 1"),
        ("exit 0", "printed no credentials: its output is not a JSON object"),
        ("exec /nowhere/helper", "exited with 127"),
        ("echo hunter2/Bearer >&2; exit 3", "exited with 3"),
        ("echo hunter2/Bearer; kill -9 $$", "exited with 137"),
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
    let script = format!("{} sleep 0.2; exec yes", node.background());
    let run = cloud.run(node.with(cloud.plugin(), &script), &request(REGISTRY));
    let why = "caused by: the program of `credential_process` printed more than 1048576 bytes";
    fails(&run, REGISTRY, IDENTITY, ERROR, &[why, HINT], "yes");
    assert!(run.duration < Duration::from_secs(5), "{:?}", run.duration);
    node.expect_gone("yes");
}

fn a_program_that_hangs(world: &World) {
    let (cloud, node) = (Cloud::new(world), Node::new());
    for command in ["sleep 300", "sleep 300 >&-", "yes >&2"] {
        let script = format!("{} exec {command}", node.background());
        let plugin = node.with(cloud.plugin(), &script).arg("--timeout=1s");
        let run = cloud.run(plugin, &request(REGISTRY));
        let why = "caused by: the program of `credential_process` was still running after 0.";
        fails(&run, REGISTRY, UNAVAILABLE, ERROR, &[why, HINT], command);
        assert!(run.duration < Duration::from_secs(2), "{command}: {:?}", run.duration);
        node.expect_gone(command);
    }
    let plugin = node.with(cloud.plugin(), "exec sleep 300").arg("--timeout=1s");
    let run = plugin.arg("--log=debug").run(request(REGISTRY).to_string().as_bytes());
    let log = "running the program of `credential_process`";
    assert!(run.stderr.contains(log), "{}", run.stderr);
}

/// It may keep the pipe open; the credentials are there nevertheless.
fn what_a_program_leaves_in_the_background(world: &World) {
    let (cloud, node) = (Cloud::new(world), Node::new());
    let keys = cloud.aws.session(&role("node"), "anywhere", 3600);
    let answer = serde_json::json!({
        "Version": 1,
        "AccessKeyId": keys.access_key_id,
        "SecretAccessKey": keys.secret_access_key,
        "SessionToken": keys.session_token,
    });
    // It must have begun, or there is nothing to see.
    let background = format!("{} sleep 0.2;", node.background());
    let plugin = node.with(cloud.plugin(), &format!("{background} echo '{answer}'"));
    let (_, principal, _) = cloud.login(plugin, &request(REGISTRY));
    assert_eq!(principal, keys.principal);
    node.expect_gone("after a success");
    let run =
        cloud.run(node.with(cloud.plugin(), &format!("{background} exit 3")), &request(REGISTRY));
    fails(&run, REGISTRY, IDENTITY, ERROR, &["exited with 3", HINT], "background");
    node.expect_gone("after a failure");
}
