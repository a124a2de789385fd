//! `NETLINK_SOCK_DIAG` (sock_diag(7)): the kernel's own list of sockets, asked with a filter.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::fd::OwnedFd;
use std::time::Duration;

use plimsoll_facts::Socket;
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink};

use super::{Error, UnixListener};

/// `SOCK_DIAG_BY_FAMILY` of `linux/sock_diag.h`.
const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// `NLM_F_REQUEST | NLM_F_DUMP` of `linux/netlink.h`.
const REQUEST_DUMP: u16 = 0x301;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const HEADER: usize = 16;
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
/// More than any kernel message of this family (netlink dumps use at most 32 KiB).
const BUFFER: usize = 64 * 1024;
/// Most sockets that are taken from one answer.
const MAX_SOCKETS: usize = 65_536;

/// A diagnostic socket in the network namespace that its thread was in when it was opened.
pub(super) struct Diag {
    fd: OwnedFd,
    buffer: Vec<u8>,
    sequence: u32,
}

impl Diag {
    pub(super) fn open() -> Result<Self, Error> {
        let fd = net::socket_with(
            AddressFamily::NETLINK,
            SocketType::DGRAM,
            SocketFlags::CLOEXEC,
            Some(netlink::SOCK_DIAG),
        )?;
        set_socket_timeout(&fd, Timeout::Recv, Some(Duration::from_secs(10)))?;
        Ok(Self { fd, buffer: vec![0; BUFFER], sequence: 0 })
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
            self.dump(&request, |message| {
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
        self.dump(&request, |message| {
            listeners.extend(unix_listener(message)?);
            bounded(listeners.len())
        })?;
        Ok(listeners)
    }

    fn dump(&mut self, body: &[u8], mut each: impl FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        self.sequence += 1;
        let mut request = Vec::with_capacity(HEADER + body.len());
        request.extend(u32::try_from(HEADER + body.len()).unwrap_or(u32::MAX).to_ne_bytes());
        request.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        request.extend(REQUEST_DUMP.to_ne_bytes());
        request.extend(self.sequence.to_ne_bytes());
        request.extend(0_u32.to_ne_bytes());
        request.extend(body);
        net::send(&self.fd, &request, SendFlags::empty())?;
        loop {
            let (length, _) = match net::recv(&self.fd, self.buffer.as_mut_slice(), RecvFlags::empty()) {
                Err(Errno::INTR) => continue,
                other => other?,
            };
            let datagram = self.buffer.get(..length).ok_or(Error::Malformed)?;
            if length == 0 {
                return Err(Error::Malformed);
            }
            if messages(datagram, self.sequence, &mut each)? {
                return Ok(());
            }
        }
    }
}

/// Goes through the netlink messages of one datagram; `true` when the last of an answer was among them.
fn messages(
    mut datagram: &[u8],
    sequence: u32,
    each: &mut impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<bool, Error> {
    while !datagram.is_empty() {
        let length = usize::try_from(u32_at(datagram, 0)?).map_err(|_| Error::Malformed)?;
        let kind = u16_at(datagram, 4)?;
        let message = datagram.get(HEADER..length).ok_or(Error::Malformed)?;
        if u32_at(datagram, 8)? == sequence {
            match kind {
                NLMSG_DONE => return Ok(true),
                NLMSG_ERROR => return Err(failure(message)),
                _ => each(message)?,
            }
        }
        datagram = datagram.get(align(length)..).unwrap_or_default();
    }
    Ok(false)
}

/// Reads a datagram as each answer.
#[cfg(any(fuzzing, test))]
pub(super) fn parse_datagram(bytes: &[u8]) {
    let _ = messages(bytes, 1, &mut |message| {
        let _ = (inet_socket(message, "tcp"), unix_listener(message));
        Ok(())
    });
}

/// `struct nlmsgerr` begins with the negated error number, between 1 and 4095.
fn failure(message: &[u8]) -> Error {
    match u32_at(message, 0).map(u32::wrapping_neg) {
        Ok(code @ 1..=4095) => Errno::from_raw_os_error(code.cast_signed()).into(),
        Ok(_) => Error::Malformed,
        Err(error) => error,
    }
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
    Ok(Some(Socket {
        protocol: protocol.to_owned(),
        address,
        port,
        uid: u32_at(message, 64)?,
        inode: u32_at(message, 68)?.into(),
        ..Socket::default()
    }))
}

/// `struct unix_diag_msg` and its attributes; `None` without a name.
fn unix_listener(message: &[u8]) -> Result<Option<UnixListener>, Error> {
    let mut listener = UnixListener { inode: u32_at(message, 4)?.into(), ..UnixListener::default() };
    let mut attributes = message.get(16..).ok_or(Error::Malformed)?;
    while !attributes.is_empty() {
        let length = usize::from(u16_at(attributes, 0)?);
        let value = attributes.get(4..length).ok_or(Error::Malformed)?;
        match u16_at(attributes, 2)? {
            UNIX_DIAG_NAME => listener.path = name(value),
            UNIX_DIAG_VFS => {
                // The kernel's own form of a device number: 12 bits major, 20 bits minor.
                let device = u32_at(value, 4)?;
                listener.file = Some((device >> 20, device & 0xf_ffff, u32_at(value, 0)?));
            }
            UNIX_DIAG_UID => listener.uid = u32_at(value, 0)?,
            _ => {}
        }
        attributes = attributes.get(align(length)..).unwrap_or_default();
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

/// `NLMSG_ALIGN`, and `NLA_ALIGN`.
fn align(length: usize) -> usize {
    // Never zero, so that a length of zero cannot stop the walk from ending.
    length.max(1).next_multiple_of(4)
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, Error> {
    Ok(u16::from_ne_bytes(array(bytes, at)?))
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, Error> {
    Ok(u32::from_ne_bytes(array(bytes, at)?))
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Error> {
    bytes.get(at..at + N).and_then(|slice| slice.try_into().ok()).ok_or(Error::Malformed)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};
    use std::os::unix::net::UnixListener as StdUnixListener;

    use super::*;

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
        assert!(messages(&datagram, 0, &mut |_| Ok(())).is_err());
        assert!(messages(&[0; 16], 0, &mut |_| Ok(())).is_err());
    }
}
