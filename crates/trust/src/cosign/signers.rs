//! Whose signatures count, and who of them made one.

use jiff::Timestamp;
use plimsoll_facts::Voucher;

use super::CosignKey;
use crate::keyless::{Entry, Evidence, Keyless};
use crate::outcome::bad;
use crate::{Refusal, RefusalKind};

/// Whose signatures count.
pub(crate) enum Signers {
    Keys(Vec<CosignKey>),
    Keyless(Keyless),
}

/// A signature; nothing of it was verified.
pub(super) struct Made<'a> {
    /// What is signed.
    pub(super) message: &'a [u8],
    /// The payload, where what is signed is an envelope.
    pub(super) payload: Option<&'a [u8]>,
    pub(super) signature: &'a [u8],
    pub(super) by: Proof,
}

/// What comes with a signature to tell who made it.
pub(super) enum Proof {
    /// A hint at a key.
    Hint(String),
    Certificate(Certified),
}

/// A certificate, and what vouches for the time of the signature.
#[derive(Default)]
pub(super) struct Certified {
    /// In DER.
    pub(super) certificate: Vec<u8>,
    pub(super) entries: Vec<Entry>,
    /// In DER.
    pub(super) timestamps: Vec<Vec<u8>>,
}

/// Who made a signature, and by when where that is known.
#[derive(Clone)]
pub(super) struct Makers {
    pub(super) signers: Vec<String>,
    pub(super) signed_at: Option<Timestamp>,
}

impl Makers {
    /// All who vouch for one thing; as of the first of them.
    pub(super) fn of(vouchers: &[Voucher]) -> Self {
        let mut all = Self { signers: Vec::new(), signed_at: None };
        for voucher in vouchers {
            let signed_at = voucher.signed_at.and_then(|at| Timestamp::from_second(at).ok());
            all.join(Self { signers: voucher.signers.clone(), signed_at });
        }
        all
    }

    /// Adds others.
    pub(super) fn join(&mut self, others: Self) {
        let is_new = |signer: &String| !self.signers.contains(signer);
        let new: Vec<_> = others.signers.into_iter().filter(is_new).collect();
        self.signers.extend(new);
        self.signed_at = [self.signed_at, others.signed_at].into_iter().flatten().min();
    }
}

impl Signers {
    /// Who of them made a signature; at least one.
    pub(super) fn require(&self, made: Made<'_>) -> Result<Makers, Refusal> {
        match (self, made.by) {
            (Self::Keys(keys), Proof::Hint(hint)) => of_keys(keys, made.message, made.signature, &hint),
            (Self::Keys(_), Proof::Certificate(_)) => Err(Refusal::new(
                RefusalKind::Unsupported,
                "it is signed with a certificate (keyless), and keys are asked for",
            )),
            (Self::Keyless(_), Proof::Hint(_)) => Err(Refusal::new(
                RefusalKind::UntrustedKey,
                "it is signed with a key, and an identity is asked for",
            )),
            (Self::Keyless(keyless), Proof::Certificate(certified)) => {
                let known = keyless.verify(&Evidence {
                    message: made.message,
                    payload: made.payload,
                    signature: made.signature,
                    certificate: &certified.certificate,
                    entries: certified.entries,
                    timestamps: certified.timestamps,
                })?;
                Ok(Makers { signers: vec![known.signer], signed_at: Some(known.signed_at) })
            }
        }
    }
}

/// The keys that made a signature; where none did, the hint tells whether one of them is said to have.
fn of_keys(keys: &[CosignKey], message: &[u8], signature: &[u8], hint: &str) -> Result<Makers, Refusal> {
    let made = keys.iter().filter(|key| key.made(message, signature));
    let signers: Vec<_> = made.map(|key| key.name().to_owned()).collect();
    match keys.iter().find(|key| key.is_hinted_at(hint)) {
        _ if !signers.is_empty() => Ok(Makers { signers, signed_at: None }),
        Some(key) => Err(bad(format!("the signature is not one of {}, as it is said to be", key.name()))),
        None => {
            let hint = if hint.is_empty() { String::new() } else { format!("; it hints at key {hint:?}") };
            let reason = format!("none of the trusted keys made the signature{hint}");
            Err(Refusal::new(RefusalKind::UntrustedKey, reason))
        }
    }
}
