//! Reads from an ELF file whether it runs without any other file.

use crate::Result;

/// A file that can be loaded at any address.
const ET_DYN: u64 = 3;
/// A program header that names a dynamic loader.
const PT_INTERP: u32 = 3;
const PT_DYNAMIC: u32 = 2;
/// A dynamic section's entry that names a shared library.
const DT_NEEDED: u64 = 1;

/// What the header of a 64-bit little-endian ELF file says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Elf {
    /// The architecture as Rust targets name it.
    pub(crate) arch: &'static str,
    /// Whether the kernel can load it at any address.
    pub(crate) is_position_independent: bool,
    /// Whether it starts through a dynamic loader.
    pub(crate) has_loader: bool,
    /// Whether it needs shared libraries.
    pub(crate) has_libraries: bool,
}

impl Elf {
    /// Reads the file's headers.
    pub(crate) fn parse(file: &[u8]) -> Result<Self> {
        // The magic, then class 2 (64 bits) and encoding 1 (little endian).
        if !file.starts_with(b"\x7fELF\x02\x01") {
            return Err("not a 64-bit little-endian ELF file".into());
        }
        let arch = match number(file, 18, 2)? {
            62 => "x86_64",
            183 => "aarch64",
            other => return Err(format!("unknown ELF machine {other}").into()),
        };
        let is_position_independent = number(file, 16, 2)? == ET_DYN;
        let (start, size, count) =
            (number(file, 32, 8)?, number(file, 54, 2)?, number(file, 56, 2)?);
        let mut elf =
            Self { arch, is_position_independent, has_loader: false, has_libraries: false };
        for index in 0..count {
            let header = start + index * size;
            let kind = number(file, header, 4)?;
            elf.has_loader |= kind == u64::from(PT_INTERP);
            if kind == u64::from(PT_DYNAMIC) {
                let (at, length) = (number(file, header + 8, 8)?, number(file, header + 32, 8)?);
                for entry in 0..length / 16 {
                    elf.has_libraries |= number(file, at + entry * 16, 8)? == DT_NEEDED;
                }
            }
        }
        Ok(elf)
    }

    /// Whether the kernel alone can start it.
    pub(crate) fn is_static(&self) -> bool {
        !self.has_loader && !self.has_libraries
    }
}

/// The little-endian number of `size` bytes at an offset.
fn number(file: &[u8], at: u64, size: usize) -> Result<u64> {
    let at = usize::try_from(at)?;
    let bytes =
        at.checked_add(size).and_then(|end| file.get(at..end)).ok_or("truncated ELF file")?;
    Ok(bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header, one program header of this kind, and a dynamic section with this tag.
    fn sample(kind: u32, tag: u64) -> Vec<u8> {
        let mut file = vec![0; 136];
        file[..6].copy_from_slice(b"\x7fELF\x02\x01");
        file[16] = 3; // position independent
        file[18] = 183;
        file[32] = 64; // where program headers start
        file[54] = 56; // size of one
        file[56] = 1; // how many
        file[64..68].copy_from_slice(&kind.to_le_bytes());
        file[72] = 120; // where the dynamic section starts
        file[96] = 16; // its length
        file[120..128].copy_from_slice(&tag.to_le_bytes());
        file
    }

    #[test]
    fn tells_static_from_dynamic() {
        let parse = |kind, tag| Elf::parse(&sample(kind, tag)).unwrap();
        assert!(parse(PT_DYNAMIC, 0).is_static(), "static-pie has a dynamic section");
        assert!(!parse(PT_DYNAMIC, DT_NEEDED).is_static());
        assert!(!parse(PT_INTERP, 0).is_static());
        assert_eq!(parse(1, 0).arch, "aarch64");
    }

    #[test]
    fn this_test_is_an_elf_file_of_this_machine() {
        let file = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(Elf::parse(&file).unwrap().arch, std::env::consts::ARCH);
    }

    #[test]
    fn tells_whether_it_can_be_loaded_anywhere() {
        let mut file = sample(PT_DYNAMIC, 0);
        assert!(Elf::parse(&file).unwrap().is_position_independent);
        file[16] = 2;
        assert!(!Elf::parse(&file).unwrap().is_position_independent);
    }

    #[test]
    fn refuses_a_file_that_is_not_elf() {
        assert!(Elf::parse(b"#!/bin/sh\n").is_err());
        assert!(Elf::parse(&sample(PT_DYNAMIC, 0)[..100]).is_err());
    }
}
