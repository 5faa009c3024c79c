//! Whether the programs of a configuration are there.
//!
//! Source: Go, `exec.LookPath`.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};

use crate::config::{Config, CredentialProvider, registered_twice};
use crate::distance::distance;
use crate::finding::{Finding, FindingCode, StartupError};
use crate::go::path::{join, path_error, system_error};
use crate::go::quote::quote;

/// The kubelet's errors about the bin dir.
pub(super) fn check_directory(bin_dir: &Path) -> Option<StartupError> {
    let error = fs::metadata(bin_dir).err()?;
    let message = if error.kind() == io::ErrorKind::NotFound {
        format!("plugin binary directory {} did not exist", bin_dir.display())
    } else {
        let why = path_error("stat", bin_dir, &error);
        format!("error inspecting binary directory {}: {why}", bin_dir.display())
    };
    Some(StartupError::plain(FindingCode::BinDir, message))
}

/// The kubelet's errors about the programs while it registers the providers one by one. It
/// stops at the first error; the rest is reported as further errors.
pub(super) fn check(config: &Config, bin_dir: &Path) -> Option<StartupError> {
    let mut names = HashSet::new();
    let mut findings = config.providers.iter().filter_map(|provider| {
        find_fault(provider, bin_dir).or_else(|| {
            // From 1.33 on a repeated name was found before.
            let is_new = names.insert(provider.name.as_str());
            (!is_new).then(|| registered_twice(&provider.name))
        })
    });
    let error = StartupError::of_one(findings.next()?);
    Some(StartupError { further: findings.collect(), sources: config.sources.clone(), ..error })
}

pub(super) fn no_configuration() -> StartupError {
    StartupError::plain(FindingCode::Unreadable, "there is no configuration")
}

fn find_fault(provider: &CredentialProvider, bin_dir: &Path) -> Option<Finding> {
    let path = join(bin_dir, &provider.name);
    let (code, why) = look_at(&path)?;
    let message = match code {
        FindingCode::ProgramMissing | FindingCode::ProgramDangling => {
            // The message's path is the look-up's result, which is empty.
            "plugin binary executable  did not exist".to_owned()
        }
        _ => format!(
            "error inspecting binary executable : exec: {}: {why}",
            quote(path.as_os_str().as_encoded_bytes())
        ),
    };
    let finding = Finding::new(code, message).located(provider.name.location.clone());
    Some(Finding { path: Some(path), ..finding })
}

fn look_at(path: &Path) -> Option<(FindingCode, String)> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => {
            let code = match error.kind() {
                io::ErrorKind::NotFound if path.is_symlink() => FindingCode::ProgramDangling,
                io::ErrorKind::NotFound => FindingCode::ProgramMissing,
                _ => FindingCode::ProgramUnreadable,
            };
            return Some((code, path_error("stat", path, &error)));
        }
    };
    if metadata.is_dir() {
        return Some((FindingCode::ProgramDirectory, "is a directory".to_owned()));
    }
    let error = accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS).err()?;
    Some((FindingCode::ProgramNotExecutable, system_error(&error.into())))
}

/// A file next to `path` with nearly the same name: in another case, with another ending such
/// as `-amd64`, or with one letter wrong.
pub(crate) fn nearby_program(path: &Path) -> Option<PathBuf> {
    let wanted = path.file_name()?.to_str()?.to_lowercase();
    let entries = fs::read_dir(path.parent()?).ok()?.flatten();
    let mut nearby: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|entry| {
            let name = entry.file_name().map(|name| name.to_string_lossy().to_lowercase());
            name.is_some_and(|name| is_near(&name, &wanted)) && entry.is_file()
        })
        .collect();
    nearby.sort();
    nearby.into_iter().next()
}

fn is_near(name: &str, wanted: &str) -> bool {
    let has_ending = |rest: &str| rest.starts_with(['-', '_', '.']);
    name.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || has_ending(rest))
        || distance(name, wanted) <= 1
}
