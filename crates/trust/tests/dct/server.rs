//! A small server over TLS, whose answers a test decides.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A connection on which a request was read.
pub(crate) type Connection = StreamOwned<ServerConnection, TcpStream>;

/// A server on loopback. Its threads end with the test's process.
pub(crate) struct Server {
    /// `127.0.0.1:PORT`.
    pub(crate) authority: String,
    /// Where its authority is, as docker keeps it.
    pub(crate) authorities: tempfile::TempDir,
}

impl Server {
    /// Begins to serve: `answer` gets the path of each request, and the connection to answer on.
    pub(crate) fn start(answer: impl Fn(&str, &mut Connection) + Send + Sync + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        certificates(folder.path());
        let config = Arc::new(config(folder.path()));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let own = folder.path().join(&authority);
        fs::create_dir(&own).unwrap();
        fs::rename(folder.path().join("ca.crt"), own.join("ca.crt")).unwrap();
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (config, answer) = (Arc::clone(&config), Arc::clone(&answer));
                thread::spawn(move || serve(stream, config, &*answer));
            }
        });
        Self { authority, authorities: folder }
    }

    /// Its address below a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://{}/{path}", self.authority)
    }
}

/// Writes a whole answer.
pub(crate) fn respond(to: &mut Connection, status: &str, headers: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    // A client that has gone away has seen what it wanted.
    let _ = to.write_all(head.as_bytes()).and_then(|()| to.write_all(body)).and_then(|()| to.flush());
}

fn serve(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    answer: &(dyn Fn(&str, &mut Connection) + Send + Sync),
) {
    let mut connection = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
    loop {
        let mut reader = BufReader::with_capacity(1 << 14, &mut connection);
        let mut request = String::new();
        if reader.read_line(&mut request).unwrap_or(0) == 0 {
            return;
        }
        let mut header = String::new();
        while reader.read_line(&mut header).is_ok_and(|read| read > 2) {
            header.clear();
        }
        answer(request.split(' ').nth(1).unwrap_or_default(), &mut connection);
    }
}

fn certificates(folder: &Path) {
    let script = "set -e
        key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256'
        openssl req -x509 $key -days 2 -subj /CN=ca -keyout ca.key -out ca.crt \
            -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
        openssl req $key -subj /CN=server -keyout server.key -out server.csr
        printf 'subjectAltName=IP:127.0.0.1\\nextendedKeyUsage=serverAuth\\n' > ext
        openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -sha256 -extfile ext -out server.crt";
    let made = Command::new("sh").args(["-c", script]).current_dir(folder).output().unwrap();
    assert!(made.status.success(), "openssl: {}", String::from_utf8_lossy(&made.stderr));
}

fn config(folder: &Path) -> ServerConfig {
    let chain =
        CertificateDer::pem_file_iter(folder.join("server.crt")).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    builder
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap()
}
