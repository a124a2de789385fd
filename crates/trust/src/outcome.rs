//! What comes out of a verification: a digest that somebody vouches for, or why nobody does.

use plimsoll_facts::{Attestation, Authenticity, TrustOutcome, Voucher};

use crate::{Image, ImageDigest};

/// Something that was verified. Only this crate makes it, after every check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T> {
    what: T,
    vouchers: Vec<Voucher>,
    attestations: Vec<Attestation>,
    notes: Vec<String>,
}

impl<T> Verified<T> {
    pub(crate) fn new(what: T, voucher: Voucher) -> Self {
        Self { what, vouchers: vec![voucher], attestations: Vec::new(), notes: Vec::new() }
    }

    /// The same thing, verified once more.
    pub(crate) fn join(&mut self, other: Self) {
        self.vouchers.extend(other.vouchers);
        self.notes.extend(other.notes);
    }

    pub(crate) fn attest(&mut self, attestations: Vec<Attestation>) {
        self.attestations = attestations;
    }

    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// What was verified.
    pub fn get(&self) -> &T {
        &self.what
    }

    /// Who vouches for it; at least one.
    pub fn vouchers(&self) -> &[Voucher] {
        &self.vouchers
    }

    /// What else somebody trusted says about it, where that is demanded.
    pub fn attestations(&self) -> &[Attestation] {
        &self.attestations
    }

    /// What was left out, and why.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// Why nobody vouches for an image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// Which of the outcomes.
    pub kind: RefusalKind,
    /// A sentence.
    pub reason: String,
    /// What is signed under the name instead, where something is.
    pub signed: Option<ImageDigest>,
    /// What somebody trusted says about the image all the same, where more is demanded.
    pub attestations: Vec<Attestation>,
}

impl Refusal {
    pub(crate) fn new(kind: RefusalKind, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into(), signed: None, attestations: Vec::new() }
    }

    /// The same, and where.
    pub(crate) fn at(self, place: &str) -> Self {
        Self { reason: format!("{place}: {}", self.reason), ..self }
    }
}

/// The kinds of refusals. None may be taken for another: above all, what is unavailable is not unsigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefusalKind {
    /// Nobody signed it.
    Unsigned,
    /// There is a signature, and it does not hold.
    BadSignature,
    /// It is signed by a key that is not trusted.
    UntrustedKey,
    /// What vouches for it is past its date.
    Stale,
    /// Whoever could tell was not reached.
    Unavailable,
    /// It is signed in a way that plimsoll cannot verify.
    Unsupported,
    /// The policy does not admit it, whoever signed it.
    Denied,
}

impl From<RefusalKind> for TrustOutcome {
    fn from(kind: RefusalKind) -> Self {
        match kind {
            RefusalKind::Unsigned => Self::Unsigned,
            RefusalKind::BadSignature => Self::BadSignature,
            RefusalKind::UntrustedKey => Self::UntrustedKey,
            RefusalKind::Stale => Self::Stale,
            RefusalKind::Unavailable => Self::Unavailable,
            RefusalKind::Unsupported => Self::Unsupported,
            RefusalKind::Denied => Self::Denied,
        }
    }
}

/// A signature that does not hold.
pub(crate) fn bad(reason: impl Into<String>) -> Refusal {
    Refusal::new(RefusalKind::BadSignature, reason)
}

/// Of several refusals the one that says most: what could not be looked at might have been the right one, and what does
/// not hold is worse than what somebody else signed.
pub(crate) fn worst(refusals: Vec<Refusal>) -> Refusal {
    const WORST_LAST: [RefusalKind; 7] = [
        RefusalKind::Denied,
        RefusalKind::Unsigned,
        RefusalKind::UntrustedKey,
        RefusalKind::Stale,
        RefusalKind::Unsupported,
        RefusalKind::BadSignature,
        RefusalKind::Unavailable,
    ];
    let rank = |refusal: &Refusal| WORST_LAST.iter().position(|kind| *kind == refusal.kind);
    let worst = refusals.into_iter().max_by_key(rank);
    worst.unwrap_or_else(|| Refusal::new(RefusalKind::Unsigned, "there is no signature"))
}

/// Several refusals as one: of the worst kind, with all reasons.
pub(crate) fn together(refusals: Vec<Refusal>) -> Refusal {
    let reasons: Vec<_> = refusals.iter().map(ToString::to_string).collect();
    let signed = refusals.iter().find_map(|refusal| refusal.signed.clone());
    Refusal { signed, ..Refusal::new(worst(refusals).kind, reasons.join("; ")) }
}

/// What came out for an image, in the words of facts.
pub(crate) fn authenticity(image: &Image, outcome: Result<Verified<ImageDigest>, Refusal>) -> Authenticity {
    let shown = image.name.digest().or(image.here.first());
    let about = Authenticity {
        reference: image.name.to_string(),
        digest: shown.map(ToString::to_string),
        ..Authenticity::default()
    };
    match outcome {
        Ok(verified) => Authenticity {
            digest: Some(verified.get().to_string()),
            outcome: TrustOutcome::Verified,
            vouchers: verified.vouchers().to_vec(),
            attestations: verified.attestations().to_vec(),
            notes: verified.notes().to_vec(),
            ..about
        },
        Err(refusal) => Authenticity {
            outcome: refusal.kind.into(),
            signed_digest: refusal.signed.map(|digest| digest.to_string()),
            reason: refusal.reason,
            attestations: refusal.attestations,
            ..about
        },
    }
}
