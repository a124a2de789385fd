//! One instruction of classic BPF, as it stands in memory.

/// `struct sock_filter` of linux/filter.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Instruction {
    /// Operation, size and addressing mode.
    pub code: u16,
    /// How many instructions to skip when the test holds.
    pub jump_true: u8,
    /// … and when it does not.
    pub jump_false: u8,
    /// The constant `k`.
    pub constant: u32,
}

/// Bytes of one instruction.
pub(crate) const SIZE: usize = 8;

impl Instruction {
    /// Reads one in the byte order of x86 and ARM.
    pub fn from_bytes(bytes: [u8; SIZE]) -> Self {
        let [c0, c1, jump_true, jump_false, k0, k1, k2, k3] = bytes;
        let (code, constant) = (u16::from_le_bytes([c0, c1]), u32::from_le_bytes([k0, k1, k2, k3]));
        Self { code, jump_true, jump_false, constant }
    }

    /// Writes one in the byte order of x86 and ARM.
    pub fn to_bytes(self) -> [u8; SIZE] {
        let ([c0, c1], [k0, k1, k2, k3]) = (self.code.to_le_bytes(), self.constant.to_le_bytes());
        [c0, c1, self.jump_true, self.jump_false, k0, k1, k2, k3]
    }
}

/// The bytes of a program, as the kernel holds them.
pub(crate) fn to_bytes(instructions: &[Instruction]) -> Vec<u8> {
    instructions.iter().flat_map(|instruction| instruction.to_bytes()).collect()
}
