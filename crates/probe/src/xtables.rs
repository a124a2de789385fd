//! Tables of iptables-legacy in the network namespace of the calling thread, as the kernel keeps them
//! (`linux/netfilter_ipv4/ip_tables.h`, `ip6_tables.h`). To ask for a table that does not exist makes the kernel create it:
//! `/proc/net/ip_tables_names` lists those that do.
#![expect(unsafe_code, reason = "no safe crate wraps these socket options")]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// `IPT_SO_GET_INFO` and `IP6T_SO_GET_INFO`.
const GET_INFO: libc::c_int = 64;
/// `IPT_SO_GET_ENTRIES` and `IP6T_SO_GET_ENTRIES`.
const GET_ENTRIES: libc::c_int = 65;
/// Length of a table's name, with the zero at its end (`XT_TABLE_MAXNAMELEN`).
const NAME: usize = 32;
/// `struct ipt_getinfo`: name, hooks, five entries, five underflows, number of entries, size.
const INFO: usize = NAME + 4 * 13;
/// What stands before the entries in `struct ipt_get_entries`, as aligned for their counters.
const HEADER: usize = 40;
/// Most bytes of one table.
const MAX_SIZE: usize = 64 << 20;
/// How often a table that changes meanwhile is asked for.
const ATTEMPTS: usize = 5;

/// Whose tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    Ip,
    /// IPv6.
    Ip6,
}

/// A table as the kernel keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Bit by bit, the hooks at which it is asked (`NF_INET_PRE_ROUTING` …).
    pub hooks: u32,
    /// For each hook, where its first rule begins.
    pub starts: [u32; 5],
    /// For each hook, where its policy stands, the last rule of its chain.
    pub policies: [u32; 5],
    /// Rules, one `struct ipt_entry` or `ip6t_entry` after another.
    pub entries: Vec<u8>,
}

/// Reads a table that exists.
///
/// # Errors
/// What the kernel answers; `EPERM` without `CAP_NET_ADMIN`.
pub fn read(family: Family, name: &str) -> io::Result<Table> {
    let socket = open(family)?;
    for _ in 0..ATTEMPTS {
        let mut info = request::<INFO>(name)?;
        let length = ask(&socket, family, GET_INFO, &mut info)?;
        if length != INFO {
            return Err(io::Error::other(format!("{length} bytes about a table, not {INFO}")));
        }
        let word = |at: usize| array(&info, NAME + at * 4).map(u32::from_ne_bytes).unwrap_or_default();
        let size = usize::try_from(word(12)).map_err(io::Error::other)?;
        if size > MAX_SIZE {
            return Err(io::Error::other(format!("{size} bytes of rules")));
        }
        let mut answer = vec![0; HEADER + size];
        answer[..NAME].copy_from_slice(&info[..NAME]);
        answer[NAME..NAME + 4].copy_from_slice(&word(12).to_ne_bytes());
        match ask(&socket, family, GET_ENTRIES, &mut answer) {
            // It has another size by now.
            Err(error) if error.raw_os_error() == Some(libc::EAGAIN) => {}
            Err(error) => return Err(error),
            Ok(_) => {
                return Ok(Table {
                    hooks: word(0),
                    starts: std::array::from_fn(|hook| word(1 + hook)),
                    policies: std::array::from_fn(|hook| word(6 + hook)),
                    entries: answer.split_off(HEADER),
                });
            }
        }
    }
    Err(io::Error::other("it changes all the time"))
}

fn request<const N: usize>(name: &str) -> io::Result<[u8; N]> {
    let mut request = [0; N];
    match request.get_mut(..name.len()) {
        Some(to) if name.len() < NAME => to.copy_from_slice(name.as_bytes()),
        _ => return Err(io::Error::other("no table has so long a name")),
    }
    Ok(request)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

fn open(family: Family) -> io::Result<OwnedFd> {
    let domain = match family {
        Family::Ip => libc::AF_INET,
        Family::Ip6 => libc::AF_INET6,
    };
    // SAFETY: no pointer is passed; the descriptor is new and nobody else's.
    unsafe {
        let fd = libc::socket(domain, libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::IPPROTO_RAW);
        if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(OwnedFd::from_raw_fd(fd)) }
    }
}

/// Asks for an option that the buffer begins to tell; the number of bytes that the kernel wrote.
fn ask(socket: &OwnedFd, family: Family, option: libc::c_int, buffer: &mut [u8]) -> io::Result<usize> {
    let level = match family {
        Family::Ip => libc::IPPROTO_IP,
        Family::Ip6 => libc::IPPROTO_IPV6,
    };
    let mut length = libc::socklen_t::try_from(buffer.len()).map_err(io::Error::other)?;
    let to = buffer.as_mut_ptr().cast();
    // SAFETY: the buffer is good for reading and writing its length, which is passed, and nothing else refers to it.
    let result = unsafe { libc::getsockopt(socket.as_raw_fd(), level, option, to, &raw mut length) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    usize::try_from(length).map_err(io::Error::other)
}
