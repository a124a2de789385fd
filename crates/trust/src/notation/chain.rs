//! A chain of certificates, as signatures bring it: the signer's first, then each one's issuer up to a root (Notary Project,
//! "Certificate requirements").

use jiff::Timestamp;
use rsa::traits::PublicKeyParts;
use sha2::{Digest, Sha256, Sha384, Sha512};
use signature::Verifier;
use signature::hazmat::PrehashVerifier;
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};
use x509_cert::name::Name;

use super::bad;
use crate::key::{PublicKey, Scheme};
use crate::{Refusal, RefusalKind};

/// The longest chain.
const LONGEST: usize = 10;
/// The largest certificate, in bytes.
const LARGEST: usize = 16 << 10;
/// Purposes that a signer's certificate must not have: any, serverAuth, clientAuth, emailProtection, timeStamping.
const OTHER_PURPOSES: [&str; 5] =
    ["2.5.29.37.0", "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.8"];

/// A chain that was parsed; nothing of it was checked.
pub(super) struct Chain {
    links: Vec<Link>,
}

struct Link {
    certificate: Certificate,
    der: Vec<u8>,
    key: PublicKey,
}

impl Chain {
    /// Parses certificates in DER.
    pub(super) fn parse(certificates: &[Vec<u8>]) -> Result<Self, Refusal> {
        if certificates.is_empty() || certificates.len() > LONGEST {
            return Err(bad(format!(
                "a chain of {} certificates; 1 to {LONGEST} are read",
                certificates.len()
            )));
        }
        let links: Result<_, _> = certificates.iter().map(|der| Link::parse(der)).collect();
        Ok(Self { links: links? })
    }

    fn leaf(&self) -> Result<&Link, Refusal> {
        self.links.first().ok_or_else(|| bad("a chain of no certificates"))
    }

    /// The algorithm of JWS by which the signer's key must sign.
    pub(super) fn algorithm(&self) -> Result<&'static str, Refusal> {
        let unsupported = |what: String| Err(Refusal::new(RefusalKind::Unsupported, what));
        match &self.leaf()?.key {
            PublicKey::P256(_) => Ok("ES256"),
            PublicKey::P384(_) => Ok("ES384"),
            PublicKey::Rsa(key) => match key.n().bit_width() {
                2048 => Ok("PS256"),
                3072 => Ok("PS384"),
                4096 => Ok("PS512"),
                bits => unsupported(format!("an RSA key of {bits} bits")),
            },
            PublicKey::Ed25519(_) => unsupported("an Ed25519 key".to_owned()),
        }
    }

    /// Whether the signer's key made a signature of JWS.
    pub(super) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let Ok(leaf) = self.leaf() else { return false };
        match (&leaf.key, self.algorithm()) {
            (PublicKey::P256(_), Ok("ES256")) => leaf.key.verifies(Scheme::EcdsaFixed, message, signature),
            (PublicKey::P384(key), Ok("ES384")) => p384::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|made| key.verify_prehash(&Sha384::digest(message), &made).is_ok()),
            (PublicKey::Rsa(_), Ok("PS256")) => leaf.key.verifies(Scheme::RsaPss, message, signature),
            (PublicKey::Rsa(key), Ok("PS384")) => {
                rsa::pss::Signature::try_from(signature).is_ok_and(|made| {
                    rsa::pss::VerifyingKey::<Sha384>::new(key.clone()).verify(message, &made).is_ok()
                })
            }
            (PublicKey::Rsa(key), Ok("PS512")) => {
                rsa::pss::Signature::try_from(signature).is_ok_and(|made| {
                    rsa::pss::VerifyingKey::<Sha512>::new(key.clone()).verify(message, &made).is_ok()
                })
            }
            _ => false,
        }
    }

    /// The root's certificate, in DER.
    pub(super) fn root(&self) -> &[u8] {
        self.links.last().map_or(&[], |link| &link.der)
    }

    /// Whom the signer's certificate is about.
    pub(super) fn subject(&self) -> &Name {
        // A chain has at least one certificate.
        self.links[0].certificate.tbs_certificate().subject()
    }

    /// Each certificate is issued by the next, the last by itself, and all of them hold now.
    pub(super) fn check(&self, now: Timestamp) -> Result<(), Refusal> {
        for (number, link) in self.links.iter().enumerate() {
            let issuer = self.links.get(number + 1).unwrap_or(link);
            link.check_issuer(issuer).map_err(|refusal| refusal.at(&format!("certificate {number}")))?;
            let checked = match number {
                0 => link.check_signer(),
                _ => link.check_authority(number - 1),
            };
            checked.map_err(|refusal| refusal.at(&format!("certificate {number}")))?;
        }
        // That it is past its date counts only where everything else holds.
        let ended =
            self.links.iter().enumerate().find_map(|(number, link)| Some((number, link.not_now(now)?)));
        match ended {
            Some((number, why)) => {
                Err(Refusal::new(RefusalKind::Stale, format!("certificate {number} {why}")))
            }
            None => Ok(()),
        }
    }
}

impl Link {
    fn parse(der: &[u8]) -> Result<Self, Refusal> {
        if der.len() > LARGEST {
            return Err(bad(format!("a certificate larger than {LARGEST} bytes")));
        }
        let certificate = Certificate::from_der(der)
            .map_err(|error| bad(format!("a certificate cannot be read: {error}")))?;
        let spki = certificate.tbs_certificate().subject_public_key_info().to_der();
        let spki = spki.map_err(|error| bad(format!("a key cannot be read: {error}")))?;
        let key = PublicKey::from_spki(&spki)
            .map_err(|error| Refusal::new(RefusalKind::Unsupported, error.to_string()))?;
        Ok(Self { certificate, der: der.to_vec(), key })
    }

    fn check_issuer(&self, issuer: &Self) -> Result<(), Refusal> {
        let own = self.certificate.tbs_certificate();
        if own.issuer() != issuer.certificate.tbs_certificate().subject() {
            return Err(bad("it is not issued by the next one"));
        }
        let message = own.to_der().map_err(|error| bad(error.to_string()))?;
        let algorithm = self.certificate.signature_algorithm();
        if own.signature() != algorithm {
            return Err(bad("it names two algorithms"));
        }
        let signature = self.certificate.signature().raw_bytes();
        match issued(&issuer.key, &algorithm.oid.to_string(), &message, signature) {
            Some(true) => Ok(()),
            Some(false) => Err(bad("it is not signed by the next one")),
            None => {
                let reason = format!("it is signed by algorithm {}", algorithm.oid);
                Err(Refusal::new(RefusalKind::Unsupported, reason))
            }
        }
    }

    fn check_signer(&self) -> Result<(), Refusal> {
        let usage = self.key_usage()?;
        let is_for_more = usage.key_cert_sign()
            || usage.crl_sign()
            || usage.key_encipherment()
            || usage.data_encipherment()
            || usage.key_agreement();
        if !usage.digital_signature() || is_for_more {
            return Err(bad("its key is not for signatures alone"));
        }
        if self.constraints()?.is_some_and(|(_, constraints)| constraints.ca) {
            return Err(bad("it is an authority's"));
        }
        let purposes = self.certificate.tbs_certificate().get_extension::<ExtendedKeyUsage>();
        let purposes = purposes.map_err(|error| bad(error.to_string()))?;
        let is_other = |purpose: &String| OTHER_PURPOSES.contains(&purpose.as_str());
        let mut all = purposes.iter().flat_map(|(_, usage)| usage.0.iter()).map(ToString::to_string);
        match all.find(is_other) {
            Some(other) => Err(bad(format!("it is for the purpose {other}"))),
            None => Ok(()),
        }
    }

    /// `below` is how many authorities stand between it and the signer.
    fn check_authority(&self, below: usize) -> Result<(), Refusal> {
        let Some((true, constraints)) = self.constraints()? else {
            return Err(bad("it is not said to be an authority's"));
        };
        if !constraints.ca || !self.key_usage()?.key_cert_sign() {
            return Err(bad("it is not an authority's"));
        }
        if constraints.path_len_constraint.is_some_and(|longest| usize::from(longest) < below) {
            return Err(bad("its authority does not reach that far"));
        }
        Ok(())
    }

    fn key_usage(&self) -> Result<KeyUsage, Refusal> {
        match self.certificate.tbs_certificate().get_extension::<KeyUsage>() {
            Ok(Some((true, usage))) => Ok(usage),
            Ok(_) => Err(bad("it does not say, as critical, what its key is for")),
            Err(error) => Err(bad(error.to_string())),
        }
    }

    fn constraints(&self) -> Result<Option<(bool, BasicConstraints)>, Refusal> {
        let found = self.certificate.tbs_certificate().get_extension::<BasicConstraints>();
        found.map_err(|error| bad(error.to_string()))
    }

    fn not_now(&self, now: Timestamp) -> Option<&'static str> {
        let validity = self.certificate.tbs_certificate().validity();
        let seconds = |time: std::time::Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        if now.as_second() < seconds(validity.not_before.to_unix_duration()) {
            return Some("does not hold yet");
        }
        (now.as_second() > seconds(validity.not_after.to_unix_duration())).then_some("is past its date")
    }
}

/// Whether this key signed a certificate; `None`: by an algorithm that is not covered, such as any with SHA-1.
fn issued(key: &PublicKey, algorithm: &str, message: &[u8], signature: &[u8]) -> Option<bool> {
    let sum = match algorithm {
        "1.2.840.10045.4.3.2" | "1.2.840.113549.1.1.11" => Sha256::digest(message).to_vec(),
        "1.2.840.10045.4.3.3" | "1.2.840.113549.1.1.12" => Sha384::digest(message).to_vec(),
        "1.2.840.10045.4.3.4" | "1.2.840.113549.1.1.13" => Sha512::digest(message).to_vec(),
        _ => return None,
    };
    let is_ecdsa = algorithm.starts_with("1.2.840.10045.");
    Some(match key {
        PublicKey::P256(key) if is_ecdsa => p256::ecdsa::Signature::from_der(signature)
            .is_ok_and(|made| key.verify_prehash(&sum, &made).is_ok()),
        PublicKey::P384(key) if is_ecdsa => p384::ecdsa::Signature::from_der(signature)
            .is_ok_and(|made| key.verify_prehash(&sum, &made).is_ok()),
        PublicKey::Rsa(key) if !is_ecdsa => rsa::pkcs1v15::Signature::try_from(signature).is_ok_and(|made| {
            let key = key.clone();
            match sum.len() {
                32 => rsa::pkcs1v15::VerifyingKey::<Sha256>::new(key).verify(message, &made).is_ok(),
                48 => rsa::pkcs1v15::VerifyingKey::<Sha384>::new(key).verify(message, &made).is_ok(),
                _ => rsa::pkcs1v15::VerifyingKey::<Sha512>::new(key).verify(message, &made).is_ok(),
            }
        }),
        _ => false,
    })
}
