use plimsoll_facts::{EndKind, Facts, ReachedListener};

use super::ports::severity;
use crate::answer::{fail, pass};
use crate::connections::{SOURCE, internal, is_container, open};
use crate::processes::shortened;
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "host-service-reachable-from-containers",
    title: "Containers reach services of the host",
    concern: Concern::Exposure,
    severity: Severity::Medium,
    why: "What listens on every address of the host listens on the gateway of every bridge, too: each container reaches it \
          there, those of internal networks included, and a firewall for the outer interface does not stand between. From \
          a broken container the way to the host then leads through that service.",
    fix: "Let the service listen on the addresses that need it (ListenAddress in sshd_config, bind-address), or drop what \
          comes from bridges: iptables -I INPUT -i br-+ -p tcp --dport PORT -j DROP, and the same for docker0. A service \
          must be restarted; no container is stopped.",
    references: &[
        "https://docs.docker.com/engine/network/packet-filtering-firewalls/",
        "https://man7.org/linux/man-pages/man5/sshd_config.5.html",
    ],
    cis: &[],
    judge: Judge::Host(judge),
};

fn judge(facts: &Facts) -> Judgement {
    let connections = facts.connections.require()?;
    // Containers that nobody could list reach something too.
    for engine in facts.engines.iter().filter(|engine| !engine.remote) {
        engine.containers.require()?;
    }
    let of_host = |listener: &&ReachedListener| {
        let end = connections.ends.get(listener.end);
        listener.protocol == "tcp" && listener.container.is_none() && end.is_some_and(|end| end.kind == EndKind::Host)
    };
    let services = connections.listeners.iter().filter(of_host);
    let mut reached = open(connections, services, |_, _, _, end| is_container(end))?;
    reached.sort_by_key(|it| std::cmp::Reverse(severity(it.listener.port)));
    let Some(worst) = reached.first() else {
        return pass(Evidence::new("services of the host that containers reach", "none", SOURCE));
    };
    let message = match internal(worst) {
        Some(service) => format!("containers reach port {} ({service}) of the host", worst.listener.port),
        None => format!("containers reach port {} of the host", worst.listener.port),
    };
    let severity = severity(worst.listener.port);
    fail(Problem::new(message, shortened(&reached, |it| it.evidence(), "ways")).severity(severity))
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{ConnectionEnd, Connections, EndKind, Fact, Facts, ReachedListener, Way};

    use super::RULE;
    use crate::testing::{answer, host, status_of};
    use crate::{Severity, Status};

    fn listening(port: u16, open: Vec<usize>) -> Facts {
        let mut facts = host();
        let end = |kind| ConnectionEnd { kind, name: "x".into(), ..ConnectionEnd::default() };
        facts.connections = Fact::known(
            Connections {
                ends: vec![end(EndKind::Host), end(EndKind::Container), end(EndKind::Outside)],
                groups: vec![vec![0], vec![1], vec![2]],
                listeners: vec![ReachedListener {
                    protocol: "tcp".into(),
                    port,
                    ways: vec![Way { to: "172.17.0.1:22".into(), open, ..Way::default() }],
                    ..ReachedListener::default()
                }],
                ..Connections::default()
            },
            "test",
        );
        facts
    }

    #[test]
    fn containers_count_and_others_do_not() {
        assert_eq!(answer(&RULE, &listening(22, vec![1])).severity, Severity::High);
        assert_eq!(answer(&RULE, &listening(9100, vec![1, 2])).severity, Severity::Medium);
        assert_eq!(status_of(&RULE, &listening(22, vec![2])), Status::Pass);
        assert_eq!(status_of(&RULE, &host()), Status::Unknown);
    }
}
