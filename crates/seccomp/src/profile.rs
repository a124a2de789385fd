//! The filter that runC makes of `linux.seccomp` in an OCI configuration, as libseccomp 2.5 does.
//!
//! What differs from the letter of the profile: names that the library does not know are left out; a rule whose action
//! is the default action is left out; a rule without conditions beats those with; on i386 a rule for a call of the
//! socket or System V IPC family also counts for that call through `socketcall` or `ipc`, without its conditions.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::compile::{self, Block, Case};
use crate::{Abi, Program, ProgramError, known_to_every_libseccomp};

const EPERM: u16 = 1;

/// `linux.seccomp` (opencontainers/runtime-spec, config-linux.md).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    default_action: ProfileAction,
    default_errno_ret: Option<u16>,
    #[serde(default)]
    architectures: Vec<String>,
    #[serde(default)]
    syscalls: Vec<SyscallRule>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SyscallRule {
    names: Vec<String>,
    action: ProfileAction,
    errno_ret: Option<u16>,
    args: Option<Vec<Argument>>,
}

/// One condition on an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Argument {
    pub(crate) index: u8,
    /// What is compared with; the mask of `SCMP_CMP_MASKED_EQ`.
    pub(crate) value: u64,
    /// The value under the mask.
    #[serde(default)]
    pub(crate) value_two: u64,
    pub(crate) op: Comparison,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum ProfileAction {
    #[serde(rename = "SCMP_ACT_KILL", alias = "SCMP_ACT_KILL_THREAD")]
    KillThread,
    #[serde(rename = "SCMP_ACT_KILL_PROCESS")]
    KillProcess,
    #[serde(rename = "SCMP_ACT_TRAP")]
    Trap,
    #[serde(rename = "SCMP_ACT_ERRNO")]
    Errno,
    #[serde(rename = "SCMP_ACT_TRACE")]
    Trace,
    #[serde(rename = "SCMP_ACT_NOTIFY")]
    Notify,
    #[serde(rename = "SCMP_ACT_LOG")]
    Log,
    #[serde(rename = "SCMP_ACT_ALLOW")]
    Allow,
}

impl ProfileAction {
    /// `SECCOMP_RET_…`
    fn value(self, errno: Option<u16>) -> u32 {
        match self {
            Self::KillThread => 0,
            Self::KillProcess => 0x8000_0000,
            Self::Trap => 0x3_0000,
            Self::Errno => 0x5_0000 | u32::from(errno.unwrap_or(EPERM)),
            Self::Trace => 0x7ff0_0000 | u32::from(errno.unwrap_or(EPERM)),
            Self::Notify => 0x7fc0_0000,
            Self::Log => 0x7ffc_0000,
            Self::Allow => 0x7fff_0000,
        }
    }
}

/// How an argument is compared; all 64 bits, without sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum Comparison {
    #[serde(rename = "SCMP_CMP_NE")]
    NotEqual,
    #[serde(rename = "SCMP_CMP_LT")]
    Less,
    #[serde(rename = "SCMP_CMP_LE")]
    AtMost,
    #[serde(rename = "SCMP_CMP_EQ")]
    Equal,
    #[serde(rename = "SCMP_CMP_GE")]
    AtLeast,
    #[serde(rename = "SCMP_CMP_GT")]
    Greater,
    #[serde(rename = "SCMP_CMP_MASKED_EQ")]
    MaskedEqual,
}

/// What the kernel would be given for a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// The program.
    pub program: Program,
    /// Calls of which the program can't be trusted: it depends on the version of libseccomp whether their rules count.
    pub uncertain: BTreeSet<String>,
}

/// Why a profile can't be compiled.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// A condition names an argument that no call has.
    #[error("{0}: there is no argument {1}")]
    Argument(String, u8),
    /// The program would be refused.
    #[error(transparent)]
    Program(#[from] ProgramError),
}

impl Profile {
    /// Compiles the profile for a machine whose own ABI is `native`.
    ///
    /// # Errors
    /// When runC would refuse the profile, or the kernel the program.
    pub fn compile(&self, native: Abi) -> Result<Compiled, ProfileError> {
        let default = self.default_action.value(self.default_errno_ret);
        let mut uncertain = BTreeSet::new();
        let mut blocks = Vec::new();
        for abi in Abi::ALL {
            if abi == native || self.architectures.iter().any(|name| name == architecture(abi)) {
                let cases = self.cases(abi, default, &mut uncertain)?;
                let cases = cases.into_iter().filter_map(|(name, case)| Some((abi.number(&name)?, case)));
                blocks.push(Block { abi, cases: cases.collect() });
            }
        }
        Ok(Compiled { program: compile::program(&blocks, default)?, uncertain })
    }

    fn cases(
        &self,
        abi: Abi,
        default: u32,
        uncertain: &mut BTreeSet<String>,
    ) -> Result<BTreeMap<String, Case>, ProfileError> {
        let mut cases = BTreeMap::new();
        for rule in &self.syscalls {
            let action = rule.action.value(rule.errno_ret);
            if action == default {
                continue;
            }
            let arguments = rule.args.as_deref().unwrap_or_default();
            for name in &rule.names {
                if let Some(argument) = arguments.iter().find(|argument| argument.index > 5) {
                    return Err(ProfileError::Argument(name.clone(), argument.index));
                }
                if !known_to_every_libseccomp(name) && abi.number(name).is_some() {
                    uncertain.insert(name.clone());
                }
                add(&mut cases, name, action, alternatives(arguments), uncertain);
                if let Some((door, number)) = multiplexer(name).filter(|_| abi == Abi::I386) {
                    let is = Argument { index: 0, value: number, value_two: 0, op: Comparison::Equal };
                    add(&mut cases, door, action, vec![vec![is]], uncertain);
                }
            }
        }
        Ok(cases)
    }
}

/// The conditions of a rule: all of one list must hold. Two on the same argument are alternatives to runC.
fn alternatives(arguments: &[Argument]) -> Vec<Vec<Argument>> {
    let indices: BTreeSet<u8> = arguments.iter().map(|argument| argument.index).collect();
    if indices.len() < arguments.len() {
        return arguments.iter().map(|argument| vec![*argument]).collect();
    }
    vec![arguments.to_vec()]
}

/// Adds a rule as libseccomp does: one without conditions replaces those before and shuts out those after.
fn add(
    cases: &mut BTreeMap<String, Case>,
    name: &str,
    action: u32,
    alternatives: Vec<Vec<Argument>>,
    uncertain: &mut BTreeSet<String>,
) {
    let always = alternatives.iter().any(Vec::is_empty);
    let case = cases.entry(name.to_owned()).or_default();
    match case {
        Case::Always(_) => {}
        _ if always => *case = Case::Always(action),
        Case::When(rules) => {
            // The order in which the library tests rules of different actions is its own.
            if rules.iter().any(|(before, _)| *before != action) {
                uncertain.insert(name.to_owned());
            }
            rules.extend(alternatives.into_iter().map(|conditions| (action, conditions)));
        }
    }
}

fn architecture(abi: Abi) -> &'static str {
    match abi {
        Abi::X86_64 => "SCMP_ARCH_X86_64",
        Abi::I386 => "SCMP_ARCH_X86",
        Abi::X32 => "SCMP_ARCH_X32",
        Abi::Aarch64 => "SCMP_ARCH_AARCH64",
    }
}

/// The call of i386 through which this one can be made too, and its number there (linux/net.h, linux/ipc.h).
fn multiplexer(name: &str) -> Option<(&'static str, u64)> {
    const SOCKET: [&str; 20] = [
        "socket",
        "bind",
        "connect",
        "listen",
        "accept",
        "getsockname",
        "getpeername",
        "socketpair",
        "send",
        "recv",
        "sendto",
        "recvfrom",
        "shutdown",
        "setsockopt",
        "getsockopt",
        "sendmsg",
        "recvmsg",
        "accept4",
        "recvmmsg",
        "sendmmsg",
    ];
    const IPC: [(&str, u64); 12] = [
        ("semop", 1),
        ("semget", 2),
        ("semctl", 3),
        ("semtimedop", 4),
        ("msgsnd", 11),
        ("msgrcv", 12),
        ("msgget", 13),
        ("msgctl", 14),
        ("shmat", 21),
        ("shmdt", 22),
        ("shmget", 23),
        ("shmctl", 24),
    ];
    let in_socket = SOCKET.iter().zip(1..).find(|(known, _)| **known == name);
    let in_ipc = || IPC.iter().find(|(known, _)| *known == name);
    in_socket
        .map(|(_, number)| ("socketcall", number))
        .or_else(|| in_ipc().map(|(_, number)| ("ipc", *number)))
}
