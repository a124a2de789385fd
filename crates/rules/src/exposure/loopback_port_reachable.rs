use plimsoll_facts::{Container, EngineKind};

use super::port_on_all_interfaces::shown;
use crate::address::is_loopback;
use crate::answer::{fail, gap, not_applicable, pass};
use crate::processes::shortened;
use crate::version::series;
use crate::{Concern, Confidence, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "loopback-port-reachable",
    title: "Neighbours on the same network reach a port that is published on 127.0.0.1 alone",
    concern: Concern::Exposure,
    severity: Severity::Medium,
    why: "Before Docker 28 the firewall accepts packets to a published port whatever interface they come from. A machine \
          in the same network segment that sends them to the container's own address, by way of this host, gets \
          through, although the port was bound to loopback.",
    fix: "Update the engine to 28 or later (restarting it stops containers unless live-restore is on). Until then drop \
          such packets by the container's own address: iptables -I DOCKER-USER -i eth0 -d CONTAINER-IP -j DROP, which \
          stops nothing, but closes ports of this container that are meant to be public, too.",
    references: &[
        "https://github.com/moby/moby/issues/45610",
        "https://docs.docker.com/engine/network/port-publishing/",
    ],
    cis: &[],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    let ports = &container.declared.require()?.ports;
    let source = container.declared.source();
    let local: Vec<_> = ports.iter().filter(|port| is_loopback(&port.host_address)).collect();
    if local.is_empty() {
        return not_applicable("no port is published on loopback");
    }
    if cx.engine.kind == EngineKind::Podman {
        return not_applicable("podman forwards ports in another way");
    }
    let version = &cx.engine.version.require()?.version;
    let (major, _) = series(version)
        .ok_or_else(|| gap(cx.engine.version.source(), format!("{version:?} is no version of Docker")))?;
    let engine = Evidence::new("version of the engine", version.clone(), cx.engine.version.source());
    if major >= 28 {
        return pass(engine);
    }
    let mut evidence = vec![engine.expected("28.0.0 or later")];
    evidence.extend(shortened(&local, |port| Evidence::new("published port", shown(port), source), "ports"));
    let message = format!("neighbours of the host reach port {} in spite of loopback", local[0].container_port);
    fail(Problem::new(message, evidence).confidence(Confidence::Medium))
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::EngineKind;

    use super::RULE;
    use crate::Status;
    use crate::exposure::port_on_all_interfaces::tests::publishing;
    use crate::testing::{World, container, status_of};

    #[test]
    fn the_version_decides() {
        let with = |version: &str| {
            let mut it = publishing(&[("127.0.0.1", 3306, 3306)]);
            it.engine().version.value_mut().unwrap().version = version.into();
            status_of(&RULE, &it)
        };
        assert_eq!(with("20.10.24+dfsg1"), Status::Fail);
        assert_eq!(with("27.5.1"), Status::Fail);
        assert_eq!(with("28.0.0"), Status::Pass);
        assert_eq!(with("dev"), Status::Unknown);
    }

    #[test]
    fn not_applicable_and_unknown() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::NotApplicable);
        let mut it = publishing(&[("::1", 3306, 3306)]);
        it.engine().kind = EngineKind::Podman;
        assert_eq!(status_of(&RULE, &it), Status::NotApplicable);
        it.engine().kind = EngineKind::Docker;
        it.engine().version = Default::default();
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
    }
}
