//! Notation's trust store (Notary Project, "Trust store"): `truststore/x509/TYPE/NAME/*.{pem,crt,cer}`.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

/// The largest file, in bytes.
const LARGEST: u64 = 1 << 20;
/// The most certificates of all stores together.
const MOST: usize = 1_000;
/// Kinds of stores: roots of signers, of signing authorities, and of timestamp authorities.
pub(super) const OF_SIGNERS: &str = "ca";
pub(super) const OF_AUTHORITIES: &str = "signingAuthority";
pub(super) const OF_TIMESTAMPS: &str = "tsa";

/// The certificates of those of the named stores that are of one kind, in DER.
///
/// # Errors
/// A sentence that names what cannot be used: a store counts whole or not at all.
pub(super) fn roots(directory: &Path, stores: &[String], kind: &str) -> Result<Vec<Vec<u8>>, String> {
    let mut found = Vec::new();
    for name in stores.iter().filter_map(|store| store.strip_prefix(kind)?.strip_prefix(':')) {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        if name.is_empty() || name.starts_with('.') || !name.bytes().all(is_plain) {
            return Err(format!("{name:?} is no name of a trust store"));
        }
        let store = directory.join("truststore/x509").join(kind).join(name);
        let unfit = |why: String| format!("trust store {}: {why}", store.display());
        for entry in fs::read_dir(&store).map_err(|error| unfit(error.to_string()))? {
            let path = entry.map_err(|error| unfit(error.to_string()))?.path();
            let read = certificates(&path).map_err(|why| unfit(format!("{}: {why}", path.display())))?;
            found.extend(read);
            if found.len() > MOST {
                return Err(unfit(format!("more than {MOST} certificates")));
            }
        }
    }
    Ok(found)
}

/// The certificates of a file, which must be a regular one: no links, no directories.
fn certificates(path: &Path) -> Result<Vec<Vec<u8>>, String> {
    if !fs::symlink_metadata(path).is_ok_and(|file| file.is_file()) {
        return Err("it is no regular file".to_owned());
    }
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST).read_to_end(&mut bytes));
    read.map_err(|error| error.to_string())?;
    let parsed = match bytes.starts_with(b"-----BEGIN") {
        true => Certificate::load_pem_chain(&bytes),
        false => Certificate::from_der(&bytes).map(|certificate| vec![certificate]),
    };
    let parsed = parsed.map_err(|error| format!("it holds no certificate: {error}"))?;
    parsed.iter().map(|certificate| certificate.to_der().map_err(|error| error.to_string())).collect()
}
