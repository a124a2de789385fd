//! What docker's own client would show to a registry: `auths` of its config.json (docker/cli, `cli/config`).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::error::{Error, Result};

/// The largest config.json that is read, in bytes.
const MAX_CONFIG: u64 = 1 << 20;
/// Under what `docker login` keeps the credentials of Docker Hub.
const HUB: &str = "index.docker.io";

/// What is known of how to show who asks. Not printable, because it is secret.
#[derive(Default)]
pub(crate) struct Credentials {
    pub(crate) login: Option<Login>,
    /// The credential helper that docker would ask; it is a program, which is not run.
    pub(crate) helper: Option<String>,
}

/// What is shown.
pub(crate) enum Login {
    /// User and password, as `user:password` in base64.
    Basic(String),
    /// A token with which a token server gives others (OAuth 2 refresh token).
    Identity(String),
    /// A token for the registry itself.
    Registry(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Config {
    auths: BTreeMap<String, Entry>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
    registrytoken: String,
}

impl Credentials {
    /// What a config.json holds for a registry; nothing where there is no such file, or it is somebody else's.
    ///
    /// # Errors
    /// When it cannot be read, or is not what docker writes.
    pub(crate) fn read(path: &Path, registry: &str) -> Result<Self> {
        let unfit = |why: String| Error::Configuration { path: path.to_owned(), why };
        let mut bytes = Vec::new();
        match File::open(path).and_then(|file| file.take(MAX_CONFIG).read_to_end(&mut bytes)) {
            Ok(_) => {}
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => {
                return Ok(Self::default());
            }
            Err(e) => return Err(unfit(e.to_string())),
        }
        Self::parse(&bytes, registry).map_err(unfit)
    }

    pub(crate) fn parse(json: &[u8], registry: &str) -> Result<Self, String> {
        // The message of a parser could repeat a secret.
        let config: Config = serde_json::from_slice(json)
            .map_err(|e| format!("not as docker writes it, at line {}, column {}", e.line(), e.column()))?;
        let host = if registry == "docker.io" { HUB } else { registry };
        let entry = config.auths.iter().find(|(name, _)| host_of(name) == host).map(|(_, entry)| entry);
        let named = config.cred_helpers.iter().find(|(name, _)| host_of(name) == host).map(|(_, name)| name);
        let helper = named.or(Some(&config.creds_store)).filter(|name| !name.is_empty()).cloned();
        Ok(Self { login: entry.and_then(Entry::login), helper })
    }
}

impl Entry {
    fn login(&self) -> Option<Login> {
        if !self.registrytoken.is_empty() {
            return Some(Login::Registry(self.registrytoken.clone()));
        }
        if !self.identitytoken.is_empty() {
            return Some(Login::Identity(self.identitytoken.clone()));
        }
        if !self.username.is_empty() {
            return Some(Login::Basic(STANDARD.encode(format!("{}:{}", self.username, self.password))));
        }
        // Docker pads the text with zero bytes; what is sent must be the text alone.
        let plain = STANDARD.decode(&self.auth).ok()?;
        let text = plain.split(|byte| *byte == 0).next().filter(|text| text.contains(&b':'))?;
        Some(Login::Basic(STANDARD.encode(text)))
    }
}

/// The host in what config.json uses as a key: `https://HOST/v1/`, or the host alone.
fn host_of(key: &str) -> &str {
    let rest = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    rest.split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(json: &str, registry: &str) -> Option<String> {
        match Credentials::parse(json.as_bytes(), registry).unwrap().login? {
            Login::Basic(text) => Some(String::from_utf8(STANDARD.decode(text).unwrap()).unwrap()),
            Login::Identity(token) => Some(format!("identity {token}")),
            Login::Registry(token) => Some(format!("registry {token}")),
        }
    }

    #[test]
    fn logins_of_docker() {
        let json = r#"{"auths": {
            "https://index.docker.io/v1/": {"auth": "aHViOnB3"},
            "r.example:5000": {"username": "u", "password": "p:w"},
            "https://azure.example": {"auth": "MDA6", "identitytoken": "t"},
            "token.example": {"registrytoken": "r"},
            "broken.example": {"auth": "!"},
            "kept.example": {}
        }, "credHelpers": {"kept.example": "pass"}}"#;
        assert_eq!(basic(json, "docker.io").unwrap(), "hub:pw");
        assert_eq!(basic(json, "r.example:5000").unwrap(), "u:p:w");
        assert_eq!(basic(json, "azure.example").unwrap(), "identity t");
        assert_eq!(basic(json, "token.example").unwrap(), "registry r");
        for none in ["r.example", "broken.example", "kept.example", "evil.example"] {
            assert_eq!(basic(json, none), None, "{none}");
        }
        let helper = |registry| Credentials::parse(json.as_bytes(), registry).unwrap().helper;
        assert_eq!(helper("kept.example").as_deref(), Some("pass"));
        assert_eq!(helper("r.example:5000"), None);
    }

    #[test]
    fn errors_repeat_no_secret() {
        let error = Credentials::parse(br#"{"auths": "SECRET"}"#, "x").err().unwrap();
        assert!(!error.contains("SECRET"), "{error}");
        assert!(Credentials::read(Path::new("/nonexistent/config.json"), "x").is_ok());
    }
}
