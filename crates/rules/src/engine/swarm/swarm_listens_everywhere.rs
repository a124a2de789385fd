use plimsoll_facts::{Engine, Facts, ListenerPurpose};

use crate::address::{host_of, is_wildcard};
use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Confidence, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "swarm-listens-everywhere",
    title: "Swarm's own ports are open on every interface",
    concern: Concern::Engine,
    severity: Severity::Medium,
    why: "The management plane (2377) and the gossip of nodes (7946) are for other nodes only. On every interface they also \
          face the network from which the services are used.",
    fix: "docker swarm init --listen-addr ADDRESS:2377 (join likewise) fixes it for a new swarm; on a running one close 2377 and \
          7946 and 4789/udp on the other interfaces with the firewall, which stops nothing.",
    references: &["https://docs.docker.com/reference/cli/docker/swarm/init/"],
    cis: &["7.2"],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    let Some(swarm) = engine.swarm.get()? else {
        return not_applicable("the engine is not part of a swarm");
    };
    let listeners = engine.listeners.value().into_iter().flatten().filter(|l| l.purpose == ListenerPurpose::Swarm);
    let own: Vec<_> = listeners.map(|l| &l.socket).collect();
    if own.is_empty() {
        return by_declaration(engine, &swarm.listen_address);
    }
    let show = |socket: &&plimsoll_facts::Socket| {
        let where_ = format!("{} port {}", socket.address, socket.port);
        Evidence::new("swarm socket", where_, engine.listeners.source()).expected("one address")
    };
    let open: Vec<_> = own.iter().copied().filter(|socket| is_wildcard(&socket.address)).collect();
    if open.is_empty() {
        return pass(Evidence::new("swarm sockets on every interface", "none", engine.listeners.source()));
    }
    fail(Problem::new("swarm listens on every interface", open.iter().map(show).collect()))
}

fn by_declaration(engine: &Engine, address: &str) -> Judgement {
    engine.listeners.require()?;
    let evidence = Evidence::new("listen address of the swarm", address, engine.swarm.source()).expected("one address");
    if !is_wildcard(host_of(address)) {
        return pass(evidence);
    }
    fail(Problem::new("swarm listens on every interface", vec![evidence]).confidence(Confidence::Medium))
}

#[cfg(test)]
mod tests {
    use super::super::swarm;
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{denied, known};
    use crate::testing::status_of;
    use plimsoll_facts::{EngineListener, ListenerPurpose, Socket, TlsState};

    #[test]
    fn the_sockets_decide_then_the_declaration() {
        let mut facts = swarm(|s| s.listen_address = "10.0.0.5:2377".into());
        assert_eq!(status_of(&RULE, &facts), Status::Pass);
        let socket = Socket { address: "::".into(), port: 7946, ..Socket::default() };
        let purpose = ListenerPurpose::Swarm;
        facts.engines[0].listeners = known(vec![EngineListener { socket, purpose, tls: TlsState::default() }]);
        assert_eq!(status_of(&RULE, &facts), Status::Fail);
        facts.engines[0].listeners = denied();
        assert_eq!(status_of(&RULE, &facts), Status::Unknown);
        let everywhere = swarm(|s| s.listen_address = "0.0.0.0:2377".into());
        assert_eq!(status_of(&RULE, &everywhere), Status::Fail);
    }
}
