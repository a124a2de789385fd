//! A packet that opens a connection, or the answer to it.

use std::net::IpAddr;

/// Number of TCP in IP headers.
pub(super) const TCP: u8 = 6;
/// Number of UDP in IP headers.
pub(super) const UDP: u8 = 17;

/// Ports that the kernel chooses for whoever connects begin here (`net.ipv4.ip_local_port_range`, as it is unless changed).
pub(super) const CHOSEN: u16 = 0x8000;

/// A packet on its way. What is `None` is not known: it may be anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    /// Source; not known for whoever is outside of the host.
    pub(super) source: Option<IpAddr>,
    /// Destination.
    pub(super) destination: IpAddr,
    /// [`TCP`] or [`UDP`].
    pub(super) protocol: u8,
    /// Source port; where it is not known, one that the kernel chose (see [`CHOSEN`]).
    pub(super) source_port: Option<u16>,
    /// Destination port; the same.
    pub(super) destination_port: Option<u16>,
    /// Mark of the packet.
    pub(super) mark: Option<u32>,
    /// What connection tracking says about it.
    pub(super) state: State,
    /// Whether its destination was rewritten in this namespace.
    pub(super) destination_rewritten: bool,
    /// Whether its source was rewritten in this namespace.
    pub(super) source_rewritten: bool,
}

/// State of a connection, by the bits of `ct state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Belongs to no connection that is known.
    Invalid = 1,
    /// Answers.
    Established = 2,
    /// Opens one.
    New = 8,
}

/// Where in its way a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hook {
    /// Came in; the route is not decided.
    Prerouting,
    /// Is for this namespace.
    Input,
    /// Goes through.
    Forward,
    /// Was made here.
    Output,
    /// Is about to leave.
    Postrouting,
}

impl Hook {
    /// The name, as in facts.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Prerouting => "prerouting",
            Self::Input => "input",
            Self::Forward => "forward",
            Self::Output => "output",
            Self::Postrouting => "postrouting",
        }
    }
}

/// A rewriting of one end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// New source address; `None` is that of the interface by which it leaves.
    Source(Option<IpAddr>),
    /// New destination: address and port, where they change.
    Destination(Option<IpAddr>, Option<u16>),
    /// To an address of this namespace itself.
    Redirect(Option<u16>),
}

/// A ruling, or a whole journey: three-valued, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Stopped by this.
    Blocked(String),
    /// Not known for want of this.
    Unknown(String),
}
