//! The smallest program that runs until it is killed, as an ELF file: no compiler and no C library
//! is needed for it, and many containers of it need little memory.

/// The architecture's name in an image's configuration.
#[cfg(target_arch = "x86_64")]
pub(super) const ARCHITECTURE: &str = "amd64";
/// `EM_X86_64` of `elf.h`.
#[cfg(target_arch = "x86_64")]
const MACHINE: u16 = 62;
/// `mov eax, 34` (`pause`), `syscall`, and a jump back to the start.
#[cfg(target_arch = "x86_64")]
const CODE: &[u8] = &[0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7];

/// The architecture's name in an image's configuration.
#[cfg(target_arch = "aarch64")]
pub(super) const ARCHITECTURE: &str = "arm64";
/// `EM_AARCH64` of `elf.h`.
#[cfg(target_arch = "aarch64")]
const MACHINE: u16 = 183;
/// `ppoll` with no descriptor and no time limit: `x0` to `x4` are 0, `x8` is 73, then `svc 0` and a
/// branch back to the start.
#[cfg(target_arch = "aarch64")]
const CODE: &[u8] = &[
    0x00, 0x00, 0x80, 0xd2, 0x01, 0x00, 0x80, 0xd2, 0x02, 0x00, 0x80, 0xd2, 0x03, 0x00, 0x80, 0xd2,
    0x04, 0x00, 0x80, 0xd2, 0x28, 0x09, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4, 0xf9, 0xff, 0xff, 0x17,
];

/// Where the file is mapped.
const BASE: u64 = 0x40_0000;
/// The lengths of the two headers; the code follows them.
const ELF_HEADER: u16 = 64;
const PROGRAM_HEADER: u16 = 56;

/// The program's file.
pub(super) fn program() -> Vec<u8> {
    let start = u64::from(ELF_HEADER + PROGRAM_HEADER);
    let length = start + CODE.len() as u64;
    // 64 bits, little-endian, version 1; then an executable of that machine, version 1.
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0".to_vec();
    file.extend(MACHINE.to_le_bytes());
    file.extend(1_u32.to_le_bytes());
    // Entry point, program headers, no sections.
    for number in [BASE + start, u64::from(ELF_HEADER), 0] {
        file.extend(number.to_le_bytes());
    }
    file.extend(0_u32.to_le_bytes());
    for number in [ELF_HEADER, PROGRAM_HEADER, 1, 0, 0, 0] {
        file.extend(number.to_le_bytes());
    }
    // One segment to load, which may be read and executed: the whole file.
    for number in [1_u32, 5] {
        file.extend(number.to_le_bytes());
    }
    for number in [0, BASE, BASE, length, length, 0x1000] {
        file.extend(number.to_le_bytes());
    }
    file.extend(CODE);
    file
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::Command;
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_runs_until_it_is_killed() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("pause");
        fs::write(&file, program()).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        let mut child = Command::new(&file).spawn().unwrap();
        thread::sleep(Duration::from_millis(50));
        assert_eq!(child.try_wait().unwrap(), None, "it ended by itself");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
