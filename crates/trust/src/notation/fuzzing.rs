//! What a registry has as a signature of Notation, and what a policy may hold.

use jiff::Timestamp;
use plimsoll_registry::Digest;

use super::chain::Chain;
use super::envelope::{Asked, verify};
use super::policy::Policy;

/// A JWS envelope, a certificate, and a trust policy.
pub fn jws(bytes: &[u8]) {
    let digest = Digest::of(b"");
    let identities = ["*".to_owned()];
    let asked = Asked { digest: &digest, roots: &[], identities: &identities, now: Timestamp::UNIX_EPOCH };
    let _ = verify(bytes, &asked);
    let _ = Chain::parse(&[bytes.to_vec()]).and_then(|chain| chain.check(Timestamp::UNIX_EPOCH));
    let _ = Policy::parse(bytes);
}
