//! What an instruction does: the part of classic BPF that the kernel accepts in a seccomp filter.

use crate::call::WORDS;
use crate::condition::Test;
use crate::instruction::Instruction;
use crate::program::Fault;

/// Number of scratch slots (`BPF_MEMWORDS`).
pub(crate) const SLOTS: usize = 16;
/// `sizeof(struct seccomp_data)`: what `BPF_LEN` loads.
const DATA_LENGTH: u32 = 4 * WORDS as u32;

/// An operation, its targets absolute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// A word of the call into the accumulator.
    LoadWord(u8),
    LoadConstant(Register, u32),
    LoadSlot(Register, u8),
    Store(Register, u8),
    /// Copies the other register into this one.
    CopyInto(Register),
    Compute(Arithmetic, Operand),
    Negate,
    Jump(usize),
    Branch {
        test: Test,
        operand: Operand,
        when_true: usize,
        when_false: usize,
    },
    Return(Operand),
}

/// The two registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Register {
    Accumulator,
    Index,
}

/// Where the second value of an operation comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    Constant(u32),
    /// The index register; of `Return`, the accumulator.
    Register,
}

/// What can be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Or,
    And,
    ShiftLeft,
    ShiftRight,
    ExclusiveOr,
}

impl Arithmetic {
    /// The result; `None` ends the program with 0, as division by a register that is 0 does. Shifts by a register use
    /// its five lowest bits.
    pub(crate) fn apply(self, left: u32, right: u32) -> Option<u32> {
        Some(match self {
            Self::Add => left.wrapping_add(right),
            Self::Subtract => left.wrapping_sub(right),
            Self::Multiply => left.wrapping_mul(right),
            Self::Divide => left.checked_div(right)?,
            Self::Or => left | right,
            Self::And => left & right,
            Self::ShiftLeft => left.wrapping_shl(right),
            Self::ShiftRight => left.wrapping_shr(right),
            Self::ExclusiveOr => left ^ right,
        })
    }
}

/// Reads the instruction at `at` of a program of `length`, with the checks that `bpf_check_classic` and
/// `seccomp_check_filter` of the kernel make on it. Codes are those of linux/bpf_common.h.
pub(crate) fn decode(instruction: Instruction, at: usize, length: usize) -> Result<Operation, Fault> {
    use Register::{Accumulator, Index};
    let k = instruction.constant;
    let target = |skip: u32| {
        let target = at + 1 + skip as usize;
        if target < length { Ok(target) } else { Err(Fault::JumpOut) }
    };
    let operand = if instruction.code & 8 == 0 { Operand::Constant(k) } else { Operand::Register };
    Ok(match instruction.code {
        0x20 if k < DATA_LENGTH && k.is_multiple_of(4) => Operation::LoadWord((k / 4) as u8),
        0x20 => return Err(Fault::LoadOut),
        0x80 => Operation::LoadConstant(Accumulator, DATA_LENGTH),
        0x81 => Operation::LoadConstant(Index, DATA_LENGTH),
        0x00 => Operation::LoadConstant(Accumulator, k),
        0x01 => Operation::LoadConstant(Index, k),
        0x60 => Operation::LoadSlot(Accumulator, slot(k)?),
        0x61 => Operation::LoadSlot(Index, slot(k)?),
        0x02 => Operation::Store(Accumulator, slot(k)?),
        0x03 => Operation::Store(Index, slot(k)?),
        0x07 => Operation::CopyInto(Index),
        0x87 => Operation::CopyInto(Accumulator),
        0x06 => Operation::Return(Operand::Constant(k)),
        0x16 => Operation::Return(Operand::Register),
        0x84 => Operation::Negate,
        0x34 if k == 0 => return Err(Fault::DivisionByZero),
        0x64 | 0x74 if k >= 32 => return Err(Fault::ShiftTooFar),
        code @ (0x04 | 0x0c | 0x14 | 0x1c | 0x24 | 0x2c | 0x34 | 0x3c | 0x44 | 0x4c | 0x54 | 0x5c | 0x64
        | 0x6c | 0x74 | 0x7c | 0xa4 | 0xac) => Operation::Compute(arithmetic(code), operand),
        0x05 => Operation::Jump(target(k)?),
        code @ (0x15 | 0x1d | 0x25 | 0x2d | 0x35 | 0x3d | 0x45 | 0x4d) => Operation::Branch {
            test: test(code),
            operand,
            when_true: target(instruction.jump_true.into())?,
            when_false: target(instruction.jump_false.into())?,
        },
        code => return Err(Fault::Code(code)),
    })
}

fn slot(k: u32) -> Result<u8, Fault> {
    u8::try_from(k).ok().filter(|slot| usize::from(*slot) < SLOTS).ok_or(Fault::NoSuchSlot)
}

fn arithmetic(code: u16) -> Arithmetic {
    match code & 0xf0 {
        0x00 => Arithmetic::Add,
        0x10 => Arithmetic::Subtract,
        0x20 => Arithmetic::Multiply,
        0x30 => Arithmetic::Divide,
        0x40 => Arithmetic::Or,
        0x50 => Arithmetic::And,
        0x60 => Arithmetic::ShiftLeft,
        0x70 => Arithmetic::ShiftRight,
        _ => Arithmetic::ExclusiveOr,
    }
}

fn test(code: u16) -> Test {
    match code & 0xf0 {
        0x10 => Test::Equal,
        0x20 => Test::Greater,
        0x30 => Test::AtLeast,
        _ => Test::AnyBit,
    }
}
