use plimsoll_facts::{Gap, Network};

use crate::answer::{fail, not_applicable, pass};
use crate::kernel::sysctl;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

/// The network's option that keeps its containers apart.
const ICC: &str = "com.docker.network.bridge.enable_icc";

pub(super) const RULE: Rule = Rule {
    id: "network-isolation-not-in-force",
    title: "A network forbids its containers to talk to each other, but the kernel does not filter them",
    concern: Concern::Isolation,
    severity: Severity::High,
    why: "icc=false is a rule of the packet filter, and packets within one bridge pass by the filter unless \
          br_netfilter hands them over. With net.bridge.bridge-nf-call-iptables at 0 every container reaches every \
          other, and docker network inspect still shows the option.",
    fix: "modprobe br_netfilter; sysctl -w net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1, \
          and write both to /etc/modules-load.d/docker.conf and /etc/sysctl.d/docker.conf. This stops nothing, but \
          other bridges of the host (virtual machines) are filtered from then on, too.",
    references: &[
        "https://docs.docker.com/engine/network/packet-filtering-firewalls/",
        "https://github.com/moby/moby/pull/48492",
    ],
    cis: &["2.2"],
    judge: Judge::Network(judge),
};

fn judge(cx: &EngineContext<'_>, network: &Network) -> Judgement {
    let denied = network.options.get(ICC).is_some_and(|value| value == "false");
    if network.driver != "bridge" || !denied {
        return not_applicable("the network lets its containers talk to each other");
    }
    match unfiltered(cx, network)? {
        None => pass(Evidence::new("packets within the bridge", "reach the packet filter", "/proc/sys/net/bridge")),
        Some(hole) => {
            let declared = Evidence::new(ICC, "false", cx.engine.networks.source());
            fail(Problem::new("its containers reach each other, although icc is off", vec![declared, hole]))
        }
    }
}

/// Why packets within the bridge never reach the packet filter that should drop them; `None` where they do.
///
/// The engine's rule stands in the FORWARD chain, and the kernel hands packets that stay within one bridge to it only
/// where br_netfilter is loaded and these settings are 1.
fn unfiltered(cx: &EngineContext<'_>, network: &Network) -> Result<Option<Evidence>, Gap> {
    let ipv6 = network.ipv6.then_some("net.bridge.bridge-nf-call-ip6tables");
    for name in ["net.bridge.bridge-nf-call-iptables"].into_iter().chain(ipv6) {
        let (value, source) = match sysctl::text(cx.facts, name)? {
            Some(("1", _)) => continue,
            Some(found) => found,
            None => ("absent: br_netfilter is not loaded", "/proc/sys/net/bridge"),
        };
        return Ok(Some(Evidence::new(name, value, source).expected("1")));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Fact, Facts};

    use super::RULE;
    use crate::Status;
    use crate::testing::{World, network, status_of};

    fn icc_off() -> Facts {
        network(|n| {
            n.options.insert("com.docker.network.bridge.enable_icc".into(), "false".into());
        })
    }

    #[test]
    fn the_setting_decides() {
        let mut it = icc_off();
        assert_eq!(status_of(&RULE, &it), Status::Pass);
        let mut set = |name: &str, fact| it.host.kernel.sysctls.insert(name.to_owned(), fact);
        set("net.bridge.bridge-nf-call-ip6tables", Fact::absent("/proc/sys"));
        set("net.bridge.bridge-nf-call-iptables", Fact::known("1".into(), "/proc/sys"));
        assert_eq!(status_of(&RULE, &it), Status::Pass, "IPv6 is off on this network");
        it.network().ipv6 = true;
        assert_eq!(status_of(&RULE, &it), Status::Fail);
        let mut it = icc_off();
        it.host.kernel.sysctls.clear();
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
    }

    #[test]
    fn nothing_is_forbidden() {
        assert_eq!(status_of(&RULE, &network(|_| ())), Status::NotApplicable);
    }
}
