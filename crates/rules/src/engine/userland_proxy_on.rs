use plimsoll_facts::{ComponentKind, Engine, Facts};

use super::settings::{in_force, no_docker_daemon};
use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "userland-proxy-on",
    title: "A proxy of the host forwards each published port",
    concern: Concern::Engine,
    severity: Severity::Low,
    why: "For each published port a docker-proxy runs on the host. Through it a container reaches ports that another network \
          published, past the walls between networks, and its connections seem to come from the bridge. It also ends with \
          the daemon, so ports on loopback fail while the daemon restarts.",
    fix: "\"userland-proxy\": false in daemon.json and `systemctl restart docker` while no container runs: options of the \
          network do not change under live-restore. Ports published on 127.0.0.1 then need route_localnet, which the \
          engine sets; test them.",
    references: &["https://docs.docker.com/engine/network/port-publishing/"],
    cis: &["2.17"],
    judge: Judge::Engine(judge),
};

fn judge(facts: &Facts, engine: &Engine) -> Judgement {
    if let Some(why) = no_docker_daemon(engine)? {
        return not_applicable(why);
    }
    let daemon = engine.daemon.require()?;
    let proxies = facts.components.iter().filter(|c| c.kind == ComponentKind::DockerProxy);
    let own: Vec<_> = proxies.flat_map(|c| &c.running).filter(|p| p.parent == daemon.pid).collect();
    if let Some(first) = own.first() {
        let evidence = Evidence::new("docker-proxy processes of this daemon", own.len().to_string(), format!("/proc/{}", first.pid));
        return fail(Problem::new("docker-proxy forwards published ports", vec![evidence.expected("0")]));
    }
    let option = in_force(engine, "userland-proxy")?;
    let evidence = option.evidence().expected("false");
    if option.switch(true)? {
        return fail(Problem::new("the next published port gets a docker-proxy", vec![evidence]));
    }
    pass(evidence)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachEngine, denied, engine};
    use crate::testing::status_of;
    use plimsoll_facts::{Component, ComponentKind, EngineKind, RunningProgram};

    #[test]
    fn case_23_a_running_proxy_beats_the_file() {
        let mut facts = engine(|e| e.file("userland-proxy", false));
        assert_eq!(status_of(&RULE, &facts), Status::Pass);
        let running = vec![RunningProgram { pid: 901, parent: 900, ..RunningProgram::default() }];
        facts.components = vec![Component { kind: ComponentKind::DockerProxy, running, ..Component::default() }];
        assert_eq!(status_of(&RULE, &facts), Status::Fail);
        facts.components[0].running[0].parent = 77;
        assert_eq!(status_of(&RULE, &facts), Status::Pass);
    }

    #[test]
    fn default_podman_unread() {
        assert_eq!(status_of(&RULE, &engine(|_| ())), Status::Fail);
        assert_eq!(status_of(&RULE, &engine(|e| e.kind = EngineKind::Podman)), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &engine(|e| e.daemon = denied())), Status::Unknown);
    }
}
