//! The configuration, its programs, and what `pullpass check` says about them.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use pullpass::file::open_without_waiting;
use pullpass_kubelet::lints::{self, Severity};
use pullpass_kubelet::{FindingCode, startup};

use crate::check::hint;
use crate::doctor::node::{BinDir, Configuration, Node};
use crate::doctor::tree::Tree;
use crate::plugin_lints;

/// KubeletConfiguration has no such fields, but people put them there.
const MISPLACED: [&str; 4] = [
    "imageCredentialProviderConfig",
    "imageCredentialProviderConfigFile",
    "imageCredentialProviderConfigPath",
    "imageCredentialProviderBinDir",
];

/// Other users may write.
const WRITABLE: u32 = 0o022;
/// In such a directory only a file's owner may remove it.
const STICKY: u32 = 0o1000;

/// Looks at what the two flags name.
pub(super) fn see(node: &mut Node, files: &Tree, config: Option<&Path>, bin_dir: Option<&Path>) {
    let real_dir = bin_dir.filter(|path| path.is_absolute()).map(|path| files.resolve(path));
    if let Some(path) = bin_dir {
        node.bin_dir = Some(BinDir {
            path: path.to_owned(),
            real: match &real_dir {
                Some(Ok(real)) => files.shown(real),
                _ => path.to_owned(),
            },
            has_link_circle: matches!(real_dir, Some(Err(_))),
            writable: writable(files, path),
        });
    }
    let real_dir = real_dir.and_then(Result::ok);
    let Some(path) = config else { return };
    let real = match files.resolve(path) {
        Ok(real) => real,
        Err(error) => {
            node.unseen.push((path.display().to_string(), error.to_string()));
            node.config = Some(Configuration { path: path.to_owned(), ..Configuration::default() });
            return;
        }
    };
    let mut seen = Configuration {
        path: path.to_owned(),
        is_directory: real.is_dir(),
        writable: writable(files, path),
        ..Configuration::default()
    };
    for name in if seen.is_directory { files.names(path) } else { Vec::new() } {
        let entry = path.join(name);
        let kind = files.metadata(&entry).map(|metadata| metadata.file_type());
        if kind.is_ok_and(|kind| kind.is_fifo() || kind.is_socket() || kind.is_char_device()) {
            seen.odd_entries.push(entry);
        }
    }
    if let Err(error) = open_without_waiting(&real)
        && error.kind() == std::io::ErrorKind::PermissionDenied
    {
        node.unseen.push((path.display().to_string(), error.to_string()));
        node.config = Some(seen);
        return;
    }
    let found = startup(&real, real_dir.as_deref(), &node.target);
    let mut all = lints::check(found.providers());
    all.extend(plugin_lints::check(found.providers()));
    all.extend(lints::check_files_below(&found, &real, real_dir.as_deref(), files.root()));
    all.retain(|lint| lint.severity == Severity::Warning || lint.code == "skipped-file");
    seen.warnings = all;
    if let Some(error) = &found.error {
        let findings = error.findings.iter().chain(&error.further).cloned();
        // An absolute link was followed on this machine, not below the root.
        let is_there = |path: &Option<PathBuf>| {
            let shown = path.as_ref().map(|path| files.shown(path));
            shown.is_some_and(|path| files.metadata(&path).is_ok())
        };
        let findings = findings.filter(|finding| {
            finding.code != FindingCode::ProgramDangling || !is_there(&finding.path)
        });
        seen.refusals =
            findings.map(|finding| (finding.clone(), hint(&finding, &node.target))).collect();
    }
    for source in found.sources() {
        let changed = fs::metadata(source.path()).and_then(|metadata| metadata.modified());
        seen.files.extend(changed.map(|changed| (files.shown(source.path()), changed)));
        let text = files.read(&files.shown(source.path())).unwrap_or_default();
        seen.is_v1 |= text.contains("kubelet.config.k8s.io/v1\n")
            || text.contains("kubelet.config.k8s.io/v1\"");
    }
    seen.providers = found.providers().to_vec();
    node.config = Some(seen);
}

/// The parts of a path that others than root may write to. They could choose what runs as root.
fn writable(files: &Tree, path: &Path) -> Vec<PathBuf> {
    let Ok(real) = files.resolve(path) else { return Vec::new() };
    let mut parts: Vec<&Path> = real.ancestors().take_while(|part| *part != files.root()).collect();
    parts.reverse();
    let is_writable = |part: &&&Path| {
        fs::metadata(part).is_ok_and(|metadata| {
            let mode = metadata.mode();
            // Root's own group may write.
            let bits = if metadata.gid() == 0 { WRITABLE & 0o002 } else { WRITABLE };
            mode & bits != 0 && !(metadata.is_dir() && mode & STICKY != 0)
        })
    };
    parts.iter().filter(is_writable).map(|part| files.shown(part)).collect()
}

/// The file of a KubeletConfiguration and its keys that are flags.
pub(super) fn misplaced(files: &Tree, path: &Path) -> Option<(PathBuf, Vec<String>)> {
    let text = files.read(path).ok()?;
    let is_key = |line: &str, key: &str| {
        line.trim_start_matches([' ', '"', ','])
            .strip_prefix(key)
            .is_some_and(|rest| rest.trim_start_matches('"').trim_start().starts_with(':'))
    };
    let keys: Vec<String> = MISPLACED
        .iter()
        .filter(|key| text.lines().any(|line| is_key(line, key)))
        .map(|key| (*key).to_owned())
        .collect();
    (!keys.is_empty()).then(|| (path.to_owned(), keys))
}
