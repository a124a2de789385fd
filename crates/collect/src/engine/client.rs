//! One keep-alive connection to an engine's API, with bounds on time and size.

use std::cell::{Cell, RefCell};
use std::io::Read;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::http::{Response, StatusCode};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector, RustlsConnector, TcpConnector};
use ureq::{Agent, Body, Timeout};

use super::endpoint::Endpoint;
use super::tls;
use super::transport::{CONNECT_LIMIT, NoLookup, Stream, StreamConnector, is_timeout};

/// The newest API version whose answers this build knows (Docker Engine API v1.52, Docker 29).
const NEWEST_API: ApiVersion = ApiVersion(1, 52);
/// The largest answer that is read.
const MAX_BODY: u64 = 64 << 20;
/// Time that an engine gets.
const LIMITS: Limits = Limits {
    call: Duration::from_secs(30),
    later_call: Duration::from_secs(5),
    all: Duration::from_secs(300),
};
/// Calls that may run out of time before the engine is given up.
const MAX_TIMEOUTS: u32 = 4;
/// Of an error message from the engine, what is repeated.
const MAX_MESSAGE: usize = 300;

/// A connection to one engine.
pub(super) struct Client {
    agent: Agent,
    base: String,
    prefix: String,
    body: RefCell<Vec<u8>>,
    limits: Limits,
    started: Instant,
    timeouts: Cell<u32>,
    given_up: RefCell<Option<String>>,
}

/// Bounds on time.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// For one call, its answer included.
    call: Duration,
    /// For one call once another one has run out of time.
    later_call: Duration,
    /// For all calls together; none begins after it.
    all: Duration,
}

/// Why a call to the engine has no result.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    /// Nobody answers there, so that no further call is made.
    #[error("{0}")]
    Unreachable(String),
    /// The engine was given up after an earlier call.
    #[error("not asked: {0}")]
    GivenUp(String),
    /// The engine knows no such thing.
    #[error("the engine answers 404: {0}")]
    NotFound(String),
    /// The engine refuses or fails.
    #[error("the engine answers {status}: {message}")]
    Status {
        /// HTTP status.
        status: u16,
        /// The engine's message.
        message: String,
    },
    /// The answer did not arrive whole.
    #[error("the answer did not arrive whole: {0}")]
    Incomplete(String),
    /// The answer is not what the API promises.
    #[error("the answer is not as the API describes it: {0}")]
    Malformed(String),
}

/// A version of the Engine API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ApiVersion(u32, u32);

impl ApiVersion {
    fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.trim().split_once('.')?;
        Some(Self(major.parse().ok()?, minor.parse().ok()?))
    }
}

impl Client {
    /// Prepares a client of a unix socket; nothing is connected yet.
    pub(super) fn of_socket(path: PathBuf) -> Self {
        Self::of_stream(Stream::Unix(path))
    }

    /// Prepares a client; nothing is connected yet.
    ///
    /// # Errors
    /// A sentence that says which of the endpoint's certificates cannot be used.
    pub(super) fn new(endpoint: &Endpoint) -> Result<Self, String> {
        let Endpoint::Tcp { host, port, tls } = endpoint else {
            return Ok(Self::of_stream(match endpoint {
                Endpoint::Unix(path) => Stream::Unix(path.clone()),
                _ => Stream::ssh(endpoint),
            }));
        };
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let (config, scheme) = match tls {
            Some(tls) => (base_config().tls_config(tls::config(tls)?), "https"),
            None => (base_config(), "http"),
        };
        let connector = ().chain(TcpConnector::default()).chain(RustlsConnector::default());
        let agent = Agent::with_parts(config.build(), connector, DefaultResolver::default());
        Ok(Self::over(agent, format!("{scheme}://{host}:{port}")))
    }

    fn of_stream(stream: Stream) -> Self {
        let agent = Agent::with_parts(base_config().build(), StreamConnector(stream), NoLookup);
        Self::over(agent, "http://engine".to_owned())
    }

    fn over(agent: Agent, base: String) -> Self {
        Self {
            agent,
            base,
            prefix: String::new(),
            body: RefCell::default(),
            limits: LIMITS,
            started: Instant::now(),
            timeouts: Cell::new(0),
            given_up: RefCell::default(),
        }
    }

    /// Speaks the newest API version that both sides know: the engine's range as `GET /version` tells it.
    pub(super) fn negotiate(&mut self, newest: &str, oldest: &str) {
        let theirs = ApiVersion::parse(newest).unwrap_or(NEWEST_API);
        let oldest = ApiVersion::parse(oldest).unwrap_or(theirs).min(theirs);
        let ApiVersion(major, minor) = NEWEST_API.clamp(oldest, theirs);
        self.prefix = format!("/v{major}.{minor}");
    }

    /// Makes a call, and reads its answer.
    ///
    /// # Errors
    /// When the engine does not answer, answers with another status than 200, or with something else than `T`.
    pub(super) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, CallError> {
        let mut body = self.body.borrow_mut();
        self.fetch(path, &mut body)?;
        parse(&body)
    }

    /// Makes a call whose answer is read as it comes, within this time.
    ///
    /// # Errors
    /// When the engine does not answer, or answers with another status than 200.
    pub(super) fn stream(&self, path: &str, limit: Duration) -> Result<impl Read + use<>, CallError> {
        let mut response = self.call(path, limit)?;
        let status = response.status();
        if status == StatusCode::OK {
            return Ok(response.into_body().into_reader());
        }
        let mut body = Vec::new();
        self.read(&mut response, &mut body, limit)?;
        Err(self.refused(status, &body))
    }

    fn fetch(&self, path: &str, body: &mut Vec<u8>) -> Result<(), CallError> {
        let limit = if self.timeouts.get() == 0 { self.limits.call } else { self.limits.later_call };
        let mut response = self.call(path, limit)?;
        let status = response.status();
        self.read(&mut response, body, limit)?;
        if status == StatusCode::OK { Ok(()) } else { Err(self.refused(status, body)) }
    }

    fn call(&self, path: &str, limit: Duration) -> Result<Response<Body>, CallError> {
        if let Some(reason) = &*self.given_up.borrow() {
            return Err(CallError::GivenUp(reason.clone()));
        }
        if self.started.elapsed() > self.limits.all {
            let reason = format!("the engine was asked for {:?} already", self.limits.all);
            self.given_up.replace(Some(reason.clone()));
            return Err(CallError::GivenUp(reason));
        }
        let request = self.agent.get(format!("{}{}{path}", self.base, self.prefix));
        let request = request.config().timeout_global(Some(limit)).build();
        request.call().map_err(|e| self.failed(&e, limit))
    }

    fn read(
        &self,
        response: &mut Response<Body>,
        body: &mut Vec<u8>,
        limit: Duration,
    ) -> Result<(), CallError> {
        body.clear();
        let reader = response.body_mut().as_reader();
        if let Err(error) = reader.take(MAX_BODY + 1).read_to_end(body) {
            return Err(self.cut_off(error, body.len(), limit));
        }
        if body.len() as u64 > MAX_BODY {
            return Err(CallError::Incomplete(format!("it is longer than {} MiB", MAX_BODY >> 20)));
        }
        Ok(())
    }

    /// What another status than 200 means.
    fn refused(&self, status: StatusCode, body: &[u8]) -> CallError {
        match status {
            StatusCode::NOT_FOUND => CallError::NotFound(message(body)),
            StatusCode::BAD_REQUEST if contains(body, b"HTTP request to an HTTPS server") => {
                let reason = "it speaks TLS only: set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH".to_owned();
                self.given_up.replace(Some(reason.clone()));
                CallError::Unreachable(reason)
            }
            other => CallError::Status { status: other.as_u16(), message: message(body) },
        }
    }

    /// What an error before the answer's body means for this call and for those after it.
    fn failed(&self, error: &ureq::Error, limit: Duration) -> CallError {
        use std::io::ErrorKind::{
            BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, PermissionDenied,
            UnexpectedEof,
        };
        let reason = match error {
            ureq::Error::Timeout(Timeout::Connect) => "it does not accept connections".to_owned(),
            error if is_timeout(error) => return self.timed_out(limit),
            ureq::Error::Io(e)
                if matches!(e.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof) =>
            {
                return CallError::Incomplete("the engine closed the connection".to_owned());
            }
            ureq::Error::Io(e) if e.kind() == PermissionDenied => {
                "permission denied: run as root, or as a member of the socket's group".to_owned()
            }
            ureq::Error::Io(e) if e.kind() == ConnectionRefused => {
                "connection refused: no engine listens there now".to_owned()
            }
            ureq::Error::Io(e) => explain(&e.to_string()),
            ureq::Error::Rustls(_) | ureq::Error::Tls(_) => explain(&error.to_string()),
            ureq::Error::HostNotFound => "there is no host of this name".to_owned(),
            ureq::Error::ConnectionFailed => error.to_string(),
            other => return CallError::Malformed(clip(&other.to_string())),
        };
        self.given_up.replace(Some(reason.clone()));
        CallError::Unreachable(reason)
    }

    fn cut_off(&self, error: std::io::Error, read: usize, limit: Duration) -> CallError {
        let error = ureq::Error::from(error);
        if is_timeout(&error) {
            return self.timed_out(limit);
        }
        CallError::Incomplete(format!("it ended after {read} bytes ({error})"))
    }

    fn timed_out(&self, limit: Duration) -> CallError {
        let timeouts = self.timeouts.get() + 1;
        self.timeouts.set(timeouts);
        let reason = format!("the engine did not answer within {limit:?}");
        if timeouts >= MAX_TIMEOUTS {
            self.given_up.replace(Some(format!("{reason}, {timeouts} times")));
        }
        CallError::Incomplete(reason)
    }
}

fn base_config() -> ureq::config::ConfigBuilder<ureq::typestate::AgentScope> {
    // A proxy is for the outside world; an engine is on this host or reached as it is named.
    Agent::config_builder()
        .proxy(None)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_connect(Some(CONNECT_LIMIT))
        .user_agent("plimsoll")
}

/// What to try next, for the usual troubles with TLS.
fn explain(error: &str) -> String {
    let hint = if error.contains("BadCertificate") || error.contains("CertificateRequired") {
        "; the engine demands a client certificate: put cert.pem and key.pem into DOCKER_CERT_PATH"
    } else if error.contains("UnknownIssuer") {
        "; set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the directory of the ca.pem that signed it"
    } else {
        ""
    };
    format!("{error}{hint}")
}

/// Reads a JSON document; where it does not fit, says at which path.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, CallError> {
    serde_json::from_slice(body).map_err(|plain| {
        let deserializer = &mut serde_json::Deserializer::from_slice(body);
        let reason = match serde_path_to_error::deserialize::<_, T>(deserializer) {
            Err(e) if e.path().iter().next().is_some() => format!("{}: {}", e.path(), e.inner()),
            _ => plain.to_string(),
        };
        CallError::Malformed(clip(&reason))
    })
}

/// The engine's own words: `{"message": …}`, or the start of what it sent.
pub(super) fn message(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Message {
        message: String,
    }
    match serde_json::from_slice::<Message>(body) {
        Ok(error) => clip(error.message.trim()),
        Err(_) => clip(String::from_utf8_lossy(body).trim()),
    }
}

fn contains(body: &[u8], words: &[u8]) -> bool {
    body.windows(words.len()).any(|window| window == words)
}

/// At most [`MAX_MESSAGE`] characters, on one line.
fn clip(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::net::UnixListener;

    #[test]
    fn versions_are_negotiated() {
        let speak = |newest: &str, oldest: &str| {
            let mut client = Client::of_socket("/none".into());
            client.negotiate(newest, oldest);
            client.prefix
        };
        assert_eq!(speak("1.41", "1.12"), "/v1.41");
        assert_eq!(speak("1.52", "1.44"), "/v1.52");
        assert_eq!(speak("1.60", "1.44"), "/v1.52");
        // An engine that has left our version behind: its oldest is the nearest.
        assert_eq!(speak("1.70", "1.60"), "/v1.60");
        assert_eq!(speak("", ""), "/v1.52");
        assert_eq!(speak("1.40", "1.50"), "/v1.40");
    }

    /// A server that takes every connection and feeds it `drip` from time to time, for ever.
    fn stalling(drip: &'static [u8]) -> (tempfile::TempDir, Client) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || {
                    let mut stream = stream;
                    while stream.write_all(drip).is_ok() {
                        std::thread::sleep(Duration::from_millis(20));
                    }
                });
            }
        });
        let milliseconds = Duration::from_millis;
        let limits =
            Limits { call: milliseconds(400), later_call: milliseconds(100), all: milliseconds(1000) };
        (dir, Client { limits, ..Client::of_socket(path) })
    }

    #[test]
    fn a_stalling_engine_costs_a_bounded_time() {
        for drip in [&b""[..], b"H", b"HTTP/1.1 200 OK\r\nX: y"] {
            let (_dir, client) = stalling(drip);
            let started = Instant::now();
            for _ in 0..200 {
                assert!(client.get::<u8>("/x").is_err());
            }
            assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
        }
    }

    #[test]
    fn the_last_call_says_that_it_was_not_made() {
        let (_dir, client) = stalling(b"");
        let errors: Vec<String> = (0..6).map(|_| client.get::<u8>("/x").unwrap_err().to_string()).collect();
        assert!(errors[0].contains("within 400ms") && errors[1].contains("within 100ms"), "{errors:?}");
        assert!(errors[5].starts_with("not asked"), "{errors:?}");
    }
}
