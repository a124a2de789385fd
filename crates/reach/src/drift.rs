//! Where the kernel's filter lets pass what the declared profile denies, or denies what it lets pass.

use std::collections::HashMap;

use plimsoll_facts::{ContainerReach, Effective, Facts, SeccompFilter, SeccompSource};
use plimsoll_seccomp::Filter;

use crate::filters::{Filters, decode};
use crate::truth::Truth;
use crate::verdict::running;

/// Calls that are named of one difference.
const NAMED: usize = 8;

/// Notes the differences with each container.
pub(crate) fn note(facts: &Facts, filters: &Filters, reach: &mut [ContainerReach]) {
    let mut known: HashMap<(u32, u32), Vec<String>> = HashMap::new();
    for ((_, container, effective), reach) in running(facts).zip(reach) {
        debug_assert_eq!(container.id, reach.container);
        if let Some(pair) = pair(facts, effective) {
            let differences = known.entry(pair).or_insert_with(|| differences(facts, filters, pair));
            reach.filter_drift.clone_from(differences);
        }
    }
}

/// The program that the runtime loaded, as the kernel has it, and the one that the profile comes to: where both are
/// known and are not one.
fn pair(facts: &Facts, effective: &Effective) -> Option<(u32, u32)> {
    let filter = |place: u32| facts.host.seccomp.filters.get(usize::try_from(place).ok()?);
    let first =
        effective.processes.value()?.iter().find(|it| it.pid == effective.init_pid && it.thread.is_none())?;
    let kernel = filter(*first.seccomp.value()?).filter(|filter| filter.source != SeccompSource::Declared)?;
    let declared = *effective.declared_seccomp.value()?;
    let (oldest, wanted) = (*kernel.programs.last()?, *filter(declared)?.programs.last()?);
    (oldest != wanted).then_some((oldest, declared))
}

/// Each difference for an ABI that the kernel serves, in words. What cannot be told is none.
fn differences(facts: &Facts, filters: &Filters, (oldest, declared): (u32, u32)) -> Vec<String> {
    let seccomp = &facts.host.seccomp;
    let kernel = SeccompFilter { programs: vec![oldest], ..SeccompFilter::default() };
    let declared = usize::try_from(declared).ok().and_then(|place| seccomp.filters.get(place));
    let both = (decode(&kernel, &seccomp.programs), declared.map(|filter| decode(filter, &seccomp.programs)));
    let (Ok(kernel), Some(Ok(declared))) = both else { return Vec::new() };
    compare(&kernel, &declared, filters)
}

fn compare(kernel: &Filter, declared: &Filter, filters: &Filters) -> Vec<String> {
    let served = filters.doors().iter().filter(|(_, exists)| matches!(exists, Truth::Yes(_)));
    let mut found = Vec::new();
    for (abi, _) in served {
        let (mut more, mut less) = (Vec::new(), Vec::new());
        for name in abi.table().keys() {
            let possible = |filter: &Filter| filter.outcome(*abi, name, &[]).is_possible();
            match (possible(kernel), possible(declared)) {
                (Some(true), Some(false)) => more.push(*name),
                (Some(false), Some(true)) => less.push(*name),
                _ => {}
            }
        }
        for (names, what) in
            [(more, "pass, which the profile denies"), (less, "are denied, which the profile allows")]
        {
            if !names.is_empty() {
                found.push(format!("{}: {} {what}", abi.name(), named(&names)));
            }
        }
    }
    found
}

fn named(names: &[&str]) -> String {
    let first = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(NAMED) {
        None | Some(0) => first,
        Some(more) => format!("{first} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use plimsoll_facts::{Fact, Seccomp};
    use plimsoll_seccomp::{Abi, Profile as Declared};

    use super::*;
    use crate::testing::{Case, Profile, known};

    fn program(denied: &str) -> String {
        let text = format!(
            r#"{{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64"],
                "syscalls":[{{"names":[{denied}],"action":"SCMP_ACT_ERRNO"}}]}}"#
        );
        let profile: Declared = serde_json::from_str(&text).unwrap();
        STANDARD.encode(profile.compile(Abi::X86_64).unwrap().program.to_bytes())
    }

    fn drift(kernel: &str, declared: &str) -> Vec<String> {
        let case = Case::new(Profile::Unconfined, |it| {
            it.declared_seccomp = known(1);
            let first = &mut it.processes.value_mut().unwrap()[0];
            it.init_pid = first.pid;
            first.seccomp = known(0);
        });
        let mut facts = case.into_facts();
        let filter =
            |source, program| SeccompFilter { source, programs: vec![program], uncertain: Vec::new() };
        facts.host.seccomp = Seccomp {
            filters: vec![filter(SeccompSource::KernelBpf, 0), filter(SeccompSource::Declared, 1)],
            programs: vec![program(kernel), program(declared)],
        };
        crate::judge(&mut facts);
        facts.reach.value().unwrap()[0].filter_drift.clone()
    }

    #[test]
    fn what_is_allowed_decides_and_not_the_bytes() {
        assert!(drift(r#""keyctl","bpf""#, r#""bpf","keyctl""#).is_empty());
        let both = drift(r#""bpf""#, r#""keyctl""#);
        assert_eq!(both[0], "x86_64: keyctl pass, which the profile denies");
        assert_eq!(both[1], "x86_64: bpf are denied, which the profile allows");
    }

    #[test]
    fn without_the_profile_nothing_is_compared() {
        let mut effective = Effective { declared_seccomp: Fact::absent("test"), ..Effective::default() };
        effective.init_pid = 1;
        assert_eq!(pair(&Facts::default(), &effective), None);
    }
}
