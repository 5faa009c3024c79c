//! Where things are: the root, cargo's output, the plugins.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use xshell::{Cmd, Shell, cmd};

use crate::Result;

/// The checkout that this task works on.
pub(crate) struct Workspace {
    /// The folder of the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Cargo's output folder: `CARGO_TARGET_DIR`, else `target/`.
    pub(crate) target: PathBuf,
    /// A shell whose working directory is the root.
    pub(crate) shell: Shell,
}

impl Workspace {
    /// The workspace in which this binary was compiled.
    pub(crate) fn open() -> Result<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest.parent().ok_or("xtask is not inside a workspace")?.to_path_buf();
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => root.join(folder),
            None => root.join("target"),
        };
        let shell = Shell::new()?;
        shell.change_dir(&root);
        Ok(Self { root, target, shell })
    }

    /// `cargo`, the one that runs this task.
    ///
    /// Without what `cargo run` tells us about our own package: `ring` is compiled anew whenever
    /// these variables change, so each task would throw away what a plain `cargo build` made.
    pub(crate) fn cargo(&self) -> Cmd<'_> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        env::vars_os()
            .filter(|(name, _)| name.to_str().is_some_and(is_about_our_package))
            .fold(cmd!(self.shell, "{cargo}").quiet(), |cargo, (name, _)| cargo.env_remove(name))
    }

    /// The names of the plugins, which are the folders in `plugins/`, sorted.
    pub(crate) fn plugins(&self) -> Result<Vec<String>> {
        folders(&self.root.join("plugins"))
    }

    /// Where `cargo build` puts development binaries.
    pub(crate) fn dev_binaries(&self) -> PathBuf {
        self.target.join("debug")
    }
}

/// Whether `cargo run` sets the variable for the package that it runs.
fn is_about_our_package(variable: &str) -> bool {
    variable.starts_with("CARGO_PKG_") || variable.starts_with("CARGO_MANIFEST_")
}

/// The names of the folders in a folder that hold a `Cargo.toml`, sorted.
pub(crate) fn folders(parent: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(parent)
        .map_err(|error| format!("cannot read {}: {error}", parent.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The program's path if it is in one of the folders of `PATH`.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
