//! Runs a program on one call, instruction by instruction as the kernel's classic BPF does. It reads instructions, not
//! operations: it is the judge of what exploration finds, and shares nothing with it.

use crate::call::Data;
use crate::instruction::Instruction;

/// What the program returns. Of a checked program every instruction is known and every jump stays inside; anything else
/// would return 0 here, which kills the thread.
pub(crate) fn run(program: &[Instruction], call: &Data) -> u32 {
    let words = call.words();
    let (mut a, mut x, mut slots, mut at) = (0_u32, 0_u32, [0_u32; 16], 0_usize);
    while let Some(&Instruction { code, jump_true, jump_false, constant: k }) = program.get(at) {
        at += 1;
        let slot = k as usize & 15;
        let source = if code & 8 != 0 { x } else { k };
        match code & 7 {
            0 if code == 0x20 => a = words.get(k as usize / 4).copied().unwrap_or(0),
            0 => a = load(code, k, slots[slot]),
            1 => x = load(code - 1, k, slots[slot]),
            2 => slots[slot] = a,
            3 => slots[slot] = x,
            4 => match alu(code & 0xf0, a, source) {
                Some(value) => a = value,
                None => return 0,
            },
            5 if code == 0x05 => at += k as usize,
            5 => at += usize::from(if jumps(code & 0xf0, a, source) { jump_true } else { jump_false }),
            6 => return if code & 0x18 == 0x10 { a } else { k },
            _ if code & 0x80 == 0 => x = a,
            _ => a = x,
        }
    }
    0
}

fn load(code: u16, k: u32, slot: u32) -> u32 {
    match code {
        0x80 => 64,
        0x60 => slot,
        _ => k,
    }
}

fn alu(operation: u16, a: u32, source: u32) -> Option<u32> {
    match operation {
        0x00 => Some(a.wrapping_add(source)),
        0x10 => Some(a.wrapping_sub(source)),
        0x20 => Some(a.wrapping_mul(source)),
        0x30 => a.checked_div(source),
        0x40 => Some(a | source),
        0x50 => Some(a & source),
        0x60 => Some(a << (source & 31)),
        0x70 => Some(a >> (source & 31)),
        0x80 => Some(a.wrapping_neg()),
        0xa0 => Some(a ^ source),
        _ => None,
    }
}

fn jumps(operation: u16, a: u32, source: u32) -> bool {
    match operation {
        0x10 => a == source,
        0x20 => a > source,
        0x30 => a >= source,
        _ => a & source != 0,
    }
}
