//! Follows every path through stacked programs that some call of a set could take.

use crate::action::{ALLOW, stricter};
use crate::call::{Call, Data, WORDS};
use crate::condition::{Condition, Test};
use crate::operation::{Arithmetic, Operand, Operation, Register, SLOTS};
use crate::program::Program;
use crate::solve::{Solution, solve};

/// How many paths are followed to their end.
const MAX_PATHS: usize = 2000;
/// How many operations are followed in all.
const MAX_STEPS: usize = 1_000_000;

/// What can be known of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    Known(u32),
    /// A word of the call, some bits masked out.
    Word {
        word: u8,
        mask: u32,
    },
    Any,
}

/// One way through the programs, and the calls that take it.
#[derive(Clone, Debug)]
struct Path {
    program: usize,
    at: usize,
    accumulator: Value,
    index: Value,
    slots: [Value; SLOTS],
    conditions: Vec<Condition>,
    /// The strictest value returned so far; `None` when one of them is not known.
    returns: Option<u32>,
}

/// Where a path ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaf {
    /// What the programs return together, if it is known.
    pub(crate) returns: Option<u32>,
    /// A call that meets the path's conditions. Where not every condition could be written down, it may take another
    /// path: run it to know.
    pub(crate) example: Option<Data>,
}

/// All ways through the programs.
#[derive(Debug, Default)]
pub(crate) struct Exploration {
    pub(crate) leaves: Vec<Leaf>,
    /// Whether every path was followed to its end. Paths that no call takes may be among them, but none is missing.
    pub(crate) complete: bool,
}

/// Explores the programs, one after the other, for all calls of the set.
pub(crate) fn explore(programs: &[&Program], call: &Call) -> Exploration {
    let mut explorer = Explorer { programs, call, pending: Vec::new(), steps: 0 };
    explorer.pending.push(Path {
        program: 0,
        at: 0,
        accumulator: Value::Known(0),
        index: Value::Known(0),
        slots: [Value::Known(0); SLOTS],
        conditions: call.conditions(),
        returns: Some(ALLOW),
    });
    let mut leaves = Vec::new();
    while let Some(path) = explorer.pending.pop() {
        if leaves.len() == MAX_PATHS || explorer.steps >= MAX_STEPS {
            return Exploration { leaves, complete: false };
        }
        leaves.extend(explorer.follow(path));
    }
    Exploration { leaves, complete: true }
}

struct Explorer<'p> {
    programs: &'p [&'p Program],
    call: &'p Call,
    pending: Vec<Path>,
    steps: usize,
}

impl Explorer<'_> {
    /// Follows one path to its end; other paths that leave it become pending. `None` where no call takes it.
    fn follow(&mut self, mut path: Path) -> Option<Leaf> {
        loop {
            let Some(program) = self.programs.get(path.program) else { return Some(self.leaf(path)) };
            self.steps += 1;
            let operation = *program.operations().get(path.at)?;
            path.at += 1;
            match operation {
                Operation::LoadWord(word) => path.accumulator = self.word(word, &path.conditions),
                Operation::LoadConstant(register, k) => *path.register(register) = Value::Known(k),
                Operation::LoadSlot(register, slot) => {
                    *path.register(register) = path.slots[usize::from(slot)];
                }
                Operation::Store(register, slot) => {
                    path.slots[usize::from(slot)] = *path.register(register);
                }
                Operation::CopyInto(Register::Accumulator) => path.accumulator = path.index,
                Operation::CopyInto(Register::Index) => path.index = path.accumulator,
                Operation::Compute(arithmetic, operand) => self.compute(&mut path, arithmetic, operand),
                Operation::Negate => {
                    path.accumulator = match path.accumulator {
                        Value::Known(value) => Value::Known(value.wrapping_neg()),
                        Value::Word { .. } | Value::Any => Value::Any,
                    };
                }
                Operation::Jump(target) => path.at = target,
                Operation::Branch { test, operand, when_true, when_false } => {
                    self.branch(&mut path, test, operand, [when_true, when_false])?;
                }
                Operation::Return(operand) => {
                    let value = match operand {
                        Operand::Constant(k) => Value::Known(k),
                        Operand::Register => path.accumulator,
                    };
                    path.end_program(value);
                }
            }
        }
    }

    fn word(&self, word: u8, conditions: &[Condition]) -> Value {
        match word {
            0 => return Value::Known(self.call.number),
            1 => return Value::Known(self.call.abi.audit_arch()),
            _ => {}
        }
        let is = Condition { word, mask: u32::MAX, test: Test::Equal, constant: 0, holds: true };
        let known = conditions.iter().find(|c| Condition { constant: 0, ..**c } == is);
        known.map_or(Value::Word { word, mask: u32::MAX }, |c| Value::Known(c.constant))
    }

    fn compute(&mut self, path: &mut Path, arithmetic: Arithmetic, operand: Operand) {
        let right = path.operand(operand);
        path.accumulator = match (path.accumulator, arithmetic, right) {
            (Value::Known(left), _, Value::Known(right)) => match arithmetic.apply(left, right) {
                Some(value) => Value::Known(value),
                None => return path.end_program(Value::Known(0)),
            },
            (Value::Word { word, mask }, Arithmetic::And, Value::Known(k))
            | (Value::Known(k), Arithmetic::And, Value::Word { word, mask }) => masked(word, mask & k),
            (_, Arithmetic::Divide, Value::Known(0)) => return path.end_program(Value::Known(0)),
            (_, Arithmetic::Divide, Value::Word { .. } | Value::Any) => {
                // It may be 0: that ends the program.
                let mut ended = path.clone();
                ended.end_program(Value::Known(0));
                self.pending.push(ended);
                Value::Any
            }
            _ => Value::Any,
        };
    }

    /// Goes on with the first target that some call takes; a second becomes pending.
    fn branch(
        &mut self,
        path: &mut Path,
        test: Test,
        operand: Operand,
        [when_true, when_false]: [usize; 2],
    ) -> Option<()> {
        let condition = match (path.accumulator, path.operand(operand)) {
            (Value::Known(left), Value::Known(right)) => {
                path.at = if test.holds(left, right) { when_true } else { when_false };
                return Some(());
            }
            (Value::Word { word, mask }, Value::Known(constant)) => {
                Some(Condition { word, mask, test, constant, holds: true })
            }
            (Value::Known(constant), Value::Word { word, mask })
                if matches!(test, Test::Equal | Test::AnyBit) =>
            {
                Some(Condition { word, mask, test, constant, holds: true })
            }
            _ => None,
        };
        let mut ways =
            [path.when(condition, when_true), path.when(condition.map(Condition::negated), when_false)]
                .into_iter()
                .flatten();
        *path = ways.next()?;
        self.pending.extend(ways);
        Some(())
    }

    fn leaf(&self, path: Path) -> Leaf {
        let mut words = [0; WORDS];
        (words[0], words[1]) = (self.call.number, self.call.abi.audit_arch());
        let mut solved = true;
        for (word, value) in (0..).zip(&mut words).skip(2) {
            match solve(&path.conditions_of(word)) {
                Solution::Word(found) => *value = found,
                Solution::None | Solution::TooHard => solved = false,
            }
        }
        Leaf { returns: path.returns, example: solved.then(|| Data::from_words(words)) }
    }
}

impl Path {
    fn register(&mut self, register: Register) -> &mut Value {
        match register {
            Register::Accumulator => &mut self.accumulator,
            Register::Index => &mut self.index,
        }
    }

    fn operand(&self, operand: Operand) -> Value {
        match operand {
            Operand::Constant(k) => Value::Known(k),
            Operand::Register => self.index,
        }
    }

    /// The path goes on with the next program, which starts afresh.
    fn end_program(&mut self, value: Value) {
        self.returns = match (self.returns, value) {
            (Some(before), Value::Known(value)) => Some(stricter(before, value)),
            _ => None,
        };
        (self.program, self.at) = (self.program + 1, 0);
        (self.accumulator, self.index) = (Value::Known(0), Value::Known(0));
        self.slots = [Value::Known(0); SLOTS];
    }

    /// The path with one more condition, at `target`; `None` where no call can meet all of them.
    fn when(&self, condition: Option<Condition>, target: usize) -> Option<Self> {
        let mut path = Self { at: target, ..self.clone() };
        if let Some(condition) = condition {
            path.conditions.push(condition);
            if solve(&path.conditions_of(condition.word)) == Solution::None {
                return None;
            }
        }
        Some(path)
    }

    fn conditions_of(&self, word: u8) -> Vec<Condition> {
        self.conditions.iter().filter(|condition| condition.word == word).copied().collect()
    }
}

fn masked(word: u8, mask: u32) -> Value {
    if mask == 0 { Value::Known(0) } else { Value::Word { word, mask } }
}
