//! HTTP as far as a registry needs it: bounded in time, TLS verified, redirects followed only where that is harmless.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION};
use ureq::http::{Method, Request, Response, StatusCode, Uri};
use ureq::{Agent, Body};

use crate::connections::ClientKey;
use crate::error::{Error, Result};
use crate::repository::Options;
use crate::tls;

/// Redirects of one request.
const MAX_REDIRECTS: usize = 5;
/// Connections that wait for another question.
const MAX_IDLE: usize = 32;

/// Bounds on time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limits {
    /// Until a server has taken a connection, TLS included.
    pub connect: Duration,
    /// Between two pieces of an answer.
    pub idle: Duration,
    /// For a document, from the question to its last byte; a blob has this, and what it takes at the slowest pace.
    pub total: Duration,
    /// The slowest pace of a blob, in bytes a second.
    pub slowest: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            idle: Duration::from_secs(30),
            total: Duration::from_secs(60),
            slowest: 64 << 10,
        }
    }
}

impl Limits {
    /// Time for a blob of so many bytes.
    pub(crate) fn for_blob(&self, size: u64) -> Duration {
        self.total.saturating_add(Duration::from_secs(size / self.slowest.max(1)))
    }
}

/// A client of one registry and of those that it redirects to.
pub(crate) struct Http {
    agent: Agent,
    plain: PlainHttp,
    pub(crate) limits: Limits,
    offline: bool,
}

/// One question.
pub(crate) struct Question<'a> {
    /// What is asked for, for errors.
    pub(crate) what: &'a str,
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) accept: &'a str,
    pub(crate) authorization: Option<&'a str>,
    /// Time for all of it, redirects and the body included.
    pub(crate) total: Duration,
}

/// An answer, whatever its status.
pub(crate) struct Answer {
    pub(crate) response: Response<Body>,
    /// Whether the server answers that was asked, and not one that it redirected to.
    pub(crate) is_own: bool,
}

/// Hosts that may be spoken to in plain HTTP: loopback, and those that are named.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlainHttp(pub(crate) Vec<String>);

impl PlainHttp {
    /// Whether a host, `name[:port]`, may be.
    pub(crate) fn admits(&self, authority: &str) -> bool {
        is_loopback(host(authority)) || self.0.iter().any(|named| named.eq_ignore_ascii_case(authority))
    }
}

/// The host of `host[:port]`, without the brackets of an IPv6 address.
fn host(authority: &str) -> &str {
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || host.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}

impl Http {
    /// A client of a server, `name[:port]`, that trusts these files of authorities beside the system's.
    ///
    /// # Errors
    /// When a file cannot be used.
    pub(crate) fn new(
        authority: &str,
        plain: PlainHttp,
        authorities: Vec<PathBuf>,
        options: &Options,
    ) -> Result<Self> {
        let key = (authorities, is_loopback(host(authority)), options.limits);
        let agent = options.connections.client(key, client)?;
        Ok(Self { agent, plain, limits: options.limits, offline: options.offline })
    }

    /// Asks, and follows redirects. The authorization is shown to the server that is asked and to no other.
    ///
    /// # Errors
    /// When nobody answers in time, or a redirect leads where none may.
    pub(crate) fn ask(&self, question: Question<'_>) -> Result<Answer> {
        let started = Instant::now();
        let Question { what, mut uri, .. } = question;
        if self.offline {
            return Err(Error::Unavailable {
                what: what.to_owned(),
                why: "no server is asked (--offline)".to_owned(),
            });
        }
        let mut is_own = true;
        for _ in 0..=MAX_REDIRECTS {
            let mut builder = Request::builder().method(&question.method).uri(&uri);
            builder = builder.header(ACCEPT, question.accept);
            if let Some(authorization) = question.authorization.filter(|_| is_own) {
                builder = builder.header(AUTHORIZATION, authorization);
            }
            let request = builder.body(()).map_err(|error| content(what, error.to_string()))?;
            let left = question.total.saturating_sub(started.elapsed());
            let request = self.agent.configure_request(request).timeout_global(Some(left)).build();
            let response = self.agent.run(request).map_err(|error| failed(what, error))?;
            if !is_redirect(response.status()) {
                return Ok(Answer { response, is_own });
            }
            let to = self.follow(what, &uri, &response)?;
            is_own &= origin(&to) == origin(&uri);
            uri = to;
        }
        Err(content(what, format!("the server redirects more than {MAX_REDIRECTS} times")))
    }

    /// Sends a form.
    ///
    /// # Errors
    /// When nobody answers in time.
    pub(crate) fn post_form(&self, what: &str, uri: &Uri, form: &str) -> Result<Response<Body>> {
        let request = Request::post(uri).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = request.body(form).map_err(|error| content(what, error.to_string()))?;
        let request = self.agent.configure_request(request).timeout_global(Some(self.limits.total)).build();
        self.agent.run(request).map_err(|error| failed(what, error))
    }

    /// Where a redirect leads: never from TLS to plain HTTP, and to plain HTTP only where that is allowed.
    fn follow(&self, what: &str, from: &Uri, response: &Response<Body>) -> Result<Uri> {
        let to = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
        let to = to.ok_or_else(|| content(what, "the server redirects to nowhere".to_owned()))?;
        let refused = |why: &str| {
            let to: String = to.chars().take(200).collect();
            content(what, format!("the server redirects to {to:?}, {why}"))
        };
        let uri = resolve(from, to).ok_or_else(|| refused("which is no place"))?;
        if !self.may_ask(&uri) {
            return Err(refused("which is neither HTTPS nor a host to which plain HTTP is allowed"));
        }
        if from.scheme_str() == Some("https") && uri.scheme_str() != Some("https") {
            return Err(refused("which is not encrypted any more"));
        }
        Ok(uri)
    }

    /// Whether this place may be asked: over TLS, or one for which plain HTTP is allowed.
    pub(crate) fn may_ask(&self, uri: &Uri) -> bool {
        let Some(authority) = uri.authority().map(|a| a.as_str()).filter(|a| !a.contains('@')) else {
            return false;
        };
        match uri.scheme_str() {
            Some("https") => true,
            Some("http") => self.plain.admits(authority),
            _ => false,
        }
    }
}

fn client((authorities, is_loopback, limits): &ClientKey) -> Result<Agent> {
    let mut config = Agent::config_builder()
        .tls_config(tls::config(authorities)?)
        .timeout_connect(Some(limits.connect))
        .timeout_per_read(Some(limits.idle))
        .timeout_per_write(Some(limits.idle))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_connections(MAX_IDLE)
        .max_idle_connections_per_host(MAX_IDLE)
        .user_agent(concat!("plimsoll/", env!("CARGO_PKG_VERSION")));
    if *is_loopback {
        // A proxy is for the outside world.
        config = config.proxy(None);
    }
    Ok(config.build().into())
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Scheme, host and port.
pub(crate) fn origin(uri: &Uri) -> Option<(String, String, u16)> {
    let scheme = uri.scheme_str()?;
    let default = if scheme == "https" { 443 } else { 80 };
    Some((scheme.to_owned(), uri.host()?.to_ascii_lowercase(), uri.port_u16().unwrap_or(default)))
}

/// A link as it stands in an answer from `base` (RFC 3986, section 4.2), as far as registries write them: whole, or from
/// the root on.
pub(crate) fn resolve(base: &Uri, link: &str) -> Option<Uri> {
    let (scheme, authority) = (base.scheme_str()?, base.authority()?);
    let whole = if link.starts_with("//") {
        format!("{scheme}:{link}")
    } else if link.starts_with('/') {
        format!("{scheme}://{authority}{link}")
    } else {
        link.to_owned()
    };
    let uri: Uri = whole.parse().ok()?;
    (uri.scheme().is_some() && uri.host().is_some_and(|host| !host.is_empty())).then_some(uri)
}

/// What an error before or within an answer means.
pub(crate) fn failed(what: &str, error: ureq::Error) -> Error {
    let why = match &error {
        ureq::Error::Timeout(_) => "the server is too slow, or does not answer".to_owned(),
        ureq::Error::HostNotFound => "there is no host of this name".to_owned(),
        ureq::Error::Protocol(_) | ureq::Error::Http(_) | ureq::Error::BadUri(_) => {
            return content(what, format!("the answer is no HTTP: {error}"));
        }
        other => other.to_string(),
    };
    Error::Unavailable { what: what.to_owned(), why }
}

pub(crate) fn content(what: &str, why: String) -> Error {
    Error::Content { what: what.to_owned(), why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_and_what_is_named() {
        let plain = PlainHttp(vec!["r.example:5000".to_owned()]);
        for authority in
            ["localhost", "LOCALHOST:5000", "127.0.0.1:5000", "127.9.9.9", "[::1]:5000", "R.example:5000"]
        {
            assert!(plain.admits(authority), "{authority}");
        }
        for authority in
            ["r.example", "localhost.example", "127.0.0.1.example", "128.0.0.1", "[::2]:1", "0.0.0.0"]
        {
            assert!(!plain.admits(authority), "{authority}");
        }
    }

    #[test]
    fn links_are_whole_or_from_the_root() {
        let base: Uri = "https://r.example:5000/v2/x".parse().unwrap();
        let resolved = |link: &str| resolve(&base, link).map(|uri| uri.to_string());
        assert_eq!(resolved("/v2/y?n=1").unwrap(), "https://r.example:5000/v2/y?n=1");
        assert_eq!(resolved("//s.example/y").unwrap(), "https://s.example/y");
        assert_eq!(resolved("http://s.example/y").unwrap(), "http://s.example/y");
        for link in ["", "y", "../y", "file:///etc/passwd", "https://", "https:///y", "\u{0}"] {
            assert_eq!(resolved(link), None, "{link}");
        }
    }
}
