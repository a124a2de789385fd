use plimsoll_facts::{Engine, EngineListener, Facts, ListenerPurpose, TlsState};

use crate::address::is_loopback;
use crate::answer::{fail, unknown};
use crate::{Concern, Evidence, Judge, Judgement, Outcome, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "api-without-client-certificate",
    title: "The engine's API answers on TCP to whoever connects",
    concern: Concern::Engine,
    severity: Severity::Critical,
    why: "Who can speak to the API starts a container with the host's disk in it: he is root. Without client certificates \
          that is everybody who reaches the port; on loopback it is every local user, every container on the host's \
          network and every web page that a browser on the host opens. Judged by the sockets that the daemon's process \
          really listens on.",
    fix: "Take the tcp:// address out of \"hosts\" and off the command line and reach the engine by ssh (docker -H \
          ssh://host). Else set tlsverify, tlscacert, tlscert and tlskey. Both need `systemctl restart docker`, which stops \
          every container unless live-restore is on.",
    references: &["https://docs.docker.com/engine/security/protect-access/"],
    cis: &["2.8"],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    let listeners = engine.listeners.require()?;
    let mut checked = Vec::new();
    let mut open = Vec::new();
    let mut unclear = Vec::new();
    for listener in listeners.iter().filter(|l| l.socket.protocol.starts_with("tcp")) {
        let state = match (listener.purpose, listener.tls) {
            (ListenerPurpose::Metrics | ListenerPurpose::Swarm, _) => continue,
            (_, TlsState::Mutual) => "client certificates are required",
            (_, TlsState::Plain) => "no TLS",
            (_, TlsState::ServerOnly) => "TLS without client certificates",
            (ListenerPurpose::Api | ListenerPurpose::Unknown, TlsState::Unknown | TlsState::NotApplicable) => {
                unclear.push(address(listener));
                continue;
            }
        };
        let evidence = Evidence::new(address(listener), state, engine.listeners.source());
        if listener.tls == TlsState::Mutual {
            checked.push(evidence);
        } else {
            open.push((listener, evidence.expected("client certificates are required")));
        }
    }
    if !open.is_empty() {
        return reachable(&open);
    }
    if !unclear.is_empty() {
        let list = unclear.join(", ");
        return unknown(engine.listeners.source(), format!("how {list} protects itself could not be told"));
    }
    if checked.is_empty() {
        checked.push(Evidence::new("TCP sockets with the API", "none", engine.listeners.source()));
    }
    Ok(Outcome::Pass(checked))
}

fn reachable(open: &[(&EngineListener, Evidence)]) -> Judgement {
    let beyond = open.iter().any(|(listener, _)| !is_loopback(&listener.socket.address));
    let list: Vec<_> = open.iter().map(|(listener, _)| address(listener)).collect();
    let evidence = open.iter().map(|(_, evidence)| evidence.clone()).collect();
    let (who, severity) = match beyond {
        true => ("everybody who reaches it", Severity::Critical),
        false => ("every local user and container on the host's network", Severity::High),
    };
    fail(Problem::new(format!("{} makes {who} root", list.join(", ")), evidence).severity(severity))
}

fn address(listener: &EngineListener) -> String {
    let socket = &listener.socket;
    match socket.address.contains(':') {
        true => format!("[{}]:{}", socket.address, socket.port),
        false => format!("{}:{}", socket.address, socket.port),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::bare::{ReachEngine, denied, engine, known};
    use crate::testing::{answer, status_of};
    use crate::{Severity, Status};
    use plimsoll_facts::{EngineListener, Facts, ListenerPurpose, Socket, TlsState};

    fn listening(address: &str, purpose: ListenerPurpose, tls: TlsState) -> Facts {
        let protocol = if address.contains(':') { "tcp6" } else { "tcp" };
        let socket = Socket { protocol: protocol.into(), address: address.into(), port: 2375, ..Socket::default() };
        engine(|e| e.listeners = known(vec![EngineListener { socket, purpose, tls }]))
    }

    #[test]
    fn case_01_a_flag_opens_loopback() {
        let mut facts = listening("127.0.0.1", ListenerPurpose::Api, TlsState::Plain);
        facts.engines[0].flag("hosts", vec!["tcp://127.0.0.1:2375"]);
        let found = answer(&RULE, &facts);
        assert_eq!((found.status, found.severity), (Status::Fail, Severity::High));
    }

    #[test]
    fn case_02_hosts_in_the_file() {
        let mut facts = listening("::", ListenerPurpose::Api, TlsState::Plain);
        facts.engines[0].file("hosts", vec!["unix:///var/run/docker.sock", "tcp://0.0.0.0:2375"]);
        let found = answer(&RULE, &facts);
        assert_eq!((found.status, found.severity), (Status::Fail, Severity::Critical));
    }

    #[test]
    fn case_38_tlsverify_in_the_file() {
        let mut facts = listening("0.0.0.0", ListenerPurpose::Api, TlsState::Mutual);
        facts.engines[0].file("tlsverify", true);
        assert_eq!(status_of(&RULE, &facts), Status::Pass);
    }

    #[test]
    fn a_server_certificate_alone_lets_everybody_in() {
        let facts = listening("10.0.0.1", ListenerPurpose::Api, TlsState::ServerOnly);
        assert_eq!(answer(&RULE, &facts).severity, Severity::Critical);
    }

    #[test]
    fn other_sockets_and_unknown_ones() {
        assert_eq!(status_of(&RULE, &engine(|_| ())), Status::Pass);
        let swarm = listening("0.0.0.0", ListenerPurpose::Swarm, TlsState::Unknown);
        assert_eq!(status_of(&RULE, &swarm), Status::Pass);
        let unclear = listening("0.0.0.0", ListenerPurpose::Unknown, TlsState::Unknown);
        assert_eq!(status_of(&RULE, &unclear), Status::Unknown);
        assert_eq!(status_of(&RULE, &engine(|e| e.listeners = denied())), Status::Unknown);
    }
}
