//! Which files make up a configuration.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::config::ConfigError;
use crate::go::path::{join, path_error, system_error};
use crate::go::quote::quote;
use crate::version::Target;

/// More than any configuration; the kubelet itself has no limit.
const LARGEST_FILE: u64 = 16 << 20;

pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
}

/// The files at `path` in the kubelet's order, each read when it is its turn: the kubelet
/// refuses what is in one before it opens the next.
pub(super) fn files(
    path: &Path,
    target: &Target,
) -> Result<impl Iterator<Item = Result<File, ConfigError>> + use<>, ConfigError> {
    if path.as_os_str().is_empty() {
        return Err(ConfigError::plain("credential provider config path is empty".to_owned()));
    }
    let mut paths = vec![path.to_owned()];
    let mut words = "unable to read external registry credential provider configuration from";
    if target.reads_directories() {
        let metadata = fs::metadata(path).map_err(|error| {
            let why = path_error("stat", path, &error);
            ConfigError::plain(format!("unable to access path {}: {why}", quoted(path)))
        })?;
        if metadata.is_dir() {
            paths = list(path)?;
        }
        words = "unable to read file";
    }
    let load = move |path: PathBuf| match read(&path) {
        Ok(bytes) => Ok(File { path, bytes }),
        Err(why) => Err(ConfigError::plain(format!("{words} {}: {why}", quoted(&path)))),
    };
    Ok(paths.into_iter().map(load))
}

/// Not recursive, hidden files included, and links whatever they lead to.
fn list(directory: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let unreadable = |error| {
        let why = path_error("open", directory, &error);
        let message = format!("unable to read directory {}: {why}", quoted(directory));
        ConfigError::plain(message)
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let wanted = [".json", ".yaml", ".yml"].iter().any(|ending| name.ends_with(ending));
        if wanted && !entry.file_type().map_err(unreadable)?.is_dir() {
            paths.push(join(directory, &name));
        }
    }
    if paths.is_empty() {
        let message = format!("no configuration files found in directory {}", quoted(directory));
        return Err(ConfigError::plain(message));
    }
    paths.sort_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
    Ok(paths)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let file = fs::File::open(path).map_err(|error| path_error("open", path, &error))?;
    let mut bytes = Vec::new();
    let read = file.take(LARGEST_FILE + 1).read_to_end(&mut bytes);
    read.map_err(|error| path_error("read", path, &error))?;
    if bytes.len() as u64 > LARGEST_FILE {
        let error = std::io::Error::from(std::io::ErrorKind::FileTooLarge);
        return Err(format!("read {}: {}", path.display(), system_error(&error)));
    }
    Ok(bytes)
}

/// Over each file, its length as 8 bytes, the greatest first, and its bytes.
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
