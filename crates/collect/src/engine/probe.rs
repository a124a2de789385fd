//! What a TCP listener of this host demands of those who connect: asked with `GET /_ping`, which changes nothing.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use plimsoll_facts::TlsState;
use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, Stream};

use super::tls;

/// Time for each step: connecting, sending, receiving.
const STEP_LIMIT: Duration = Duration::from_secs(2);
/// Of an answer, what is read.
const MAX_ANSWER: usize = 4096;
const REQUEST: &[u8] =
    b"GET /_ping HTTP/1.1\r\nHost: localhost\r\nUser-Agent: plimsoll\r\nConnection: close\r\n\r\n";
/// How Go's server answers plain HTTP on a TLS port.
const WANTS_TLS: &str = "HTTP request to an HTTPS server";

/// What a listener showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// Whether it answered as the Engine API does.
    pub(super) is_api: bool,
    /// What it demands.
    pub(super) tls: TlsState,
}

/// Asks a listener of this host; TLS first where it is expected, so that the daemon has nothing to complain about.
pub(super) fn ask(address: SocketAddr, expect_tls: bool) -> Shown {
    let address = own(address);
    let nothing = Shown { is_api: false, tls: TlsState::Unknown };
    if expect_tls {
        encrypted(address).or_else(|| plain(address)).unwrap_or(nothing)
    } else {
        plain(address).or_else(|| encrypted(address)).unwrap_or(nothing)
    }
}

/// A listener on every address is asked on the loopback.
pub(super) fn own(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, STEP_LIMIT)?;
    stream.set_read_timeout(Some(STEP_LIMIT))?;
    stream.set_write_timeout(Some(STEP_LIMIT))?;
    Ok(stream)
}

fn plain(address: SocketAddr) -> Option<Shown> {
    let answer = exchange(connect(address).ok()?).ok()?;
    let is_http = answer.starts_with("HTTP/1.") && !answer.contains(WANTS_TLS);
    is_http.then(|| Shown { is_api: is_api(&answer), tls: TlsState::Plain })
}

fn encrypted(address: SocketAddr) -> Option<Shown> {
    let wanted = Arc::new(AskedForCertificate::default());
    let mut connection = ClientConnection::new(config(&wanted)?, ServerName::from(address.ip())).ok()?;
    let mut stream = connect(address).ok()?;
    let answer = match connection.complete_io(&mut stream) {
        Ok(_) => exchange(Stream::new(&mut connection, &mut stream)),
        Err(error) => Err(error),
    };
    match answer {
        Ok(answer) if answer.starts_with("HTTP/1.") => {
            Some(Shown { is_api: is_api(&answer), tls: TlsState::ServerOnly })
        }
        // Asked for a certificate and turned away without one.
        _ if wanted.0.load(Ordering::Relaxed) => Some(Shown { is_api: false, tls: TlsState::Mutual }),
        _ => None,
    }
}

/// Sends the request, and reads as much of the answer as comes.
fn exchange(mut stream: impl Read + Write) -> io::Result<String> {
    stream.write_all(REQUEST)?;
    stream.flush()?;
    let mut answer = Vec::new();
    let mut buffer = [0; MAX_ANSWER];
    while answer.len() < MAX_ANSWER {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => answer.extend_from_slice(buffer.get(..read).unwrap_or_default()),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(_) if !answer.is_empty() => break,
            Err(e) => return Err(e),
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The Engine API names its version in each answer.
fn is_api(answer: &str) -> bool {
    answer.lines().take_while(|line| !line.is_empty()).any(|line| {
        let name = line.split(':').next().unwrap_or_default();
        name.eq_ignore_ascii_case("Api-Version") || name.eq_ignore_ascii_case("Libpod-Api-Version")
    })
}

fn config(wanted: &Arc<AskedForCertificate>) -> Option<Arc<ClientConfig>> {
    let provider = tls::provider();
    let builder =
        ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    // Nothing is told to the other side, and nothing that it says is believed: whose certificate it shows is no
    // matter here.
    let builder = builder.ok()?.dangerous().with_custom_certificate_verifier(Arc::new(AnyServer(provider)));
    let resolver: Arc<dyn ResolvesClientCert> = Arc::<AskedForCertificate>::clone(wanted);
    Some(Arc::new(builder.with_client_cert_resolver(resolver)))
}

/// Has no client certificate, and notes whether one was asked for.
#[derive(Debug, Default)]
struct AskedForCertificate(AtomicBool);

impl ResolvesClientCert for AskedForCertificate {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Takes every server for the right one.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// Answers each connection with these bytes, once it has read something.
    fn server(answer: &'static [u8]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut stream = stream;
                let _ = stream.read(&mut [0; 1024]);
                let _ = stream.write_all(answer);
            }
        });
        address
    }

    #[test]
    fn a_plain_engine_shows_itself() {
        let engine = server(b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\nOK");
        assert_eq!(ask(engine, false), Shown { is_api: true, tls: TlsState::Plain });
        assert_eq!(ask(engine, true), Shown { is_api: true, tls: TlsState::Plain });
        let other = server(b"HTTP/1.1 404 Not Found\r\n\r\nApi-Version: 1");
        assert_eq!(ask(other, false), Shown { is_api: false, tls: TlsState::Plain });
    }

    #[test]
    fn what_does_not_answer_stays_unknown() {
        let unknown = Shown { is_api: false, tls: TlsState::Unknown };
        assert_eq!(ask(server(b""), false), unknown);
        assert_eq!(ask(server(b"SSH-2.0-OpenSSH_9.2\r\n"), false), unknown);
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert_eq!(ask(closed, false), unknown);
    }

    #[test]
    fn every_address_is_asked_on_the_loopback() {
        assert_eq!(own("0.0.0.0:1".parse().unwrap()), "127.0.0.1:1".parse().unwrap());
        assert_eq!(own("[::]:1".parse().unwrap()), "[::1]:1".parse().unwrap());
        assert_eq!(own("10.0.0.1:1".parse().unwrap()), "10.0.0.1:1".parse().unwrap());
    }
}
