//! Matches and targets of iptables (`linux/netfilter/xt_*.h`), whether in a rule of nftables or of iptables-legacy.

use std::net::IpAddr;

use plimsoll_facts::{FilterStep, FilterVerdict};

use crate::netlink::{array, u32_at};

/// Targets that change nothing that decides where a packet goes.
const NEUTRAL: [&str; 15] = [
    "AUDIT",
    "CHECKSUM",
    "CLASSIFY",
    "DSCP",
    "ECN",
    "HL",
    "IDLETIMER",
    "LED",
    "LOG",
    "NFLOG",
    "RATEEST",
    "TCPMSS",
    "TOS",
    "TRACE",
    "TTL",
];
const NAT_ADDRESS: u32 = 1;
const NAT_PORT: u32 = 2;
/// Other ways to choose an address (`NETMAP`, an offset) than from a range.
const NAT_OTHER: u32 = !0x1f;

/// A match by name and revision, with its `struct xt_*`.
pub(super) fn matching(name: &str, revision: u32, info: Option<&[u8]>) -> FilterStep {
    let info = info.unwrap_or_default();
    let step = match (name, revision) {
        ("comment", _) => Some(FilterStep::Neutral { name: name.to_owned() }),
        ("addrtype", 1) => address_type(info),
        ("conntrack" | "state", _) => connection_state(revision, info),
        ("tcp" | "udp", 0) => ports(name, info),
        ("multiport", 1) => several_ports(info),
        ("mark", 1) => mark(info),
        _ => None,
    };
    step.unwrap_or_else(|| FilterStep::Other { name: format!("{name} (iptables, revision {revision})") })
}

/// A target by name and revision; `family` is that of the table.
pub(super) fn target(name: &str, revision: u32, info: Option<&[u8]>, family: &str) -> FilterStep {
    let info = info.unwrap_or_default();
    let verdict = |verdict| Some(FilterStep::Verdict { verdict });
    let step = match (name, revision) {
        ("REJECT", _) => verdict(FilterVerdict::Reject),
        ("NFQUEUE", _) => verdict(FilterVerdict::Queue),
        ("MASQUERADE", _) => Some(FilterStep::Masquerade),
        ("DNAT", 0) | ("SNAT", 0) => nat_of_ipv4(name, info),
        ("DNAT", 1 | 2) | ("SNAT", 1) => nat(name, info, family),
        ("REDIRECT", _) => redirect(info, family),
        ("MARK", 2) => set_mark(info),
        // XT_CT_NOTRACK
        ("CT", _) if info.first().is_some_and(|flags| flags & 1 == 0) => {
            Some(FilterStep::Neutral { name: name.to_owned() })
        }
        (name, _) if NEUTRAL.contains(&name) => Some(FilterStep::Neutral { name: name.to_owned() }),
        _ => None,
    };
    step.unwrap_or_else(|| FilterStep::Other { name: format!("{name} (iptables, revision {revision})") })
}

/// `struct xt_addrtype_info_v1`; one that looks at a single interface is not understood.
fn address_type(info: &[u8]) -> Option<FilterStep> {
    let flags = u32_at(info, 4).ok()?;
    (flags & !3 == 0).then_some(FilterStep::AddressType {
        source: number(info, 0)?,
        destination: number(info, 2)?,
        not_source: flags & 1 != 0,
        not_destination: flags & 2 != 0,
    })
}

/// `struct xt_conntrack_mtinfo1` to `3`, where it asks for the state alone.
fn connection_state(revision: u32, info: &[u8]) -> Option<FilterStep> {
    /// `XT_CONNTRACK_STATE` and `XT_CONNTRACK_STATE_ALIAS`.
    const STATE: u16 = 1;
    const ALIAS: u16 = 1 << 13;
    let (flags, inverted) = (number(info, 146)?, number(info, 148)?);
    if flags & !ALIAS != STATE || inverted & !(STATE | ALIAS) != 0 {
        return None;
    }
    let states = match revision {
        1 => u16::from(*info.get(150)?),
        2 | 3 => number(info, 150)?,
        _ => return None,
    };
    Some(FilterStep::ConnectionState { states, negate: inverted & STATE != 0 })
}

/// `struct xt_tcp` and `struct xt_udp`.
fn ports(name: &str, info: &[u8]) -> Option<FilterStep> {
    let range = |at| Some((number(info, at)?, number(info, at + 2)?));
    let (source, destination) = (range(0)?, range(4)?);
    let (inverted, flags) = match name {
        "tcp" => (*info.get(11)?, Some((*info.get(9)?, *info.get(10)?)).filter(|flags| flags.0 != 0)),
        _ => (*info.get(8)?, None),
    };
    let looks_at_an_option = name == "tcp" && *info.get(8)? != 0;
    let given = |range: (u16, u16), inverted: bool| match range {
        (0, u16::MAX) if !inverted => Vec::new(),
        range => vec![range],
    };
    (!looks_at_an_option).then(|| FilterStep::Ports {
        protocol: Some(name.to_owned()),
        source: given(source, inverted & 1 != 0),
        destination: given(destination, inverted & 2 != 0),
        either: false,
        not_source: inverted & 1 != 0,
        not_destination: inverted & 2 != 0,
        flags,
        not_flags: inverted & 4 != 0,
    })
}

/// `struct xt_multiport_v1`.
fn several_ports(info: &[u8]) -> Option<FilterStep> {
    let (which, count) = (*info.first()?, usize::from(*info.get(1)?));
    let negate = *info.get(47)? != 0;
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < count.min(15) {
        let low = number(info, 2 + at * 2)?;
        // A flag beside a port: it and the next one are a range.
        let is_range = *info.get(32 + at)? != 0;
        at += usize::from(is_range);
        ranges.push((low, if is_range { number(info, 2 + at * 2)? } else { low }));
        at += 1;
    }
    let (source, destination) = if which == 0 { (ranges, Vec::new()) } else { (Vec::new(), ranges) };
    Some(FilterStep::Ports {
        protocol: None,
        source,
        destination,
        either: which == 2,
        not_source: negate && which == 0,
        not_destination: negate && which != 0,
        flags: None,
        not_flags: false,
    })
}

/// `struct xt_mark_mtinfo1`.
fn mark(info: &[u8]) -> Option<FilterStep> {
    let (value, mask) = (u32_at(info, 0).ok()?, u32_at(info, 4).ok()?);
    Some(FilterStep::Mark { value, mask, negate: *info.get(8)? != 0 })
}

/// `struct xt_mark_tginfo2`.
fn set_mark(info: &[u8]) -> Option<FilterStep> {
    let (mark, mask) = (u32_at(info, 0).ok()?, u32_at(info, 4).ok()?);
    Some(FilterStep::SetMark { keep: !mask, xor: mark })
}

/// `struct nf_nat_range` and `nf_nat_range2`.
fn nat(name: &str, info: &[u8], family: &str) -> Option<FilterStep> {
    let address = |at| match family {
        "ip6" => array::<16>(info, at).ok().map(IpAddr::from),
        _ => array::<4>(info, at).ok().map(IpAddr::from),
    };
    rewrite(name, u32_at(info, 0).ok()?, address(4)?, address(20)?, (port(info, 36)?, port(info, 38)?))
}

/// `struct nf_nat_ipv4_multi_range_compat`.
fn nat_of_ipv4(name: &str, info: &[u8]) -> Option<FilterStep> {
    let address = |at| array::<4>(info, at).ok().map(IpAddr::from);
    rewrite(name, u32_at(info, 4).ok()?, address(8)?, address(12)?, (port(info, 16)?, port(info, 18)?))
}

fn rewrite(name: &str, flags: u32, low: IpAddr, high: IpAddr, ports: (u16, u16)) -> Option<FilterStep> {
    let one_port = flags & NAT_PORT == 0 || ports.0 == ports.1;
    let by_address = flags & NAT_ADDRESS != 0;
    // A range of ports is understood for a source, whose port decides nothing.
    if flags & NAT_OTHER != 0 || (!one_port && name == "DNAT") {
        return None;
    }
    Some(FilterStep::Nat {
        end: if name == "DNAT" { "destination" } else { "source" }.to_owned(),
        address: by_address.then(|| low.to_string()),
        last_address: (by_address && low != high).then(|| high.to_string()),
        port: (flags & NAT_PORT != 0).then_some(ports.0),
    })
}

fn redirect(info: &[u8], family: &str) -> Option<FilterStep> {
    let (flags, at) = if family == "ip6" { (0, 36) } else { (4, 16) };
    let given = u32_at(info, flags).ok()? & NAT_PORT != 0;
    if given && port(info, at)? != port(info, at + 2)? {
        return None;
    }
    Some(FilterStep::Redirect { port: if given { port(info, at) } else { None } })
}

/// In the byte order of this machine, as iptables writes ports that are compared.
fn number(info: &[u8], at: usize) -> Option<u16> {
    array(info, at).ok().map(u16::from_ne_bytes)
}

/// In the byte order of the network, as iptables writes ports that are put into packets.
fn port(info: &[u8], at: usize) -> Option<u16> {
    array(info, at).ok().map(u16::from_be_bytes)
}
