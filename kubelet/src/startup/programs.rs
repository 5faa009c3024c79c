//! Whether the programs of a configuration are there, as the kubelet finds out at its
//! start.
//!
//! Source: kubelet, `RegisterCredentialProviderPlugins`; Go, `exec.LookPath`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};

use crate::config::{Config, Finding};
use crate::go::path::{join, path_error, system_error};
use crate::go::quote::quote;
use crate::source::Location;

/// What the kubelet says about the bin dir; it looks there before it reads the
/// configuration. `None` when it has nothing to say.
pub fn check_directory(bin_dir: &Path) -> Option<String> {
    let error = fs::metadata(bin_dir).err()?;
    if error.kind() == io::ErrorKind::NotFound {
        return Some(format!("plugin binary directory {} did not exist", bin_dir.display()));
    }
    let why = path_error("stat", bin_dir, &error);
    Some(format!("error inspecting binary directory {}: {why}", bin_dir.display()))
}

/// What the kubelet would find.
#[derive(Clone, Debug)]
pub struct Binaries {
    /// Why the kubelet would refuse to start: its words about the first fault. `None`
    /// when it would start.
    pub verdict: Option<String>,
    /// Every provider's program, in the order of the configuration.
    pub binaries: Vec<Binary>,
}

impl Binaries {
    /// The faults, each in the kubelet's words.
    pub fn findings(&self) -> impl Iterator<Item = Finding> + '_ {
        self.binaries.iter().filter_map(|binary| {
            let fault = binary.fault.as_ref()?;
            Some(Finding {
                message: fault.message.clone(),
                location: Some(binary.location.clone()),
            })
        })
    }
}

/// A provider's program.
#[derive(Clone, Debug)]
pub struct Binary {
    /// The provider's name.
    pub provider: String,
    /// Where the kubelet looks for it. Its own message about a missing one leaves this
    /// out.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: Option<BinaryFault>,
    /// The name in the configuration.
    pub location: Location,
}

/// What is wrong with a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BinaryFault {
    /// In one word.
    pub problem: ProgramProblem,
    /// The kubelet's words.
    pub message: String,
}

/// What is wrong with a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramProblem {
    /// There is nothing of this name.
    Missing,
    /// There is a link that leads nowhere.
    DanglingLink,
    /// It is a directory.
    Directory,
    /// It may not be executed, by its mode or by its file system's.
    NotExecutable,
    /// Looking at it fails in another way.
    Unreadable,
}

/// Looks for the program of every provider. [`check_directory`] comes before.
pub fn check(config: &Config, bin_dir: &Path) -> Binaries {
    let binaries: Vec<Binary> = config
        .providers
        .iter()
        .map(|provider| {
            let path = join(bin_dir, &provider.name);
            Binary {
                provider: provider.name.value.clone(),
                fault: look(&path),
                path,
                location: provider.name.location.clone(),
            }
        })
        .collect();
    let mut faults = binaries.iter().filter_map(|binary| binary.fault.as_ref());
    Binaries { verdict: faults.next().map(|fault| fault.message.clone()), binaries }
}

fn look(path: &Path) -> Option<BinaryFault> {
    let (problem, why) = find_fault(path)?;
    let message = match problem {
        ProgramProblem::Missing | ProgramProblem::DanglingLink => {
            // The message's path is what the look-up returned, which is nothing.
            "plugin binary executable  did not exist".to_owned()
        }
        _ => format!(
            "error inspecting binary executable : exec: {}: {why}",
            quote(path.as_os_str().as_encoded_bytes())
        ),
    };
    Some(BinaryFault { problem, message })
}

fn find_fault(path: &Path) -> Option<(ProgramProblem, String)> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => {
            let problem = match error.kind() {
                io::ErrorKind::NotFound if path.is_symlink() => ProgramProblem::DanglingLink,
                io::ErrorKind::NotFound => ProgramProblem::Missing,
                _ => ProgramProblem::Unreadable,
            };
            return Some((problem, path_error("stat", path, &error)));
        }
    };
    if metadata.is_dir() {
        return Some((ProgramProblem::Directory, "is a directory".to_owned()));
    }
    let error = accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS).err()?;
    Some((ProgramProblem::NotExecutable, system_error(&error.into())))
}
