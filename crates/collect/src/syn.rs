//! A SYN from inside a network namespace to each of many addresses: the kernel there answers the SYN-ACK with RST by
//! itself, so that no application accepts anything.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use plimsoll_facts::{Fact, SynProbe};
use plimsoll_rootdir::RootDir;
use rustix::fs::{OFlags, fstat};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, connect, getsockname, ipproto,
    recvfrom, sendto, socket_with,
};

use crate::netlink::array;
use crate::procs::{self, Processes};
use crate::sockets;

/// How long an answer may take: what is dropped is known after that.
const PATIENCE: Duration = Duration::from_millis(400);
/// Addresses that are asked before answers are taken, so that no answer is lost in a full buffer.
const AT_ONCE: usize = 128;
/// Namespaces that are probed from at the same time.
const THREADS: usize = 32;
/// Most addresses that are asked from one namespace.
const MOST_TARGETS: usize = 16_384;
const SOURCE: &str = "SYN";
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const SYN_ACK: u8 = 0x12;

/// Asks each of `targets` from within each of these network namespaces.
pub fn probe(root: &RootDir, namespaces: &[u64], targets: &[SocketAddr]) -> Fact<Vec<SynProbe>> {
    let processes = match Processes::scan(root) {
        Ok(processes) if processes.proc.is_live() => processes,
        Ok(_) => return Fact::unreadable(SOURCE, procs::Error::Captured.to_string()),
        Err(error) => return Fact::unreadable(SOURCE, error.to_string()),
    };
    if targets.len() > MOST_TARGETS {
        return Fact::unreadable(SOURCE, format!("more than {MOST_TARGETS} addresses to ask"));
    }
    let mut probes = Vec::new();
    for some in namespaces.chunks(THREADS) {
        let ask = |inode: u64| {
            let processes = &processes;
            move || {
                sockets::inside(open(processes, inode)?, || probe_here(inode, targets))?
                    .map_err(sockets::Error::from)
            }
        };
        let answers: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = some.iter().map(|inode| scope.spawn(ask(*inode))).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or(Err(sockets::Error::Malformed)))
                .collect()
        });
        for answer in answers {
            match answer {
                Ok(probe) => probes.push(probe),
                Err(sockets::Error::Process(procs::Error::Gone)) => {}
                Err(sockets::Error::Denied) => {
                    return Fact::unreadable(
                        SOURCE,
                        "needs CAP_NET_RAW and CAP_SYS_ADMIN; run plimsoll as root",
                    );
                }
                Err(error) => return Fact::unreadable(SOURCE, error.to_string()),
            }
        }
    }
    Fact::known(probes, SOURCE)
}

/// The namespace, by any process that is in it.
fn open(processes: &Processes, inode: u64) -> Result<OwnedFd, sockets::Error> {
    let within =
        processes.rows().iter().filter(|row| row.namespaces.as_ref().is_ok_and(|it| it.net == inode));
    for row in within {
        let opened = processes.open_live(row).and_then(|dir| dir.follow("ns/net", OFlags::RDONLY));
        if let Ok(namespace) = opened
            && fstat(&namespace)?.st_ino == inode
        {
            return Ok(namespace);
        }
    }
    Err(procs::Error::Gone.into())
}

fn probe_here(inode: u64, targets: &[SocketAddr]) -> Result<SynProbe, Errno> {
    let mut probe = SynProbe { namespace: inode, ..SynProbe::default() };
    for v6 in [false, true] {
        let wanted: Vec<_> = targets.iter().copied().filter(|target| target.is_ipv6() == v6).collect();
        if wanted.is_empty() {
            continue;
        }
        match Prober::open(v6) {
            Ok(prober) => wanted.chunks(AT_ONCE).try_for_each(|some| prober.ask(some, &mut probe))?,
            // A namespace without IPv6 reaches nothing by it.
            Err(Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL) => {
                let why = "no IPv6 in this namespace";
                probe.failed.extend(wanted.iter().map(|target| (target.to_string(), why.to_owned())));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(probe)
}

struct Prober {
    raw: OwnedFd,
    /// Bound, so that the port is nobody else's; it neither listens nor connects, so that the kernel answers with RST.
    _port: OwnedFd,
    port: u16,
}

impl Prober {
    fn open(v6: bool) -> Result<Self, Errno> {
        let (family, any) = match v6 {
            true => (AddressFamily::INET6, IpAddr::from(Ipv6Addr::UNSPECIFIED)),
            false => (AddressFamily::INET, IpAddr::from(Ipv4Addr::UNSPECIFIED)),
        };
        let held = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, Some(ipproto::TCP))?;
        bind(&held, &SocketAddr::new(any, 0))?;
        let port = SocketAddr::try_from(getsockname(&held)?)?.port();
        let raw = socket_with(family, SocketType::RAW, SocketFlags::CLOEXEC, Some(ipproto::TCP))?;
        Ok(Self { raw, _port: held, port })
    }

    fn ask(&self, targets: &[SocketAddr], probe: &mut SynProbe) -> Result<(), Errno> {
        let mut waiting = HashMap::new();
        for target in targets {
            match self.send(*target) {
                Ok(()) => {
                    waiting.insert(*target, ());
                }
                Err(error) => {
                    probe.failed.push((target.to_string(), std::io::Error::from(error).to_string()))
                }
            }
        }
        let end = Instant::now() + PATIENCE;
        while !waiting.is_empty() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            set_socket_timeout(&self.raw, Timeout::Recv, Some(left.max(Duration::from_millis(1))))?;
            let mut buffer = [0; 256];
            let (length, from) = match recvfrom(&self.raw, &mut buffer[..], RecvFlags::empty()) {
                Ok((length, _, from)) => (length, from),
                Err(Errno::AGAIN | Errno::INTR) => continue,
                Err(error) => return Err(error),
            };
            let Some(from) = from.and_then(|from| SocketAddr::try_from(from).ok()) else { continue };
            let Some((port, flags)) = self.answer(buffer.get(..length.min(256)).unwrap_or_default()) else {
                continue;
            };
            let target = SocketAddr::new(from.ip(), port);
            let list = if flags & SYN_ACK == SYN_ACK {
                &mut probe.open
            } else if flags & RST != 0 {
                &mut probe.refused
            } else {
                continue;
            };
            if waiting.remove(&target).is_some() {
                list.push(target.to_string());
            }
        }
        probe.silent.extend(waiting.keys().map(SocketAddr::to_string));
        probe.silent.sort();
        Ok(())
    }

    fn send(&self, target: SocketAddr) -> Result<(), Errno> {
        let source = source(target)?;
        let mut segment = [0_u8; 20];
        segment[0..2].copy_from_slice(&self.port.to_be_bytes());
        segment[2..4].copy_from_slice(&target.port().to_be_bytes());
        segment[4..8].copy_from_slice(&0x706c_696d_u32.to_be_bytes());
        segment[12] = 5 << 4;
        segment[13] = SYN;
        segment[14..16].copy_from_slice(&1024_u16.to_be_bytes());
        let sum = checksum(source, target.ip(), &segment);
        segment[16..18].copy_from_slice(&sum.to_be_bytes());
        // The port of a raw socket's address is a protocol, or nothing.
        sendto(&self.raw, &segment, SendFlags::empty(), &SocketAddr::new(target.ip(), 0))?;
        Ok(())
    }

    /// Source port and flags of a segment to our port. With IPv4 the kernel hands over the header, too.
    fn answer(&self, packet: &[u8]) -> Option<(u16, u8)> {
        let start = match packet.first()? >> 4 {
            4 if packet.len() >= 40 => usize::from(packet.first()? & 15) * 4,
            _ => 0,
        };
        let port = |at| array(packet, start + at).ok().map(u16::from_be_bytes);
        (port(2)? == self.port).then_some((port(0)?, *packet.get(start + 13)?))
    }
}

/// The address from which a packet to this one goes.
fn source(target: SocketAddr) -> Result<IpAddr, Errno> {
    let family = if target.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
    let socket = socket_with(family, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    connect(&socket, &target)?;
    Ok(SocketAddr::try_from(getsockname(&socket)?)?.ip())
}

/// The checksum of TCP, with the pseudo header of either family (RFC 9293, RFC 8200).
fn checksum(source: IpAddr, target: IpAddr, segment: &[u8]) -> u16 {
    let octets = |address| match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let mut sum: u32 = 6 + u32::try_from(segment.len()).unwrap_or(0);
    for bytes in [&octets(source), &octets(target), segment] {
        for pair in bytes.chunks(2) {
            let high = u32::from(pair.first().copied().unwrap_or(0)) << 8;
            sum += high | u32::from(pair.get(1).copied().unwrap_or(0));
        }
    }
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_listener_on_loopback_is_open_and_accepts_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let open = listener.local_addr().unwrap();
        let Ok(probe) = probe_here(1, &[open, closed]) else { return };
        assert_eq!((probe.open, probe.refused), (vec![open.to_string()], vec![closed.to_string()]));
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err());
    }

    #[test]
    fn the_checksum_of_a_known_segment() {
        // RFC 1071: the sum with itself in place is zero.
        let (from, to) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let mut segment =
            *b"\x04\xd2\x00\x50\x00\x00\x00\x01\x00\x00\x00\x00\x50\x02\x04\x00\x00\x00\x00\x00";
        let sum = checksum(from, to, &segment);
        segment[16..18].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(checksum(from, to, &segment), 0);
    }
}
