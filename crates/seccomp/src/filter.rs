//! All programs that filter one thread, and what they let it do.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::abi::Abi;
use crate::action::{ALLOW, Action, stricter};
use crate::call::{Arg, Call, Data};
use crate::explore::{Exploration, explore};
use crate::program::Program;

/// Most instructions on one thread, each program counting four more (`MAX_INSNS_PER_PATH`).
const MAX_INSTRUCTIONS: usize = 32768;
const PENALTY: usize = 4;
/// Calls of x86_64 that kernels since 6.13 let pass without asking the filters: they return from a probe's trampoline and
/// kill whoever makes them from elsewhere.
const NOT_ASKED: [&str; 2] = ["uretprobe", "uprobe"];

/// The programs that a thread's calls are asked of, all of them; the strictest answer wins. Answers are remembered.
#[derive(Debug, Default)]
pub struct Filter {
    /// Newest first, the order in which the kernel asks.
    programs: Vec<Program>,
    answers: Mutex<HashMap<Call, Outcome>>,
    /// Calls of which the programs can't be trusted.
    uncertain: BTreeSet<String>,
}

/// What happens to the calls of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of them are made.
    Allowed {
        /// One of them.
        witness: Data,
    },
    /// None of them is made.
    Denied(Denial),
    /// Some are made, others perhaps not.
    Conditional {
        /// One that is made.
        witness: Data,
        /// What happens to another, where one is known.
        denied: Option<Denial>,
    },
    /// The ABI has no call of this name.
    NoSuchCall,
    /// It can't be told.
    Unknown(Doubt),
}

impl Outcome {
    /// Whether some call of the set is made; `None` if it can't be told.
    pub fn is_possible(&self) -> Option<bool> {
        match self {
            Self::Allowed { .. } | Self::Conditional { .. } => Some(true),
            Self::Denied(_) | Self::NoSuchCall => Some(false),
            Self::Unknown(_) => None,
        }
    }
}

/// What happens to a caller instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// The call returns this error; 0 looks like success.
    Errno(u16),
    /// The thread gets `SIGSYS`.
    Trap,
    /// The thread dies.
    KillThread,
    /// The process dies.
    KillProcess,
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Errno(1) => f.write_str("EPERM"),
            Self::Errno(38) => f.write_str("ENOSYS"),
            Self::Errno(number) => write!(f, "errno {number}"),
            Self::Trap => f.write_str("SIGSYS"),
            Self::KillThread => f.write_str("kills the thread"),
            Self::KillProcess => f.write_str("kills the process"),
        }
    }
}

/// Why it can't be told what happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// A tracer or a listener decides.
    #[error("a tracer or a listener in user space decides")]
    SomebodyDecides,
    /// The programs take more paths than are followed.
    #[error("the filter takes more paths than are followed")]
    TooManyPaths,
    /// The programs compute with arguments in a way that is not followed.
    #[error("the filter computes with the arguments in a way that is not followed")]
    Inexact,
    /// The filter is what a profile declares, and libseccomp may have left a rule for this call out.
    #[error("it depends on the version of libseccomp whether the profile's rule for this call counts")]
    LeftToLibseccomp,
    /// New kernels do not ask.
    #[error("kernels since 6.13 do not ask the filter about this call")]
    NotAsked,
    /// No call of this ABI has such arguments.
    #[error("no call of this ABI has such arguments")]
    NoSuchArguments,
}

/// More programs than the kernel lets a thread have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} instructions in all; a thread has at most {MAX_INSTRUCTIONS}, each program counting {PENALTY} more"
)]
pub struct FilterError(usize);

impl Filter {
    /// A filter of these programs, the newest first. No program allows everything.
    ///
    /// # Errors
    /// More instructions than the kernel accepts.
    pub fn new(programs: Vec<Program>) -> Result<Self, FilterError> {
        let total = programs.iter().map(|program| program.len() + PENALTY).sum();
        if total > MAX_INSTRUCTIONS {
            return Err(FilterError(total));
        }
        Ok(Self { programs, answers: Mutex::default(), uncertain: BTreeSet::new() })
    }

    /// The same filter, not trusted about these calls: it was compiled from a profile.
    pub fn uncertain_about(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.uncertain.extend(names);
        self
    }

    /// What the programs return together for one call.
    pub fn run(&self, call: &Data) -> Action {
        let returned = self.programs.iter().map(|program| program.run(call));
        Action::from_return(returned.fold(ALLOW, stricter))
    }

    /// What happens to the calls of this name whose arguments are as asked; arguments that are not given are any.
    pub fn outcome(&self, abi: Abi, name: &str, args: &[Arg]) -> Outcome {
        match abi.number(name) {
            Some(_) if self.uncertain.contains(name) => Outcome::Unknown(Doubt::LeftToLibseccomp),
            Some(number) => match self.outcome_of_number(abi, number, args) {
                Outcome::Denied(_) if abi == Abi::X86_64 && NOT_ASKED.contains(&name) => {
                    Outcome::Unknown(Doubt::NotAsked)
                }
                outcome => outcome,
            },
            None => Outcome::NoSuchCall,
        }
    }

    /// As [`Filter::outcome`], by number (of x32 with its bit).
    pub(crate) fn outcome_of_number(&self, abi: Abi, number: u32, args: &[Arg]) -> Outcome {
        let mut all = [Arg::Any; 6];
        for (arg, given) in all.iter_mut().zip(args) {
            *arg = *given;
        }
        let call = Call { abi, number, args: all };
        let answers = || self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = answers().get(&call) {
            return known.clone();
        }
        let outcome = self.decide(&call);
        answers().insert(call, outcome.clone());
        outcome
    }

    fn decide(&self, call: &Call) -> Outcome {
        if call.is_empty() {
            return Outcome::Unknown(Doubt::NoSuchArguments);
        }
        // A program that says the same for all calls of the set needs no exploring together with others, and one
        // that denies them all decides.
        let mut constant = ALLOW;
        let mut others = Vec::new();
        for program in &self.programs {
            match only_answer(&explore(&[program], call)) {
                Some(value) => constant = stricter(constant, value),
                None => others.push(program),
            }
        }
        if let Kind::Denies(denial) = Kind::of(constant) {
            return Outcome::Denied(denial);
        }
        self.sum_up(&explore(&others, call), constant)
    }

    fn sum_up(&self, exploration: &Exploration, constant: u32) -> Outcome {
        let runs =
            exploration.leaves.iter().filter_map(|leaf| leaf.example.map(|call| (call, self.run(&call))));
        let witness = runs.clone().find(|(_, action)| action.allows()).map(|(call, _)| call);
        let expected: Vec<Option<Kind>> = exploration
            .leaves
            .iter()
            .map(|leaf| leaf.returns.map(|value| Kind::of(stricter(constant, value))))
            .collect();
        let all = |wanted: fn(&Kind) -> bool| {
            exploration.complete && expected.iter().all(|kind| kind.as_ref().is_some_and(wanted))
        };
        let denied = runs.filter_map(|(_, action)| Denial::of(action)).next();
        match witness {
            Some(witness) if all(|kind| *kind == Kind::Allows) => Outcome::Allowed { witness },
            Some(witness) => Outcome::Conditional { witness, denied },
            None if all(|kind| matches!(kind, Kind::Denies(_))) => {
                let first = expected.iter().flatten().find_map(|kind| kind.denial());
                denied.or(first).map_or(Outcome::Unknown(Doubt::Inexact), Outcome::Denied)
            }
            None if all(|kind| *kind != Kind::Allows) => Outcome::Unknown(Doubt::SomebodyDecides),
            None if exploration.complete => Outcome::Unknown(Doubt::Inexact),
            None => Outcome::Unknown(Doubt::TooManyPaths),
        }
    }
}

/// What a return value comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Allows,
    SomebodyDecides,
    Denies(Denial),
}

impl Kind {
    fn of(value: u32) -> Self {
        let action = Action::from_return(value);
        match Denial::of(action) {
            Some(denial) => Self::Denies(denial),
            None if action.allows() => Self::Allows,
            None => Self::SomebodyDecides,
        }
    }

    fn denial(self) -> Option<Denial> {
        match self {
            Self::Denies(denial) => Some(denial),
            Self::Allows | Self::SomebodyDecides => None,
        }
    }
}

impl Denial {
    fn of(action: Action) -> Option<Self> {
        match action {
            Action::Errno(number) => Some(Self::Errno(number)),
            Action::Trap => Some(Self::Trap),
            Action::KillThread => Some(Self::KillThread),
            Action::KillProcess => Some(Self::KillProcess),
            Action::Allow | Action::Log | Action::Trace | Action::UserNotification => None,
        }
    }
}

/// The value that a program returns on every path, if there is one.
fn only_answer(exploration: &Exploration) -> Option<u32> {
    let first = exploration.leaves.first()?.returns?;
    let same = exploration.leaves.iter().all(|leaf| leaf.returns == Some(first));
    (exploration.complete && same).then_some(first)
}
