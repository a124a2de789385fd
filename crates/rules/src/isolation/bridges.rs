//! Whether a bridge network that forbids its containers to talk to each other has the kernel's help.

use plimsoll_facts::{Gap, Network};

use crate::answer::gap;
use crate::{EngineContext, Evidence};

/// Whether the network asks for its containers to be kept apart (`icc`).
pub(super) fn denies_traffic(network: &Network) -> bool {
    network.options.get("com.docker.network.bridge.enable_icc").is_some_and(|v| v == "false")
}

/// Why packets within a bridge never reach the packet filter that should drop them; `None` where they do.
///
/// The engine's rule stands in the FORWARD chain, and the kernel hands packets that stay within one bridge to it only
/// where br_netfilter is loaded and these settings are 1.
pub(super) fn unfiltered(cx: &EngineContext<'_>, network: &Network) -> Result<Option<Evidence>, Gap> {
    let ipv6 = network.ipv6.then_some("net.bridge.bridge-nf-call-ip6tables");
    for name in ["net.bridge.bridge-nf-call-iptables"].into_iter().chain(ipv6) {
        let fact = cx.facts.host.kernel.sysctls.get(name);
        let fact =
            fact.ok_or_else(|| gap(format!("/proc/sys/{}", name.replace('.', "/")), "not collected"))?;
        let hole = |value: &str| Evidence::new(name, value, fact.source()).expected("1");
        match fact.get()?.map(|value| value.trim()) {
            Some("1") => {}
            Some(value) => return Ok(Some(hole(value))),
            None => return Ok(Some(hole("no such setting: br_netfilter is not loaded"))),
        }
    }
    Ok(None)
}
