//! Writes a program that decides each call of each ABI: the plain way, one test after the other.

use std::collections::BTreeMap;

use crate::instruction::Instruction;
use crate::profile::{Argument, Comparison};
use crate::{Abi, Program, ProgramError};

/// Calls with the bit of x32 or above are none of x86_64's own.
const X32_BIT: u32 = 0x4000_0000;
/// What libseccomp does with calls of ABIs that the profile does not name: the thread dies.
const KILL_THREAD: u32 = 0;

/// What happens to one call.
#[derive(Clone, Debug)]
pub(crate) enum Case {
    /// This, whatever its arguments are.
    Always(u32),
    /// The action of the first rule of which all conditions hold, else the default.
    When(Vec<(u32, Vec<Argument>)>),
}

impl Default for Case {
    fn default() -> Self {
        Self::When(Vec::new())
    }
}

/// The calls of one ABI, by number.
pub(crate) struct Block {
    pub(crate) abi: Abi,
    pub(crate) cases: BTreeMap<u32, Case>,
}

/// Writes the program. Calls that no block names get the default; those of other ABIs kill the thread.
///
/// # Errors
/// When it would be too long.
pub(crate) fn program(blocks: &[Block], default: u32) -> Result<Program, ProgramError> {
    let mut code = Vec::new();
    for arch in [Abi::X86_64, Abi::I386, Abi::Aarch64].map(Abi::audit_arch) {
        let of_arch: Vec<&Block> = blocks.iter().filter(|block| block.abi.audit_arch() == arch).collect();
        if of_arch.is_empty() {
            continue;
        }
        let mut body = vec![load(0)];
        // The numbers of x32 are above those of x86_64; without x32, they are an ABI that is not named.
        let x32 = of_arch.iter().find(|block| block.abi == Abi::X32);
        let others = x32.map_or_else(|| vec![ret(KILL_THREAD)], |block| cases(block, default));
        if arch == Abi::X86_64.audit_arch() {
            guard(&mut body, test(AT_LEAST, X32_BIT), others);
        }
        for block in of_arch.iter().filter(|block| block.abi != Abi::X32) {
            body.extend(cases(block, default));
        }
        code.push(load(1));
        guard(&mut code, test(EQUAL, arch), body);
    }
    code.push(ret(KILL_THREAD));
    Program::new(code)
}

const EQUAL: u16 = 0x15;
const GREATER: u16 = 0x25;
const AT_LEAST: u16 = 0x35;
const AND: u16 = 0x54;

fn load(word: u32) -> Instruction {
    Instruction { code: 0x20, jump_true: 0, jump_false: 0, constant: 4 * word }
}

fn ret(value: u32) -> Instruction {
    Instruction { code: 0x06, jump_true: 0, jump_false: 0, constant: value }
}

fn test(code: u16, constant: u32) -> Instruction {
    Instruction { code, jump_true: 0, jump_false: 0, constant }
}

/// Goes through `then` where the test holds, past it where not.
fn guard(code: &mut Vec<Instruction>, test: Instruction, then: Vec<Instruction>) {
    match u8::try_from(then.len()) {
        Ok(length) => code.push(Instruction { jump_false: length, ..test }),
        Err(_) => {
            code.push(Instruction { jump_true: 1, ..test });
            // Programs longer than the kernel takes are refused later.
            let constant = u32::try_from(then.len()).unwrap_or(u32::MAX);
            code.push(Instruction { code: 0x05, jump_true: 0, jump_false: 0, constant });
        }
    }
    code.extend(then);
}

/// Tests for each call; ends in the default.
fn cases(block: &Block, default: u32) -> Vec<Instruction> {
    let mut code = Vec::new();
    for (number, case) in &block.cases {
        let then = match case {
            Case::Always(action) => vec![ret(*action)],
            Case::When(rules) => when(rules, block.abi, default),
        };
        guard(&mut code, test(EQUAL, *number), then);
    }
    code.push(ret(default));
    code
}

fn when(rules: &[(u32, Vec<Argument>)], abi: Abi, default: u32) -> Vec<Instruction> {
    let mut code: Vec<_> =
        rules.iter().flat_map(|(action, conditions)| rule(*action, conditions, abi)).collect();
    code.push(ret(default));
    code
}

/// Returns the action where all conditions hold, else falls out at the end. At most 6 conditions of 3 tests: every jump
/// fits into its byte.
fn rule(action: u32, conditions: &[Argument], abi: Abi) -> Vec<Instruction> {
    let conditions: Vec<Vec<Test>> = conditions.iter().map(|argument| tests(argument, abi)).collect();
    let end = conditions.iter().flatten().map(Test::length).sum::<usize>() + 1;
    let mut code = Vec::new();
    for condition in conditions {
        let holds = code.len() + condition.iter().map(Test::length).sum::<usize>();
        for test in condition {
            let next = code.len() + test.length();
            let skip = |to| match to {
                To::Next => 0,
                To::Holds => (holds - next) as u8,
                To::Fails => (end - next) as u8,
            };
            code.push(load(test.word));
            if test.mask != u32::MAX {
                code.push(Instruction { code: AND, jump_true: 0, jump_false: 0, constant: test.mask });
            }
            let (jump_true, jump_false) = (skip(test.when_true), skip(test.when_false));
            code.push(Instruction { code: test.code, jump_true, jump_false, constant: test.value });
        }
    }
    code.push(ret(action));
    code
}

/// One comparison of one half of an argument.
struct Test {
    word: u32,
    mask: u32,
    code: u16,
    value: u32,
    when_true: To,
    when_false: To,
}

/// Where a test leads: to the next one of its condition, or to what the condition comes to.
#[derive(Clone, Copy)]
enum To {
    Next,
    Holds,
    Fails,
}

impl Test {
    /// In instructions.
    fn length(&self) -> usize {
        if self.mask == u32::MAX { 2 } else { 3 }
    }
}

/// The tests that a condition comes to. libseccomp compares 32 bits where pointers have 32, although calls of x32 have
/// arguments of 64.
fn tests(argument: &Argument, abi: Abi) -> Vec<Test> {
    use Comparison::{AtLeast, AtMost, Equal, Greater, Less, MaskedEqual, NotEqual};
    let (mask, value) = match argument.op {
        MaskedEqual => (argument.value, argument.value_two & argument.value),
        _ => (u64::MAX, argument.value),
    };
    let (holds, fails) = match argument.op {
        Equal | MaskedEqual | Greater | AtLeast => (To::Holds, To::Fails),
        NotEqual | AtMost | Less => (To::Fails, To::Holds),
    };
    let test = |upper: bool, code, when_true, when_false| Test {
        word: 4 + 2 * u32::from(argument.index) + u32::from(upper),
        mask: if upper { (mask >> 32) as u32 } else { mask as u32 },
        value: if upper { (value >> 32) as u32 } else { value as u32 },
        code,
        when_true,
        when_false,
    };
    let upper_equal = test(true, EQUAL, To::Next, fails);
    let upper_greater = test(true, GREATER, holds, To::Next);
    let (upper, lower) = match argument.op {
        Equal | MaskedEqual | NotEqual => (vec![upper_equal], EQUAL),
        Greater | AtMost => (vec![upper_greater, upper_equal], GREATER),
        AtLeast | Less => (vec![upper_greater, upper_equal], AT_LEAST),
    };
    let lower = test(false, lower, holds, fails);
    let narrow = matches!(abi, Abi::I386 | Abi::X32);
    if narrow { vec![lower] } else { upper.into_iter().chain([lower]).collect() }
}
