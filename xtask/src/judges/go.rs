//! Judges from the Go module proxy, built from pinned modules.

use std::fs;
use std::path::PathBuf;

use xshell::cmd;

use super::{Fetch, is_current, run_tool};
use crate::Result;
use crate::workspace::{Workspace, on_path};

/// HashiCorp Vault with few of its backends, see `xtask/src/judges/vault/main.go`.
pub(super) fn vault(workspace: &Workspace, fetch: Fetch) -> Result<PathBuf> {
    let source = workspace.root.join("xtask/src/judges/vault");
    let mut pins = String::new();
    for file in ["main.go", "go.mod", "go.sum"] {
        let file = source.join(file);
        pins += &fs::read_to_string(&file)
            .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    }
    let folder = workspace.target.join("judges/vault");
    let (program, stamp) = (folder.join("vault"), folder.join("made-from.txt"));
    if is_current(&stamp, &pins) && program.is_file() {
        return Ok(program);
    }
    if fetch == Fetch::Never {
        return Err("not built, or not from this source, and fetching was not allowed".into());
    }
    if on_path("go").is_none() {
        return Err("it is built by Go 1.26 or newer, and there is no `go` on PATH".into());
    }

    eprintln!("building vault: some minutes on the first run");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    // Without symbols, which only a debugger needs, it is a third smaller.
    let options = ["-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags=-s -w"];
    let build = cmd!(workspace.shell, "go build -C {source} {options...} -o {program} .");
    run_tool(build.env("CGO_ENABLED", "0"))?;
    // Last: if it is there, the rest is.
    fs::write(&stamp, pins)?;
    Ok(program)
}
