//! Docker Content Trust of the tests' own: a registry, the servers of its signatures, and every client of them.

#[path = "../../../../tests/live/notary_servers.rs"]
mod servers;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use serde_json::Value;
use servers::NotaryServers;

use crate::docker::{LABEL, text};
use crate::registry::docker_registry::DockerRegistry;

/// Docker's clients are looked for here: releases differ in what they verify.
const CLIENTS: [&str; 2] = ["/usr/bin/docker", "/usr/local/bin/docker"];
/// The first release of the client without content trust.
const FIRST_WITHOUT: u32 = 29;

/// A registry and the servers of its signatures; stopped when dropped.
pub(crate) struct Notary {
    pub(crate) servers: NotaryServers,
    pub(crate) registry: DockerRegistry,
}

impl Notary {
    /// Starts all three.
    pub(crate) fn start() -> Result<Self, String> {
        Ok(Self { servers: NotaryServers::start()?, registry: DockerRegistry::start(None)? })
    }

    fn dir(&self) -> &Path {
        self.servers.dir()
    }

    /// Makes this authority known for another server too, as docker keeps it.
    pub(crate) fn trust_server(&self, authority: &str, ca: &Path) -> Result<(), String> {
        let folder = self.dir().join("docker/tls").join(authority);
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        fs::copy(ca, folder.join("ca.crt")).map(drop).map_err(|error| error.to_string())
    }

    /// Makes an image that no other test has, under this name in the registry: answers with its full name.
    pub(crate) fn image(&self, name: &str) -> Result<String, String> {
        let full = format!("{}/{name}", self.registry.authority);
        let content = self.dir().join("content");
        fs::write(&content, format!("{full} {:?}", Instant::now())).map_err(|error| error.to_string())?;
        let script = "tar -cC \"$1\" content | docker import -c \"LABEL $2=\" - \"$3\"";
        let made =
            Command::new("sh").args(["-ec", script, "sh"]).arg(self.dir()).args([LABEL, &full]).output();
        text(made.map_err(|error| error.to_string())?).map(|_| full)
    }

    /// Makes an image, pushes it and signs its tag.
    pub(crate) fn sign(&self, name: &str) -> Result<String, String> {
        let full = self.image(name)?;
        text(self.docker(&clients()?[0], &["push", &full], &self.servers.url())?)?;
        Ok(full)
    }

    /// Makes an image and pushes it without a signature.
    pub(crate) fn push_unsigned(&self, name: &str) -> Result<String, String> {
        let full = self.image(name)?;
        crate::docker::docker(&["push", "-q", &full]).map(|_| full)
    }

    /// Asks one of docker's clients, with content trust switched on.
    pub(crate) fn docker(&self, client: &Path, arguments: &[&str], server: &str) -> Result<Output, String> {
        let mut command = Command::new(client);
        command.args(arguments).env("DOCKER_CONTENT_TRUST", "1");
        self.ask(command, server)
    }

    /// Asks notary's own client.
    pub(crate) fn notary(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new("notary");
        command.arg("-c").arg(self.dir().join("client.json")).args(arguments);
        text(self.ask(command, &self.servers.url())?)
    }

    /// Asks plimsoll, whose trust is kept beside the servers.
    pub(crate) fn plimsoll(&self, arguments: &[&str], server: &str) -> Result<Output, String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.args(arguments).env("PLIMSOLL_TRUST", self.dir().join("plimsoll")).current_dir(self.dir());
        self.ask(command, server)
    }

    /// What plimsoll says of one image.
    pub(crate) fn verify(&self, image: &str, server: &str) -> Result<Value, String> {
        subject(&self.plimsoll(&["verify", "--format", "json", image], server)?)
    }

    fn ask(&self, mut command: Command, server: &str) -> Result<Output, String> {
        self.servers.prepare(&mut command, server).output().map_err(|error| format!("{command:?}: {error}"))
    }

    /// Ids of the root keys that docker's client made.
    pub(crate) fn root_keys(&self) -> Result<Vec<String>, String> {
        let keys =
            fs::read_dir(self.dir().join("docker/trust/private")).map_err(|error| error.to_string())?;
        let is_root = |path: &PathBuf| fs::read_to_string(path).is_ok_and(|text| text.contains("role: root"));
        let paths = keys.flatten().map(|entry| entry.path()).filter(is_root);
        Ok(paths.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect())
    }
}

/// The first subject of a report.
pub(crate) fn subject(output: &Output) -> Result<Value, String> {
    let report: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&output.stderr)))?;
    Ok(report["subjects"][0].clone())
}

/// Fails unless this came out, with these words in its reason.
pub(crate) fn expect(found: &Value, outcome: &str, words: &str) -> Result<(), String> {
    let reason = found["reason"].as_str().unwrap_or_default();
    match found["outcome"] == outcome && reason.contains(words) {
        true => Ok(()),
        false => Err(format!("not {outcome} with {words:?}: {found:#}")),
    }
}

/// Docker's clients that are here and verify signatures.
pub(crate) fn clients() -> Result<Vec<PathBuf>, String> {
    let verifies = |path: &PathBuf| {
        let output = Command::new(path).args(["version", "-f", "{{.Client.Version}}"]).output();
        let version =
            output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        version
            .split('.')
            .next()
            .is_some_and(|major| major.parse().is_ok_and(|major: u32| major < FIRST_WITHOUT))
    };
    let found: Vec<_> = CLIENTS.iter().map(PathBuf::from).filter(verifies).collect();
    if found.is_empty() { Err(format!("no docker client below {FIRST_WITHOUT}")) } else { Ok(found) }
}
