//! Reads an operator's files with a limit on size, and never waits for a pipe.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use crate::error::Error;

/// The largest configuration or certificate file that is read, in bytes.
pub const FILE_LIMIT: u64 = 4 * 1024 * 1024;

/// The largest file that a format's parser gets, in bytes. A parser does not look at the run's
/// deadline, so what it gets must be small enough for it.
pub const CONFIG_LIMIT: u64 = 512 * 1024;

/// The bytes of the regular file at `path`.
///
/// # Errors
/// [`ErrorKind::Config`](crate::ErrorKind::Config) when it cannot be read, is not a regular file, or is larger than
/// [`FILE_LIMIT`].
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    read_at_most(path, FILE_LIMIT)
}

/// The text of a configuration: a file of several settings that is parsed.
///
/// # Errors
/// As [`read_text`], with [`CONFIG_LIMIT`] as the largest size.
pub fn read_config(path: &Path) -> Result<String, Error> {
    decode(path, read_at_most(path, CONFIG_LIMIT)?)
}

fn read_at_most(path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    let file = open_at_most(path, limit)?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| cannot_read(path, error))?;
    match bytes.len() as u64 > limit {
        true => Err(too_large(path, limit)),
        false => Ok(bytes),
    }
}

/// The regular file at `path`, open for reading.
pub(crate) fn open_regular(path: &Path) -> Result<File, Error> {
    open_at_most(path, FILE_LIMIT)
}

fn open_at_most(path: &Path, limit: u64) -> Result<File, Error> {
    let file = open_without_waiting(path).map_err(|error| cannot_read(path, error))?;
    // Checks the open file: by now the path may lead to another one.
    let metadata = file.metadata().map_err(|error| cannot_read(path, error))?;
    match (metadata.is_file(), metadata.len() > limit) {
        (false, _) => Err(Error::config(format!("`{}` is not a regular file", path.display()))),
        (true, true) => Err(too_large(path, limit)),
        (true, false) => Ok(file),
    }
}

fn cannot_read(path: &Path, error: std::io::Error) -> Error {
    Error::config(format!("cannot read the file `{}`", path.display())).with_source(error)
}

fn too_large(path: &Path, limit: u64) -> Error {
    Error::config(format!(
        "`{}` is larger than {limit} bytes; keep only what this node uses in it",
        path.display()
    ))
}

/// Opens without waiting: a FIFO would block until something writes to it, and some files of
/// the kernel block on reading. The caller checks what kind of file it is.
///
/// # Errors
/// Those of the operating system.
pub fn open_without_waiting(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    options.open(path)
}

/// The secret in the regular file at `path`: its text without line breaks at the end.
///
/// # Errors
/// As [`read_text`], and when the file is empty or holds several lines.
pub fn read_secret(path: &Path) -> Result<SecretString, Error> {
    let text = Zeroizing::new(read_text(path)?);
    let secret = text.trim_end_matches(['\r', '\n']);
    let invalid = |why: &str| Error::config(format!("the secret file `{}` {why}", path.display()));
    match secret {
        "" => Err(invalid("is empty")),
        secret if secret.contains(['\r', '\n', '\0']) => Err(invalid("has more than one line")),
        secret => Ok(secret.into()),
    }
}

/// The text of the regular file at `path`.
///
/// # Errors
/// As [`read`], and when the file is not UTF-8.
pub fn read_text(path: &Path) -> Result<String, Error> {
    decode(path, read(path)?)
}

fn decode(path: &Path, bytes: Vec<u8>) -> Result<String, Error> {
    String::from_utf8(bytes)
        .map_err(|_| Error::config(format!("`{}` is not UTF-8", path.display())))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn reads_a_file_and_says_why_it_cannot() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        std::fs::write(&file, "text").unwrap();
        assert_eq!(read_text(&file).unwrap(), "text");

        std::fs::write(&file, [0xff]).unwrap();
        assert!(read_text(&file).unwrap_err().to_string().contains("is not UTF-8"));

        let error = read(&folder.path().join("none")).unwrap_err().render();
        assert!(error.contains("cannot read") && error.contains("No such file"), "{error}");
        assert!(read(folder.path()).unwrap_err().to_string().contains("not a regular file"));

        std::fs::write(&file, "secret\r\n").unwrap();
        assert_eq!(read_secret(&file).unwrap().expose_secret(), "secret");
        for (text, why) in [("\n", "is empty"), ("a\nb", "has more than one line")] {
            std::fs::write(&file, text).unwrap();
            assert!(read_secret(&file).unwrap_err().to_string().contains(why), "{text:?}");
        }

        File::create(&file).unwrap().set_len(FILE_LIMIT + 1).unwrap();
        assert!(read(&file).unwrap_err().to_string().contains("is larger than"));

        File::create(&file).unwrap().set_len(CONFIG_LIMIT + 1).unwrap();
        assert!(read(&file).is_ok());
        let error = read_config(&file).unwrap_err().to_string();
        assert!(error.contains("is larger than 524288 bytes; keep only"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn what_blocks_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
        assert!(made.success());
        assert!(read(&fifo).unwrap_err().to_string().contains("is not a regular file"));
        assert!(read(Path::new("/dev/zero")).is_err());
    }
}
