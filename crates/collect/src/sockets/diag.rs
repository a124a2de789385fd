//! `NETLINK_SOCK_DIAG` (sock_diag(7)): the kernel's own list of sockets, asked with a filter.

use std::net::{Ipv4Addr, Ipv6Addr};

use plimsoll_facts::Socket;
use rustix::net::netlink;

use super::UnixListener;
use crate::netlink::{Error, Netlink, array, attributes, u32_at};

/// `SOCK_DIAG_BY_FAMILY` of `linux/sock_diag.h`.
const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// States of `net/tcp_states.h`; a UDP socket without a peer is in `TCP_CLOSE`.
const LISTEN: u32 = 1 << 10;
const CLOSE: u32 = 1 << 7;
const AF_UNIX: u8 = 1;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const IPPROTO_TCP: u8 = 6;
const IPPROTO_UDP: u8 = 17;
/// `UDIAG_SHOW_NAME | UDIAG_SHOW_VFS | UDIAG_SHOW_UID` of `linux/unix_diag.h`.
const SHOW_NAME_VFS_UID: u32 = 0x43;
const UNIX_DIAG_NAME: u16 = 0;
const UNIX_DIAG_VFS: u16 = 1;
const UNIX_DIAG_UID: u16 = 7;
/// `struct inet_diag_msg` without its attributes.
const INET_MESSAGE: usize = 72;
const INET_DIAG_SKV6ONLY: u16 = 11;
/// Most sockets that are taken from one answer.
const MAX_SOCKETS: usize = 65_536;

/// A diagnostic socket in the network namespace that its thread was in when it was opened.
pub(super) struct Diag(Netlink);

impl Diag {
    pub(super) fn open() -> Result<Self, Error> {
        Netlink::open(Some(netlink::SOCK_DIAG)).map(Self)
    }

    /// TCP sockets that listen and UDP sockets without a fixed peer.
    pub(super) fn inet_listeners(&mut self) -> Result<Vec<Socket>, Error> {
        let mut sockets = Vec::new();
        for (family, protocol, states, name) in [
            (AF_INET, IPPROTO_TCP, LISTEN, "tcp"),
            (AF_INET6, IPPROTO_TCP, LISTEN, "tcp6"),
            (AF_INET, IPPROTO_UDP, CLOSE, "udp"),
            (AF_INET6, IPPROTO_UDP, CLOSE, "udp6"),
        ] {
            // struct inet_diag_req_v2: an empty socket id means all.
            let mut request = vec![family, protocol, 0, 0];
            request.extend(states.to_ne_bytes());
            request.resize(56, 0);
            self.0.dump(SOCK_DIAG_BY_FAMILY, &request, |message| {
                sockets.extend(inet_socket(message, name)?);
                bounded(sockets.len())
            })?;
        }
        Ok(sockets)
    }

    /// Unix sockets that listen and have a name.
    pub(super) fn unix_listeners(&mut self) -> Result<Vec<UnixListener>, Error> {
        let mut listeners = Vec::new();
        // struct unix_diag_req
        let mut request = vec![AF_UNIX, 0, 0, 0];
        request.extend(LISTEN.to_ne_bytes());
        request.extend(0_u32.to_ne_bytes());
        request.extend(SHOW_NAME_VFS_UID.to_ne_bytes());
        request.resize(24, 0);
        self.0.dump(SOCK_DIAG_BY_FAMILY, &request, |message| {
            listeners.extend(unix_listener(message)?);
            bounded(listeners.len())
        })?;
        Ok(listeners)
    }
}

/// Reads a datagram as each answer.
#[cfg(any(fuzzing, test))]
pub(super) fn parse_datagram(bytes: &[u8]) {
    let _ = crate::netlink::walk(bytes, 1, &mut |message| {
        let _ = (inet_socket(message, "tcp"), unix_listener(message));
        Ok(())
    });
}

/// `struct inet_diag_msg`; ports and addresses in network order.
fn inet_socket(message: &[u8], protocol: &str) -> Result<Option<Socket>, Error> {
    let port = u16::from_be_bytes(array(message, 4)?);
    // A UDP socket that is not bound has no port and receives nothing.
    if port == 0 {
        return Ok(None);
    }
    let address = match message.first() {
        Some(&AF_INET) => Ipv4Addr::from(array::<4>(message, 8)?).to_string(),
        Some(&AF_INET6) => Ipv6Addr::from(array::<16>(message, 8)?).to_string(),
        _ => return Err(Error::Malformed),
    };
    let mut ipv6_only = false;
    for attribute in attributes(message.get(INET_MESSAGE..).unwrap_or_default()) {
        let (kind, value) = attribute?;
        ipv6_only |= kind == INET_DIAG_SKV6ONLY && value.first().is_some_and(|only| *only != 0);
    }
    Ok(Some(Socket {
        protocol: protocol.to_owned(),
        address,
        port,
        ipv6_only,
        interface: u32_at(message, 40)?,
        uid: u32_at(message, 64)?,
        inode: u32_at(message, 68)?.into(),
        ..Socket::default()
    }))
}

/// `struct unix_diag_msg` and its attributes; `None` without a name.
fn unix_listener(message: &[u8]) -> Result<Option<UnixListener>, Error> {
    let mut listener = UnixListener { inode: u32_at(message, 4)?.into(), ..UnixListener::default() };
    for attribute in attributes(message.get(16..).ok_or(Error::Malformed)?) {
        let (kind, value) = attribute?;
        match kind {
            UNIX_DIAG_NAME => listener.path = name(value),
            UNIX_DIAG_VFS => {
                // The kernel's own form of a device number: 12 bits major, 20 bits minor.
                let device = u32_at(value, 4)?;
                listener.file = Some((device >> 20, device & 0xf_ffff, u32_at(value, 0)?));
            }
            UNIX_DIAG_UID => listener.uid = u32_at(value, 0)?,
            _ => {}
        }
    }
    Ok((!listener.path.is_empty()).then_some(listener))
}

/// A path as it was bound, or an abstract name with `@` for its first byte (unix(7)).
fn name(bytes: &[u8]) -> String {
    match bytes.split_first() {
        Some((0, name)) => format!("@{}", String::from_utf8_lossy(name)),
        _ => String::from_utf8_lossy(bytes.strip_suffix(b"\0").unwrap_or(bytes)).into_owned(),
    }
}

fn bounded(length: usize) -> Result<(), Error> {
    if length > MAX_SOCKETS { Err(Error::TooMany(MAX_SOCKETS)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};
    use std::os::unix::net::UnixListener as StdUnixListener;

    use super::*;
    use crate::netlink::walk;

    #[test]
    fn the_kernel_lists_our_own_listeners() {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind("[::1]:0").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a\n: 0 0 00010000 0001 01 1 @docker");
        let _unix = StdUnixListener::bind(&path).unwrap();

        let mut diag = Diag::open().unwrap();
        let inet = diag.inet_listeners().unwrap();
        let find = |protocol, port| inet.iter().find(|s| s.protocol == protocol && s.port == port);
        let found = find("tcp", tcp.local_addr().unwrap().port()).unwrap();
        assert_eq!(found.address, "127.0.0.1");
        assert_ne!(found.inode, 0);
        assert_eq!(find("udp6", udp.local_addr().unwrap().port()).unwrap().address, "::1");

        let unix = diag.unix_listeners().unwrap();
        let found = unix.iter().find(|l| l.path == path.to_str().unwrap()).unwrap();
        use std::os::unix::fs::MetadataExt;
        let stat = std::fs::metadata(&path).unwrap();
        let (major, minor, inode) = found.file.unwrap();
        assert_eq!(rustix::fs::makedev(major, minor), stat.dev());
        assert_eq!(u64::from(inode), stat.ino() & 0xffff_ffff);
        assert_eq!(found.uid, rustix::process::geteuid().as_raw());
    }

    /// Answers of a Debian 12 host (Linux 6.18) for sshd-like listeners, cut and damaged.
    #[test]
    fn damaged_answers_are_errors() {
        let mut message = vec![0; 72];
        message[0] = AF_INET;
        message[4..6].copy_from_slice(&80_u16.to_be_bytes());
        let whole = inet_socket(&message, "tcp").unwrap().unwrap();
        assert_eq!((whole.port, whole.address.as_str()), (80, "0.0.0.0"));
        for cut in 0..message.len() {
            assert!(inet_socket(&message[..cut], "tcp").is_err());
        }
        assert!(unix_listener(&[1; 18]).is_err());
        let mut datagram = vec![0; 20];
        datagram[..4].copy_from_slice(&200_u32.to_ne_bytes());
        assert!(walk(&datagram, 0, &mut |_| Ok(())).is_err());
        assert!(walk(&[0; 16], 0, &mut |_| Ok(())).is_err());
    }
}
