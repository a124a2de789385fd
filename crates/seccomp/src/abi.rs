//! The ways into the kernel, and the numbers that each gives to system calls.

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// A calling convention: the same call has another number, and may be filtered otherwise, by another way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Abi {
    /// 64-bit x86: the instruction `syscall`.
    X86_64,
    /// 32-bit x86: `int 0x80`, also open to 64-bit programs. Arguments have 32 bits.
    I386,
    /// x86 with 64-bit registers and 32-bit pointers: `syscall` with bit 30 of the number set.
    X32,
    /// 64-bit ARM.
    Aarch64,
}

/// Marks a number of the ABI x32 (`__X32_SYSCALL_BIT`).
const X32_BIT: u32 = 0x4000_0000;

impl Abi {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::X86_64, Self::I386, Self::X32, Self::Aarch64];

    /// The name by which documents call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::I386 => "i386",
            Self::X32 => "x32",
            Self::Aarch64 => "aarch64",
        }
    }

    /// `AUDIT_ARCH_…` of linux/audit.h: what a filter sees in `seccomp_data.arch`. x32 shares that of x86_64.
    pub fn audit_arch(self) -> u32 {
        match self {
            Self::X86_64 | Self::X32 => 0xC000_003E,
            Self::I386 => 0x4000_0003,
            Self::Aarch64 => 0xC000_00B7,
        }
    }

    /// The number of a system call, with the bit of x32, or `None` where the ABI has no call of that name.
    pub fn number(self, name: &str) -> Option<u32> {
        self.table().get(name).copied()
    }

    /// Every system call and its number, by name.
    pub fn table(self) -> &'static BTreeMap<&'static str, u32> {
        static TABLES: OnceLock<[BTreeMap<&'static str, u32>; 4]> = OnceLock::new();
        let tables = TABLES.get_or_init(|| Self::ALL.map(Self::read_table));
        &tables[self as usize]
    }

    fn read_table(self) -> BTreeMap<&'static str, u32> {
        let bit = if self == Self::X32 { X32_BIT } else { 0 };
        rows()
            .filter_map(|(name, columns)| {
                let number: u32 = columns.split('\t').nth(self as usize)?.parse().ok()?;
                Some((name, number | bit))
            })
            .collect()
    }
}

/// Whether every libseccomp since 2.5.1 (January 2021) knows the name. An older one leaves the name out of the filter
/// without a word, so that the profile's default action holds for it.
pub fn known_to_every_libseccomp(name: &str) -> bool {
    static NAMES: OnceLock<BTreeMap<&'static str, bool>> = OnceLock::new();
    let names =
        NAMES.get_or_init(|| rows().map(|(name, columns)| (name, columns.ends_with("yes"))).collect());
    names.get(name).copied().unwrap_or(false)
}

fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    let table = include_str!("syscalls.tsv");
    table.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_abi_numbers_calls_its_own_way() {
        let of = |name| Abi::ALL.map(|abi| abi.number(name));
        assert_eq!(of("socket"), [Some(41), Some(359), Some(X32_BIT | 41), Some(198)]);
        assert_eq!(of("socketcall"), [None, Some(102), None, None]);
        assert_eq!(of("ptrace"), [Some(101), Some(26), Some(X32_BIT | 521), Some(117)]);
        assert_eq!(of("open"), [Some(2), Some(5), Some(X32_BIT | 2), None]);
        assert_eq!(of("statmount"), [Some(457), Some(457), Some(X32_BIT | 457), Some(457)]);
        assert_eq!(of("open_tree_attr"), [Some(467), Some(467), Some(X32_BIT | 467), Some(467)]);
        assert_eq!(of("uretprobe"), [Some(335), None, Some(X32_BIT | 335), None]);
        assert_eq!(Abi::ALL.map(|abi| abi.table().len()), [385, 461, 374, 327]);
    }

    #[test]
    fn new_names_are_not_known_to_every_libseccomp() {
        assert!(known_to_every_libseccomp("clone3"));
        assert!(!known_to_every_libseccomp("statmount"));
        assert!(!known_to_every_libseccomp("no_such_call"));
    }
}
