//! The seccomp filters of the host's processes, each decoded once.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plimsoll_facts::{Fact, Facts, Process, SeccompFilter, SeccompSource};
use plimsoll_seccomp::{Abi, Filter, Program};

use crate::calls::Calls;
use crate::kernel;
use crate::stand::missing;
use crate::truth::Truth;

/// Filters, and the doors into the kernel.
pub(crate) struct Filters {
    none: Filter,
    known: Vec<(Result<Filter, String>, &'static str)>,
    doors: Vec<(Abi, Truth)>,
    io_uring: Truth,
}

impl Filters {
    /// Decodes the filters in the facts.
    pub(crate) fn of(facts: &Facts) -> Self {
        let seccomp = &facts.host.seccomp;
        let known = |filter: &SeccompFilter| (decode(filter, &seccomp.programs), source(filter.source));
        Self {
            none: Filter::default(),
            known: seccomp.filters.iter().map(known).collect(),
            doors: doors(facts),
            io_uring: io_uring(facts),
        }
    }

    /// The ways into the kernel, and whether it serves them.
    pub(crate) fn doors(&self) -> &[(Abi, Truth)] {
        &self.doors
    }

    /// What tells processes apart by their filters.
    pub(crate) fn key(process: &Process) -> impl Ord + use<> {
        (process.seccomp_mode, process.seccomp_filters, process.seccomp.value().copied())
    }

    /// The system calls of a process.
    pub(crate) fn calls(&self, process: &Process) -> Calls<'_> {
        let (filter, source) = match &process.seccomp {
            Fact::Absent { .. } => (Ok(&self.none), ""),
            Fact::Unreadable { reason, .. } => (Err(format!("its seccomp filter: {reason}")), ""),
            Fact::Known { value, .. } => match usize::try_from(*value).ok().and_then(|at| self.known.get(at))
            {
                Some((filter, source)) => (filter.as_ref().map_err(Clone::clone), *source),
                None => (Err("its seccomp filter: not among the facts".to_owned()), ""),
            },
        };
        Calls {
            filter: filter.map(|filter| filter as _),
            source,
            doors: &self.doors,
            io_uring: self.io_uring.clone(),
        }
    }
}

/// The filter of these programs.
pub(crate) fn decode(filter: &SeccompFilter, programs: &[String]) -> Result<Filter, String> {
    let program = |at: &u32| {
        let text = usize::try_from(*at).ok().and_then(|at| programs.get(at)).ok_or("a program is missing")?;
        let bytes = STANDARD.decode(text).map_err(|error| error.to_string())?;
        Program::from_bytes(&bytes).map_err(|error| error.to_string())
    };
    let programs: Result<Vec<Program>, String> = filter.programs.iter().map(program).collect();
    let decoded = programs.and_then(|programs| Filter::new(programs).map_err(|error| error.to_string()));
    decoded
        .map(|decoded| decoded.uncertain_about(filter.uncertain.iter().cloned()))
        .map_err(|error| format!("its seccomp filter: {error}"))
}

fn source(source: SeccompSource) -> &'static str {
    match source {
        SeccompSource::KernelBpf | SeccompSource::KernelPtrace => "the kernel's filter",
        SeccompSource::Declared => "the declared profile",
    }
}

/// The ways into the kernel: its own, and those that it was seen to serve.
fn doors(facts: &Facts) -> Vec<(Abi, Truth)> {
    let machine = facts.host.kernel.running.value().map(|running| running.machine.as_str());
    if machine == Some("aarch64") {
        return vec![(Abi::Aarch64, Truth::Yes(Vec::new()))];
    }
    let other = |abi: Abi| {
        let name = abi.name();
        let served = match facts.host.kernel.other_abis.get() {
            Err(gap) => missing(&format!("whether the kernel serves {name}"), &gap),
            Ok(abis) if abis.is_some_and(|abis| abis.iter().any(|served| served == name)) => {
                Truth::Yes(Vec::new())
            }
            Ok(_) => Truth::no(format!("kernel: it does not serve {name}")),
        };
        (abi, served)
    };
    vec![(Abi::X86_64, Truth::Yes(Vec::new())), other(Abi::I386), other(Abi::X32)]
}

/// Whether io_uring is there and not switched off; processes in containers have no group that could be let through.
fn io_uring(facts: &Facts) -> Truth {
    kernel::option(facts, "IO_URING")
        .and(|| kernel::sysctl(facts, "kernel.io_uring_disabled", |disabled| disabled == 0, Some(0)))
        .quietly()
}
