//! The records of a node's disk: `image_manager/{pulled,pulling}` of the kubelet's directory.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::go::path::path_error;
use crate::open::open_without_waiting;
use crate::pull_records::{PullRecords, RecordFile, decode};
use crate::version::KubeletVersion;

/// In bytes; more than any record. The kubelet itself has no limit.
const LARGEST_FILE: u64 = 1 << 20;

/// How many files of a directory are read. The kubelet itself has no limit.
const MOST_FILES: usize = 100_000;

impl PullRecords {
    /// Reads the records below the kubelet's directory, `/var/lib/kubelet` as a rule. A directory
    /// that does not exist holds none.
    ///
    /// # Errors
    /// When a directory cannot be read or holds more than 100,000 files. A file that cannot be
    /// read is among the records, with the reason.
    pub fn read(kubelet_dir: &Path, version: KubeletVersion) -> io::Result<Self> {
        let manager = kubelet_dir.join("image_manager");
        Ok(Self {
            pulled: read_all(&manager.join("pulled"), version, decode::pulled, |record| {
                &record.image_ref
            })?,
            intents: read_all(&manager.join("pulling"), version, decode::intent, |intent| {
                &intent.image
            })?,
        })
    }
}

/// The name of the file in which the kubelet looks for the record of `key`.
pub(super) fn file_name(key: &str) -> String {
    let digits: String =
        Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256-{digits}")
}

fn read_all<T>(
    directory: &Path,
    version: KubeletVersion,
    decode: fn(&[u8], KubeletVersion) -> Result<T, String>,
    key: fn(&T) -> &str,
) -> io::Result<Vec<RecordFile<T>>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_record = name.starts_with("sha256-") && !name.ends_with(".tmp");
        if is_record && !entry.file_type()?.is_dir() {
            paths.push(entry.path());
        }
        if paths.len() > MOST_FILES {
            return Err(io::Error::other(format!("more than {MOST_FILES} records")));
        }
    }
    paths.sort();
    let read = |path: &Path| read_file(path).and_then(|bytes| decode(&bytes, version));
    let files = paths.into_iter().map(|path| {
        let record = read(&path);
        let is_found = record.as_ref().is_ok_and(|record| path.ends_with(file_name(key(record))));
        RecordFile { path, record, is_found }
    });
    Ok(files.collect())
}

/// A regular file. The kubelet would wait for a pipe.
fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let file = open_without_waiting(path).map_err(|error| path_error("open", path, &error))?;
    let mut bytes = Vec::new();
    match file.metadata() {
        Ok(metadata) if metadata.is_file() => {}
        _ => return Err("it is not a regular file, and is not read here".to_owned()),
    }
    file.take(LARGEST_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| path_error("read", path, &error))?;
    match bytes.len() as u64 > LARGEST_FILE {
        true => Err("it is larger than 1 MiB, and is not read here".to_owned()),
        false => Ok(bytes),
    }
}
