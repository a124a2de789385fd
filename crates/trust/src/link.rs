//! One certificate of a chain, and what its issuer must be (RFC 5280).

use jiff::Timestamp;
use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};
use x509_cert::name::Name;

use crate::key::{Hash, PublicKey, Scheme};
use crate::outcome::bad;
use crate::{Refusal, RefusalKind};

/// The longest chain.
pub(crate) const LONGEST_CHAIN: usize = 10;
/// The largest certificate, in bytes.
const LARGEST: usize = 16 << 10;
/// Extensions that are looked at: subjectAltName, keyUsage, basicConstraints, extendedKeyUsage.
const KNOWN_EXTENSIONS: [&str; 4] = ["2.5.29.17", "2.5.29.15", "2.5.29.19", "2.5.29.37"];

/// A certificate that was parsed; nothing of it was checked.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) certificate: Certificate,
    pub(crate) der: Vec<u8>,
    pub(crate) key: PublicKey,
    /// Its SubjectPublicKeyInfo, in DER.
    pub(crate) spki: Vec<u8>,
}

impl Link {
    /// Parses a certificate in DER.
    pub(crate) fn parse(der: &[u8]) -> Result<Self, Refusal> {
        if der.len() > LARGEST {
            return Err(bad(format!("a certificate larger than {LARGEST} bytes")));
        }
        let certificate = Certificate::from_der(der)
            .map_err(|error| bad(format!("a certificate cannot be read: {error}")))?;
        let spki = certificate.tbs_certificate().subject_public_key_info().to_der();
        let spki = spki.map_err(|error| bad(format!("a key cannot be read: {error}")))?;
        let key = PublicKey::from_spki(&spki)
            .map_err(|error| Refusal::new(RefusalKind::Unsupported, error.to_string()))?;
        Ok(Self { certificate, der: der.to_vec(), key, spki })
    }

    /// Whom it is about.
    pub(crate) fn subject(&self) -> &Name {
        self.certificate.tbs_certificate().subject()
    }

    /// Whether the other certificate is of its issuer, whose key signed it, and it asks for nothing that is not looked at.
    pub(crate) fn check_issuer(&self, issuer: &Self) -> Result<(), Refusal> {
        let own = self.certificate.tbs_certificate();
        if own.issuer() != issuer.subject() {
            return Err(bad("it is not issued by the next one"));
        }
        let algorithm = self.certificate.signature_algorithm();
        if own.signature() != algorithm {
            return Err(bad("it names two algorithms"));
        }
        let message = own.to_der().map_err(|error| bad(error.to_string()))?;
        if !issuer.signed(&algorithm.oid, &message, self.certificate.signature().raw_bytes())? {
            return Err(bad("it is not signed by the next one"));
        }
        let is_unknown = |oid: &String| !KNOWN_EXTENSIONS.contains(&oid.as_str());
        let critical = own.extensions().into_iter().flatten().filter(|extension| extension.critical);
        let mut critical = critical.map(|extension| extension.extn_id.to_string());
        match critical.find(is_unknown) {
            Some(oid) => {
                let reason = format!("its critical extension {oid} is not covered");
                Err(Refusal::new(RefusalKind::Unsupported, reason))
            }
            None => Ok(()),
        }
    }

    /// Whether its key signed something by an algorithm for certificates and lists of revoked ones.
    pub(crate) fn signed(
        &self,
        algorithm: &ObjectIdentifier,
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, Refusal> {
        match scheme(&algorithm.to_string()) {
            Some(scheme) => Ok(self.key.verifies(scheme, message, signature)),
            None => {
                let reason = format!("it is signed by algorithm {algorithm}");
                Err(Refusal::new(RefusalKind::Unsupported, reason))
            }
        }
    }

    /// Its key must be for signatures alone, and not for those of an authority.
    pub(crate) fn check_signer(&self) -> Result<(), Refusal> {
        let usage = self.key_usage()?;
        let is_for_more = usage.key_cert_sign()
            || usage.crl_sign()
            || usage.key_encipherment()
            || usage.data_encipherment()
            || usage.key_agreement();
        if !usage.digital_signature() || is_for_more {
            return Err(bad("its key is not for signatures alone"));
        }
        match self.constraints()? {
            Some((_, constraints)) if constraints.ca => Err(bad("it is an authority's")),
            _ => Ok(()),
        }
    }

    /// Whether it is an authority's.
    pub(crate) fn is_authority(&self) -> bool {
        matches!(self.constraints(), Ok(Some((_, constraints))) if constraints.ca)
    }

    /// Whether its key may sign lists of revoked certificates.
    pub(crate) fn may_sign_lists(&self) -> bool {
        self.key_usage().is_ok_and(|usage| usage.crl_sign())
    }

    /// It must be an authority's. `below` is how many authorities stand between it and the signer.
    pub(crate) fn check_authority(&self, below: usize) -> Result<(), Refusal> {
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

    /// The purposes of its key (extended key usage), and whether they are marked as critical.
    pub(crate) fn purposes(&self) -> Result<(bool, Vec<String>), Refusal> {
        let found = self.certificate.tbs_certificate().get_extension::<ExtendedKeyUsage>();
        let (critical, usage) = found.map_err(|error| bad(error.to_string()))?.unzip();
        let purposes = usage.into_iter().flat_map(|usage| usage.0).map(|purpose| purpose.to_string());
        Ok((critical.unwrap_or_default(), purposes.collect()))
    }

    /// Why it does not hold at a time.
    pub(crate) fn not_at(&self, time: Timestamp) -> Option<&'static str> {
        let validity = self.certificate.tbs_certificate().validity();
        let seconds = |time: std::time::Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        if time.as_second() < seconds(validity.not_before.to_unix_duration()) {
            return Some("does not hold yet");
        }
        (time.as_second() > seconds(validity.not_after.to_unix_duration())).then_some("is past its date")
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
}

/// How certificates of this algorithm are signed; none with SHA-1 is covered.
pub(crate) fn scheme(algorithm: &str) -> Option<Scheme> {
    match algorithm {
        "1.2.840.10045.4.3.2" => Some(Scheme::EcdsaDer(Hash::Sha256)),
        "1.2.840.10045.4.3.3" => Some(Scheme::EcdsaDer(Hash::Sha384)),
        "1.2.840.10045.4.3.4" => Some(Scheme::EcdsaDer(Hash::Sha512)),
        "1.2.840.113549.1.1.11" => Some(Scheme::RsaPkcs1v15(Hash::Sha256)),
        "1.2.840.113549.1.1.12" => Some(Scheme::RsaPkcs1v15(Hash::Sha384)),
        "1.2.840.113549.1.1.13" => Some(Scheme::RsaPkcs1v15(Hash::Sha512)),
        _ => None,
    }
}
