use plimsoll_facts::{Container, Gap, Socket};

use super::ports::{internal_service, severity};
use crate::address::is_wildcard;
use crate::answer::{fail, not_applicable, pass};
use crate::processes::{members, shortened};
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "host-network-listener",
    title: "A process of the container listens on every address of the host",
    concern: Concern::Exposure,
    severity: Severity::Medium,
    why: "In the host's network a container opens ports without publishing them: docker ps shows none, and everybody \
          who reaches the host reaches them.",
    fix: "Let the program listen on one address (bind-address=127.0.0.1 for MariaDB), or recreate the container on a \
          network of its own with -p ADDRESS:PORT:PORT. A new configuration needs a restart of the container.",
    references: &["https://docs.docker.com/engine/network/drivers/host/"],
    cis: &["5.9", "5.14"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    let Some(listeners) = own_listeners(cx, container)? else {
        return not_applicable("the container does not run in the host's network");
    };
    let mut open: Vec<_> = listeners.into_iter().filter(|socket| is_wildcard(&socket.address)).collect();
    open.sort_by_key(|socket| std::cmp::Reverse(severity(socket.port)));
    let Some(worst) = open.first() else {
        return pass(Evidence::new("sockets of its processes on every address", "none", "inet_diag"));
    };
    let evidence = shortened(
        &open,
        |socket| {
            let holder = socket.process.as_deref().unwrap_or("unknown");
            let at = format!("{}:{}/{} ({holder})", socket.address, socket.port, socket.protocol);
            Evidence::new("listens", at, "inet_diag").expected("one address")
        },
        "sockets",
    );
    let message = match internal_service(worst.port) {
        Some(service) => format!("everybody reaches its port {} ({service}) on the host", worst.port),
        None => format!("everybody reaches its port {} on the host", worst.port),
    };
    fail(Problem::new(message, evidence).severity(severity(worst.port)))
}

/// The sockets that the container's processes hold in the host's network; `None` where the container does not run
/// there. A socket of the host's own services belongs to none of its processes.
pub(super) fn own_listeners<'a>(
    cx: &EngineContext<'a>,
    container: &'a Container,
) -> Result<Option<Vec<&'a Socket>>, Gap> {
    let Some(effective) = container.effective.get()? else { return Ok(None) };
    if effective.namespaces.require()?.net != cx.facts.host.namespaces.require()?.net {
        return Ok(None);
    }
    let members = members(effective)?;
    let listeners = effective.listeners.require()?;
    let own = |socket: &&Socket| socket.pid.is_some_and(|pid| members.iter().any(|p| p.pid == pid));
    Ok(Some(listeners.iter().filter(own).collect()))
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Facts, Socket};

    use super::RULE;
    use crate::testing::{HOST_NAMESPACES, Reach, answer, container, status_of, stopped};
    use crate::{Severity, Status};

    fn listening(address: &str, port: u16, pid: u32) -> Facts {
        container(|c| {
            c.namespaces().net = HOST_NAMESPACES.net;
            *c.listeners() = vec![Socket {
                protocol: "tcp".into(),
                address: address.into(),
                port,
                pid: Some(pid),
                ..Socket::default()
            }];
        })
    }

    /// `--network host` and a listener on 0.0.0.0:88: nothing is published.
    #[test]
    fn case_13_listener_in_the_host_s_network() {
        assert_eq!(status_of(&RULE, &listening("0.0.0.0", 88, 4711)), Status::Fail);
        assert_eq!(answer(&RULE, &listening("::", 3306, 4711)).severity, Severity::High);
        assert_eq!(status_of(&RULE, &listening("127.0.0.1", 3306, 4711)), Status::Pass);
    }

    #[test]
    fn sockets_of_the_host_are_not_the_container_s() {
        assert_eq!(status_of(&RULE, &listening("0.0.0.0", 22, 700)), Status::Pass);
    }

    #[test]
    fn other_networks_and_unreadable_ones() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &container(|c| c.hide())), Status::Unknown);
    }
}
