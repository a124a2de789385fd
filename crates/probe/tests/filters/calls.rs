//! Which calls are tried, and what must come of them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plimsoll_facts::{Fact, Facts, Process, SeccompSource};
use plimsoll_seccomp::{Abi, Action, Arg, Data, Doubt, Filter, Outcome, Profile, Program};

use crate::inside::{ALLOWED, CALL};
use crate::world::Measured;

const ABIS: [Abi; 3] = [Abi::X86_64, Abi::I386, Abi::X32];

/// A call that is tried.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    abi: Abi,
    name: &'static str,
    data: Data,
    /// What it returned.
    pub(crate) result: Option<i64>,
}

impl Attempt {
    fn new(abi: Abi, name: &'static str, args: [u64; 6]) -> Self {
        let args = if abi == Abi::I386 { args.map(|arg| arg & u64::from(u32::MAX)) } else { args };
        let number = abi.table()[name];
        Self {
            abi,
            name,
            data: Data { number, arch: abi.audit_arch(), instruction_pointer: 0, args },
            result: None,
        }
    }

    pub(crate) fn to_bytes(&self) -> [u8; CALL] {
        let abi = u32::from(self.abi == Abi::I386);
        let head = [abi.to_le_bytes(), self.data.number.to_le_bytes()].concat();
        let args = self.data.args.iter().flat_map(|arg| arg.to_le_bytes());
        let bytes: Vec<u8> = head.into_iter().chain(args).collect();
        bytes.try_into().expect("two words of 4 bytes and six of 8")
    }
}

/// The filter that the facts tell for a process; none allows everything.
fn filter(facts: &Facts, process: &Process) -> Result<Filter, String> {
    let place = match &process.seccomp {
        Fact::Known { value, .. } => *value as usize,
        Fact::Absent { .. } => return Filter::new(Vec::new()).map_err(|error| error.to_string()),
        Fact::Unreadable { reason, .. } => return Err(reason.clone()),
    };
    let filter = facts.host.seccomp.filters.get(place).ok_or("no such filter")?;
    if filter.source != SeccompSource::KernelBpf {
        return Err(format!("the filter was learnt in another way: {:?}", filter.source));
    }
    let programs = filter.programs.iter().map(|place| {
        let text = facts.host.seccomp.programs.get(*place as usize).ok_or("no such program")?;
        let bytes = STANDARD.decode(text).map_err(|error| error.to_string())?;
        Program::from_bytes(&bytes).map_err(|error| error.to_string())
    });
    Filter::new(programs.collect::<Result<_, _>>()?).map_err(|error| error.to_string())
}

/// Every call of every ABI with several arguments, and the examples that exploring the filter found.
pub(crate) fn to_try(facts: &Facts, process: &Process) -> Result<Vec<Attempt>, String> {
    let filter = filter(facts, process)?;
    let mut seed = 88_172_645_463_325_252_u64;
    let mut random = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let mut calls = Vec::new();
    for abi in ABIS {
        // Filters are not asked about these.
        for name in abi.table().keys().filter(|name| !["uretprobe", "uprobe"].contains(name)) {
            calls.push(Attempt::new(abi, name, [0; 6]));
            calls.push(Attempt::new(abi, name, [(); 6].map(|()| random())));
            if let Outcome::Allowed { witness } | Outcome::Conditional { witness, .. } =
                filter.outcome(abi, name, &[])
            {
                calls.push(Attempt::new(abi, name, witness.args));
            }
        }
        for family in (0..50).chain([38 | 1 << 32, 40 | 1 << 40, 1 | 1 << 32]) {
            calls.push(Attempt::new(abi, "socket", [family, 3, 0, 0, 0, 0]));
            calls.push(Attempt::new(abi, "socket", [family, random(), 0, 0, 0, 0]));
        }
        for bit in 0..64 {
            calls.push(Attempt::new(abi, "clone", [1 << bit, 0, 0, 0, 0, 0]));
            calls.push(Attempt::new(abi, "personality", [1 << bit, 0, 0, 0, 0, 0]));
            calls.push(Attempt::new(abi, "ioctl", [0, 21504 + bit, 0, 0, 0, 0]));
            calls.push(Attempt::new(abi, "setpriority", [0, 0, 1 << bit, 0, 0, 0]));
        }
    }
    for number in 0..30 {
        calls.push(Attempt::new(Abi::I386, "socketcall", [number, 0, 0, 0, 0, 0]));
        calls.push(Attempt::new(Abi::I386, "ipc", [number, 0, 0, 0, 0, 0]));
    }
    // What kills can be predicted, but not tried twice.
    calls.retain(|call| !matches!(filter.run(&call.data), Action::KillThread | Action::KillProcess));
    Ok(calls)
}

/// Every call does what the filter says; what is said of all arguments holds for each.
pub(crate) fn predicted(measured: &Measured, scene: &str) -> Result<(), String> {
    let (_, process, calls) =
        measured.of_scenes.iter().find(|(name, ..)| *name == scene).ok_or("no such scene")?;
    let filter = filter(&measured.facts, process)?;
    for call in calls {
        let expected = match filter.run(&call.data) {
            Action::Allow | Action::Log => ALLOWED,
            Action::Errno(number) => -i64::from(number),
            other => return Err(format!("{call:?}: {other:?}")),
        };
        if call.result != Some(expected) {
            return Err(format!("{call:?}: expected {expected}"));
        }
        let said = filter.outcome(call.abi, call.name, &[]);
        let allowed = expected == ALLOWED;
        let fits = match said {
            Outcome::Allowed { .. } => allowed,
            Outcome::Denied(_) => !allowed,
            Outcome::Conditional { .. } => true,
            Outcome::Unknown(_) | Outcome::NoSuchCall => false,
        };
        if !fits {
            return Err(format!("{call:?}: {said:?}"));
        }
    }
    for call in calls.iter().step_by(8) {
        let exact = filter.outcome(call.abi, call.name, &call.data.args.map(Arg::Equal));
        if exact.is_possible() != Some(call.result == Some(ALLOWED)) {
            return Err(format!("{call:?}: {exact:?}"));
        }
    }
    if calls.len() < 3000 { Err(format!("only {} calls were tried", calls.len())) } else { Ok(()) }
}

/// What a profile in a bundle says, compiled here, is what the kernel does; unknown only where a name is new.
pub(crate) fn declared(measured: &Measured, _: &str) -> Result<(), String> {
    for (config, process) in &measured.declared {
        let profile: Profile =
            serde_json::from_value(config["linux"]["seccomp"].clone()).map_err(|error| error.to_string())?;
        let compiled = profile.compile(Abi::X86_64).map_err(|error| error.to_string())?;
        let declared = Filter::new(vec![compiled.program]).map_err(|error| error.to_string())?;
        let declared = declared.uncertain_about(compiled.uncertain);
        let kernel = filter(&measured.facts, process)?;
        let calls = measured.of_scenes.iter().flat_map(|(_, _, calls)| calls.iter().step_by(3));
        for call in calls {
            let args = call.data.args.map(Arg::Equal);
            for args in [&[][..], &args] {
                let said = declared.outcome(call.abi, call.name, args);
                let does = kernel.outcome(call.abi, call.name, args);
                let unknown = said == Outcome::Unknown(Doubt::LeftToLibseccomp);
                if !unknown && said.is_possible() != does.is_possible() {
                    return Err(format!("{call:?} of {}: declared {said:?}, kernel {does:?}", process.name));
                }
            }
        }
    }
    if measured.declared.len() == 3 { Ok(()) } else { Err("not all profiles were compared".to_owned()) }
}

/// Both ways to the kernel's filters read the same.
pub(crate) fn traced(measured: &Measured, _: &str) -> Result<(), String> {
    for (name, read, traced) in &measured.programs {
        if read.is_err() || read != traced {
            return Err(format!("{name}: {read:?} read, {traced:?} traced"));
        }
    }
    Ok(())
}
