//! Asking the kernel over netlink(7): one request, one answer of many messages; and reading attributes.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{self, AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType};

/// `NLM_F_REQUEST | NLM_F_DUMP` of `linux/netlink.h`.
const REQUEST_DUMP: u16 = 0x301;
/// `NLM_F_REQUEST`.
const REQUEST: u16 = 1;
/// `NLM_F_DUMP_INTR`: what is listed changed meanwhile.
const INTERRUPTED: u16 = 0x10;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const HEADER: usize = 16;
/// `NLA_F_NESTED` and `NLA_F_NET_BYTEORDER` in the type of an attribute.
const TYPE_FLAGS: u16 = 0xc000;
/// More than any message that is asked for (netlink dumps use at most 32 KiB).
const BUFFER: usize = 64 * 1024;
/// The kernel answers at once, or something is wrong.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why the kernel's answer is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// The kernel was built without it, or may not load the module.
    #[error("the kernel does not offer it")]
    Unsupported,
    /// A capability is missing.
    #[error("permission denied: only root may ask for it")]
    Denied,
    /// Not in the form that the kernel documents.
    #[error("the kernel's answer is not in the documented form")]
    Malformed,
    /// More than is read.
    #[error("more than {0} of them")]
    TooMany(usize),
    /// What was listed changed while it was listed.
    #[error("it changed while it was read")]
    Changed,
    /// Any other answer.
    #[error("{0}")]
    Os(Errno),
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NOENT | Errno::PROTONOSUPPORT | Errno::AFNOSUPPORT | Errno::OPNOTSUPP => Self::Unsupported,
            Errno::ACCESS | Errno::PERM => Self::Denied,
            other => Self::Os(other),
        }
    }
}

/// A netlink socket in the network namespace that its thread was in when it was opened.
pub(crate) struct Netlink {
    fd: OwnedFd,
    buffer: Vec<u8>,
    sequence: u32,
}

impl Netlink {
    /// Opens a socket of this family of messages.
    ///
    /// # Errors
    /// When the kernel does not offer it.
    pub(crate) fn open(protocol: Option<Protocol>) -> Result<Self, Error> {
        let fd = net::socket_with(AddressFamily::NETLINK, SocketType::DGRAM, SocketFlags::CLOEXEC, protocol)?;
        set_socket_timeout(&fd, Timeout::Recv, Some(PATIENCE))?;
        Ok(Self { fd, buffer: vec![0; BUFFER], sequence: 0 })
    }

    /// Asks for a list, and hands each message (without its header) to `each`.
    ///
    /// # Errors
    /// When the kernel refuses, `each` does, or the list changed meanwhile.
    pub(crate) fn dump(
        &mut self,
        kind: u16,
        body: &[u8],
        each: impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.send(kind, REQUEST_DUMP, body)?;
        self.receive(false, each)
    }

    /// Asks for one thing.
    ///
    /// # Errors
    /// When the kernel refuses, or `each` does.
    pub(crate) fn get(
        &mut self,
        kind: u16,
        body: &[u8],
        each: impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.send(kind, REQUEST, body)?;
        self.receive(true, each)
    }

    fn send(&mut self, kind: u16, flags: u16, body: &[u8]) -> Result<(), Error> {
        self.sequence += 1;
        let mut request = Vec::with_capacity(HEADER + body.len());
        request.extend(u32::try_from(HEADER + body.len()).unwrap_or(u32::MAX).to_ne_bytes());
        request.extend(kind.to_ne_bytes());
        request.extend(flags.to_ne_bytes());
        request.extend(self.sequence.to_ne_bytes());
        request.extend(0_u32.to_ne_bytes());
        request.extend(body);
        net::send(&self.fd, &request, SendFlags::empty())?;
        Ok(())
    }

    fn receive(
        &mut self,
        single: bool,
        mut each: impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut outcome = Ok(());
        loop {
            let (length, _) = match net::recv(&self.fd, self.buffer.as_mut_slice(), RecvFlags::empty()) {
                Err(Errno::INTR) => continue,
                other => other?,
            };
            let datagram = self.buffer.get(..length).ok_or(Error::Malformed)?;
            if length == 0 {
                return Err(Error::Malformed);
            }
            let mut messages = 0;
            // The rest of an answer is read even after a failure: the next one would begin with it.
            let last = walk(datagram, self.sequence, &mut |message| {
                messages += 1;
                if outcome.is_ok() {
                    outcome = each(message);
                }
                Ok(())
            });
            match last {
                Ok(false) if single && messages > 0 => return outcome,
                Ok(false) => {}
                Ok(true) => return outcome,
                Err(Error::Changed) => outcome = outcome.and(Err(Error::Changed)),
                Err(error) => return Err(error),
            }
        }
    }
}

/// Goes through the messages of one datagram; `true` when the last of an answer was among them.
///
/// # Errors
/// When the kernel answers with a failure, a message is cut, or `each` fails.
pub(crate) fn walk(
    mut datagram: &[u8],
    sequence: u32,
    each: &mut impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<bool, Error> {
    let mut changed = false;
    while !datagram.is_empty() {
        let length = usize::try_from(u32_at(datagram, 0)?).map_err(|_| Error::Malformed)?;
        let kind = u16_at(datagram, 4)?;
        let body = datagram.get(HEADER..length).ok_or(Error::Malformed)?;
        if u32_at(datagram, 8)? == sequence {
            changed |= u16_at(datagram, 6)? & INTERRUPTED != 0;
            match kind {
                NLMSG_DONE if changed => return Err(Error::Changed),
                NLMSG_DONE => return Ok(true),
                NLMSG_ERROR => return Err(failure(body)),
                _ => each(body)?,
            }
        }
        datagram = datagram.get(align(length)..).unwrap_or_default();
    }
    Ok(false)
}

/// `struct nlmsgerr` begins with the negated error number, between 1 and 4095.
fn failure(message: &[u8]) -> Error {
    match u32_at(message, 0).map(u32::wrapping_neg) {
        Ok(code @ 1..=4095) => Errno::from_raw_os_error(code.cast_signed()).into(),
        Ok(_) => Error::Malformed,
        Err(error) => error,
    }
}

/// The attributes in these bytes: type (without its flags) and value.
pub(crate) fn attributes(bytes: &[u8]) -> Attributes<'_> {
    Attributes(bytes)
}

/// As [`attributes`].
pub(crate) struct Attributes<'a>(&'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<(u16, &'a [u8]), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let read = || {
            let length = usize::from(u16_at(self.0, 0)?);
            let value = self.0.get(4..length).ok_or(Error::Malformed)?;
            Ok((length, u16_at(self.0, 2)? & !TYPE_FLAGS, value))
        };
        match read() {
            Ok((length, kind, value)) => {
                self.0 = self.0.get(align(length)..).unwrap_or_default();
                Some(Ok((kind, value)))
            }
            Err(error) => {
                self.0 = &[];
                Some(Err(error))
            }
        }
    }
}

/// Adds an attribute to a request.
pub(crate) fn put(request: &mut Vec<u8>, kind: u16, value: &[u8]) {
    request.extend(u16::try_from(4 + value.len()).unwrap_or(u16::MAX).to_ne_bytes());
    request.extend(kind.to_ne_bytes());
    request.extend(value);
    request.resize(request.len().next_multiple_of(4), 0);
}

/// A string that ends with a zero byte, or with the value.
pub(crate) fn text(value: &[u8]) -> String {
    let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
    String::from_utf8_lossy(value.get(..end).unwrap_or_default()).into_owned()
}

/// `NLMSG_ALIGN`, and `NLA_ALIGN`.
pub(crate) fn align(length: usize) -> usize {
    // Never zero, so that a length of zero cannot stop a walk from ending.
    length.max(1).next_multiple_of(4)
}

/// A number in the byte order of this machine.
///
/// # Errors
/// When the bytes end before it.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Result<u16, Error> {
    Ok(u16::from_ne_bytes(array(bytes, at)?))
}

/// As [`u16_at`].
///
/// # Errors
/// When the bytes end before it.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Result<u32, Error> {
    Ok(u32::from_ne_bytes(array(bytes, at)?))
}

/// A number in the byte order of the network, as nftables writes all of its own.
///
/// # Errors
/// When the bytes end before it.
pub(crate) fn be32(bytes: &[u8]) -> Result<u32, Error> {
    Ok(u32::from_be_bytes(array(bytes, 0)?))
}

/// Some bytes.
///
/// # Errors
/// When the bytes end before them.
pub(crate) fn array<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Error> {
    bytes.get(at..at.saturating_add(N)).and_then(|slice| slice.try_into().ok()).ok_or(Error::Malformed)
}
