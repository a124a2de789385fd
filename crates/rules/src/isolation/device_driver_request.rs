use plimsoll_facts::Container;

use crate::answer::{fail, pass};
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "device-driver-request",
    title: "A driver adds devices, mounts and hooks to the container (GPU, CDI)",
    concern: Concern::Isolation,
    severity: Severity::Info,
    why: "--gpus and CDI devices are filled in by a program on the host when the container starts: it adds device \
          nodes, libraries of the host and hooks that run as root. That program is part of the wall, and has had \
          escapes of its own (CVE-2024-0132 of the NVIDIA Container Toolkit).",
    fix: "Keep the toolkit up to date, ask for single devices (--gpus device=0) rather than all, and recreate the \
          container without the request where it is not needed. This stops the container.",
    references: &["https://docs.docker.com/reference/cli/docker/container/run/#gpus", "https://docs.docker.com/build/building/cdi/", "CVE-2024-0132"],
    cis: &["5.18"],
    judge: Judge::Container(judge),
};

fn judge(_: &EngineContext<'_>, container: &Container) -> Judgement {
    let requests = &container.declared.require()?.host_config.device_requests;
    let shown = if requests.is_empty() { "none".to_owned() } else { requests.join(", ") };
    let evidence = Evidence::new("DeviceRequests", shown, container.declared.source());
    match requests.is_empty() {
        true => pass(evidence),
        false => fail(Problem::new(format!("gets devices from a driver: {}", requests.join(", ")), vec![evidence])),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::{Reach, container, status_of};

    #[test]
    fn requests_are_told() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Pass);
        let gpu = container(|c| c.host_config().device_requests = vec!["nvidia: gpu".into()]);
        assert_eq!(status_of(&RULE, &gpu), Status::Fail);
        assert_eq!(status_of(&RULE, &container(|c| c.declared = Default::default())), Status::Unknown);
    }
}
