//! The clouds' own plugins, if they can be built: AWS's is a Go module. Azure's and Google's are
//! not in a module that can be built separately.

use std::fs;
use std::path::PathBuf;

use xshell::cmd;

use super::suite::Suite;
use crate::Result;
use crate::workspace::{Workspace, on_path};

const PACKAGE: &str = "k8s.io/cloud-provider-aws/cmd/ecr-credential-provider";

/// Builds the plugin that serves the same registries, from the modules in `bench/peers/`; `None`
/// if there is none.
pub(super) fn build(workspace: &Workspace, suite: &Suite) -> Result<Option<PathBuf>> {
    if suite.name != "ecr" {
        return Ok(None);
    }
    if on_path("go").is_none() {
        return Err("`--peers` builds AWS's plugin by Go, and there is no `go` on PATH".into());
    }
    let source = workspace.root.join("xtask/src/bench/peers");
    let folder = workspace.target.join("peers");
    fs::create_dir_all(&folder)?;
    let program = folder.join(suite.plugin);
    let options = ["-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags=-s -w"];
    let build = cmd!(workspace.shell, "go build -C {source} {options...} -o {program} {PACKAGE}");
    build.env("CGO_ENABLED", "0").quiet().run()?;
    Ok(Some(program))
}
