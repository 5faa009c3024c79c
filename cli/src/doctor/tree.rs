//! A node's file system below a root, read with limits. Links are followed within it, so that an
//! absolute link does not lead to this machine's own files.

use std::fs::{self, Metadata};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Component, Path, PathBuf};

use pullpass::file::open_without_waiting;

/// In bytes; more than any file that is read whole.
const LARGEST_FILE: u64 = 4 << 20;

/// As many links as the kernel follows.
const MOST_LINKS: usize = 40;

/// How many entries of a directory are read.
const MOST_ENTRIES: usize = 10_000;

/// The file system of a node.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    root: PathBuf,
}

impl Tree {
    pub(super) fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Where a path of the node is on this machine, with all links followed. What does not exist
    /// has a place too.
    ///
    /// # Errors
    /// When links form a loop.
    pub(super) fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        let mut left: Vec<PathBuf> = parts(path);
        let mut real = self.root.clone();
        let mut links = 0;
        while let Some(part) = left.pop() {
            if part == Path::new("..") {
                if real != self.root {
                    real.pop();
                }
                continue;
            }
            let next = real.join(&part);
            match fs::read_link(&next) {
                Ok(target) => {
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(io::Error::other("links lead in a circle"));
                    }
                    if target.is_absolute() {
                        real.clone_from(&self.root);
                    }
                    left.extend(parts(&target));
                }
                Err(_) => real = next,
            }
        }
        Ok(real)
    }

    /// The path on the node of a path on this machine.
    pub(super) fn shown(&self, real: &Path) -> PathBuf {
        match real.strip_prefix(&self.root) {
            Ok(rest) => Path::new("/").join(rest),
            Err(_) => real.to_owned(),
        }
    }

    pub(super) fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        fs::metadata(self.resolve(path)?)
    }

    pub(super) fn is_dir(&self, path: &str) -> bool {
        self.metadata(Path::new(path)).is_ok_and(|metadata| metadata.is_dir())
    }

    pub(super) fn is_file(&self, path: &str) -> bool {
        self.metadata(Path::new(path)).is_ok_and(|metadata| metadata.is_file())
    }

    /// A whole file; bytes that are not text become U+FFFD.
    pub(super) fn read(&self, path: &Path) -> io::Result<String> {
        let bytes = read_some(&self.resolve(path)?, 0)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The last part of a long file.
    pub(super) fn read_end(&self, path: &Path, most: u64) -> io::Result<String> {
        let bytes = read_some(&self.resolve(path)?, most)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The target of a link, which need not exist.
    pub(super) fn link(&self, path: &Path) -> io::Result<PathBuf> {
        let folder = self.resolve(path.parent().unwrap_or(path))?;
        fs::read_link(folder.join(path.file_name().unwrap_or_default()))
    }

    /// The names in a directory, sorted; none if it cannot be read.
    pub(super) fn names(&self, path: &Path) -> Vec<String> {
        let Ok(real) = self.resolve(path) else { return Vec::new() };
        let Ok(entries) = fs::read_dir(real) else { return Vec::new() };
        let names = entries.take(MOST_ENTRIES).flatten();
        let mut names: Vec<String> =
            names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

/// The parts of a path, the last first.
fn parts(path: &Path) -> Vec<PathBuf> {
    let parts = path.components().rev().filter_map(|part| match part {
        Component::Normal(name) => Some(name.into()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    });
    parts.collect()
}

/// A regular file, or its last `most` bytes.
fn read_some(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut file = open_without_waiting(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if most > 0 && metadata.len() > most {
        file.seek(SeekFrom::Start(metadata.len() - most))?;
    }
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_stay_below_the_root() {
        let root = tempfile::tempdir().expect("a folder");
        let tree = Tree::new(root.path());
        fs::create_dir_all(root.path().join("usr/bin")).expect("folders");
        fs::write(root.path().join("usr/bin/sh"), "x").expect("a file");
        symlink("/usr/bin", root.path().join("bin")).expect("a link");
        symlink("../../../bin/sh", root.path().join("usr/up")).expect("a link");
        symlink("b", root.path().join("a")).expect("a link");
        symlink("a", root.path().join("b")).expect("a link");
        for path in ["/bin/sh", "/usr/up", "/../bin/./sh"] {
            let real = tree.resolve(Path::new(path)).expect(path);
            assert_eq!(real, root.path().join("usr/bin/sh"), "{path}");
            assert_eq!(tree.shown(&real), Path::new("/usr/bin/sh"));
        }
        assert!(tree.resolve(Path::new("/a/x")).is_err());
        assert!(tree.is_file("/bin/sh") && tree.is_dir("/bin") && !tree.is_file("/none"));
    }
}
