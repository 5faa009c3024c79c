//! Whether the kernel can run a program. The kubelet does not look: it starts, and every pull
//! that needs the program fails.
//!
//! Source: Linux, `execve(2)`, `binfmt_elf`, `binfmt_script`; System V ABI, "Object Files".

mod elf;

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use self::elf::Elf;

/// As much as the kernel reads to find out what kind of program it is, and more than enough
/// for the headers of an ELF file.
const BEGINNING: u64 = 64 << 10;

/// Why a program does not run, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) why: String,
    pub(super) hint: String,
}

impl Fault {
    fn new(why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { why: why.into(), hint: hint.into() }
    }
}

/// Checks an executable file as the kernel will on the machine with this root.
pub(super) fn find_fault(path: &Path, root: &Path) -> Option<Fault> {
    // The target of a link shows what was installed.
    let name = path.canonicalize().ok()?.file_name()?.to_string_lossy().into_owned();
    if name.starts_with("docker-credential-") {
        return Some(Fault::new(
            format!("`{name}` is a Docker credential helper, which speaks another protocol"),
            "install a credential provider for the kubelet in its place",
        ));
    }
    let file = File::open(path).ok()?;
    let metadata = file.metadata().ok()?;
    if !metadata.is_file() {
        return None;
    }
    let mut head = Vec::new();
    file.take(BEGINNING).read_to_end(&mut head).ok()?;
    judge(&head, metadata.len(), root)
}

fn judge(head: &[u8], length: u64, root: &Path) -> Option<Fault> {
    match head {
        [] => Some(Fault::new("it is empty", REINSTALL)),
        [0x7f, b'E', b'L', b'F', ..] => judge_elf(head, length, root),
        [b'#', b'!', line @ ..] => judge_script(line, root),
        _ => Some(Fault::new(
            format!("the kernel cannot run it: it is {}", describe(head)),
            REINSTALL,
        )),
    }
}

const REINSTALL: &str = "download the program again, and compare its checksum";

fn judge_elf(head: &[u8], length: u64, root: &Path) -> Option<Fault> {
    let Some(elf) = Elf::read(head) else {
        return Some(Fault::new("it is an ELF file that is cut off or damaged", REINSTALL));
    };
    if elf.machine != elf::MACHINE || elf.is_64 != cfg!(target_pointer_width = "64") {
        return Some(Fault::new(
            format!(
                "it is for {}, and this machine is {}",
                elf::machine_name(elf.machine),
                elf::machine_name(elf::MACHINE)
            ),
            "install the program that was built for this machine",
        ));
    }
    if !elf.is_program {
        return Some(Fault::new("it is an object file or a library, not a program", REINSTALL));
    }
    if elf.length > length {
        return Some(Fault::new(
            format!("it is cut off: it has {length} bytes of at least {}", elf.length),
            REINSTALL,
        ));
    }
    let loader = elf.interpreter?;
    (!exists(root, &loader)).then(|| {
        Fault::new(
            format!("it needs the loader `{loader}`, which this machine does not have"),
            "install a static build, or one for this distribution's C library",
        )
    })
}

/// `line` is what follows the `#!`.
fn judge_script(line: &[u8], root: &Path) -> Option<Fault> {
    let end = line.iter().position(|byte| *byte == b'\n').unwrap_or(line.len());
    let line = String::from_utf8_lossy(&line[..end]).into_owned();
    let interpreter = line.trim_start_matches([' ', '\t']).split([' ', '\t']).next()?.to_owned();
    if let Some(stem) = interpreter.strip_suffix('\r') {
        return Some(Fault::new(
            format!(
                "its first line ends in CR LF, so the kernel looks for an interpreter \
                 `{stem}\\r`"
            ),
            "convert it to Unix line endings: sed -i 's/\\r$//' FILE",
        ));
    }
    if interpreter.is_empty() {
        return Some(Fault::new(
            "its first line is `#!` without an interpreter",
            "name the interpreter, as in `#!/bin/sh`",
        ));
    }
    (!exists(root, &interpreter) || root.join(interpreter.trim_start_matches('/')).is_dir()).then(
        || {
            Fault::new(
                format!("its interpreter `{interpreter}` is not on this machine"),
                "install the interpreter, or use a program that needs none",
            )
        },
    )
}

/// Whether there is such a file. Where a link leads below another root is not known here.
fn exists(root: &Path, path: &str) -> bool {
    let place = root.join(path.trim_start_matches('/'));
    match root == Path::new("/") {
        true => place.exists(),
        false => place.symlink_metadata().is_ok(),
    }
}

/// Describes a file that is not a program.
fn describe(head: &[u8]) -> &'static str {
    let text = String::from_utf8_lossy(&head[..head.len().min(512)]).trim_start().to_lowercase();
    let starts = |beginnings: &[&str]| beginnings.iter().any(|start| text.starts_with(start));
    match head {
        [0x1f, 0x8b, ..] => "a gzip archive",
        [b'P', b'K', 3, 4, ..] => "a zip archive",
        [0xfd, b'7', b'z', b'X', b'Z', ..] => "an xz archive",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "a zstd archive",
        [b'M', b'Z', ..] => "a program for Windows",
        [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..] | [0xca, 0xfe, 0xba, 0xbe, ..] => "a program for macOS",
        _ if head.get(257..262) == Some(b"ustar") => "a tar archive",
        _ if starts(&["<!doctype html", "<html"]) => "an HTML page, perhaps a server's error",
        _ if starts(&["<?xml", "<error"]) => "an XML document, perhaps a server's error",
        _ if starts(&["{", "["]) => "a JSON document, perhaps a server's error",
        _ if starts(&["version https://git-lfs"]) => "a Git LFS pointer",
        _ if is_text(head) => "a text file without a first line like `#!/bin/sh`",
        _ => "not a program",
    }
}

fn is_text(head: &[u8]) -> bool {
    let printable = |byte: &u8| !byte.is_ascii_control() || matches!(byte, b'\n' | b'\r' | b'\t');
    head.iter().take(512).all(printable)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test reads its own program")]
mod tests {
    use super::*;

    fn judge(head: &[u8], length: u64) -> Option<Fault> {
        super::judge(head, length, Path::new("/"))
    }

    fn why(head: &[u8], length: u64) -> String {
        judge(head, length).map_or_else(|| "runs".to_owned(), |fault| fault.why)
    }

    #[test]
    fn the_test_itself_runs_and_a_part_of_it_does_not() {
        let own = std::fs::read("/proc/self/exe").expect("this program");
        let length = own.len() as u64;
        let head = &own[..own.len().min(64 << 10)];
        assert_eq!(judge(head, length), None);
        let needed = Elf::read(head).expect("ELF").length;
        assert!(needed <= length && judge(head, needed).is_none());
        let why_not = why(head, needed - 1);
        assert!(why_not.starts_with("it is cut off: "), "{why_not}");
        assert_eq!(why(&own[..40], 40), "it is an ELF file that is cut off or damaged");
        let mut foreign = head.to_vec();
        // `e_machine`, with the number of another architecture.
        foreign[18] = if elf::MACHINE == 183 { 62 } else { 183 };
        assert!(why(&foreign, length).starts_with("it is for "), "{}", why(&foreign, length));
        let mut object = head.to_vec();
        object[16] = 1;
        assert!(why(&object, length).contains("object file"));
    }

    #[test]
    fn a_loader_that_is_missing_is_named() {
        let own = std::fs::read("/proc/self/exe").expect("this program");
        let head = &own[..own.len().min(64 << 10)];
        let Some(loader) = Elf::read(head).expect("ELF").interpreter else { return };
        let at = head.windows(loader.len()).position(|text| text == loader.as_bytes());
        let mut other = head.to_vec();
        other[at.expect("its name") + 1] = b'?';
        let why = why(&other, own.len() as u64);
        assert!(why.starts_with("it needs the loader `/?"), "{why}");
    }

    #[test]
    fn scripts() {
        assert_eq!(judge(b"#!/bin/sh\nexit 1\n", 17), None);
        assert_eq!(judge(b"#! /bin/sh -e", 13), None);
        for (text, expected) in [
            ("#!/bin/sh\r\n", "so the kernel looks for an interpreter `/bin/sh\\r`"),
            ("#!\n", "`#!` without an interpreter"),
            ("#!/no/such/python -u\n", "`/no/such/python` is not on this machine"),
            ("#!/bin\n", "`/bin` is not on this machine"),
        ] {
            let why = why(text.as_bytes(), text.len() as u64);
            assert!(why.contains(expected), "{why}");
        }
    }

    #[test]
    fn an_interpreter_that_is_a_broken_link_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let link = folder.path().join("sh");
        std::os::unix::fs::symlink("gone", &link).expect("a link");
        let script = format!("#!{}\n", link.display());
        assert!(why(script.as_bytes(), 100).contains("is not on this machine"));
    }

    #[test]
    fn what_is_not_a_program_is_described() {
        for (head, expected) in [
            (&b""[..], "it is empty"),
            (b"<?xml version=\"1.0\"?><Error><Code>NoSuchKey", "an XML document"),
            (b"\n<!DOCTYPE html><html>", "an HTML page"),
            (b"{\"message\":\"Not Found\"}", "a JSON document"),
            (b"\x1f\x8b\x08\0", "a gzip archive"),
            (b"MZ\x90\0", "a program for Windows"),
            (b"\xcf\xfa\xed\xfe\x07", "a program for macOS"),
            (b"echo hello\n", "a text file without a first line"),
            (b"\0\x01\x02", "not a program"),
        ] {
            let why = why(head, head.len() as u64);
            assert!(why.contains(expected), "{why}");
        }
    }
}
