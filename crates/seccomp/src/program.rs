//! A program that the kernel would accept as a seccomp filter.

use crate::call::Data;
use crate::canonical::canonical;
use crate::instruction::{self, Instruction};
use crate::machine;
use crate::operation::{self, Operand, Operation, Register, SLOTS};

/// Most instructions of one program (`BPF_MAXINSNS`).
const MAX_LENGTH: usize = 4096;

/// A checked program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    instructions: Vec<Instruction>,
    operations: Vec<Operation>,
}

/// Why the kernel would refuse a program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// It has no instruction, or more than 4096.
    #[error("{0} instructions; a filter has 1 to {MAX_LENGTH}")]
    Length(usize),
    /// Its bytes are not whole instructions.
    #[error("{0} bytes are not a multiple of the {size} of an instruction", size = instruction::SIZE)]
    Bytes(usize),
    /// The last instruction returns nothing.
    #[error("the last instruction does not return")]
    NoReturn,
    /// One instruction is wrong.
    #[error("instruction {at}: {fault}")]
    Instruction {
        /// Its place, from 0.
        at: usize,
        /// What is wrong.
        fault: Fault,
    },
}

/// What is wrong with an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No operation of seccomp filters.
    #[error("no operation of a seccomp filter has the code {0:#06x}")]
    Code(u16),
    /// It jumps out of the program.
    #[error("jumps out of the program")]
    JumpOut,
    /// It loads what is no word of the call.
    #[error("loads what is no word of the call")]
    LoadOut,
    /// There are 16 slots.
    #[error("names a slot beyond the {SLOTS} that there are")]
    NoSuchSlot,
    /// It may load a slot that nothing was stored in.
    #[error("may load a slot that nothing was stored in")]
    UnsetSlot,
    /// It divides by the constant 0.
    #[error("divides by zero")]
    DivisionByZero,
    /// It shifts by the constant 32 or more.
    #[error("shifts by 32 bits or more")]
    ShiftTooFar,
}

impl Program {
    /// Checks a program as the kernel does when a process loads it.
    ///
    /// # Errors
    /// What the kernel would refuse it for.
    pub fn new(instructions: Vec<Instruction>) -> Result<Self, ProgramError> {
        let length = instructions.len();
        if length == 0 || length > MAX_LENGTH {
            return Err(ProgramError::Length(length));
        }
        let operations = instructions
            .iter()
            .enumerate()
            .map(|(at, instruction)| {
                operation::decode(*instruction, at, length)
                    .map_err(|fault| ProgramError::Instruction { at, fault })
            })
            .collect::<Result<Vec<_>, _>>()?;
        if !matches!(operations.last(), Some(Operation::Return(_))) {
            return Err(ProgramError::NoReturn);
        }
        match unset_slot(&operations) {
            Some(at) => Err(ProgramError::Instruction { at, fault: Fault::UnsetSlot }),
            None => Ok(Self { instructions, operations }),
        }
    }

    /// Reads and checks the array of `struct sock_filter` that the kernel holds.
    ///
    /// # Errors
    /// What the kernel would refuse it for.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProgramError> {
        let (whole, rest) = bytes.as_chunks();
        if !rest.is_empty() {
            return Err(ProgramError::Bytes(bytes.len()));
        }
        if whole.len() > MAX_LENGTH {
            return Err(ProgramError::Length(whole.len()));
        }
        Self::new(whole.iter().map(|bytes| Instruction::from_bytes(*bytes)).collect())
    }

    /// Its bytes, as the kernel holds them.
    pub fn to_bytes(&self) -> Vec<u8> {
        instruction::to_bytes(&self.instructions)
    }

    /// Bytes that are the same for programs that differ only in the order in which they ask for the architecture.
    pub fn canonical_bytes(&self) -> Vec<u8> {
        instruction::to_bytes(&canonical(&self.instructions))
    }

    /// Number of its instructions; never 0.
    #[expect(clippy::len_without_is_empty, reason = "an empty program is refused")]
    pub fn len(&self) -> usize {
        self.instructions.len()
    }

    /// What it returns for a call, as the kernel would run it.
    pub fn run(&self, call: &Data) -> u32 {
        machine::run(&self.instructions, call)
    }

    pub(crate) fn operations(&self) -> &[Operation] {
        &self.operations
    }
}

/// The first load of a slot that some way reaches without a store; `check_load_and_stores` of the kernel.
fn unset_slot(operations: &[Operation]) -> Option<usize> {
    let mut set_at = vec![u16::MAX; operations.len()];
    let mut set = 0;
    for (at, operation) in operations.iter().enumerate() {
        set &= set_at[at];
        let mut leave = |target: usize| set_at[target] &= set;
        match *operation {
            Operation::Store(_, slot) => set |= 1 << slot,
            Operation::LoadSlot(_, slot) if set & 1 << slot == 0 => return Some(at),
            Operation::Jump(target) => {
                leave(target);
                set = u16::MAX;
            }
            Operation::Branch { when_true, when_false, .. } => {
                leave(when_true);
                leave(when_false);
                set = u16::MAX;
            }
            Operation::LoadWord(_)
            | Operation::LoadConstant(Register::Accumulator | Register::Index, _)
            | Operation::LoadSlot(..)
            | Operation::CopyInto(_)
            | Operation::Compute(..)
            | Operation::Negate
            | Operation::Return(Operand::Constant(_) | Operand::Register) => {}
        }
    }
    None
}
