use plimsoll_facts::Container;

use super::namespaces::{self, Kind};
use crate::{Concern, EngineContext, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "host-network-namespace",
    title: "Container uses the host's network",
    concern: Concern::Isolation,
    severity: Severity::High,
    why: "It can connect to everything that listens on the host's loopback, including services without a password \
          and abstract unix sockets (CVE-2020-15257 took over hosts that way), it opens ports on every address of \
          the host, and with NET_RAW or NET_ADMIN it reads or redirects the host's traffic. A container that joins \
          the network of such a container (container:X) shares it too.",
    fix: "Recreate the container on a network of its own and publish what must be reachable: docker network create \
          NET; docker run --network NET -p ADDRESS:PORT:PORT … . This stops the container, and whatever joined its \
          network.",
    references: &[
        "network_namespaces(7)",
        "https://docs.docker.com/engine/network/drivers/host/",
        "CVE-2020-15257",
    ],
    cis: &["5.10"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    namespaces::judge(cx, container, Kind::Net, |p| p, "shares the host's network namespace")
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::isolation::namespaces::{Kind, checks};
    use crate::testing::{HOST_NAMESPACES, Reach, container, status_of};

    #[test]
    fn judged_by_inode_then_by_declaration() {
        checks::all(&RULE, Kind::Net);
    }

    /// `--network container:X`, where X has the host's network: the mode does not say so, the inode does.
    #[test]
    fn case_14_network_of_a_host_mode_container() {
        let it = container(|c| {
            c.host_config().network_mode = "container:abcdef".into();
            c.namespaces().net = HOST_NAMESPACES.net;
        });
        assert_eq!(status_of(&RULE, &it), Status::Fail);
    }
}
