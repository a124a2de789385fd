//! The servers of Docker Content Trust for tests: Debian's notary-server and notary-signer on loopback, with everything they
//! and their clients keep below one directory. Taken in by each live test that needs them.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(20);
const PASSPHRASE: &str = "a passphrase of tests";

/// Running servers; stopped when dropped.
pub(crate) struct NotaryServers {
    folder: TempDir,
    /// `127.0.0.1:PORT` of notary-server.
    authority: String,
    server: Child,
    signer: Child,
}

impl NotaryServers {
    /// Starts both. Trust data is kept in memory: Debian's notary has no other store of its own.
    pub(crate) fn start() -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("plt").tempdir().map_err(|error| error.to_string())?;
        let dir = folder.path();
        certificates(dir)?;
        let (authority, signer_authority) = (free_port()?, free_port()?);
        configure(dir, &authority, &signer_authority)?;
        let signer = launch(dir, "notary-signer", &signer_authority)?;
        let server = launch(dir, "notary-server", &authority)?;
        Ok(Self { folder, authority, server, signer })
    }

    /// Ends the server, as a crash would.
    pub(crate) fn kill(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }

    /// Where everything is; docker's client configuration is in `docker`, that of notary's client in `client.json`.
    pub(crate) fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// The address of the server.
    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.authority)
    }

    /// The certificate of its authority.
    pub(crate) fn ca(&self) -> PathBuf {
        self.dir().join("ca.crt")
    }

    /// Gives a client what it needs to sign and to verify with a server.
    pub(crate) fn prepare<'c>(&self, command: &'c mut Command, server: &str) -> &'c mut Command {
        command.env("DOCKER_CONFIG", self.dir().join("docker")).env("DOCKER_CONTENT_TRUST_SERVER", server);
        for variable in [
            "DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE",
            "DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE",
            "NOTARY_ROOT_PASSPHRASE",
            "NOTARY_TARGETS_PASSPHRASE",
            "NOTARY_SNAPSHOT_PASSPHRASE",
        ] {
            command.env(variable, PASSPHRASE);
        }
        command.stdin(Stdio::null())
    }
}

impl Drop for NotaryServers {
    fn drop(&mut self) {
        self.kill();
        let _ = self.signer.kill();
        let _ = self.signer.wait();
    }
}

fn launch(dir: &Path, name: &str, authority: &str) -> Result<Child, String> {
    let log = dir.join(format!("{name}.log"));
    let stderr = File::create(&log).map_err(|error| error.to_string())?;
    let mut process = Command::new(name)
        .arg("-config")
        .arg(dir.join(format!("{name}.json")))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .map_err(|error| format!("{name}: {error}"))?;
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE && process.try_wait().is_ok_and(|ended| ended.is_none()) {
        if TcpStream::connect(authority).is_ok() {
            return Ok(process);
        }
        thread::sleep(Duration::from_millis(50));
    }
    let _ = process.kill();
    let _ = process.wait();
    Err(format!("{name} does not answer:\n{}", fs::read_to_string(log).unwrap_or_default()))
}

fn configure(dir: &Path, server: &str, signer: &str) -> Result<(), String> {
    let file = |name: &str| dir.join(name).display().to_string();
    let (signer_host, signer_port) = signer.split_once(':').unwrap_or_default();
    let memory = json!({"backend": "memory"});
    let documents = [
        (
            "notary-signer.json",
            json!({"server": {"grpc_addr": signer, "tls_cert_file": file("server.crt"),
                "tls_key_file": file("server.key"), "client_ca_file": file("ca.crt")}, "storage": memory}),
        ),
        (
            "notary-server.json",
            json!({"server": {"http_addr": server, "tls_cert_file": file("server.crt"),
                "tls_key_file": file("server.key")}, "storage": memory,
                "trust_service": {"type": "remote", "hostname": signer_host, "port": signer_port,
                "key_algorithm": "ecdsa", "tls_ca_file": file("ca.crt"), "tls_client_cert": file("server.crt"),
                "tls_client_key": file("server.key")}}),
        ),
        (
            "client.json",
            json!({"trust_dir": file("docker/trust"),
                "remote_server": {"url": format!("https://{server}"), "root_ca": file("ca.crt")}}),
        ),
    ];
    let authority = dir.join("docker/tls").join(server);
    fs::create_dir_all(&authority).map_err(|error| error.to_string())?;
    fs::copy(dir.join("ca.crt"), authority.join("ca.crt")).map_err(|error| error.to_string())?;
    fs::write(dir.join("docker/config.json"), "{}").map_err(|error| error.to_string())?;
    documents.into_iter().try_for_each(|(name, document)| {
        fs::write(dir.join(name), document.to_string()).map_err(|error| format!("{name}: {error}"))
    })
}

/// An authority, and one certificate of it, with which the servers know each other too.
fn certificates(dir: &Path) -> Result<(), String> {
    let script = "key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256'
        openssl req -x509 $key -days 2 -subj /CN=ca -keyout ca.key -out ca.crt \
            -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
        openssl req $key -subj /CN=server -keyout server.key -out server.csr
        printf 'subjectAltName=IP:127.0.0.1\\nextendedKeyUsage=serverAuth,clientAuth\\n' > ext
        openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -sha256 -extfile ext -out server.crt";
    let made = Command::new("sh").args(["-ec", script]).current_dir(dir).output();
    let made = made.map_err(|error| format!("openssl: {error}"))?;
    match made.status.success() {
        true => Ok(()),
        false => Err(format!("openssl: {}", String::from_utf8_lossy(&made.stderr))),
    }
}

fn free_port() -> Result<String, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    Ok(listener.local_addr().map_err(|error| error.to_string())?.to_string())
}
