//! containerd, which pulls with what the kubelet got from a plugin, and runs it.

use std::fs;
use std::path::{Path, PathBuf};

use super::machine::command;
use super::program::Program;
use super::programs::Programs;
use super::runc;
use crate::image::Image;

/// Where it listens.
const SOCKET: &str = "/run/containerd/containerd.sock";
/// The kubelet's name for that.
pub(super) const ENDPOINT: &str = "unix:///run/containerd/containerd.sock";
/// The image of a pod's first container, which is here before any pull.
const PAUSE: &str = "registry.k8s.io/pause:3.10";

/// The running containerd.
pub struct Runtime {
    ctr: PathBuf,
    program: Program,
}

impl Runtime {
    /// Starts it, and gives it the pause image.
    pub(super) fn start(programs: &Programs, folder: &Path) -> Self {
        let config = folder.join("containerd.toml");
        fs::write(&config, configuration(folder)).unwrap();
        let mut containerd = command(&programs.containerd);
        containerd.arg("--config").arg(&config).env(runc::VARIABLE, &programs.runc);
        let program = Program::start("containerd", containerd, folder);
        let mut runtime = Self { ctr: programs.ctr.clone(), program };
        let ctr = runtime.ctr.clone();
        runtime.program.wait_until("it answered", |_| run_ctr(&ctr, &["version"]).is_ok());
        let archive = folder.join("pause.tar");
        Image::that_runs("the first container of a pod").write_archive(&archive, PAUSE);
        runtime.ctr(&["images", "import", archive.to_str().unwrap()]);
        runtime
    }

    /// What it wrote to its log.
    pub fn log(&self) -> String {
        self.program.log()
    }

    /// Whether a container of that pod runs, as containerd says it.
    pub fn runs(&self, container: &str) -> bool {
        let tasks = self.ctr(&["tasks", "ls"]);
        let mut lines = tasks.lines().filter(|line| line.starts_with(container));
        lines.any(|line| line.contains("RUNNING"))
    }

    /// What runs. What has ended the kubelet removes in its own time.
    pub(super) fn running(&self) -> Vec<String> {
        let tasks = self.ctr(&["tasks", "ls"]);
        let running = tasks.lines().filter(|line| line.contains("RUNNING"));
        running.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
    }

    /// Ends all that runs, without its kubelet.
    pub(super) fn kill_all(&self) {
        for container in self.running() {
            self.ctr(&["tasks", "kill", "--signal", "KILL", &container]);
        }
    }

    fn ctr(&self, args: &[&str]) -> String {
        run_ctr(&self.ctr, args).unwrap_or_else(|error| panic!("ctr {}: {error}", args.join(" ")))
    }
}

fn run_ctr(ctr: &Path, args: &[&str]) -> Result<String, String> {
    let mut command = command(ctr);
    command.args(["--address", SOCKET, "--namespace", "k8s.io"]).args(args);
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Without cgroups, and without a network of pods: every pod is in the network of its node. The
/// file for `loopback` is what makes a node's network ready.
fn configuration(folder: &Path) -> String {
    let network = folder.join("cni");
    fs::create_dir_all(&network).unwrap();
    let loopback = r#"{"cniVersion":"0.4.0","name":"none","plugins":[{"type":"loopback"}]}"#;
    fs::write(network.join("10.conflist"), loopback).unwrap();
    let (root, network) = (folder.join("containerd"), network.display());
    let (root, runc) = (root.display(), runc::link(folder));
    format!(
        r#"version = 2
root = "{root}"
state = "/run/containerd"

[grpc]
  address = "{SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  restrict_oom_score_adj = true
  disable_cgroup = true
  disable_apparmor = true

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "{network}"
  conf_dir = "{network}"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  BinaryName = "{runc}"
"#,
        runc = runc.display()
    )
}
