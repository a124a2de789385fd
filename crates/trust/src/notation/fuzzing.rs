//! What a registry has as a signature of Notation, and what a policy may hold.

use jiff::Timestamp;
use plimsoll_registry::{Digest, Options};

use super::chain::Chain;
use super::envelope::{Asked, Envelope};
use super::policy::{Action, Policy, When};
use super::revocation::Revocation;
use crate::Refusal;

/// A JWS envelope, a certificate, and a trust policy.
pub fn jws(bytes: &[u8]) {
    verify(super::jws::open(bytes));
    let _ = Chain::parse(&[bytes.to_vec()]).and_then(|chain| chain.check());
    let _ = Policy::parse(bytes);
}

/// A COSE envelope.
pub fn cose(bytes: &[u8]) {
    verify(super::cose::open(bytes));
}

fn verify(envelope: Result<Envelope, Refusal>) {
    let digest = Digest::of(b"");
    let identities = ["*".to_owned()];
    let registry = Options { offline: true, ..Options::default() };
    let revocation = Revocation::new(None, registry, Timestamp::UNIX_EPOCH);
    let asked = Asked {
        digest: &digest,
        roots: &[],
        authority_roots: &[],
        timestamp_roots: &[],
        timestamps: When::Always,
        identities: &identities,
        revocation: &revocation,
        if_revoked: Action::Enforce,
        now: Timestamp::UNIX_EPOCH,
    };
    let _ = envelope.and_then(|envelope| envelope.verify(&asked));
}
