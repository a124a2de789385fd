//! The verification for a person at a terminal: one line a subject, and why.

use std::io::{self, Write};

use anstyle::Style;
use plimsoll_facts::TrustOutcome;

use super::{Verification, VerifiedKind, VerifiedSubject};
use crate::layout::{BAD, BOLD, DIM, GOOD, PLAIN, Page, TerminalOptions, UNKNOWN, WARNING, span, whole};

/// Writes the verification for a terminal.
///
/// # Errors
/// What the writer answers.
pub fn write(verification: &Verification, options: &TerminalOptions, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(out, options);
    for subject in &verification.subjects {
        one(&mut page, subject)?;
    }
    page.blank()?;
    page.paragraph(&[span(&verification.summary(), PLAIN)])
}

fn one(page: &mut Page<'_>, subject: &VerifiedSubject) -> io::Result<()> {
    let found = &subject.authenticity;
    let (label, style) = label(found.outcome);
    let kind = if subject.kind == VerifiedKind::Image { "" } else { subject.kind.id() };
    let space = if kind.is_empty() { "" } else { " " };
    let mut line = vec![span(kind, DIM), span(space, PLAIN), whole(&subject.name, BOLD)];
    if subject.kind != VerifiedKind::Image && !found.reference.is_empty() {
        line.extend([span(" runs ", DIM), whole(&found.reference, PLAIN)]);
    }
    page.labelled(label, style, &line)?;
    if let Some(digest) = &found.digest {
        page.beside(&[whole(digest, DIM)])?;
    }
    if !found.reason.is_empty() {
        let outcome = format!("{}: ", found.outcome.id());
        page.beside(&[span(&outcome, style), span(&found.reason, PLAIN)])?;
    }
    for voucher in &found.vouchers {
        page.beside(&[span(&super::voucher(voucher), PLAIN)])?;
    }
    for attestation in &found.attestations {
        page.beside(&[span(&super::attestation(attestation), PLAIN)])?;
    }
    found.notes.iter().try_for_each(|note| page.beside(&[span(note, DIM)]))?;
    match &found.policy {
        Some(place) => page.beside(&[span("demanded by ", DIM), whole(place, DIM)]),
        None => Ok(()),
    }
}

fn label(outcome: TrustOutcome) -> (&'static str, Style) {
    match outcome {
        TrustOutcome::Verified => ("verified", GOOD),
        TrustOutcome::Unsigned => ("unsigned", WARNING),
        TrustOutcome::Local => ("local", WARNING),
        TrustOutcome::Stale => ("stale", BAD),
        TrustOutcome::BadSignature | TrustOutcome::UntrustedKey | TrustOutcome::Denied => ("refused", BAD),
        TrustOutcome::Unavailable | TrustOutcome::Unsupported => ("unknown", UNKNOWN),
    }
}
