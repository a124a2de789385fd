//! What keeps plimsoll itself from seeing: said before anything else, since all that follows is seen through it.

use plimsoll_facts::{Collector, Facts};

/// What it needs to see of other processes, their namespaces, files and filters, and of the packet filter.
const NEEDED: [&str; 4] = ["DAC_READ_SEARCH", "NET_ADMIN", "SYS_ADMIN", "SYS_PTRACE"];

/// Each limit of the view as one sentence; none where nothing is known to limit it.
pub(crate) fn of(facts: &Facts) -> Vec<String> {
    let Collector { uid, capabilities, in_host_namespaces, seccomp_mode, .. } = &facts.collector;
    let mut blind = Vec::new();
    match in_host_namespaces {
        Some(true) => {}
        Some(false) => blind.push("it runs in namespaces of a container, not the host's".to_owned()),
        None => blind.push("whether it runs in the host's namespaces could not be told".to_owned()),
    }
    // DAC_OVERRIDE reads all that DAC_READ_SEARCH does (capabilities(7)).
    let holds = |name: &str| {
        capabilities.has(name) || (name == "DAC_READ_SEARCH" && capabilities.has("DAC_OVERRIDE"))
    };
    let lacking: Vec<String> =
        NEEDED.iter().filter(|name| !holds(name)).map(|name| format!("CAP_{name}")).collect();
    if !lacking.is_empty() {
        blind.push(format!("it runs as user {uid} without {}", lacking.join(", ")));
    }
    if *seccomp_mode != 0 {
        blind.push("it runs under a seccomp filter, which may refuse what it asks the kernel".to_owned());
    }
    if facts.host.kernel.lockdown.value().is_some_and(|mode| mode == "confidentiality") {
        blind.push("the kernel is locked down for confidentiality, and shows no seccomp filter".to_owned());
    }
    blind
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Capabilities, Fact};

    use super::*;

    #[test]
    fn nothing_is_said_of_a_free_view() {
        let collector = Collector {
            capabilities: Capabilities(u64::MAX),
            in_host_namespaces: Some(true),
            ..Collector::default()
        };
        assert!(of(&Facts { collector, ..Facts::default() }).is_empty());
    }

    #[test]
    fn every_limit_is_said() {
        let collector = Collector {
            capabilities: Capabilities::DOCKER_DEFAULT,
            in_host_namespaces: Some(false),
            seccomp_mode: 2,
            ..Collector::default()
        };
        let mut facts = Facts { collector, ..Facts::default() };
        facts.host.kernel.lockdown = Fact::known("confidentiality".into(), "/sys/kernel/security/lockdown");
        let blind = of(&facts);
        assert_eq!(blind.len(), 4, "{blind:#?}");
        assert_eq!(blind[1], "it runs as user 0 without CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_SYS_PTRACE");
        facts.collector.in_host_namespaces = None;
        assert!(of(&facts)[0].contains("could not be told"));
    }
}
