//! Families of sockets: their numbers, and what the kernel needs to have them.

use crate::kernel;
use crate::stand::Stand;
use crate::truth::Truth;

/// A family, by the name that conditions call it.
struct Family {
    name: &'static str,
    /// `AF_…` of linux/socket.h.
    number: u32,
    /// Part of the kernel that brings it, where it is not always there.
    part: Option<&'static str>,
}

const fn family(name: &'static str, number: u32, part: Option<&'static str>) -> Family {
    Family { name, number, part }
}

const FAMILIES: [Family; 11] = [
    family("AF_UNIX", 1, None),
    family("AF_INET", 2, None),
    family("AF_INET6", 10, None),
    family("AF_NETLINK", 16, None),
    family("AF_PACKET", 17, Some("packet")),
    family("AF_RDS", 21, Some("rds")),
    family("AF_CAN", 29, Some("can")),
    family("AF_TIPC", 30, Some("tipc")),
    family("AF_RXRPC", 33, Some("rxrpc")),
    family("AF_ALG", 38, Some("af_alg")),
    family("AF_VSOCK", 40, Some("vsock")),
];

/// A type or protocol, by the name that conditions call it.
struct Kind {
    name: &'static str,
    /// `SOCK_…`.
    kind: Option<u32>,
    protocol: Option<u32>,
    /// Part of the kernel that brings it.
    part: Option<&'static str>,
}

const KINDS: [Kind; 7] = [
    Kind { name: "STREAM", kind: Some(1), protocol: None, part: None },
    Kind { name: "DGRAM", kind: Some(2), protocol: None, part: None },
    Kind { name: "DCCP", kind: Some(6), protocol: Some(33), part: Some("dccp") },
    Kind { name: "SCTP", kind: None, protocol: Some(132), part: Some("sctp") },
    Kind { name: "NETFILTER", kind: None, protocol: Some(12), part: None },
    Kind { name: "ROUTE", kind: None, protocol: Some(0), part: None },
    Kind { name: "GENERIC", kind: None, protocol: Some(16), part: None },
];

impl Stand<'_> {
    /// Whether a socket of this family, and of this type or protocol, can be made.
    pub(crate) fn socket(&self, family: &str, kind: Option<&str>) -> Truth {
        let label = kind.map_or_else(|| family.to_owned(), |kind| format!("{family}:{kind}"));
        let Some(of) = FAMILIES.iter().find(|known| known.name == family) else {
            return Truth::unknown(format!("the number of {family}"));
        };
        let kind = match kind.map(|kind| KINDS.iter().find(|known| known.name == kind)) {
            None => None,
            Some(Some(kind)) => Some(kind),
            Some(None) => return Truth::unknown(format!("the number of {label}")),
        };
        let parts = of.part.into_iter().chain(kind.and_then(|kind| kind.part));
        let in_kernel = parts
            .map(|part| kernel::module(self.facts, part))
            .reduce(|one, other| one.and(|| other))
            .unwrap_or_else(|| Truth::Yes(Vec::new()));
        let (number, protocol) = (kind.and_then(|kind| kind.kind), kind.and_then(|kind| kind.protocol));
        in_kernel.and(|| self.calls.socket(&label, of.number, number, protocol)).and(|| {
            if family == "AF_ALG" {
                self.unconfined("make sockets of AF_ALG")
            } else {
                Truth::Yes(Vec::new())
            }
        })
    }
}
