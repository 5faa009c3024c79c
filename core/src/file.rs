//! Reads an operator's files with a bound on size, and never waits on a pipe.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::error::Error;

/// The largest configuration or certificate file that is read, in bytes.
pub const FILE_LIMIT: u64 = 4 * 1024 * 1024;

/// The bytes of the regular file at `path`.
///
/// # Errors
/// [`ErrorKind::Config`](crate::ErrorKind::Config) when it cannot be read, is no regular file, or is larger than
/// [`FILE_LIMIT`].
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let shown = path.display();
    let cannot = |error| Error::config(format!("cannot read `{shown}`")).with_source(error);
    // Asked before opening: to open a FIFO blocks until somebody writes to it.
    let metadata = std::fs::metadata(path).map_err(cannot)?;
    if !metadata.is_file() {
        return Err(Error::config(format!("`{shown}` is not a regular file")));
    }
    let mut bytes =
        Vec::with_capacity(usize::try_from(metadata.len().min(FILE_LIMIT)).unwrap_or(0));
    File::open(path)
        .and_then(|file| file.take(FILE_LIMIT + 1).read_to_end(&mut bytes))
        .map_err(cannot)?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(Error::config(format!("`{shown}` is larger than {FILE_LIMIT} bytes")));
    }
    Ok(bytes)
}

/// The text of the regular file at `path`.
///
/// # Errors
/// As [`read`], and when the file is not UTF-8.
pub fn read_text(path: &Path) -> Result<String, Error> {
    String::from_utf8(read(path)?)
        .map_err(|_| Error::config(format!("`{}` is not UTF-8", path.display())))
}

#[cfg(test)]
mod tests {
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

        File::create(&file).unwrap().set_len(FILE_LIMIT + 1).unwrap();
        assert!(read(&file).unwrap_err().to_string().contains("is larger than"));
    }
}
