//! A chain of certificates, as signatures bring it: the signer's first, then each one's issuer up to a root (Notary Project,
//! "Certificate requirements").

use jiff::Timestamp;
use rsa::traits::PublicKeyParts;
use x509_cert::name::Name;

use crate::key::{Hash, PublicKey, Scheme};
use crate::link::{LONGEST_CHAIN, Link};
use crate::outcome::bad;
use crate::{Refusal, RefusalKind};

/// Purposes that a signer's certificate must not have: any, serverAuth, clientAuth, emailProtection, timeStamping.
const OTHER_PURPOSES: [&str; 5] =
    ["2.5.29.37.0", "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.8"];

/// A chain that was parsed; nothing of it was checked.
pub(super) struct Chain {
    links: Vec<Link>,
}

impl Chain {
    /// Parses certificates in DER.
    pub(super) fn parse(certificates: &[Vec<u8>]) -> Result<Self, Refusal> {
        if certificates.is_empty() || certificates.len() > LONGEST_CHAIN {
            return Err(bad(format!(
                "a chain of {} certificates; 1 to {LONGEST_CHAIN} are read",
                certificates.len()
            )));
        }
        let links: Result<_, _> = certificates.iter().map(|der| Link::parse(der)).collect();
        Ok(Self { links: links? })
    }

    fn leaf(&self) -> &Link {
        // A chain has at least one certificate.
        &self.links[0]
    }

    /// How the signer's key must sign (Notary Project, "Signature algorithm selection"), and what JWS calls that.
    pub(super) fn algorithm(&self) -> Result<(&'static str, Scheme), Refusal> {
        let unsupported = |what: String| Err(Refusal::new(RefusalKind::Unsupported, what));
        match &self.leaf().key {
            PublicKey::P256(_) => Ok(("ES256", Scheme::EcdsaFixed(Hash::Sha256))),
            PublicKey::P384(_) => Ok(("ES384", Scheme::EcdsaFixed(Hash::Sha384))),
            PublicKey::P521(_) => Ok(("ES512", Scheme::EcdsaFixed(Hash::Sha512))),
            PublicKey::Rsa(key) => match key.n().bit_width() {
                2048 => Ok(("PS256", Scheme::RsaPss(Hash::Sha256))),
                3072 => Ok(("PS384", Scheme::RsaPss(Hash::Sha384))),
                4096 => Ok(("PS512", Scheme::RsaPss(Hash::Sha512))),
                bits => unsupported(format!("an RSA key of {bits} bits")),
            },
            PublicKey::Ed25519(_) => unsupported("an Ed25519 key".to_owned()),
        }
    }

    /// Whether the signer's key made a signature.
    pub(super) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.algorithm().is_ok_and(|(_, scheme)| self.leaf().key.verifies(scheme, message, signature))
    }

    /// The root's certificate, in DER.
    pub(super) fn root(&self) -> &[u8] {
        self.links.last().map_or(&[], |link| &link.der)
    }

    /// The certificates, the signer's first.
    pub(super) fn links(&self) -> &[Link] {
        &self.links
    }

    /// Whom the signer's certificate is about.
    pub(super) fn subject(&self) -> &Name {
        self.leaf().subject()
    }

    /// Each certificate is issued by the next, the last by itself.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        for (number, link) in self.links.iter().enumerate() {
            let issuer = self.links.get(number + 1).unwrap_or(link);
            let checked = link.check_issuer(issuer).and_then(|()| match number {
                0 => check_signer(link),
                _ => link.check_authority(number - 1),
            });
            checked.map_err(|refusal| refusal.at(&format!("certificate {number}")))?;
        }
        Ok(())
    }

    /// All certificates hold at a time.
    pub(super) fn check_at(&self, time: Timestamp) -> Result<(), Refusal> {
        let mut links = self.links.iter().enumerate();
        match links.find_map(|(number, link)| Some((number, link.not_at(time)?))) {
            Some((number, why)) => {
                Err(Refusal::new(RefusalKind::Stale, format!("certificate {number} {why} at {time}")))
            }
            None => Ok(()),
        }
    }
}

fn check_signer(link: &Link) -> Result<(), Refusal> {
    link.check_signer()?;
    let (_, purposes) = link.purposes()?;
    match purposes.iter().find(|purpose| OTHER_PURPOSES.contains(&purpose.as_str())) {
        Some(other) => Err(bad(format!("it is for the purpose {other}"))),
        None => Ok(()),
    }
}
