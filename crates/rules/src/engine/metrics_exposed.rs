use plimsoll_facts::{Engine, Facts, ListenerPurpose};

use crate::address::is_loopback;
use crate::answer::{fail, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "metrics-exposed",
    title: "The daemon's metrics answer beyond this host",
    concern: Concern::Engine,
    severity: Severity::Low,
    why: "The metrics socket knows no password and no TLS. It tells the engine's exact version, kernel, counts and failures \
          of containers: what an attacker wants to know first.",
    fix: "\"metrics-addr\": \"127.0.0.1:9323\" in daemon.json and a collector on the host, then `systemctl restart docker`, \
          which stops every container unless live-restore is on.",
    references: &["https://docs.docker.com/engine/daemon/prometheus/"],
    cis: &[],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    let source = engine.listeners.source();
    let exposed: Vec<_> = engine
        .listeners
        .require()?
        .iter()
        .filter(|l| l.purpose == ListenerPurpose::Metrics && !is_loopback(&l.socket.address))
        .map(|l| Evidence::new("metrics socket", format!("{} port {}", l.socket.address, l.socket.port), source))
        .collect();
    if exposed.is_empty() {
        return pass(Evidence::new("metrics sockets beyond loopback", "none", source));
    }
    fail(Problem::new("everybody who reaches the port reads the daemon's metrics", exposed))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{denied, engine, known};
    use crate::testing::status_of;
    use plimsoll_facts::{EngineListener, ListenerPurpose, Socket, TlsState};

    #[test]
    fn beyond_loopback() {
        let on = |address: &str| {
            let socket = Socket { address: address.into(), port: 9323, ..Socket::default() };
            let tls = TlsState::NotApplicable;
            engine(|e| e.listeners = known(vec![EngineListener { socket, purpose: ListenerPurpose::Metrics, tls }]))
        };
        assert_eq!(status_of(&RULE, &on("0.0.0.0")), Status::Fail);
        assert_eq!(status_of(&RULE, &on("127.0.0.1")), Status::Pass);
        assert_eq!(status_of(&RULE, &engine(|e| e.listeners = denied())), Status::Unknown);
    }
}
