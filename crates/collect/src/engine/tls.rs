//! Certificates and keys for a TLS connection to an engine.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use super::endpoint::Tls;

/// Where distributions keep the certificates that they trust, in one file.
const SYSTEM_BUNDLES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];
/// The largest file of certificates that is read.
const MAX_PEM: u64 = 8 << 20;

/// What `ureq` needs to speak TLS as `tls` says.
///
/// # Errors
/// A sentence that names the file that cannot be used.
pub(super) fn config(tls: &Tls) -> Result<TlsConfig, String> {
    let builder = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(provider())
        .disable_verification(tls.skip_verify)
        .client_cert(client_certificate(tls)?);
    if tls.skip_verify {
        return Ok(builder.build());
    }
    let bundle = match &tls.ca {
        Some(ca) => ca.as_path(),
        None => SYSTEM_BUNDLES.map(Path::new).into_iter().find(|path| path.exists()).ok_or(
            "no certificate authority is known to check the engine's certificate against: \
             put its ca.pem into DOCKER_CERT_PATH",
        )?,
    };
    let authorities = certificates(bundle)?;
    Ok(builder.root_certs(RootCerts::new_with_certs(&authorities)).build())
}

/// The cryptography that all TLS of this crate uses.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn client_certificate(tls: &Tls) -> Result<Option<ClientCert>, String> {
    let (Some(cert), Some(key)) = (&tls.cert, &tls.key) else { return Ok(None) };
    let chain = certificates(cert)?;
    let pem = read(key)?;
    let unfit = |why: String| format!("{}: {why}", key.display());
    let der = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| unfit("holds no private key in PEM".into()))?;
    // ureq takes for granted that rustls can use the key.
    provider().key_provider.load_private_key(der).map_err(|e| unfit(e.to_string()))?;
    let private = PrivateKey::from_pem(&pem).map_err(|e| unfit(e.to_string()))?;
    Ok(Some(ClientCert::new_with_certs(&chain, private)))
}

fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, String> {
    let pem = read(path)?;
    let mut found = Vec::new();
    for item in parse_pem(&pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => found.push(certificate),
            Ok(_) => {}
            Err(e) => return Err(format!("{}: {e}", path.display())),
        }
    }
    if found.is_empty() {
        return Err(format!("{}: holds no certificate in PEM", path.display()));
    }
    Ok(found)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_PEM).read_to_end(&mut bytes))
        .map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(bytes)
}
