//! A node's configuration file, replaced completely or not at all.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use pullpass::file::{self, FILE_LIMIT};
use rustix::fs::{FlockOperation, XattrFlags};
use rustix::io::Errno;
use tempfile::NamedTempFile;

use crate::report::Failure;
use crate::text::sanitize;

/// How long to wait for another run on the same directory.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// In bytes; more than all extended attributes of a configuration file.
const MOST_ATTRIBUTES: usize = 64 << 10;

/// A configuration file as it was read.
pub(super) struct NodeFile {
    /// The target if it is a link; otherwise the file itself.
    path: PathBuf,
    directory: File,
    /// `None` if it does not exist.
    old: Option<(Vec<u8>, Metadata)>,
}

impl NodeFile {
    /// Reads the file. A link is followed, as the kubelet and an editor do: if the link were
    /// replaced by a file, other readers of its target would see no change.
    ///
    /// With `to_write` no other run of this command comes between the reading and the writing.
    ///
    /// # Errors
    /// When it is not a regular file, cannot be read, or another run holds the directory.
    pub(super) fn open(path: &Path, to_write: bool) -> Result<Self, Failure> {
        let real = resolve(path)?;
        let folder = match real.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let directory = File::open(folder).map_err(|error| cannot("read", folder, &error))?;
        if to_write {
            lock(&directory, folder)?;
        }
        let old = match fs::metadata(&real) {
            Ok(metadata) if metadata.is_dir() => {
                return Err(Failure::new(format!("`{}` is a directory", show(path)))
                    .hint("name one file in it, or a new one that ends in `.yaml`"));
            }
            Ok(metadata) => {
                let text = file::read(&real)
                    .map_err(|error| Failure::new(sanitize(&error.to_string())))?;
                Some((text, metadata))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(cannot("read", path, &error)),
        };
        Ok(Self { path: real, directory, old })
    }

    /// The bytes; `None` if there is no file.
    pub(super) fn text(&self) -> Option<&[u8]> {
        self.old.as_ref().map(|(text, _)| text.as_slice())
    }

    /// Replaces the old file with a new one that has its owner, mode and extended attributes,
    /// such as the SELinux label. A file that did not exist gets the mode `new_mode`. If this is
    /// interrupted at any time, either the old or the new file is there, complete.
    ///
    /// # Errors
    /// When that is not possible, or the file was changed since it was read.
    pub(super) fn replace(&self, text: &[u8], new_mode: u32) -> Result<(), Failure> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let failed = |error: io::Error| {
            let failure = cannot("write", &self.path, &error);
            match error.raw_os_error().map(Errno::from_raw_os_error) {
                Some(Errno::BUSY) => {
                    failure.hint("it is a mount point: edit the file that is mounted")
                }
                Some(Errno::ACCESS | Errno::PERM) => failure.hint("run it as root"),
                Some(Errno::ROFS) => failure.hint(
                    "this node's files are read-only: change the configuration where the \
                     platform has it",
                ),
                _ => failure,
            }
        };
        // A kubelet that reads the directory ignores files with this ending.
        let mut new = tempfile::Builder::new()
            .prefix(".pullpass-")
            .suffix(".tmp")
            .tempfile_in(folder)
            .map_err(failed)?;
        new.write_all(text).map_err(failed)?;
        match &self.old {
            Some((_, metadata)) => keep_metadata(&new, &self.path, metadata).map_err(failed)?,
            None => {
                new.as_file().set_permissions(Permissions::from_mode(new_mode)).map_err(failed)?
            }
        }
        new.as_file().sync_all().map_err(failed)?;
        self.check_unchanged()?;
        match &self.old {
            Some(_) => new.persist(&self.path).map_err(|error| failed(error.error))?,
            None => new.persist_noclobber(&self.path).map_err(|error| failed(error.error))?,
        };
        self.directory.sync_all().map_err(|error| {
            let message = format!("`{}` is replaced, but cannot be flushed", show(&self.path));
            Failure::new(format!("{message}: {error}"))
                .hint("run `sync`: until then a power cut may bring the old file back")
        })
    }

    /// Another program may have written in the meantime; this leaves it only a moment to do so.
    fn check_unchanged(&self) -> Result<(), Failure> {
        let now = match fs::metadata(&self.path) {
            Ok(_) => file::read(&self.path).ok(),
            Err(_) => None,
        };
        if now.as_deref() == self.text() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "`{}` was changed by another program in between",
            show(&self.path)
        ))
        .hint("run the command again"))
    }
}

/// The bytes of a file, or of stdin for `-`.
pub(super) fn read_entry(path: &Path) -> Result<Vec<u8>, Failure> {
    if path.as_os_str() != "-" {
        return file::read(path).map_err(|error| {
            Failure::new(sanitize(&error.to_string())).hint("give a file, or `-` for stdin")
        });
    }
    let mut text = Vec::new();
    io::stdin()
        .lock()
        .take(FILE_LIMIT + 1)
        .read_to_end(&mut text)
        .map_err(|error| Failure::new(format!("cannot read stdin: {error}")))?;
    match text.len() as u64 > FILE_LIMIT {
        true => Err(Failure::new("stdin is larger than 4 MiB")),
        false => Ok(text),
    }
}

fn resolve(path: &Path) -> Result<PathBuf, Failure> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        resolved => return resolved.map_err(|error| cannot("read", path, &error)),
    }
    if path.symlink_metadata().is_ok() {
        return Err(Failure::new(format!("`{}` is a broken symbolic link", show(path)))
            .hint("create the file that it points to, or remove the link"));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let (Some(name), folder) = (path.file_name(), folder.unwrap_or(Path::new("."))) else {
        return Err(Failure::new(format!("`{}` does not name a file", show(path))));
    };
    let folder = fs::canonicalize(folder).map_err(|error| {
        cannot("read", folder, &error).hint("create the directory first, or correct the path")
    })?;
    Ok(folder.join(name))
}

fn lock(directory: &File, folder: &Path) -> Result<(), Failure> {
    let start = Instant::now();
    loop {
        match rustix::fs::flock(directory, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) if start.elapsed() < LOCK_PATIENCE => {
                sleep(Duration::from_millis(20));
            }
            Err(Errno::WOULDBLOCK) => {
                let message = format!("another program holds a lock on `{}`", show(folder));
                return Err(Failure::new(message).hint("wait for it to end, and run this again"));
            }
            // Some file systems have no locks; the bytes are compared in any case.
            Ok(()) | Err(_) => return Ok(()),
        }
    }
}

fn keep_metadata(new: &NamedTempFile, old: &Path, metadata: &Metadata) -> io::Result<()> {
    let file = new.as_file();
    let now = file.metadata()?;
    if (now.uid(), now.gid()) != (metadata.uid(), metadata.gid()) {
        fchown(file, Some(metadata.uid()), Some(metadata.gid()))?;
    }
    // After the owner is set, because that clears bits of the mode.
    file.set_permissions(Permissions::from_mode(metadata.mode() & 0o7777))?;
    let old = File::open(old)?;
    let mut names = vec![0; MOST_ATTRIBUTES];
    let length = match rustix::fs::flistxattr(&old, names.as_mut_slice()) {
        Err(Errno::NOTSUP) => return Ok(()),
        length => length?,
    };
    for name in names[..length].split(|byte| *byte == 0).filter(|name| is_kept(name)) {
        let mut value = vec![0; MOST_ATTRIBUTES];
        let length = rustix::fs::fgetxattr(&old, name, value.as_mut_slice())?;
        value.truncate(length);
        let mut present = vec![0; MOST_ATTRIBUTES];
        if rustix::fs::fgetxattr(file, name, present.as_mut_slice())
            .is_ok_and(|length| present[..length] == value)
        {
            continue;
        }
        rustix::fs::fsetxattr(file, name, &value, XattrFlags::empty())?;
    }
    Ok(())
}

/// Security labels, access control lists, and attributes of users. A hash or a signature of the old
/// bytes (`security.ima`, `security.evm`) would be wrong for the new ones.
fn is_kept(attribute: &[u8]) -> bool {
    let whole: [&[u8]; 3] = [b"security.selinux", b"security.SMACK64", b"system.posix_acl_access"];
    whole.contains(&attribute) || attribute.starts_with(b"user.")
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot {what} `{}`: {error}", show(path)))
}

fn show(path: &Path) -> String {
    sanitize(&path.display().to_string())
}
