//! Who else can write what the kubelet runs as root.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::go::path::join;
use crate::lints::{Lint, Severity};

const WRITABLE_BY_ALL: u32 = 0o002;

/// Advice about modes: of the configuration at `path`, of the bin dir and of the
/// programs in it. The kubelet checks none.
pub fn check_files(config: &Config, path: &Path, bin_dir: Option<&Path>) -> Vec<Lint> {
    let mut lints = Vec::new();
    let files = config.sources.iter().map(|source| source.path().to_owned());
    let mut configuration: Vec<PathBuf> = files.collect();
    if path.is_dir() {
        configuration.insert(0, path.to_owned());
    }
    for path in configuration {
        check("writable-config", &path, "what it says is run as root", &mut lints);
    }
    if let Some(bin_dir) = bin_dir {
        check("writable-bin-dir", bin_dir, "what is in it is run as root", &mut lints);
        for provider in &config.providers {
            let program = join(bin_dir, &provider.name);
            if program.is_file() {
                check("writable-binary", &program, "it is run as root", &mut lints);
            }
        }
    }
    lints
}

fn check(code: &'static str, path: &Path, why: &str, lints: &mut Vec<Lint>) {
    let Ok(metadata) = fs::metadata(path) else { return };
    let mode = metadata.permissions().mode();
    if mode & WRITABLE_BY_ALL == 0 {
        return;
    }
    let shown = path.display();
    lints.push(Lint {
        code,
        severity: Severity::Warning,
        message: format!("everyone can write `{shown}` (mode {:04o}), and {why}", mode & 0o7777),
        hint: format!("chmod o-w {shown}"),
        location: None,
        manifest: None,
    });
}
