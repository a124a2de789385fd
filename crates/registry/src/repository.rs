//! One repository of a registry.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use ureq::Body;
use ureq::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use ureq::http::{Method, Response, StatusCode, Uri};

use crate::auth::Auth;
use crate::blob::Blob;
use crate::connections::Connections;
use crate::credentials::Credentials;
use crate::digest::Digest;
use crate::documents::{Descriptor, INDEX_TYPES, MANIFEST_TYPES, media_type};
use crate::error::{Error, Result};
use crate::http::{Answer, Http, Limits, PlainHttp, Question, content, failed};
use crate::reference::{Reference, is_tag};
use crate::tls;

/// The largest manifest or index, in bytes; registries refuse larger ones (OCI distribution specification).
pub const MAX_DOCUMENT: u64 = 4 << 20;
/// The largest error message that is read, in bytes, and repeated, in characters.
const MAX_MESSAGE: (u64, usize) = (16 << 10, 200);
/// Where a registry tells the digest of what it answers with.
const DIGEST_HEADER: &str = "docker-content-digest";

/// How registries are spoken to.
#[derive(Clone, Debug)]
pub struct Options {
    /// Registries, `host[:port]`, that are spoken to in plain HTTP.
    pub plain_http: Vec<String>,
    /// Where docker keeps authorities for one registry each: `DIRECTORY/REGISTRY/ca.crt`.
    pub certificates: PathBuf,
    /// Docker's own client configuration, for its credentials.
    pub docker_config: Option<PathBuf>,
    /// Bounds on time.
    pub limits: Limits,
    /// Whether nobody is asked: everything is unavailable then.
    pub offline: bool,
    /// Connections that are kept alive; clones of the options share them.
    pub connections: Connections,
}

impl Default for Options {
    /// TLS for all but loopback, docker's certificates, no credentials.
    fn default() -> Self {
        Self {
            plain_http: Vec::new(),
            certificates: PathBuf::from("/etc/docker/certs.d"),
            docker_config: None,
            limits: Limits::default(),
            offline: false,
            connections: Connections::default(),
        }
    }
}

impl Options {
    /// How a server is shown who asks for a repository: by what docker keeps for its registry.
    pub(crate) fn auth(&self, registry: &str, repository: &str, base: &str) -> Result<Arc<Auth>> {
        self.connections.auth(base, || {
            let credentials = match &self.docker_config {
                Some(path) => Credentials::read(path, registry)?,
                None => Credentials::default(),
            };
            Ok(Auth::new(credentials, repository))
        })
    }
}

/// One repository of a registry; nothing is connected before something is asked for. May be used by several threads.
pub struct Repository {
    /// Registry and repository, for errors.
    pub(crate) name: String,
    pub(crate) base: String,
    pub(crate) http: Http,
    pub(crate) auth: Arc<Auth>,
}

/// A manifest or index, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What it is: its digest is that of the bytes.
    pub descriptor: Descriptor,
    /// The document.
    pub bytes: Vec<u8>,
}

impl Repository {
    /// The repository that a reference is in.
    ///
    /// # Errors
    /// When certificates or credentials that docker keeps for the registry cannot be used.
    pub fn open(reference: &Reference, options: &Options) -> Result<Self> {
        let registry = reference.registry();
        let host = if registry == "docker.io" { "registry-1.docker.io" } else { registry };
        let authorities = tls::authorities_of(&options.certificates, registry)?;
        let plain = PlainHttp(options.plain_http.clone());
        // A loopback registry for which docker keeps an authority speaks TLS.
        let is_named = options.plain_http.iter().any(|named| named.eq_ignore_ascii_case(host));
        let is_plain = is_named || (authorities.is_empty() && plain.admits(host));
        let scheme = if is_plain { "http" } else { "https" };
        let base = format!("{scheme}://{host}/v2/{}", reference.repository());
        Ok(Self {
            name: format!("{registry}/{}", reference.repository()),
            http: Http::new(host, plain, authorities, options)?,
            auth: options.auth(registry, reference.repository(), &base)?,
            base,
        })
    }

    /// What a tag or digest names, without getting it. What follows should be asked for by this digest.
    ///
    /// # Errors
    /// When the registry does not have it, or does not tell.
    pub fn resolve(&self, target: &str) -> Result<Descriptor> {
        let what = self.what("manifest", target);
        let uri = self.manifest_uri(&what, target)?;
        let response = self.ask(&what, Method::HEAD, uri, &accepted(), self.http.limits.total)?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let media_type = header(CONTENT_TYPE.as_str()).unwrap_or_default().to_owned();
        let digest = header(DIGEST_HEADER).and_then(|text| text.parse::<Digest>().ok());
        let size = header(CONTENT_LENGTH.as_str()).and_then(|text| text.parse().ok());
        let is_known =
            MANIFEST_TYPES.contains(&media_type.as_str()) || INDEX_TYPES.contains(&media_type.as_str());
        match (digest, size) {
            (Some(digest), Some(size)) if is_known => {
                if target.parse::<Digest>().is_ok_and(|asked| asked != digest) {
                    return Err(content(&what, format!("the registry answers with {digest}")));
                }
                Ok(Descriptor { media_type, ..described(digest, size) })
            }
            _ => Ok(self.manifest(target)?.descriptor),
        }
    }

    /// The manifest or index that a tag or digest names.
    ///
    /// # Errors
    /// When the registry does not have it, or answers with something else.
    pub fn manifest(&self, target: &str) -> Result<Document> {
        let what = self.what("manifest", target);
        let uri = self.manifest_uri(&what, target)?;
        let response = self.ask(&what, Method::GET, uri, &accepted(), self.http.limits.total)?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let named = header(CONTENT_TYPE.as_str()).unwrap_or_default().to_owned();
        let told: Option<Digest> = header(DIGEST_HEADER).and_then(|text| text.parse().ok());
        let bytes = document(&what, response, MAX_DOCUMENT)?;
        let expected = target.parse::<Digest>().ok().or(told);
        if expected.as_ref().is_some_and(|expected| !expected.is_of(&bytes)) {
            return Err(content(&what, "its bytes have another digest".to_owned()));
        }
        let media_type = media_type(&what, &named, &bytes)?;
        let digest = expected.unwrap_or_else(|| Digest::of(&bytes));
        let descriptor = Descriptor { media_type, ..described(digest, bytes.len() as u64) };
        Ok(Document { descriptor, bytes })
    }

    /// The bytes of a blob, to be read in order.
    ///
    /// # Errors
    /// When the registry does not have it, or has one of another size; the rest shows while it is read.
    pub fn blob(&self, descriptor: &Descriptor) -> Result<Blob> {
        let what = self.what("blob", &descriptor.digest.to_string());
        let uri = self.uri(&what, &format!("blobs/{}", descriptor.digest))?;
        let total = self.http.limits.for_blob(descriptor.size);
        let response = self.ask(&what, Method::GET, uri, "*/*", total)?;
        let length =
            response.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if length.is_some_and(|length: u64| length != descriptor.size) {
            return Err(content(&what, format!("it does not have its {} bytes", descriptor.size)));
        }
        Ok(Blob::new(response.into_body().into_reader(), what, descriptor.clone()))
    }

    /// A small blob as a whole.
    ///
    /// # Errors
    /// As [`Self::blob`], and when it is larger than `limit` bytes.
    pub fn blob_bytes(&self, descriptor: &Descriptor, limit: u64) -> Result<Vec<u8>> {
        let what = self.what("blob", &descriptor.digest.to_string());
        if descriptor.size > limit {
            return Err(content(&what, format!("it is larger than {limit} bytes")));
        }
        let mut bytes = Vec::new();
        self.blob(descriptor)?.read_to_end(&mut bytes).map_err(|error| match Error::of_read(&error) {
            Some(known) => known.clone(),
            None => failed(&what, error.into()),
        })?;
        Ok(bytes)
    }

    /// Names something of this repository in an error.
    pub(crate) fn what(&self, kind: &str, name: &str) -> String {
        format!("{}: {kind} {}", self.name, name.chars().take(200).collect::<String>())
    }

    pub(crate) fn uri(&self, what: &str, path: &str) -> Result<Uri> {
        format!("{}/{path}", self.base).parse().map_err(|_| content(what, "its name is none".to_owned()))
    }

    fn manifest_uri(&self, what: &str, target: &str) -> Result<Uri> {
        if !is_tag(target) && target.parse::<Digest>().is_err() {
            return Err(content(what, "it is neither a tag nor a digest".to_owned()));
        }
        self.uri(what, &format!("manifests/{target}"))
    }

    /// Asks the registry, shows it who asks where it wants to know, and answers with success only.
    pub(crate) fn ask(
        &self,
        what: &str,
        method: Method,
        uri: Uri,
        accept: &str,
        total: Duration,
    ) -> Result<Response<Body>> {
        let ask = |authorization: Option<&str>| {
            let (method, uri) = (method.clone(), uri.clone());
            self.http.ask(Question { what, method, uri, accept, authorization, total })
        };
        let mut answer = ask(self.auth.current().as_deref())?;
        // Only the registry itself may ask for credentials, not whom it redirects to (CVE-2020-15157).
        if answer.response.status() == StatusCode::UNAUTHORIZED && answer.is_own {
            let authorization = self.auth.meet(&self.http, what, answer.response.headers())?;
            answer = ask(Some(&authorization))?;
        }
        if answer.response.status() == StatusCode::OK {
            return Ok(answer.response);
        }
        Err(self.refusal(what, answer))
    }

    /// What a status means that is no success.
    fn refusal(&self, what: &str, answer: Answer) -> Error {
        let status = answer.response.status();
        let what = what.to_owned();
        let why = format!("the registry answers {}{}", status.as_u16(), message(answer.response));
        match status.as_u16() {
            404 | 410 => Error::NotFound { what },
            401 | 403 => self.auth.refused(&what, &why),
            408 | 429 | 500.. => Error::Unavailable { what, why },
            _ => Error::Content { what, why },
        }
    }
}

fn described(digest: Digest, size: u64) -> Descriptor {
    let media_type = String::new();
    Descriptor {
        media_type,
        digest,
        size,
        artifact_type: None,
        platform: None,
        annotations: Default::default(),
    }
}

/// Every kind of manifest that is covered.
fn accepted() -> String {
    [MANIFEST_TYPES, INDEX_TYPES].concat().join(", ")
}

/// The whole body of an answer, of at most `limit` bytes.
pub(crate) fn document(what: &str, response: Response<Body>, limit: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = response.into_body().into_reader().take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|error| failed(what, error.into()))?;
    if bytes.len() as u64 > limit {
        return Err(content(what, format!("it is larger than {limit} bytes")));
    }
    Ok(bytes)
}

/// The registry's own words, after a colon; nothing where it has none.
fn message(response: Response<Body>) -> String {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<Detail>,
    }
    #[derive(Deserialize)]
    struct Detail {
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: String,
    }
    let mut body = Vec::new();
    // Half a message is better than none, and none is no error.
    let _ = response.into_body().into_reader().take(MAX_MESSAGE.0).read_to_end(&mut body);
    let errors: Option<Errors> = serde_json::from_slice(&body).ok();
    let Some(first) = errors.and_then(|found| found.errors.into_iter().next()) else { return String::new() };
    let text = format!(": {} {}", first.code, first.message);
    text.trim_end().chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_MESSAGE.1).collect()
}
