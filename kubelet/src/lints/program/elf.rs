//! The head of an ELF file.

/// `e_machine` of this machine; 0 where it has no number here.
pub(super) const MACHINE: u16 = if cfg!(target_arch = "x86_64") {
    62
} else if cfg!(target_arch = "aarch64") {
    183
} else if cfg!(target_arch = "x86") {
    3
} else if cfg!(target_arch = "arm") {
    40
} else if cfg!(target_arch = "riscv64") {
    243
} else if cfg!(target_arch = "powerpc64") {
    21
} else if cfg!(target_arch = "s390x") {
    22
} else {
    0
};

/// The usual name of an architecture.
pub(super) fn machine_name(machine: u16) -> String {
    let name = match machine {
        3 => "x86 (32 bits)",
        8 => "mips",
        21 => "ppc64",
        22 => "s390x",
        40 => "arm (32 bits)",
        62 => "amd64 (x86_64)",
        183 => "arm64 (aarch64)",
        243 => "riscv64",
        258 => "loongarch64",
        _ => return format!("architecture {machine}"),
    };
    name.to_owned()
}

/// What the kernel reads of a program.
#[derive(Debug)]
pub(super) struct Elf {
    pub(super) is_64: bool,
    pub(super) machine: u16,
    /// Whether it can be run at all.
    pub(super) is_program: bool,
    /// How long the file must be for what the kernel loads.
    pub(super) length: u64,
    /// Its loader, if it has one.
    pub(super) interpreter: Option<String>,
}

const PT_LOAD: u64 = 1;
const PT_INTERP: u64 = 3;

impl Elf {
    /// Reads a file's head; `None` where it is cut off or contradicts itself.
    pub(super) fn read(head: &[u8]) -> Option<Self> {
        let is_64 = match head.get(4)? {
            1 => false,
            2 => true,
            _ => return None,
        };
        let fields = Fields { head, is_little: *head.get(5)? == 1 };
        let kind = fields.number(16, 2)?;
        let machine = u16::try_from(fields.number(18, 2)?).ok()?;
        let (table, size, count) = match is_64 {
            true => (fields.number(32, 8)?, fields.number(54, 2)?, fields.number(56, 2)?),
            false => (fields.number(28, 4)?, fields.number(42, 2)?, fields.number(44, 2)?),
        };
        let mut elf = Self {
            is_64,
            machine,
            is_program: matches!(kind, 2 | 3),
            length: table.checked_add(size * count)?,
            interpreter: None,
        };
        for index in 0..count {
            let at = usize::try_from(table.checked_add(index * size)?).ok()?;
            let kind = fields.number(at, 4)?;
            let (offset, length) = match is_64 {
                true => (fields.number(at + 8, 8)?, fields.number(at + 32, 8)?),
                false => (fields.number(at + 4, 4)?, fields.number(at + 16, 4)?),
            };
            let end = offset.checked_add(length)?;
            if matches!(kind, PT_LOAD | PT_INTERP) {
                elf.length = elf.length.max(end);
            }
            if kind == PT_INTERP {
                let span = usize::try_from(offset).ok()?..usize::try_from(end).ok()?;
                let name = head.get(span)?.split(|byte| *byte == 0).next()?;
                elf.interpreter = Some(String::from_utf8_lossy(name).into_owned());
            }
        }
        Some(elf)
    }
}

struct Fields<'a> {
    head: &'a [u8],
    is_little: bool,
}

impl Fields<'_> {
    fn number(&self, at: usize, width: usize) -> Option<u64> {
        let bytes = self.head.get(at..at.checked_add(width)?)?;
        let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        Some(match self.is_little {
            true => bytes.iter().rev().fold(0, add),
            false => bytes.iter().fold(0, add),
        })
    }
}
