//! Fetches an archive over HTTP: only when it changed, and from where it stopped.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use ureq::Agent;
use ureq::http::{HeaderMap, StatusCode, header};
use ureq::tls::{RootCerts, TlsConfig};

/// The largest archive that is fetched: all of npm has 0.2 GB, all of OSV 1 GB.
const LARGEST: u64 = 4 << 30;

/// Why an archive was not fetched. What was fetched so far stays for the next try.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The server could not be reached, or the connection broke.
    #[error("{url}: {why}")]
    Transport {
        /// What was asked for.
        url: String,
        /// What went wrong.
        why: String,
    },
    /// The server answered with something else than the archive.
    #[error("{url}: the server answers {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
    },
    /// It is larger than any real archive.
    #[error("{url}: larger than {LARGEST} bytes")]
    TooLarge {
        /// What was asked for.
        url: String,
    },
    /// It cannot be kept.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

/// By what a server knows the version of an archive that is here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Validator {
    /// `ETag`.
    #[serde(default)]
    pub(crate) etag: Option<String>,
    /// `Last-Modified`.
    #[serde(default)]
    pub(crate) last_modified: Option<String>,
}

/// What a fetch found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fetched {
    /// The server has nothing newer.
    Unchanged,
    /// The file at the given path is whole and new.
    New(Validator),
}

/// An HTTP client for archives: certificates are checked against those that the system trusts.
pub(crate) fn agent() -> Agent {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(provider)
        .root_certs(RootCerts::PlatformVerifier)
        .build();
    Agent::config_builder()
        .tls_config(tls)
        .timeout_connect(Some(Duration::from_secs(20)))
        .timeout_recv_response(Some(Duration::from_secs(60)))
        .http_status_as_error(false)
        .max_redirects(5)
        .user_agent(concat!("plimsoll/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}

/// Fetches `url` into `target`. `known` is what an earlier fetch answered. A half that an earlier try left beside the
/// target is completed where the server still has the same version. `progress` is told bytes done and in all.
///
/// # Errors
/// When the server does not give the archive, or it cannot be kept.
pub(crate) fn fetch(
    agent: &Agent,
    url: &str,
    target: &Path,
    known: Option<&Validator>,
    progress: &dyn Fn(u64, Option<u64>),
) -> Result<Fetched, FetchError> {
    let part = Part::beside(target);
    let (done, half) = part.state();
    let mut request = agent.get(url);
    if let Some(etag) = half.as_ref().and_then(|half| half.etag.as_ref()).filter(|_| done > 0) {
        request = request.header(header::RANGE, format!("bytes={done}-")).header(header::IF_RANGE, etag);
    } else if let Some(known) = known {
        if let Some(etag) = &known.etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        } else if let Some(date) = &known.last_modified {
            request = request.header(header::IF_MODIFIED_SINCE, date);
        }
    }
    let transport = |why: String| FetchError::Transport { url: url.to_owned(), why };
    let response = request.call().map_err(|error| transport(error.to_string()))?;
    let validator = validator(response.headers());
    let from = match response.status() {
        StatusCode::NOT_MODIFIED => return Ok(Fetched::Unchanged),
        StatusCode::OK => 0,
        StatusCode::PARTIAL_CONTENT if starts_at(response.headers(), done) => done,
        StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::PARTIAL_CONTENT => {
            part.discard();
            return fetch(agent, url, target, known, progress);
        }
        status => return Err(FetchError::Status { url: url.to_owned(), status: status.as_u16() }),
    };
    let total = length(response.headers()).map(|rest| from + rest);
    part.begin(from, &validator)?;
    let mut body = response.into_body().into_with_config().limit(LARGEST + 1).reader();
    let received =
        part.append(&mut body, from, |done| progress(done, total)).map_err(|failure| match failure {
            Failure::Network(why) => transport(why),
            Failure::TooLarge => FetchError::TooLarge { url: url.to_owned() },
            Failure::Disk(source) => FetchError::Io { path: part.path.clone(), source },
        })?;
    if total.is_some_and(|total| total != received) {
        return Err(transport(format!(
            "the connection ended after {received} bytes; the next try goes on from there"
        )));
    }
    part.finish(target)?;
    Ok(Fetched::New(validator))
}

fn validator(headers: &HeaderMap) -> Validator {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    Validator { etag: text(header::ETAG), last_modified: text(header::LAST_MODIFIED) }
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether a partial answer goes on where the half ends.
fn starts_at(headers: &HeaderMap, done: u64) -> bool {
    let range = headers.get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {done}-")))
}

/// A half-fetched file, and which version it is of.
struct Part {
    path: PathBuf,
    about: PathBuf,
}

enum Failure {
    Network(String),
    TooLarge,
    Disk(io::Error),
}

impl Part {
    fn beside(target: &Path) -> Self {
        let with = |ending: &str| {
            let mut name = target.file_name().unwrap_or_default().to_owned();
            name.push(ending);
            target.with_file_name(name)
        };
        Self { path: with(".part"), about: with(".part.json") }
    }

    fn state(&self) -> (u64, Option<Validator>) {
        let done = fs::metadata(&self.path).map_or(0, |file| file.len());
        let about = fs::read(&self.about).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        (done, about)
    }

    fn discard(&self) {
        // What is not there need not be removed; anything else shows when it is written again.
        let _ = fs::remove_file(&self.path);
        let _ = fs::remove_file(&self.about);
    }

    fn begin(&self, from: u64, validator: &Validator) -> Result<(), FetchError> {
        if from > 0 {
            return Ok(());
        }
        self.discard();
        let about = serde_json::to_vec(validator).unwrap_or_default();
        fs::write(&self.about, about).map_err(|source| FetchError::Io { path: self.about.clone(), source })
    }

    fn append(&self, body: &mut impl Read, from: u64, progress: impl Fn(u64)) -> Result<u64, Failure> {
        let mut file =
            OpenOptions::new().create(true).append(true).open(&self.path).map_err(Failure::Disk)?;
        let mut buffer = vec![0; 128 << 10];
        let mut done = from;
        loop {
            let read = body.read(&mut buffer).map_err(|error| Failure::Network(error.to_string()))?;
            if read == 0 {
                file.sync_all().map_err(Failure::Disk)?;
                return Ok(done);
            }
            done += read as u64;
            if done > LARGEST {
                return Err(Failure::TooLarge);
            }
            file.write_all(buffer.get(..read).unwrap_or_default()).map_err(Failure::Disk)?;
            progress(done);
        }
    }

    fn finish(&self, target: &Path) -> Result<(), FetchError> {
        let rename = fs::rename(&self.path, target)
            .and_then(|()| File::open(target.parent().unwrap_or(Path::new(".")))?.sync_all());
        rename.map_err(|source| FetchError::Io { path: target.to_owned(), source })?;
        self.discard();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    /// Serves each answer to one request, and tells the requests' headers.
    fn serve(answers: Vec<Vec<u8>>) -> (String, mpsc::Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/all.zip", listener.local_addr().unwrap());
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = String::new();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                while reader.read_line(&mut request).unwrap() > 2 {}
                tell.send(request.to_ascii_lowercase()).unwrap();
                stream.write_all(&answer).unwrap();
            }
        });
        (url, told)
    }

    fn answer(head: &str, body: &str) -> Vec<u8> {
        format!("HTTP/1.1 {head}\r\nconnection: close\r\n\r\n{body}").into_bytes()
    }

    #[test]
    fn goes_on_where_it_stopped() {
        let (url, told) = serve(vec![
            answer("200 OK\r\netag: \"1\"\r\ncontent-length: 10", "01234"),
            answer(
                "206 Partial Content\r\netag: \"1\"\r\ncontent-range: bytes 5-9/10\r\ncontent-length: 5",
                "56789",
            ),
            answer("304 Not Modified\r\netag: \"1\"", ""),
        ]);
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("all.zip");
        let get = |known: Option<&Validator>| fetch(&agent(), &url, &target, known, &|_, _| ());
        assert!(matches!(get(None), Err(FetchError::Transport { .. })));
        assert!(!target.exists());
        let Fetched::New(validator) = get(None).unwrap() else { panic!("it is new") };
        assert_eq!(fs::read_to_string(&target).unwrap(), "0123456789");
        assert_eq!(get(Some(&validator)).unwrap(), Fetched::Unchanged);
        let requests: Vec<String> = told.iter().take(3).collect();
        assert!(requests[1].contains("range: bytes=5-") && requests[1].contains("if-range: \"1\""));
        assert!(requests[2].contains("if-none-match: \"1\""));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_new_version_begins_anew() {
        let (url, _told) = serve(vec![
            answer("200 OK\r\netag: \"1\"\r\ncontent-length: 10", "01234"),
            answer("200 OK\r\netag: \"2\"\r\ncontent-length: 3", "abc"),
            answer("404 Not Found\r\ncontent-length: 0", ""),
        ]);
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("all.zip");
        assert!(fetch(&agent(), &url, &target, None, &|_, _| ()).is_err());
        fetch(&agent(), &url, &target, None, &|_, _| ()).unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "abc");
        let missing = fetch(&agent(), &url, &target, None, &|_, _| ());
        assert!(matches!(missing, Err(FetchError::Status { status: 404, .. })));
        assert_eq!(fs::read_to_string(&target).unwrap(), "abc");
    }
}
