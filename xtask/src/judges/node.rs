//! Judges from npm, as a lock file pins them.

use std::fs;
use std::path::PathBuf;

use xshell::{Shell, cmd};

use super::{Fetch, is_current, run_tool};
use crate::Result;
use crate::workspace::{Workspace, on_path};

/// The `package.json` beside which `oidc-provider` is installed, a library; the server made of it is
/// a file of the tests.
pub(super) fn oidc_provider(workspace: &Workspace, fetch: Fetch) -> Result<PathBuf> {
    let source = workspace.root.join("xtask/src/judges/oidc-provider");
    let read = |file: &str| {
        let file = source.join(file);
        fs::read_to_string(&file)
            .map_err(|error| format!("cannot read {}: {error}", file.display()))
    };
    let (package, lock) = (read("package.json")?, read("package-lock.json")?);
    let folder = workspace.target.join("judges/oidc-provider");
    let manifest = folder.join("package.json");
    let stamp = folder.join("made-from.json");
    if is_current(&stamp, &lock) {
        return Ok(manifest);
    }
    if fetch == Fetch::Never {
        return Err("not installed, or not as it is locked, and fetching was not allowed".into());
    }
    if on_path("node").is_none() || on_path("npm").is_none() {
        return Err("it needs Node.js 20 or newer with `npm`, and they are not on PATH".into());
    }

    eprintln!("installing oidc-provider into {}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    fs::write(&manifest, package)?;
    fs::write(folder.join("package-lock.json"), &lock)?;
    let shell = Shell::new()?;
    shell.change_dir(&folder);
    // Nothing that is fetched may run now.
    let quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    run_tool(cmd!(shell, "npm ci {quiet...}"))?;
    // Last: if it is there, the rest is.
    fs::write(&stamp, lock)?;
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_lock_names_no_registry_and_a_hash_for_each_package() {
        let lock = include_str!("oidc-provider/package-lock.json");
        assert!(!lock.contains("\"resolved\""), "it is for npm's own configuration to say");
        let count = |text| lock.matches(text).count();
        assert_eq!(count("\"integrity\": \"sha512-"), count("\"node_modules/"));
    }
}
