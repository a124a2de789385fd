//! What the kernel tells about network namespaces.

use super::{expression, filter, legacy, links, proxies};

/// A message of rtnetlink or of nftables, and the command line of a proxy.
pub(crate) fn messages(bytes: &[u8]) {
    let _ = crate::netlink::walk(bytes, 1, &mut |message| {
        let _ = (links::link(message), links::address(message), links::watching(message));
        let _ = (links::route(message), links::routing_rule(message));
        let mut reading = filter::Reading::default();
        let _ = reading.table(message);
        let _ = (reading.chain(message), reading.rule(message), reading.set(message));
        let mut elements = Vec::new();
        let _ = filter::raw_elements(message, &mut elements);
        let _ = filter::elements(elements, true);
        Ok(())
    });
    for family in ["ip", "ip6"] {
        let _ = expression::steps(bytes, family);
    }
    let _ = proxies::parse(bytes);
}

/// A table of iptables-legacy.
pub(crate) fn legacy_table(bytes: &[u8]) {
    if let Some(table) = legacy::from_bytes(bytes) {
        let _ = legacy::table("ip", "nat", &table);
        let _ = legacy::table("ip6", "filter", &table);
    }
}
