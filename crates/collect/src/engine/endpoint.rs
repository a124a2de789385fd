//! Where an engine answers, as docker's own `--host` names it.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where an engine answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A unix socket.
    Unix(PathBuf),
    /// A TCP address, plain or with TLS.
    Tcp {
        /// Host name or address; IPv6 without brackets.
        host: String,
        /// Port.
        port: u16,
        /// How TLS is spoken; `None` is plain HTTP.
        tls: Option<Tls>,
    },
    /// A host that is reached by `ssh HOST docker system dial-stdio`.
    Ssh {
        /// Login name, where it is not the default.
        user: Option<String>,
        /// Host name, as ssh_config(5) knows it.
        host: String,
        /// Port, where it is not the default.
        port: Option<u16>,
        /// The engine's socket on that host, where it is not the default.
        socket: Option<PathBuf>,
    },
}

/// How TLS is spoken to an engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Certificates that the engine's must lead to; the system's where `None`.
    pub ca: Option<PathBuf>,
    /// Client certificate.
    pub cert: Option<PathBuf>,
    /// Client key.
    pub key: Option<PathBuf>,
    /// Whether the engine's certificate is not checked (`--tls` without `--tlsverify`).
    pub skip_verify: bool,
}

/// Why an engine's address cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct EndpointError {
    /// What is wrong.
    pub problem: String,
    /// What to try next.
    pub hint: String,
}

impl EndpointError {
    pub(super) fn new(problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { problem: problem.into(), hint: hint.into() }
    }
}

const FORMS: &str =
    "write /path/to/docker.sock, unix:///path/to/docker.sock, tcp://HOST:PORT or ssh://USER@HOST";

impl Endpoint {
    /// Reads an engine's address: a path, `unix://`, `tcp://`, `http://`, `https://` or `ssh://`.
    ///
    /// `tls` is how TLS is spoken to a `tcp://` address (docker's `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH`);
    /// without it the address is plain HTTP. `https://` without it checks against the system's certificates.
    ///
    /// # Errors
    /// When the address has no such form, with a hint that shows one.
    pub fn parse(address: &str, tls: Option<&Tls>) -> Result<Self, EndpointError> {
        let address = address.trim();
        if address.is_empty() {
            return Err(EndpointError::new("the engine's address is empty", FORMS));
        }
        match address.split_once("://") {
            None if address.starts_with('/') => Ok(Self::Unix(PathBuf::from(address))),
            None => Err(EndpointError::new(format!("`{address}` is no address of an engine"), FORMS)),
            Some(("unix", path)) if path.starts_with('/') => Ok(Self::Unix(PathBuf::from(path))),
            Some(("unix", path)) => Err(EndpointError::new(
                format!("`{path}` is no absolute path"),
                "write three slashes: unix:///var/run/docker.sock",
            )),
            Some(("tcp" | "http", rest)) => tcp(rest, tls.cloned()),
            Some(("https", rest)) => tcp(rest, Some(tls.cloned().unwrap_or_default())),
            Some(("ssh", rest)) => ssh(rest),
            Some(("fd", _)) => Err(EndpointError::new(
                "fd:// is an address for the daemon alone",
                "name the socket that systemd opens for it, such as unix:///var/run/docker.sock",
            )),
            Some((scheme, _)) => Err(EndpointError::new(format!("`{scheme}://` is not understood"), FORMS)),
        }
    }

    /// The path of a unix socket.
    pub fn unix_path(&self) -> Option<&Path> {
        match self {
            Self::Unix(path) => Some(path),
            _ => None,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { host, port, .. } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port, .. } => write!(f, "tcp://{host}:{port}"),
            Self::Ssh { user, host, port, socket } => {
                f.write_str("ssh://")?;
                if let Some(user) = user {
                    write!(f, "{user}@")?;
                }
                f.write_str(host)?;
                if let Some(port) = port {
                    write!(f, ":{port}")?;
                }
                socket.as_ref().map_or(Ok(()), |path| write!(f, "{}", path.display()))
            }
        }
    }
}

/// `HOST[:PORT]`; docker's default ports are 2375, and 2376 with TLS.
fn tcp(rest: &str, tls: Option<Tls>) -> Result<Endpoint, EndpointError> {
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains(['/', '@', '?', '#']) || authority.chars().any(char::is_whitespace) {
        return Err(EndpointError::new(format!("`{rest}` is no HOST:PORT"), "write tcp://HOST:PORT"));
    }
    let (host, port) = host_and_port(authority)?;
    let port = port.unwrap_or(if tls.is_some() { 2376 } else { 2375 });
    let host = if host.is_empty() { "127.0.0.1" } else { host };
    Ok(Endpoint::Tcp { host: host.to_owned(), port, tls })
}

/// `[USER@]HOST[:PORT][/SOCKET]`.
fn ssh(rest: &str) -> Result<Endpoint, EndpointError> {
    let (authority, socket) = match rest.find('/') {
        Some(at) => (&rest[..at], Some(&rest[at..]).filter(|path| *path != "/")),
        None => (rest, None),
    };
    let (user, address) = match authority.rsplit_once('@') {
        Some((user, address)) => (Some(user), address),
        None => (None, authority),
    };
    if user.is_some_and(|user| user.contains(':')) {
        return Err(EndpointError::new(
            "an ssh:// address holds no password",
            "use a key: load it into ssh-agent, or name it in ~/.ssh/config",
        ));
    }
    let (host, port) = host_and_port(address)?;
    // A leading dash would be an option to ssh(1).
    let unfit = |part: &str| {
        part.is_empty() || part.starts_with('-') || part.chars().any(|c| c.is_whitespace() || c.is_control())
    };
    if unfit(host) || user.is_some_and(unfit) {
        return Err(EndpointError::new(format!("`{rest}` names no host"), "write ssh://USER@HOST"));
    }
    // The path is handed to a shell on the other host.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._+-".contains(c);
    if let Some(path) = socket.filter(|path| !path.chars().all(is_plain)) {
        let problem = format!("the socket's path `{path}` has characters that a shell could misread");
        return Err(EndpointError::new(problem, "make a link with a plain name on that host, and name it"));
    }
    Ok(Endpoint::Ssh {
        user: user.map(str::to_owned),
        host: host.to_owned(),
        port,
        socket: socket.map(PathBuf::from),
    })
}

fn host_and_port(authority: &str) -> Result<(&str, Option<u16>), EndpointError> {
    let split = if let Some(rest) = authority.strip_prefix('[') {
        rest.split_once(']').map(|(host, port)| (host, port.strip_prefix(':')))
    } else {
        match authority.rsplit_once(':') {
            Some((host, port)) => (!host.contains(':')).then_some((host, Some(port))),
            None => Some((authority, None)),
        }
    };
    let Some((host, port)) = split else {
        return Err(EndpointError::new(
            format!("`{authority}` is no HOST:PORT"),
            "write an IPv6 address in brackets: [::1]:2376",
        ));
    };
    let number = port.filter(|port| !port.is_empty()).map(str::parse::<u16>).transpose();
    let number = number.map_err(|_| {
        EndpointError::new(format!("`{authority}` has no port between 1 and 65535"), "write HOST:PORT")
    })?;
    Ok((host, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(address: &str) -> Endpoint {
        Endpoint::parse(address, None).unwrap()
    }

    #[test]
    fn unix_sockets_have_two_spellings() {
        let socket = Endpoint::Unix("/run/docker.sock".into());
        assert_eq!(parse("/run/docker.sock"), socket);
        assert_eq!(parse("unix:///run/docker.sock"), socket);
        assert_eq!(socket.to_string(), "unix:///run/docker.sock");
    }

    #[test]
    fn tcp_has_dockers_default_ports() {
        assert_eq!(parse("tcp://db1"), Endpoint::Tcp { host: "db1".into(), port: 2375, tls: None });
        assert_eq!(parse("tcp://:2375").to_string(), "tcp://127.0.0.1:2375");
        assert_eq!(parse("tcp://[::1]:99").to_string(), "tcp://[::1]:99");
        let tls = Tls { ca: Some("/certs/ca.pem".into()), ..Tls::default() };
        let endpoint = Endpoint::parse("tcp://db1", Some(&tls)).unwrap();
        assert_eq!(endpoint, Endpoint::Tcp { host: "db1".into(), port: 2376, tls: Some(tls) });
        let https = parse("https://db1:443/");
        assert_eq!(https, Endpoint::Tcp { host: "db1".into(), port: 443, tls: Some(Tls::default()) });
    }

    #[test]
    fn ssh_names_user_port_and_socket() {
        let endpoint = parse("ssh://ops@db1:2222/run/user/1000/docker.sock");
        let expected = Endpoint::Ssh {
            user: Some("ops".into()),
            host: "db1".into(),
            port: Some(2222),
            socket: Some("/run/user/1000/docker.sock".into()),
        };
        assert_eq!(endpoint, expected);
        assert_eq!(endpoint.to_string(), "ssh://ops@db1:2222/run/user/1000/docker.sock");
        assert_eq!(parse("ssh://db1").to_string(), "ssh://db1");
    }

    #[test]
    fn what_is_no_address_is_refused_with_a_hint() {
        let refused = [
            "",
            "docker.sock",
            "./docker.sock",
            "unix://docker.sock",
            "tcp://db1:x",
            "tcp://db1:70000",
            "tcp://::1:2375",
            "tcp://db1/path",
            "tcp://a@b",
            "ssh://",
            "ssh://-oProxyCommand=x",
            "ssh://-l@db1",
            "ssh://u:p@db1",
            "ssh://a b",
            "ssh://a/run/x;reboot",
            "fd://",
            "npipe:////./pipe/docker_engine",
        ];
        for address in refused {
            let error = Endpoint::parse(address, None).unwrap_err();
            assert!(!error.problem.is_empty() && !error.hint.is_empty(), "{address}");
        }
    }
}
