//! Small facts for the tests of rules: a container as Docker's defaults make it, changed by a closure.

pub(crate) mod bare;

use plimsoll_facts::{
    Capabilities, Container, Declared, DeviceAccess, Effective, Engine, Fact, Facts, HostConfig, Process,
};

use crate::{Finding, Rule, Status, judge};

/// A host with one engine and one running container of Docker's defaults; `change` makes the case.
pub(crate) fn container(change: impl FnOnce(&mut Container)) -> Facts {
    let process = Process {
        pid: 4711,
        name: "mariadbd".into(),
        uids: [999; 4],
        gids: [999; 4],
        cap_bounding: Capabilities::DOCKER_DEFAULT,
        seccomp_mode: 2,
        seccomp_filters: Some(1),
        ..Process::default()
    };
    let effective = Effective {
        init_pid: 4711,
        processes: Fact::known(vec![process], "/proc"),
        devices: Fact::known(DeviceAccess::default(), "devices.list"),
        ..Effective::default()
    };
    let mut container = Container {
        id: "c0ffee".into(),
        name: "db".into(),
        state: "running".into(),
        declared: Fact::known(
            Declared { host_config: HostConfig::default(), ..Declared::default() },
            "GET /containers/c0ffee/json",
        ),
        effective: Fact::known(effective, "/proc/4711"),
    };
    change(&mut container);
    let engine = Engine {
        endpoint: "unix:///var/run/docker.sock".into(),
        containers: Fact::known(vec![container], "GET /containers/json"),
        ..Engine::default()
    };
    Facts { engines: vec![engine], ..Facts::default() }
}

/// Shortcuts into a test's container.
pub(crate) trait Reach {
    /// Its declared side.
    fn declared(&mut self) -> &mut Declared;
    /// Its effective side.
    fn effective(&mut self) -> &mut Effective;
    /// Its processes.
    fn processes(&mut self) -> &mut Vec<Process>;
    /// Its devices.
    fn devices(&mut self) -> &mut DeviceAccess;
}

impl Reach for Container {
    fn declared(&mut self) -> &mut Declared {
        self.declared.value_mut().unwrap()
    }

    fn effective(&mut self) -> &mut Effective {
        self.effective.value_mut().unwrap()
    }

    fn processes(&mut self) -> &mut Vec<Process> {
        self.effective().processes.value_mut().unwrap()
    }

    fn devices(&mut self) -> &mut DeviceAccess {
        self.effective().devices.value_mut().unwrap()
    }
}

/// The rule's only answer about these facts.
pub(crate) fn answer(rule: &Rule, facts: &Facts) -> Finding {
    let mut findings = judge(facts, [rule]).findings;
    assert_eq!(findings.len(), 1, "one subject, one answer");
    findings.remove(0)
}

/// The status of the rule's only answer.
pub(crate) fn status_of(rule: &Rule, facts: &Facts) -> Status {
    answer(rule, facts).status
}
