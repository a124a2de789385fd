//! What a BPF program that guards a cgroup's devices allows, as rules of the v1 controller.
//!
//! The programs of runc, crun and systemd compare the kind of a device, its numbers and the access with constants. Within
//! the same constants every number that none of them names gets the same answer, so running the program for each constant,
//! its neighbours and one number beyond finds the exact set.

use std::collections::{BTreeMap, BTreeSet};

/// Most instructions that one answer may take.
const MAX_STEPS: usize = 100_000;
/// Most instructions that all answers together may take.
const MAX_WORK: usize = 50_000_000;
/// Bytes of an instruction.
const INSTRUCTION: usize = 8;
/// A number that no rule names.
const BEYOND: u32 = 0x000f_fff1;

/// Kinds of devices, by `BPF_DEVCG_DEV_*`.
const KINDS: [(char, u32); 2] = [('b', 1), ('c', 2)];
/// Accesses, by `BPF_DEVCG_ACC_*`, in the order of the v1 controller.
const ACCESSES: [(char, u32); 3] = [('r', 2), ('w', 4), ('m', 1)];

/// Combinations of accesses by kind, major and minor number; `None` is every number that no constant names.
type Allowed = BTreeMap<(char, Option<u32>, Option<u32>), Vec<u32>>;

/// A device and what is to be done with it (`struct bpf_cgroup_dev_ctx`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Question {
    kind: u32,
    access: u32,
    major: u32,
    minor: u32,
}

/// What is allowed where all of these programs, instructions of 8 bytes each, have to allow it.
///
/// # Errors
/// What was not understood, with the instruction.
pub fn rules(programs: &[impl AsRef<[u8]>]) -> Result<Vec<String>, String> {
    let programs: Vec<Program> =
        programs.iter().map(|bytes| Program::new(bytes.as_ref())).collect::<Result<_, _>>()?;
    let numbers = numbers(&programs);
    let mut left = MAX_WORK;
    let mut allowed = Allowed::new();
    for (letter, kind) in KINDS {
        for major in &numbers {
            for minor in &numbers {
                let known = |number: u32| (number != BEYOND).then_some(number);
                let question = Question { kind, access: 0, major: *major, minor: *minor };
                let accesses = accesses(&programs, question, &mut left)?;
                allowed.insert((letter, known(*major), known(*minor)), accesses);
            }
        }
    }
    notation(&allowed)
}

/// Combinations of accesses that are allowed, the largest first, without what is part of a larger one.
fn accesses(programs: &[Program], question: Question, left: &mut usize) -> Result<Vec<u32>, String> {
    let mut found: Vec<u32> = Vec::new();
    for access in [7, 6, 5, 3, 4, 2, 1] {
        if found.iter().any(|larger| larger & access == access) {
            continue;
        }
        let mut allowed = true;
        for program in programs {
            allowed &= program.run(Question { access, ..question }, left)?;
        }
        if allowed {
            found.push(access);
        }
    }
    Ok(found)
}

/// Every constant of the programs, its neighbours where some comparison is by order, and a number beyond.
fn numbers(programs: &[Program]) -> BTreeSet<u32> {
    let constants = programs.iter().flat_map(Program::constants);
    let reach = u32::from(programs.iter().any(Program::compares_by_order));
    let around = constants.flat_map(|it| [it.saturating_sub(reach), it, it.saturating_add(reach)]);
    around.filter(|number| *number < BEYOND).chain([BEYOND]).collect()
}

/// The rules: one for each number that differs from what is said of all.
///
/// # Errors
/// Where a device is denied that a rule for all would allow.
fn notation(allowed: &Allowed) -> Result<Vec<String>, String> {
    let of = |kind: char, major: Option<u32>, minor: Option<u32>| {
        allowed.get(&(kind, major, minor)).map_or(&[][..], Vec::as_slice)
    };
    let covers =
        |wide: &[u32], narrow: &[u32]| narrow.iter().all(|one| wide.iter().any(|all| all & one == *one));
    let mut rules = Vec::new();
    for ((kind, major, minor), accesses) in allowed {
        let wider = [(None, None), (*major, None), (None, *minor)];
        let wider = wider.into_iter().filter(|wide| *wide != (*major, *minor));
        let wider: Vec<&[u32]> = wider.map(|(major, minor)| of(*kind, major, minor)).collect();
        let number = |number: &Option<u32>| number.map_or("*".to_owned(), |number| number.to_string());
        let device = format!("{kind} {}:{}", number(major), number(minor));
        if let Some(denied) = wider.iter().find(|wide| !covers(accesses, wide)) {
            return Err(format!(
                "it denies {device} {} of what it allows, which no rule can say",
                letters(denied.iter().fold(0, |all, one| all | one))
            ));
        }
        let new = accesses.iter().filter(|one| !wider.iter().any(|wide| covers(wide, &[**one])));
        rules.extend(new.map(|access| format!("{device} {}", letters(*access))));
    }
    let all = ["b *:* rwm", "c *:* rwm"];
    if rules.len() == all.len() && all.iter().all(|rule| rules.iter().any(|it| it == rule)) {
        rules = vec!["a *:* rwm".to_owned()];
    }
    Ok(rules)
}

fn letters(access: u32) -> String {
    ACCESSES.iter().filter(|(_, bit)| access & bit != 0).map(|(letter, _)| *letter).collect()
}

/// A program, and how it is run.
struct Program {
    instructions: Vec<Instruction>,
}

/// `struct bpf_insn`.
#[derive(Clone, Copy, Debug)]
struct Instruction {
    code: u8,
    to: u8,
    from: u8,
    offset: i16,
    immediate: i32,
}

/// What a register holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    Nothing,
    /// A number; whether it is one of the device's: comparing it with constants is understood, and no more.
    Number {
        value: u64,
        of_device: bool,
    },
    /// The question, from this byte on.
    Question(usize),
}

/// Classes of instructions (`BPF_CLASS`).
mod class {
    pub(super) const LOAD: u8 = 0;
    pub(super) const LOAD_MEMORY: u8 = 1;
    pub(super) const ALU: u8 = 4;
    pub(super) const JUMP: u8 = 5;
    pub(super) const JUMP_32: u8 = 6;
    pub(super) const ALU_64: u8 = 7;
}

/// Loads a constant of 64 bits, half of which is in the next instruction.
const LOAD_CONSTANT: u8 = 0x18;
/// `BPF_X`: the second operand is a register.
const BY_REGISTER: u8 = 8;

impl Instruction {
    fn class(self) -> u8 {
        self.code & 7
    }

    fn operation(self) -> u8 {
        self.code & 0xf0
    }

    fn is_jump(self) -> bool {
        matches!(self.class(), class::JUMP | class::JUMP_32)
    }

    fn is_comparison(self) -> bool {
        self.is_jump() && !matches!(self.operation(), 0 | 0x80 | 0x90)
    }
}

impl Program {
    fn new(bytes: &[u8]) -> Result<Self, String> {
        if !bytes.len().is_multiple_of(INSTRUCTION) {
            return Err("it does not consist of whole instructions".to_owned());
        }
        let one = |it: &[u8; INSTRUCTION]| Instruction {
            code: it[0],
            to: it[1] & 0xf,
            from: it[1] >> 4,
            offset: i16::from_ne_bytes([it[2], it[3]]),
            immediate: i32::from_ne_bytes([it[4], it[5], it[6], it[7]]),
        };
        Ok(Self { instructions: bytes.as_chunks().0.iter().map(one).collect() })
    }

    /// Constants with which something is compared.
    fn constants(&self) -> impl Iterator<Item = u32> + '_ {
        let comparisons =
            self.instructions.iter().filter(|it| it.is_comparison() && it.code & BY_REGISTER == 0);
        comparisons.map(|it| it.immediate.cast_unsigned())
    }

    /// Whether something is compared otherwise than for equality.
    fn compares_by_order(&self) -> bool {
        self.instructions.iter().any(|it| it.is_comparison() && !matches!(it.operation(), 0x10 | 0x50))
    }

    /// Whether it allows a device.
    fn run(&self, question: Question, left: &mut usize) -> Result<bool, String> {
        let mut registers = [Value::Nothing; 16];
        registers[1] = Value::Question(0);
        let mut at = 0_usize;
        for _ in 0..MAX_STEPS {
            *left = left.checked_sub(1).ok_or("it takes too long to run for every device")?;
            let one = *self.instructions.get(at).ok_or_else(|| format!("it has no instruction {at}"))?;
            let unknown = |what: &str| format!("instruction {at} (opcode {:#04x}) {what}", one.code);
            let next = match one.class() {
                class::LOAD if one.code == LOAD_CONSTANT && one.from == 0 => {
                    let high = self.instructions.get(at + 1).map_or(0, |it| it.immediate.cast_unsigned());
                    let value = u64::from(high) << 32 | u64::from(one.immediate.cast_unsigned());
                    registers[usize::from(one.to)] = Value::Number { value, of_device: false };
                    at + 2
                }
                class::LOAD_MEMORY => {
                    let value = load(one, registers[usize::from(one.from)], question);
                    registers[usize::from(one.to)] = value.ok_or_else(|| unknown("reads something else"))?;
                    at + 1
                }
                class::ALU | class::ALU_64 => {
                    let value = compute(one, &registers);
                    registers[usize::from(one.to)] = value.ok_or_else(|| unknown("is not understood"))?;
                    at + 1
                }
                class::JUMP if one.operation() == 0x90 => {
                    let Value::Number { value, .. } = registers[0] else {
                        return Err(unknown("ends it without an answer"));
                    };
                    return Ok(value != 0);
                }
                class::JUMP | class::JUMP_32 => {
                    let jumps = jumps(one, &registers).ok_or_else(|| unknown("is not understood"))?;
                    let far = if jumps { isize::from(one.offset) } else { 0 };
                    (at + 1).checked_add_signed(far).ok_or_else(|| unknown("leads nowhere"))?
                }
                _ => return Err(unknown("is not understood")),
            };
            at = next;
        }
        Err("it does not end".to_owned())
    }
}

/// Reads a part of the question.
fn load(one: Instruction, from: Value, question: Question) -> Option<Value> {
    let Value::Question(start) = from else { return None };
    let length = match one.code {
        0x61 => 4,
        0x69 => 2,
        0x71 => 1,
        _ => return None,
    };
    let start = start.checked_add_signed(isize::from(one.offset))?;
    let words = [question.access << 16 | question.kind, question.major, question.minor];
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let part = bytes.get(start..start + length)?;
    let of_device = start >= 4;
    // Part of a number could tell apart what no comparison of the whole does.
    if of_device && (length != 4 || start % 4 != 0) {
        return None;
    }
    let mut wide = [0; 8];
    let place = if cfg!(target_endian = "big") { 8 - length } else { 0 };
    wide.get_mut(place..place + length)?.copy_from_slice(part);
    Some(Value::Number { value: u64::from_ne_bytes(wide), of_device })
}

fn second(one: Instruction, registers: &[Value; 16]) -> Value {
    match one.code & BY_REGISTER {
        0 => Value::Number { value: i64::from(one.immediate).cast_unsigned(), of_device: false },
        _ => registers[usize::from(one.from)],
    }
}

/// The result of an arithmetic instruction.
fn compute(one: Instruction, registers: &[Value; 16]) -> Option<Value> {
    let is_wide = one.class() == class::ALU_64;
    let other = second(one, registers);
    // A move with an offset is one that extends a sign.
    if one.operation() == 0xb0 && one.offset == 0 {
        return match other {
            Value::Number { value, of_device } => {
                let value = if is_wide { value } else { value & u64::from(u32::MAX) };
                Some(Value::Number { value, of_device })
            }
            same => is_wide.then_some(same),
        };
    }
    let (Value::Number { value: a, of_device: false }, Value::Number { value: b, of_device: false }) =
        (registers[usize::from(one.to)], other)
    else {
        return None;
    };
    let (a, b, bits) = match is_wide {
        true => (a, b, 64),
        false => (a & u64::from(u32::MAX), b & u64::from(u32::MAX), 32),
    };
    let by = u32::try_from(b % bits).ok()?;
    let value = match one.operation() {
        0x00 => a.wrapping_add(b),
        0x10 => a.wrapping_sub(b),
        0x20 => a.wrapping_mul(b),
        0x40 => a | b,
        0x50 => a & b,
        0x60 => a << by,
        0x70 => a >> by,
        0xa0 => a ^ b,
        _ => return None,
    };
    let value = if is_wide { value } else { value & u64::from(u32::MAX) };
    Some(Value::Number { value, of_device: false })
}

/// Whether a jump is taken.
fn jumps(one: Instruction, registers: &[Value; 16]) -> Option<bool> {
    if one.operation() == 0 {
        // A jump of 32 bits keeps its distance elsewhere.
        return (one.class() == class::JUMP).then_some(true);
    }
    let (Value::Number { value: a, of_device }, Value::Number { value: b, of_device: false }) =
        (registers[usize::from(one.to)], second(one, registers))
    else {
        return None;
    };
    let (a, b) = match one.class() {
        class::JUMP => (a, b),
        _ => (a & u64::from(u32::MAX), b & u64::from(u32::MAX)),
    };
    // Against a constant that is in a register there are no neighbours to try.
    if of_device && one.code & BY_REGISTER != 0 {
        return None;
    }
    Some(match one.operation() {
        0x10 => a == b,
        0x20 => a > b,
        0x30 => a >= b,
        0x40 if !of_device => a & b != 0,
        0x50 => a != b,
        0xa0 => a < b,
        0xb0 => a <= b,
        _ => return None,
    })
}

#[cfg(test)]
mod runc;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::rules;
    use super::runc::{DOCKER, Rule, begin, end, instruction, program};

    const EXTRA: Rule = ('b', "rwm", Some(254), None, true);

    fn with(more: &[Rule], otherwise: bool) -> Vec<u8> {
        program(&[&DOCKER, more].concat(), otherwise)
    }

    fn sorted(rules: &[String]) -> BTreeSet<&str> {
        rules.iter().map(String::as_str).collect()
    }

    fn docker() -> Vec<String> {
        let number = |number: Option<i32>| number.map_or("*".to_owned(), |number| number.to_string());
        DOCKER
            .iter()
            .map(|(kind, access, major, minor, _)| {
                format!("{kind} {}:{} {access}", number(*major), number(*minor))
            })
            .collect()
    }

    #[test]
    fn the_rules_that_every_container_gets() {
        assert_eq!(sorted(&rules(&[with(&[], false)]).unwrap()), sorted(&docker()));
    }

    #[test]
    fn one_more_and_every_one() {
        let found = rules(&[with(&[EXTRA], false)]).unwrap();
        let beyond: Vec<_> = found.iter().filter(|rule| !docker().contains(rule)).collect();
        assert_eq!(beyond, ["b 254:* rwm"]);
        let all = with(&[('b', "rwm", None, None, true), ('c', "rwm", None, None, true)], false);
        assert_eq!(rules(&[all]).unwrap(), ["a *:* rwm"]);
        assert_eq!(rules(&[[0_u8; 0]; 0]).unwrap(), ["a *:* rwm"], "nothing guards the devices");
    }

    #[test]
    fn accesses_that_only_count_alone() {
        let apart = [('b', "r", Some(8), Some(0), true), ('b', "w", Some(8), Some(0), true)];
        assert_eq!(rules(&[program(&apart, false)]).unwrap(), ["b 8:0 w", "b 8:0 r"]);
        assert_eq!(rules(&[program(&[('b', "rw", Some(8), Some(0), true)], false)]).unwrap(), ["b 8:0 rw"]);
    }

    #[test]
    fn every_program_has_to_allow_it() {
        let found = rules(&[with(&[EXTRA], false), with(&[], false)]).unwrap();
        assert_eq!(sorted(&found), sorted(&docker()));
    }

    #[test]
    fn exceptions_cannot_be_said_in_rules() {
        let denied = program(&[('b', "rwm", Some(8), Some(0), false)], true);
        assert!(rules(&[denied]).unwrap_err().contains("denies b 8:0 rwm"));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let with = |one: [u8; 8]| {
            let code = begin().into_iter().chain([one]).chain(end(true)).flatten().collect::<Vec<u8>>();
            rules(&[code]).unwrap_err()
        };
        assert!(with(instruction(0x85, 0, 0, 0, 1)).contains("opcode 0x85"), "a call");
        assert!(with(instruction(0x54, 4, 0, 0, 0xff)).contains("opcode 0x54"), "computes with a number");
        assert!(with(instruction(0x05, 0, 0, -1, 0)).contains("does not end"));
        assert!(with(instruction(0x05, 0, 0, 99, 0)).contains("no instruction"));
        assert!(rules(&[[0_u8; 7]]).is_err());
    }

    #[test]
    fn comparisons_by_order() {
        // Majors from 100 to 101.
        let range = [instruction(0xa5, 4, 0, 3, 100), instruction(0x25, 4, 0, 2, 101)];
        let code: Vec<u8> =
            begin().into_iter().chain(range).chain(end(true)).chain(end(false)).flatten().collect();
        let found = rules(&[code]).unwrap();
        assert_eq!(found, ["b 100:* rwm", "b 101:* rwm", "c 100:* rwm", "c 101:* rwm"]);
    }
}
