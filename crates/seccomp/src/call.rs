//! A system call: what a filter sees of it, and what is asked about its arguments.

use crate::Abi;
use crate::condition::{Condition, Test};

/// Number of words of 32 bits in `struct seccomp_data`.
pub(crate) const WORDS: usize = 16;
/// The word of the lower half of the first argument.
const FIRST_ARGUMENT: u8 = 4;

/// `struct seccomp_data` of linux/seccomp.h: all that a filter sees of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Data {
    /// Number of the call.
    pub number: u32,
    /// `AUDIT_ARCH_…`.
    pub arch: u32,
    /// Where the call was made.
    pub instruction_pointer: u64,
    /// The arguments; those of i386 have no upper half.
    pub args: [u64; 6],
}

impl Data {
    /// The words in the order of memory, the lower half of each argument first.
    pub(crate) fn words(&self) -> [u32; WORDS] {
        let mut words = [0; WORDS];
        (words[0], words[1]) = (self.number, self.arch);
        let values = std::iter::once(&self.instruction_pointer).chain(&self.args);
        for (pair, value) in words[2..].chunks_exact_mut(2).zip(values) {
            (pair[0], pair[1]) = (*value as u32, (*value >> 32) as u32);
        }
        words
    }

    /// The call that stands in these words.
    pub(crate) fn from_words(words: [u32; WORDS]) -> Self {
        let pair = |at: usize| u64::from(words[at]) | u64::from(words[at + 1]) << 32;
        Self {
            number: words[0],
            arch: words[1],
            instruction_pointer: pair(2),
            args: [4, 6, 8, 10, 12, 14].map(pair),
        }
    }
}

/// What is asked about one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arg {
    /// Whatever the caller likes.
    Any,
    /// This value, in all 64 bits.
    Equal(u64),
    /// This value of an `int` or `unsigned int`: the kernel reads 32 bits, a filter sees what the caller put above them.
    Int(u32),
    /// These bits of the argument have this value; the others are the caller's choice.
    MaskedEqual {
        /// Which bits are looked at.
        mask: u64,
        /// Their value.
        value: u64,
    },
}

impl Arg {
    /// The bits that are looked at, and their value.
    fn mask_and_value(self) -> (u64, u64) {
        match self {
            Self::Any => (0, 0),
            Self::Equal(value) => (u64::MAX, value),
            Self::Int(value) => (u64::from(u32::MAX), u64::from(value)),
            Self::MaskedEqual { mask, value } => (mask, value & mask),
        }
    }
}

/// A set of calls: one number, and conditions on the arguments.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Call {
    pub(crate) abi: Abi,
    pub(crate) number: u32,
    pub(crate) args: [Arg; 6],
}

impl Call {
    /// Whether no call has such arguments: those of i386 have no upper half.
    pub(crate) fn is_empty(&self) -> bool {
        self.abi == Abi::I386 && self.args.iter().any(|arg| arg.mask_and_value().1 >> 32 != 0)
    }

    /// What is certain about the words of every call of the set.
    pub(crate) fn conditions(&self) -> Vec<Condition> {
        let mut conditions = Vec::new();
        for (arg, low) in self.args.iter().zip((FIRST_ARGUMENT..).step_by(2)) {
            let (mask, value) = arg.mask_and_value();
            conditions.push(equal(low, mask as u32, value as u32));
            conditions.push(equal(low + 1, (mask >> 32) as u32, (value >> 32) as u32));
            if self.abi == Abi::I386 {
                conditions.push(equal(low + 1, u32::MAX, 0));
            }
        }
        conditions.retain(|condition| condition.mask != 0);
        conditions
    }
}

fn equal(word: u8, mask: u32, constant: u32) -> Condition {
    Condition { word, mask, test: Test::Equal, constant, holds: true }
}
