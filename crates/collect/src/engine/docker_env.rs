//! Which engine docker's own client would use: `DOCKER_HOST`, contexts, and the certificates that belong to them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::endpoint::{Endpoint, EndpointError, Tls};

/// The largest file of docker's client configuration that is read.
const MAX_FILE: u64 = 1 << 20;
/// The most contexts that are looked through.
const MAX_CONTEXTS: usize = 1000;
/// The context that stands for `DOCKER_HOST` and the default socket.
const DEFAULT_CONTEXT: &str = "default";

/// The variables that docker's client reads.
#[derive(Clone, Debug, Default)]
pub struct DockerEnvironment {
    variables: BTreeMap<String, String>,
}

/// What matters of `contexts/meta/ID/meta.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ContextMeta {
    name: String,
    #[serde(default)]
    endpoints: BTreeMap<String, ContextEndpoint>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ContextEndpoint {
    #[serde(rename = "Host")]
    host: String,
    #[serde(rename = "SkipTLSVerify")]
    skip_tls_verify: bool,
}

impl DockerEnvironment {
    /// An environment with these variables.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { variables: variables.into_iter().collect() }
    }

    /// The environment of this process.
    pub fn of_this_process() -> Self {
        let text =
            std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
        Self::new(text.filter(|(name, _)| name.starts_with("DOCKER_") || name == "HOME"))
    }

    /// The engine that the environment names; `None` where it names none, so that the host's sockets decide.
    ///
    /// The order is docker's: `DOCKER_HOST`, `DOCKER_CONTEXT`, `currentContext` of config.json.
    ///
    /// # Errors
    /// When what is named cannot be used, with a hint.
    pub fn endpoint(&self) -> Result<Option<Endpoint>, EndpointError> {
        if let Some(host) = self.get("DOCKER_HOST") {
            return self.named(host).map(Some);
        }
        match self.get("DOCKER_CONTEXT") {
            Some(name) => self.context(name),
            None => match self.current_context()? {
                Some(name) => self.context(&name),
                None => Ok(None),
            },
        }
    }

    /// The engine at this address (`--host`), with TLS as `DOCKER_TLS_VERIFY`, `DOCKER_TLS` and `DOCKER_CERT_PATH`
    /// say.
    ///
    /// # Errors
    /// When the address has no known form, with a hint.
    pub fn named(&self, address: &str) -> Result<Endpoint, EndpointError> {
        let verify = self.get("DOCKER_TLS_VERIFY").is_some();
        if !verify && self.get("DOCKER_TLS").is_none() {
            return Endpoint::parse(address, None);
        }
        let directory = self.get("DOCKER_CERT_PATH").map(PathBuf::from).or_else(|| self.config_dir());
        let directory = directory.ok_or_else(|| {
            EndpointError::new(
                "TLS is asked for, but it is not known where the certificates are",
                "set DOCKER_CERT_PATH to the directory of ca.pem, cert.pem and key.pem",
            )
        })?;
        let tls = Tls { ca: Some(directory.join("ca.pem")), ..certificates(&directory, !verify) };
        Endpoint::parse(address, Some(&tls))
    }

    /// The engine of a docker context; `None` for the context `default`, which names no engine of its own.
    ///
    /// # Errors
    /// When there is no such context, or it cannot be read, with a hint.
    pub fn context(&self, name: &str) -> Result<Option<Endpoint>, EndpointError> {
        if name == DEFAULT_CONTEXT {
            return Ok(None);
        }
        let contexts = self.config_dir().unwrap_or_default().join("contexts");
        let missing = || {
            EndpointError::new(
                format!("docker context `{name}` is not in {}", contexts.display()),
                "`docker context ls` lists the contexts; --host names an engine without one",
            )
        };
        let (id, meta) = find_context(&contexts.join("meta"), name).ok_or_else(missing)?;
        let Some(endpoint) = meta.endpoints.get("docker").filter(|endpoint| !endpoint.host.is_empty()) else {
            return Ok(None);
        };
        let directory = contexts.join("tls").join(id).join("docker");
        let tls = certificates(&directory, endpoint.skip_tls_verify);
        let speaks_tls = tls.ca.is_some() || tls.cert.is_some() || endpoint.skip_tls_verify;
        Endpoint::parse(&endpoint.host, speaks_tls.then_some(&tls)).map(Some)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The server of Docker Content Trust that is asked instead of the registry's own (`DOCKER_CONTENT_TRUST_SERVER`).
    pub fn content_trust_server(&self) -> Option<&str> {
        self.get("DOCKER_CONTENT_TRUST_SERVER")
    }

    /// Where docker's client keeps its configuration: `DOCKER_CONFIG`, else `.docker` in the home.
    pub fn config_dir(&self) -> Option<PathBuf> {
        let named = self.get("DOCKER_CONFIG").map(PathBuf::from);
        named.or_else(|| self.get("HOME").map(|home| Path::new(home).join(".docker")))
    }

    fn current_context(&self) -> Result<Option<String>, EndpointError> {
        #[derive(Deserialize)]
        struct Config {
            #[serde(default, rename = "currentContext")]
            current_context: String,
        }
        let Some(path) = self.config_dir().map(|directory| directory.join("config.json")) else {
            return Ok(None);
        };
        let unreadable = |why: String| {
            EndpointError::new(
                format!("{}: {why}", path.display()),
                "mend the file, or name the engine with --host",
            )
        };
        let bytes = match read(&path) {
            Ok(bytes) => bytes,
            // As docker's client: a home that is somebody else's names no context.
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => {
                return Ok(None);
            }
            Err(e) => return Err(unreadable(e.to_string())),
        };
        let config: Config = serde_json::from_slice(&bytes).map_err(|e| unreadable(e.to_string()))?;
        Ok(Some(config.current_context).filter(|name| !name.is_empty()))
    }
}

/// Docker names a context's directory after a digest of its name; the name stands inside as well.
fn find_context(meta: &Path, name: &str) -> Option<(String, ContextMeta)> {
    std::fs::read_dir(meta).ok()?.take(MAX_CONTEXTS).find_map(|entry| {
        let entry = entry.ok()?;
        let bytes = read(&entry.path().join("meta.json")).ok()?;
        let meta = parse_context(&bytes)?;
        (meta.name == name).then_some((entry.file_name().into_string().ok()?, meta))
    })
}

pub(super) fn parse_context(bytes: &[u8]) -> Option<ContextMeta> {
    serde_json::from_slice(bytes).ok()
}

/// The certificates that are in a directory under docker's names.
fn certificates(directory: &Path, skip_verify: bool) -> Tls {
    let file = |name: &str| Some(directory.join(name)).filter(|path| path.exists());
    Tls { ca: file("ca.pem"), cert: file("cert.pem"), key: file("key.pem"), skip_verify }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn environment(variables: &[(&str, &str)]) -> DockerEnvironment {
        DockerEnvironment::new(variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
    }

    /// A `~/.docker` as docker 20.10 writes it, with a context that was made by
    /// `docker context create far --docker host=tcp://db1:2376,ca=…,cert=…,key=…`.
    fn docker_config(current: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let meta = dir.path().join("contexts/meta/7c2e");
        fs::create_dir_all(&meta).unwrap();
        let json = r#"{"Name":"far","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://db1","SkipTLSVerify":false}}}"#;
        fs::write(meta.join("meta.json"), json).unwrap();
        let tls = dir.path().join("contexts/tls/7c2e/docker");
        fs::create_dir_all(&tls).unwrap();
        for name in ["ca.pem", "cert.pem", "key.pem"] {
            fs::write(tls.join(name), "").unwrap();
        }
        fs::write(
            dir.path().join("config.json"),
            format!(r#"{{"auths":{{}},"currentContext":"{current}"}}"#),
        )
        .unwrap();
        dir
    }

    #[test]
    fn nothing_named_leaves_it_to_the_host() {
        assert_eq!(environment(&[]).endpoint(), Ok(None));
        let dir = docker_config("default");
        let home = dir.path().to_str().unwrap();
        assert_eq!(environment(&[("DOCKER_CONFIG", home), ("DOCKER_HOST", "")]).endpoint(), Ok(None));
    }

    #[test]
    fn the_order_is_dockers() {
        let dir = docker_config("far");
        let config = ("DOCKER_CONFIG", dir.path().to_str().unwrap());
        let tls = dir.path().join("contexts/tls/7c2e/docker");
        let far = Endpoint::Tcp {
            host: "db1".into(),
            port: 2376,
            tls: Some(Tls {
                ca: Some(tls.join("ca.pem")),
                cert: Some(tls.join("cert.pem")),
                key: Some(tls.join("key.pem")),
                skip_verify: false,
            }),
        };
        assert_eq!(environment(&[config]).endpoint(), Ok(Some(far)));
        assert_eq!(environment(&[config, ("DOCKER_CONTEXT", "default")]).endpoint(), Ok(None));
        let host = ("DOCKER_HOST", "unix:///x.sock");
        let both = environment(&[config, host, ("DOCKER_CONTEXT", "absent")]);
        assert_eq!(both.endpoint(), Ok(Some(Endpoint::Unix("/x.sock".into()))));
    }

    #[test]
    fn what_is_named_and_missing_is_an_error_with_a_hint() {
        let dir = docker_config("gone");
        let config = ("DOCKER_CONFIG", dir.path().to_str().unwrap());
        let error = environment(&[config]).endpoint().unwrap_err();
        assert!(error.problem.contains("`gone`") && error.hint.contains("docker context ls"));
        fs::write(dir.path().join("config.json"), "{").unwrap();
        assert!(environment(&[config]).endpoint().unwrap_err().problem.contains("config.json"));
        assert!(environment(&[("DOCKER_TLS_VERIFY", "1")]).named("tcp://db1").is_err());
    }

    #[test]
    fn tls_is_taken_from_the_environment() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("cert.pem"), "").unwrap();
        let path = ("DOCKER_CERT_PATH", dir.path().to_str().unwrap());
        let tls = |skip_verify| {
            let (ca, cert) = (Some(dir.path().join("ca.pem")), Some(dir.path().join("cert.pem")));
            Endpoint::Tcp {
                host: "db1".into(),
                port: 2376,
                tls: Some(Tls { ca, cert, key: None, skip_verify }),
            }
        };
        assert_eq!(environment(&[path, ("DOCKER_TLS_VERIFY", "0")]).named("tcp://db1"), Ok(tls(false)));
        assert_eq!(environment(&[path, ("DOCKER_TLS", "1")]).named("tcp://db1"), Ok(tls(true)));
        let plain = Endpoint::Tcp { host: "db1".into(), port: 2375, tls: None };
        assert_eq!(environment(&[path]).named("tcp://db1"), Ok(plain));
    }
}
