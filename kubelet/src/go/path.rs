//! Go's package `path/filepath` on Unix, and how Go words errors of the system.

use std::io;
use std::path::{Path, PathBuf};

/// Go's `filepath.Join`: joined and cleaned by text alone.
pub(crate) fn join(directory: &Path, name: &str) -> PathBuf {
    let directory = directory.to_string_lossy();
    let joined = match (directory.is_empty(), name.is_empty()) {
        (true, true) => return PathBuf::new(),
        (true, false) => name.to_owned(),
        (false, true) => directory.into_owned(),
        (false, false) => format!("{directory}/{name}"),
    };
    let rooted = joined.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            _ => parts.push(part),
        }
    }
    let cleaned = parts.join("/");
    if rooted {
        format!("/{cleaned}").into()
    } else if cleaned.is_empty() {
        ".".into()
    } else {
        cleaned.into()
    }
}

/// A system error in Go's wording: the C library's, in lower case.
pub(crate) fn system_error(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// Go's `PathError`.
pub(crate) fn path_error(operation: &str, path: &Path, error: &io::Error) -> String {
    format!("{operation} {}: {}", path.display(), system_error(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_as_go_does() {
        for (directory, name, joined) in [
            ("/a/b/", "c", "/a/b/c"),
            ("/a", "", "/a"),
            ("/a/./b//", "../c", "/a/c"),
            ("/", "..", "/"),
            (".", "x", "x"),
            ("..", "x", "../x"),
            ("", "x", "x"),
            (".", ".", "."),
        ] {
            assert_eq!(join(Path::new(directory), name), Path::new(joined), "{directory} {name}");
        }
    }
}
