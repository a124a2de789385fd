//! Writes eBPF programs (Documentation/bpf/standardization/instruction-set.rst), as much of it as is used here.

use std::collections::HashMap;
use std::os::fd::{AsRawFd, BorrowedFd};

/// An instruction as the kernel takes it.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(crate) struct Instruction {
    code: u8,
    /// Destination in the lower, source in the upper four bits.
    registers: u8,
    offset: i16,
    constant: i32,
}

/// A register; 1 to 5 hold arguments and are lost in calls, 6 to 9 are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct R(pub(crate) u8);

/// What helpers return.
pub(crate) const RESULT: R = R(0);
/// The end of the stack.
const FRAME: R = R(10);

/// Width of an access.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Width {
    U16 = 0x08,
    U32 = 0x00,
    U64 = 0x18,
}

/// Functions of the kernel (`BPF_FUNC_…`).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Helper {
    MapLookup = 1,
    ProbeReadKernel = 113,
    SeqWrite = 127,
}

/// A program in the making.
#[derive(Default)]
pub(crate) struct Assembler {
    code: Vec<Instruction>,
    labels: HashMap<&'static str, usize>,
    jumps: Vec<(usize, &'static str)>,
}

impl Assembler {
    fn push(&mut self, code: u8, to: R, from: R, offset: i16, constant: i32) -> &mut Self {
        self.code.push(Instruction { code, registers: to.0 | from.0 << 4, offset, constant });
        self
    }

    /// `to = *(from + offset)`
    pub(crate) fn load(&mut self, width: Width, to: R, from: R, offset: i16) -> &mut Self {
        self.push(0x61 | width as u8, to, from, offset, 0)
    }

    /// `*(to + offset) = from`
    pub(crate) fn store(&mut self, width: Width, to: R, offset: i16, from: R) -> &mut Self {
        self.push(0x63 | width as u8, to, from, offset, 0)
    }

    /// `*(frame + slot) = from`
    pub(crate) fn spill(&mut self, width: Width, slot: i16, from: R) -> &mut Self {
        self.store(width, FRAME, slot, from)
    }

    /// `to = frame + slot`
    pub(crate) fn address(&mut self, to: R, slot: i16) -> &mut Self {
        self.copy(to, FRAME).add(to, slot.into())
    }

    /// `to = from`
    pub(crate) fn copy(&mut self, to: R, from: R) -> &mut Self {
        self.push(0xbf, to, from, 0, 0)
    }

    /// `to = constant`
    pub(crate) fn set(&mut self, to: R, constant: i32) -> &mut Self {
        self.push(0xb7, to, R(0), 0, constant)
    }

    /// `to += constant`
    pub(crate) fn add(&mut self, to: R, constant: i32) -> &mut Self {
        self.push(0x07, to, R(0), 0, constant)
    }

    /// `to = ` the map behind a descriptor.
    pub(crate) fn map(&mut self, to: R, map: BorrowedFd<'_>) -> &mut Self {
        self.push(0x18, to, R(1), 0, map.as_raw_fd()).push(0, R(0), R(0), 0, 0)
    }

    /// Calls a helper with the arguments in registers 1 to 5.
    pub(crate) fn call(&mut self, helper: Helper) -> &mut Self {
        self.push(0x85, R(0), R(0), 0, helper as i32)
    }

    /// `if register == constant`
    pub(crate) fn jump_if_equal(&mut self, register: R, constant: i32, label: &'static str) -> &mut Self {
        self.jump(0x15, register, constant, label)
    }

    /// `if register != constant`
    pub(crate) fn jump_if_not_equal(&mut self, register: R, constant: i32, label: &'static str) -> &mut Self {
        self.jump(0x55, register, constant, label)
    }

    /// `if register > constant`, both without sign.
    pub(crate) fn jump_if_greater(&mut self, register: R, constant: i32, label: &'static str) -> &mut Self {
        self.jump(0x25, register, constant, label)
    }

    /// Always.
    pub(crate) fn jump_to(&mut self, label: &'static str) -> &mut Self {
        self.jump(0x05, R(0), 0, label)
    }

    fn jump(&mut self, code: u8, register: R, constant: i32, label: &'static str) -> &mut Self {
        self.jumps.push((self.code.len(), label));
        self.push(code, register, R(0), 0, constant)
    }

    /// Names the place of the next instruction.
    pub(crate) fn label(&mut self, label: &'static str) -> &mut Self {
        self.labels.insert(label, self.code.len());
        self
    }

    /// Returns 0, and hands out the program; a jump to a label that is nowhere goes to the next instruction.
    pub(crate) fn finish(&mut self) -> Vec<Instruction> {
        self.set(RESULT, 0).push(0x95, R(0), R(0), 0, 0);
        for (at, label) in &self.jumps {
            let target = self.labels.get(label).copied().unwrap_or(at + 1);
            if let Some(instruction) = self.code.get_mut(*at) {
                // Programs here have a few dozen instructions.
                instruction.offset = (target as i64 - *at as i64 - 1) as i16;
            }
        }
        std::mem::take(&mut self.code)
    }
}
