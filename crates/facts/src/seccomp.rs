//! The seccomp filters of processes, each once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The filters of the processes of all containers. A process names its own by its place in this list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Seccomp {
    /// Distinct filters.
    pub filters: Vec<SeccompFilter>,
    /// Distinct programs: arrays of `struct sock_filter` (linux/filter.h), in Base64. The comparisons that follow the first
    /// load are in the order of their constants, which changes nothing of what a program does.
    pub programs: Vec<String>,
}

/// All programs that a process's calls are asked of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SeccompFilter {
    /// How it was learnt.
    pub source: SeccompSource,
    /// Places in the list of programs, the newest first. The strictest answer wins.
    pub programs: Vec<u32>,
    /// System calls of which a declared filter can't tell: it depends on the version of libseccomp whether the profile's
    /// rules for them count.
    pub uncertain: Vec<String>,
}

/// How a filter was learnt.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum SeccompSource {
    /// From the kernel, by a BPF iterator over tasks: exact, and no thread was stopped.
    KernelBpf,
    /// From the kernel, by ptrace(2): exact; a thread was stopped for some microseconds.
    KernelPtrace,
    /// Compiled from the profile in the OCI bundle: what the runtime was asked for. What processes did since is not in
    /// it.
    #[default]
    Declared,
}
