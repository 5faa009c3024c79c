//! The programs of `cluster`: from Debian, and from pinned Kubernetes releases built from source.

use std::env;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use xshell::cmd;

use super::{Fetch, debian, run_tool, source_is_older};
use crate::Result;
use crate::workspace::{Workspace, on_path};

/// The minor whose API server serves every kubelet: the newest.
const API_SERVER_MINOR: &str = "1.37";
/// The kubelets that are tried when none is chosen: the newest, and the first in which a service
/// account's token reaches a plugin by default.
pub(crate) const TRIED_MINORS: [&str; 2] = ["1.37", "1.34"];

/// The variables by which the cluster finds its programs, with the kubelets of these minors.
pub(crate) fn programs(
    workspace: &Workspace,
    minors: &[String],
) -> Result<Vec<(&'static str, PathBuf)>> {
    let program = |package: &str, name: &str| match on_path(name) {
        Some(program) => Ok(program),
        None => {
            let folder = debian::programs(workspace, package, &[name], Fetch::WhenMissing)?;
            Ok::<_, Box<dyn std::error::Error>>(folder.join(name))
        }
    };
    // Both of one version.
    let runtime = ["containerd", "ctr"];
    let runtime = debian::programs(workspace, "containerd", &runtime, Fetch::WhenMissing)?;
    let api_server = build(workspace, API_SERVER_MINOR, "kube-apiserver")?;
    for minor in minors {
        build(workspace, minor, "kubelet")?;
    }
    Ok(vec![
        ("PULLPASS_CLUSTER_KUBELETS", kubernetes(workspace)),
        ("PULLPASS_CLUSTER_API_SERVER", api_server),
        ("PULLPASS_CLUSTER_ETCD", program("etcd-server", "etcd")?),
        ("PULLPASS_CLUSTER_CONTAINERD", runtime.join("containerd")),
        ("PULLPASS_CLUSTER_CTR", runtime.join("ctr")),
        ("PULLPASS_CLUSTER_RUNC", program("runc", "runc")?),
        ("PULLPASS_JUDGE_DOCKER_REGISTRY", program("docker-registry", "docker-registry")?),
    ])
}

/// Where programs of Kubernetes are, built or not: `MINOR/PROGRAM`.
fn kubernetes(workspace: &Workspace) -> PathBuf {
    workspace.target.join("kubernetes")
}

/// One program of a pinned minor, built if it is missing or older than its pins.
fn build(workspace: &Workspace, minor: &str, program: &str) -> Result<PathBuf> {
    let sources = workspace.root.join("tests/kubernetes");
    let pin = sources.join("pins").join(minor);
    if !pin.is_dir() {
        return Err(format!("Kubernetes `{minor}` is not pinned in {}", sources.display()).into());
    }
    let out = kubernetes(workspace).join(minor).join(program);
    let folders: [&Path; 2] = [&sources, &pin];
    if source_is_older(&out, &folders)? {
        return Ok(out);
    }
    if on_path("go").is_none() {
        return Err("it is built by Go 1.26 or newer, and there is no `go` on PATH".into());
    }
    eprintln!("building {program} {minor}: some minutes on the first run");
    let start = Instant::now();
    let script = sources.join("build.sh");
    let jobs = env::var("KUBERNETES_JOBS").unwrap_or_else(|_| {
        thread::available_parallelism().map_or(1, std::num::NonZero::get).to_string()
    });
    let build = cmd!(workspace.shell, "sh {script} {minor} {program} {out}");
    run_tool(build.env("KUBERNETES_JOBS", jobs))?;
    eprintln!("built {program} {minor} in {} s", start.elapsed().as_secs());
    Ok(out)
}
