//! Whose certificates are trusted: the system's authorities, and those that docker keeps for one registry.

use std::env;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::error::{Error, Result};

/// The largest file of certificates that is read, in bytes.
const MAX_PEM: u64 = 8 << 20;
/// Where distributions keep all authorities in one file: Debian, Alpine and Arch, Fedora, openSUSE. The folders beside hold
/// the same, in a file each.
const BUNDLES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem"];
/// Variables that name others (openssl).
const NAMES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];
/// The most entries of a directory of certificates that are looked at.
const MAX_ENTRIES: usize = 1_000;

/// The files of authorities that docker trusts for one registry beside the system's: `DIRECTORY/REGISTRY/*.crt`
/// (docker documentation, "Verify repository client with certificates").
///
/// # Errors
/// When the directory is there and cannot be read.
pub(crate) fn authorities_of(directory: &Path, registry: &str) -> Result<Vec<PathBuf>> {
    let directory = directory.join(registry);
    let unfit = |error: io::Error| Error::Configuration { path: directory.clone(), why: error.to_string() };
    let entries = match fs::read_dir(&directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(unfit)?,
    };
    let mut files = Vec::new();
    for entry in entries.take(MAX_ENTRIES) {
        let path = entry.map_err(unfit)?.path();
        if path.extension().is_some_and(|extension| extension == "crt") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// What verifies servers: always, against the system's authorities and these files of others.
///
/// # Errors
/// When a file cannot be used.
pub(crate) fn config(authorities: &[PathBuf]) -> Result<TlsConfig> {
    let mut roots = system().to_vec();
    for path in authorities {
        let found = certificates(path).map_err(|why| Error::Configuration { path: path.clone(), why })?;
        roots.extend(found.iter().map(|certificate| Certificate::from_der(certificate).to_owned()));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = TlsConfig::builder().unversioned_rustls_crypto_provider(provider);
    Ok(builder.root_certs(RootCerts::new_with_certs(&roots)).build())
}

/// The system's authorities, which are read once.
fn system() -> &'static [Certificate<'static>] {
    static SYSTEM: OnceLock<Vec<Certificate<'static>>> = OnceLock::new();
    SYSTEM.get_or_init(|| {
        let is_told = NAMES.iter().any(|name| env::var_os(name).is_some());
        let bundle = BUNDLES.iter().map(Path::new).find(|path| !is_told && path.exists());
        let found = match bundle {
            Some(path) => rustls_native_certs::load_certs_from_paths(Some(path), None).certs,
            None => rustls_native_certs::load_native_certs().certs,
        };
        found.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect()
    })
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let mut pem = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(MAX_PEM).read_to_end(&mut pem).map_err(|error| error.to_string())?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let found = found.map_err(|error| error.to_string())?;
    if found.is_empty() { Err("it holds no certificate in PEM".to_owned()) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_of_one_registry() {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("r.example:5000");
        fs::create_dir(&own).unwrap();
        for name in ["ca.crt", "client.cert", "client.key", "other.crt"] {
            fs::write(own.join(name), "x").unwrap();
        }
        let found = authorities_of(dir.path(), "r.example:5000").unwrap();
        assert_eq!(found, [own.join("ca.crt"), own.join("other.crt")]);
        assert_eq!(authorities_of(dir.path(), "r.example").unwrap(), Vec::<PathBuf>::new());
        let error = config(&found).unwrap_err();
        assert!(matches!(error, Error::Configuration { path, .. } if path == own.join("ca.crt")));
    }
}
