//! The timestamp of a signature: who vouches for when it was made (Notary Project, "Timestamp signature").

use jiff::Timestamp;

use crate::link::{LONGEST_CHAIN, Link};
use crate::outcome::bad;
use crate::timestamp::{self, Token};
use crate::{Refusal, RefusalKind};

/// What an authority vouches for.
pub(super) struct Stamp {
    /// Between which times it saw the signature.
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    /// Its certificates, up to a trusted root.
    pub(super) path: Vec<Link>,
}

/// The timestamp of a signature, by an authority of one of these roots (in DER).
pub(super) fn read(der: &[u8], signature: &[u8], roots: &[Vec<u8>]) -> Result<Stamp, Refusal> {
    let token = Token::parse(der)?;
    token.require_message(signature)?;
    let certificates = token.certificates();
    if certificates.len() > LONGEST_CHAIN {
        return Err(bad(format!("it brings more than {LONGEST_CHAIN} certificates")));
    }
    let links: Vec<Link> = certificates.iter().map(|der| Link::parse(der)).collect::<Result<_, _>>()?;
    let signer = links.iter().find(|link| token.is_by(link));
    let signer = signer.ok_or_else(|| bad("it does not bring its signer's certificate"))?;
    timestamp::require_stamper(signer)?;
    token.check_signature(signer)?;
    let path = path(signer, &links, roots)?;
    match path.iter().find_map(|link| link.not_at(token.time())) {
        Some(why) => Err(bad(format!("a certificate of its authority {why} at {}", token.time()))),
        None => {
            let (from, to) = token.range();
            Ok(Stamp { from, to, path })
        }
    }
}

/// The certificates from the signer's up to one that a trusted root issued, and that root.
fn path(signer: &Link, links: &[Link], roots: &[Vec<u8>]) -> Result<Vec<Link>, Refusal> {
    let roots: Vec<Link> = roots.iter().map(|der| Link::parse(der)).collect::<Result<_, _>>()?;
    let mut found = vec![signer.clone()];
    for below in 0..LONGEST_CHAIN {
        let Some(last) = found.last() else { break };
        let issued =
            |issuer: &&Link| last.check_issuer(issuer).is_ok() && issuer.check_authority(below).is_ok();
        if let Some(root) = roots.iter().find(issued) {
            found.push(root.clone());
            return Ok(found);
        }
        let Some(issuer) = links.iter().filter(|link| link.der != last.der).find(issued) else { break };
        found.push(issuer.clone());
    }
    let reason = "its authority is not in the named trust stores";
    Err(Refusal::new(RefusalKind::UntrustedKey, reason))
}
