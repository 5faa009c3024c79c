//! Files that others can write, that are not read, or that cannot be run.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::{CredentialProvider, is_configuration_name};
use crate::go::path::join;
use crate::lints::{Lint, Severity, program};
use crate::source::Source;
use crate::startup::Startup;

const WRITABLE_BY_ALL: u32 = 0o002;

/// Advice about the files of a start: of the configuration at `path`, of the bin dir and of the
/// programs in it. The kubelet checks no modes, and does not look into programs.
pub fn check_files(startup: &Startup, path: &Path, bin_dir: Option<&Path>) -> Vec<Lint> {
    check_files_below(startup, path, bin_dir, Path::new("/"))
}

/// The same for a node whose file system is below `root`: loaders and interpreters are looked for
/// there. `path` and `bin_dir` are places on this machine.
pub fn check_files_below(
    startup: &Startup,
    path: &Path,
    bin_dir: Option<&Path>,
    root: &Path,
) -> Vec<Lint> {
    let mut lints = Vec::new();
    let mut configuration: Vec<PathBuf> =
        startup.sources().iter().map(|source| source.path().to_owned()).collect();
    if path.is_dir() {
        configuration.insert(0, path.to_owned());
        lints.extend(check_skipped(path));
    }
    for path in configuration {
        check("writable-config", &path, "the kubelet runs as root what it names", &mut lints);
    }
    for source in startup.sources() {
        lints.extend(check_documents(source));
    }
    if let Some(bin_dir) = bin_dir {
        check("writable-bin-dir", bin_dir, "the kubelet runs programs from it as root", &mut lints);
        for provider in startup.providers() {
            check_program(provider, &join(bin_dir, &provider.name), root, &mut lints);
        }
    }
    lints
}

fn check_program(provider: &CredentialProvider, path: &Path, root: &Path, lints: &mut Vec<Lint>) {
    if !path.is_file() {
        return;
    }
    check("writable-binary", path, "the kubelet runs it as root", lints);
    let Some(fault) = program::find_fault(path, root) else { return };
    lints.push(Lint::warning(
        "program-does-not-run",
        &provider.name.location,
        format!(
            "the kubelet would start, but every run of `{}` would fail: {}",
            path.display(),
            fault.why
        ),
        fault.hint,
    ));
}

/// The entries of the configuration's directory that are not read.
fn check_skipped(directory: &Path) -> Option<Lint> {
    let entries = fs::read_dir(directory).ok()?.flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !is_configuration_name(name))
        .collect();
    names.sort();
    let shown = names.iter().take(5).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let more = match names.len() {
        0 => return None,
        1..=5 => String::new(),
        all => format!(" and {} more", all - 5),
    };
    Some(Lint {
        code: "skipped-file",
        severity: Severity::Advice,
        message: format!("the kubelet does not read {shown}{more} in `{}`", directory.display()),
        hint: "it reads only names that end in `.yaml`, `.yml` or `.json`: rename a file that it \
             should read"
            .to_owned(),
        location: None,
        manifest: None,
    })
}

/// A second YAML document in a file.
fn check_documents(source: &Arc<Source>) -> Option<Lint> {
    let text = source.text();
    if text.trim_start().starts_with('{') {
        return None;
    }
    let mut at = 0;
    let mut has_content = false;
    for line in text.split_inclusive('\n') {
        let content = line.trim();
        if has_content && (line.starts_with("---") || line.starts_with("...")) {
            let rest = text[at + line.len()..].lines().map(str::trim);
            let is_more = |line: &str| !line.is_empty() && !line.starts_with('#') && line != "---";
            return rest.into_iter().any(is_more).then(|| {
                Lint::warning(
                    "second-document",
                    &source.locate(at..at + content.len()),
                    "the kubelet reads only the first YAML document of a file; it ignores the rest"
                        .to_owned(),
                    "write all providers in one `providers:` list; from 1.34 a directory with \
                     several files also works"
                        .to_owned(),
                )
            });
        }
        has_content |= !content.is_empty() && !content.starts_with('#') && content != "---";
        at += line.len();
    }
    None
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
        message: format!(
            "every user can write to `{shown}` (mode {:04o}), and {why}",
            mode & 0o7777
        ),
        hint: format!("chmod o-w {shown}"),
        location: None,
        manifest: None,
    });
}
