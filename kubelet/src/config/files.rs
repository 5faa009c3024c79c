//! Which files make up a configuration.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use sha2::{Digest as _, Sha256};

use crate::finding::{FindingCode, StartupError};
use crate::go::path::{join, path_error};
use crate::go::quote::quote;
use crate::open::open_without_waiting;
use crate::version::Target;

/// How long a pipe may be silent, in seconds.
const PIPE_PATIENCE: i64 = 5;

/// In bytes; more than any configuration. The kubelet itself has no limit.
const LARGEST_FILE: u64 = 4 << 20;

pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
}

/// The files at `path` in the kubelet's order. Each is read only when it is its turn: the kubelet
/// refuses the content of one before it opens the next.
pub(super) fn files(
    path: &Path,
    target: &Target,
) -> Result<impl Iterator<Item = Result<File, StartupError>> + use<>, StartupError> {
    if path.as_os_str().is_empty() {
        let message = "credential provider config path is empty";
        return Err(unreadable(message));
    }
    let mut paths = vec![path.to_owned()];
    let mut words = "unable to read external registry credential provider configuration from";
    if target.reads_directories() {
        let metadata = fs::metadata(path).map_err(|error| {
            let why = path_error("stat", path, &error);
            unreadable(format!("unable to access path {}: {why}", quoted(path)))
        })?;
        if metadata.is_dir() {
            paths = list(path)?;
        }
        words = "unable to read file";
    }
    let load = move |path: PathBuf| match read(&path) {
        Ok(bytes) => Ok(File { path, bytes }),
        Err(Unread { why, verbatim }) => {
            let error = unreadable(format!("{words} {}: {why}", quoted(&path)));
            Err(StartupError { verbatim, ..error })
        }
    };
    Ok(paths.into_iter().map(load))
}

/// Whether a file of this name in the configuration's directory is read.
pub(crate) fn is_configuration_name(name: &str) -> bool {
    [".json", ".yaml", ".yml"].iter().any(|ending| name.ends_with(ending))
}

/// Not recursive; hidden files and all links are included.
fn list(directory: &Path) -> Result<Vec<PathBuf>, StartupError> {
    let refuse = |error| {
        let why = path_error("open", directory, &error);
        unreadable(format!("unable to read directory {}: {why}", quoted(directory)))
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(refuse)? {
        let entry = entry.map_err(refuse)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_configuration_name(&name) && !entry.file_type().map_err(refuse)?.is_dir() {
            paths.push(join(directory, &name));
        }
    }
    if paths.is_empty() {
        let message = format!("no configuration files found in directory {}", quoted(directory));
        return Err(StartupError::plain(FindingCode::NoFiles, message));
    }
    paths.sort_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
    Ok(paths)
}

/// Why a file was not read.
struct Unread {
    why: String,
    /// Whether this is the kubelet's message.
    verbatim: bool,
}

/// Reads a regular file, or a pipe that is being written to. The kubelet reads anything, and would
/// wait for a pipe forever.
fn read(path: &Path) -> Result<Vec<u8>, Unread> {
    let fail = |operation: &str, error: io::Error| Unread {
        why: path_error(operation, path, &error),
        verbatim: true,
    };
    let refuse =
        |why: &str| Unread { why: format!("read {}: {why}", path.display()), verbatim: false };
    let file = open_without_waiting(path).map_err(|error| fail("open", error))?;
    let kind = file.metadata().map_err(|error| fail("stat", error))?.file_type();
    // Reading a directory fails with the kubelet's message.
    if !kind.is_file() && !kind.is_dir() && !kind.is_fifo() {
        return Err(refuse("it is not a regular file, and is not read here"));
    }
    let mut bytes = Vec::new();
    let read = match kind.is_fifo() {
        true => read_pipe(&file, &mut bytes),
        false => file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map(drop),
    };
    match read {
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            return Err(refuse("it is a pipe that nothing is written to, not a regular file"));
        }
        read => read.map_err(|error| fail("read", error))?,
    }
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(refuse("it is larger than 4 MiB, and is not read here"));
    }
    Ok(bytes)
}

/// Reads a pipe, such as `/dev/stdin`, to its end, as long as something comes.
fn read_pipe(mut pipe: &fs::File, bytes: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = [0; 64 * 1024];
    while bytes.len() as u64 <= LARGEST_FILE {
        match pipe.read(&mut buffer) {
            // No process has it open for writing.
            Ok(0) if bytes.is_empty() => return Err(io::ErrorKind::TimedOut.into()),
            Ok(0) => return Ok(()),
            Ok(length) => bytes.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let patience = Timespec { tv_sec: PIPE_PATIENCE, tv_nsec: 0 };
                if poll(&mut [PollFd::new(&pipe, PollFlags::IN)], Some(&patience))? == 0 {
                    return Err(io::ErrorKind::TimedOut.into());
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn unreadable(message: impl Into<String>) -> StartupError {
    StartupError::plain(FindingCode::Unreadable, message)
}

/// Over each file: its length as 8 bytes, the most significant first, and its bytes.
#[derive(Default)]
pub(super) struct Hash(Sha256);

impl Hash {
    pub(super) fn add(&mut self, file: &File) {
        self.0.update((file.bytes.len() as u64).to_be_bytes());
        self.0.update(&file.bytes);
    }

    pub(super) fn finish(self) -> String {
        let digits: String = self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{digits}")
    }
}

fn quoted(path: &Path) -> String {
    quote(path.as_os_str().as_encoded_bytes())
}
