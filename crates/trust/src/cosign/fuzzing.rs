//! What a registry has as a signature, and what may be signed in it.

use jiff::Timestamp;
use plimsoll_registry::Digest;

use super::signers::Signers;
use super::statement::Statement;
use super::{CosignKey, Subject, bundle, simple};
use crate::keyless::fuzzing::own_root;
use crate::{Keyless, Refusal, RefusalKind};

/// A bundle; a statement or payload in it, as if one of the keys had signed it; and a public key.
pub(crate) fn bundle(bytes: &[u8]) {
    let digest = Digest::of(b"");
    let manifest = || Err(Refusal::new(RefusalKind::Unavailable, "nobody is asked"));
    let subject = Subject { digest: &digest, repository: "r.example/app", manifest: &manifest };
    let keys = Signers::Keys(CosignKey::from_pem("x", bytes).into_iter().collect());
    let _ = bundle::verify(bytes, &subject, &keys);
    let _ = own_root().map(|root| {
        let keyless = Signers::Keyless(Keyless::new(root, Vec::new(), Timestamp::MAX));
        bundle::verify(bytes, &subject, &keyless).is_ok()
    });
    let _ = Statement::read(bytes, &digest);
    let _ = simple::require_payload(bytes, &digest);
}
