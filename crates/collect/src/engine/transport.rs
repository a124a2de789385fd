//! Carries HTTP over a unix socket, or over the standard streams of a child process.

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::sockopt::{Timeout as SocketTimeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvFlags, SocketAddrUnix, SocketFlags, SocketType, connect, recv, socket_with,
};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};
use ureq::{Error, Timeout};

use super::endpoint::Endpoint;

/// Time to wait for an engine to take a connection.
pub(super) const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// What is connected to.
#[derive(Debug)]
pub(super) enum Stream {
    /// An address of a unix socket, which may lead through `/proc/self/fd`.
    Unix(PathBuf),
    /// A program whose standard streams carry the connection.
    Child { program: &'static str, args: Vec<String> },
}

impl Stream {
    /// `ssh HOST docker system dial-stdio`, as docker's own client does it, and never asking for a password.
    pub(super) fn ssh(endpoint: &Endpoint) -> Self {
        let mut args: Vec<String> =
            ["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5"].map(str::to_owned).into();
        if let Endpoint::Ssh { user, host, port, socket } = endpoint {
            if let Some(user) = user {
                args.extend(["-l".to_owned(), user.clone()]);
            }
            if let Some(port) = port {
                args.extend(["-p".to_owned(), port.to_string()]);
            }
            args.extend(["--".to_owned(), host.clone(), "docker".to_owned()]);
            if let Some(socket) = socket {
                args.push(format!("--host=unix://{}", socket.display()));
            }
            args.extend(["system".to_owned(), "dial-stdio".to_owned()]);
        }
        Self::Child { program: "ssh", args }
    }
}

/// Makes connections to one place, whatever the address in the request.
#[derive(Debug)]
pub(super) struct StreamConnector(pub(super) Stream);

impl Connector for StreamConnector {
    type Out = StreamTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _chained: Option<()>,
    ) -> Result<Option<StreamTransport>, Error> {
        let (stream, child) = match &self.0 {
            Stream::Unix(path) => (connect_unix(path)?, None),
            Stream::Child { program, args } => {
                let (ours, theirs) = UnixStream::pair()?;
                let (input, output) = (OwnedFd::from(theirs.try_clone()?), OwnedFd::from(theirs));
                let child =
                    Command::new(program).args(args).stdin(Stdio::from(input)).stdout(output).spawn()?;
                (ours, Some(ChildGuard(child)))
            }
        };
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Some(StreamTransport { stream, buffers, read_limit: None, write_limit: None, _child: child }))
    }
}

/// Connects, and gives up where the engine's queue of connections stays full.
pub(super) fn connect_unix(path: &Path) -> io::Result<UnixStream> {
    let address = SocketAddrUnix::new(path)?;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    // For unix sockets, connect(2) waits as long as a send would (unix(7)).
    set_socket_timeout(&socket, SocketTimeout::Send, Some(CONNECT_LIMIT))?;
    connect(&socket, &address).map_err(|errno| match errno {
        Errno::AGAIN => io::Error::new(io::ErrorKind::TimedOut, "it does not accept connections"),
        other => other.into(),
    })?;
    set_socket_timeout(&socket, SocketTimeout::Send, None)?;
    Ok(UnixStream::from(socket))
}

/// Ends the process that carries a connection when the connection is dropped.
#[derive(Debug)]
struct ChildGuard(Child);

impl Drop for ChildGuard {
    fn drop(&mut self) {
        // Its pipe is closed already; a process that hangs in spite of that would be left behind.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A connection over a unix stream.
#[derive(Debug)]
pub(super) struct StreamTransport {
    stream: UnixStream,
    buffers: LazyBuffers,
    read_limit: Option<Duration>,
    write_limit: Option<Duration>,
    _child: Option<ChildGuard>,
}

impl Transport for StreamTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let limit = coarse(timeout);
        if limit != self.write_limit {
            self.stream.set_write_timeout(limit)?;
            self.write_limit = limit;
        }
        let output = self.buffers.output().get(..amount).ok_or(Error::ConnectionFailed)?;
        self.stream.write_all(output).map_err(|e| timed_out(e, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        if timeout.after.is_zero() {
            return Err(Error::Timeout(timeout.reason));
        }
        let limit = coarse(timeout);
        if limit != self.read_limit {
            self.stream.set_read_timeout(limit)?;
            self.read_limit = limit;
        }
        let amount = loop {
            match self.stream.read(self.buffers.input_append_buf()) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => break other.map_err(|e| timed_out(e, timeout))?,
            }
        };
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        // Between two requests there is nothing to read: data or an end means that the connection is of no use.
        let peeked = recv(&self.stream, &mut [0_u8; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT);
        matches!(peeked, Err(Errno::AGAIN))
    }
}

/// The time that is left, in whole seconds while it is long, so that the socket's limit is rarely set anew.
fn coarse(timeout: NextTimeout) -> Option<Duration> {
    let left = *timeout.after;
    let coarse = if left > Duration::from_secs(2) { Duration::from_secs(left.as_secs() + 1) } else { left };
    (!timeout.after.is_not_happening()).then_some(coarse)
}

fn timed_out(error: io::Error, timeout: NextTimeout) -> Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Error::Timeout(timeout.reason),
        _ => Error::Io(error),
    }
}

/// Looks no name up: the connector knows where to go.
#[derive(Debug)]
pub(super) struct NoLookup;

impl Resolver for NoLookup {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let mut addresses = self.empty();
        addresses.push(std::net::SocketAddr::from(([0, 0, 0, 0], 0)));
        Ok(addresses)
    }
}

/// Whether an error says that time ran out.
pub(super) fn is_timeout(error: &Error) -> bool {
    match error {
        Error::Timeout(reason) => !matches!(reason, Timeout::Await100),
        Error::Io(e) => e.kind() == io::ErrorKind::TimedOut,
        _ => false,
    }
}
