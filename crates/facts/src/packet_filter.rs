//! The packet filter as the kernel holds it: nftables, and iptables in either form, as the steps of each rule.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FilterTable {
    /// `ip`, `ip6`, `inet`, `bridge`, `arp` or `netdev`.
    pub family: String,
    /// Name.
    pub name: String,
    /// Whether it is one of iptables-legacy's.
    pub legacy: bool,
    /// Whether it is switched off (`NFT_TABLE_F_DORMANT`).
    pub dormant: bool,
    /// Chains, in the kernel's order.
    pub chains: Vec<FilterChain>,
    /// Sets and maps.
    pub sets: Vec<FilterSet>,
}

/// A chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FilterChain {
    /// Name.
    pub name: String,
    /// Where packets enter it; `None` where only other chains lead to it.
    pub hook: Option<FilterHook>,
    /// Rules, in order.
    pub rules: Vec<FilterRule>,
}

/// Where packets enter a chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FilterHook {
    /// `filter`, `nat` or `route`.
    pub kind: String,
    /// `prerouting`, `input`, `forward`, `output`, `postrouting` or `ingress`.
    pub point: String,
    /// Chains of a lower number are asked first.
    pub priority: i32,
    /// Whether what no rule decides is dropped.
    pub drops: bool,
}

/// A rule: its steps are taken in order, and the first that does not match ends it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FilterRule {
    /// Handle, as `nft -a list ruleset` shows it; for iptables-legacy its place in the chain, from 1.
    pub handle: u64,
    /// Steps.
    pub steps: Vec<FilterStep>,
}

/// One step of a rule: an expression of nftables (`linux/netfilter/nf_tables.h`), or a match or target of iptables.
/// Registers are numbered by 4 bytes, from 0. Bytes are hexadecimal, in the order of the packet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum FilterStep {
    /// Loads a property of the packet that is not in its bytes (`meta`).
    Meta {
        /// `iifname`, `oifname`, `l4proto`, `mark` …
        key: String,
        /// Register.
        to: u8,
    },
    /// Loads bytes of a header.
    Payload {
        /// `link`, `network` or `transport`.
        base: String,
        /// First byte.
        offset: u32,
        /// Number of bytes.
        length: u32,
        /// Register.
        to: u8,
    },
    /// Loads a property of the connection (`ct`).
    Connection {
        /// `state`, `status`, `mark` …
        key: String,
        /// Register.
        to: u8,
    },
    /// Asks the routing tables (`fib`).
    Fib {
        /// `type`, `oif` or `oifname`.
        result: String,
        /// `NFTA_FIB_F_*`: 1 source, 2 destination, 4 mark, 8 input interface, 16 output interface, 32 present.
        flags: u32,
        /// Register.
        to: u8,
    },
    /// Puts bytes into a register.
    Immediate {
        /// Bytes.
        value: String,
        /// Register.
        to: u8,
    },
    /// `(register & mask) ^ xor`.
    Bitwise {
        /// Register that is read.
        from: u8,
        /// Register that is written.
        to: u8,
        /// Mask; its length is the number of bytes.
        mask: String,
        /// What is flipped after that.
        xor: String,
    },
    /// Compares; ends the rule where it does not hold.
    Compare {
        /// Register.
        from: u8,
        /// `==`, `!=`, `<`, `<=`, `>`, `>=`.
        operator: String,
        /// Bytes.
        value: String,
    },
    /// Compares with a range, both ends in it.
    Range {
        /// Register.
        from: u8,
        /// Whether it must be outside.
        negate: bool,
        /// Lowest.
        low: String,
        /// Highest.
        high: String,
    },
    /// Looks the register up in a set, or in a map.
    Lookup {
        /// Name of the set.
        set: String,
        /// Register of the key.
        from: u8,
        /// Whether it must not be in it.
        negate: bool,
        /// Register of a map's value; `None` of a set, or of a map of verdicts.
        to: Option<u8>,
    },
    /// iptables' `addrtype`: masks of kinds by `RTN_*` of rtnetlink(7).
    AddressType {
        /// Kinds of source; 0 is any.
        source: u16,
        /// Kinds of destination; 0 is any.
        destination: u16,
        /// Whether the source must be of no such kind.
        not_source: bool,
        /// Whether the destination must be of no such kind.
        not_destination: bool,
    },
    /// iptables' `conntrack --ctstate`, `state`.
    ConnectionState {
        /// States by `linux/netfilter/xt_conntrack.h`: 1 invalid, 2 established, 4 related, 8 new, 64 with a rewritten
        /// source, 128 with a rewritten destination, 256 untracked.
        states: u16,
        /// Whether it must be in none of them.
        negate: bool,
    },
    /// iptables' `tcp`, `udp` and `multiport`.
    Ports {
        /// `tcp` or `udp`, where it demands one.
        protocol: Option<String>,
        /// Ranges of source ports; empty is any.
        source: Vec<(u16, u16)>,
        /// Ranges of destination ports; empty is any.
        destination: Vec<(u16, u16)>,
        /// Whether either end may match (`multiport --ports`), by `destination`.
        either: bool,
        /// Whether the source must be outside.
        not_source: bool,
        /// Whether the destination must be outside.
        not_destination: bool,
        /// TCP flags that are looked at, and those that must be set.
        flags: Option<(u8, u8)>,
        /// Whether the flags must be otherwise.
        not_flags: bool,
    },
    /// iptables' `mark`.
    Mark {
        /// Value.
        value: u32,
        /// Mask.
        mask: u32,
        /// Whether it must be another.
        negate: bool,
    },
    /// Sets the packet's mark: `(mark & keep) ^ xor`.
    SetMark {
        /// Bits that are kept.
        keep: u32,
        /// Bits that are flipped.
        xor: u32,
    },
    /// Sets the packet's mark to a register.
    SetMarkFrom {
        /// Register.
        from: u8,
    },
    /// Rewrites an address or a port.
    Nat {
        /// `source` or `destination`.
        end: String,
        /// New address; `None` keeps it.
        address: Option<String>,
        /// Last of a range of addresses, where it is one.
        last_address: Option<String>,
        /// New port; `None` keeps it.
        port: Option<u16>,
    },
    /// The same with the new address and port in registers (nftables' `dnat to … map …`).
    NatRegisters {
        /// `source` or `destination`.
        end: String,
        /// Register of the address.
        address: Option<u8>,
        /// Register of the port.
        port: Option<u8>,
    },
    /// Rewrites the source to the address of the interface that the packet leaves by.
    Masquerade,
    /// Rewrites the destination to this host.
    Redirect {
        /// New port, where it is known.
        port: Option<u16>,
    },
    /// Ends with a verdict.
    Verdict {
        /// The verdict.
        verdict: FilterVerdict,
    },
    /// Changes nothing that decides where a packet goes (`counter`, `log` …).
    Neutral {
        /// Name of the expression.
        name: String,
    },
    /// Something whose outcome cannot be told from the rule alone, or that is not understood.
    Other {
        /// Name of the expression, match or target, with its revision where that matters.
        name: String,
    },
}

/// What a rule says about a packet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum FilterVerdict {
    /// It passes this chain's hook.
    Accept,
    /// It is thrown away.
    Drop,
    /// It is thrown away, and the sender is told.
    Reject,
    /// To another chain, and back at its end.
    Jump {
        /// Name of the chain.
        chain: String,
    },
    /// To another chain, and not back.
    Goto {
        /// Name of the chain.
        chain: String,
    },
    /// Back to the chain that led here.
    Return,
    /// On with the next rule.
    Continue,
    /// A program decides (`queue`).
    Queue,
}

/// A set or a map.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FilterSet {
    /// Name.
    pub name: String,
    /// Whether its elements come and go by themselves (`timeout`, `dynamic`).
    pub changes: bool,
    /// Whether it maps to verdicts.
    pub verdicts: bool,
    /// Whether its keys are several values, one after another.
    pub concatenated: bool,
    /// Length of each part of a concatenated key, in bytes; empty where the kernel does not tell.
    pub parts: Vec<u32>,
    /// Elements.
    pub elements: Vec<FilterElement>,
    /// Whether there are more than were read.
    pub cut: bool,
}

/// An element of a set: the keys from `low` to `high`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FilterElement {
    /// First key; of a catch-all element empty.
    pub low: String,
    /// Last key.
    pub high: String,
    /// Whether it stands for every key that is not in the set.
    pub catch_all: bool,
    /// What a map maps it to.
    pub value: Option<String>,
    /// What a map of verdicts maps it to.
    pub verdict: Option<FilterVerdict>,
}
