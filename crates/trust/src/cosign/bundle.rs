//! Bundles of sigstore, versions 0.1 to 0.3 (sigstore/protobuf-specs, `sigstore_bundle.proto`). With keys, entries of logs and
//! timestamps in them are not looked at: no time is needed, and what is not verified does not count.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::attest::LeftOut;
use super::dsse::{Envelope, Opened, decode};
use super::signers::{Certified, Made, Makers, Proof};
use super::statement::{Statement, claimed_type};
use super::{Signed, Signers, Subject};
use crate::keyless::{BundleEntry, Inclusion};
use crate::outcome::bad;
use crate::{ImageDigest, Refusal, RefusalKind};

/// The versions, and how they are spelt.
const VERSIONS: [(&str, Version); 4] = [
    ("application/vnd.dev.sigstore.bundle+json;version=0.1", Version::First),
    ("application/vnd.dev.sigstore.bundle+json;version=0.2", Version::Second),
    ("application/vnd.dev.sigstore.bundle+json;version=0.3", Version::Third),
    ("application/vnd.dev.sigstore.bundle.v0.3+json", Version::Third),
];

/// What the versions differ in, as sigstore-go has it (`pkg/bundle/bundle.go`): entries of logs come with a promise in the
/// first and with a proof since the second; since the third no chain of certificates is allowed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    First,
    Second,
    Third,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    media_type: String,
    verification_material: Material,
    dsse_envelope: Option<Envelope>,
    message_signature: Option<MessageSignature>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    public_key: Option<Hint>,
    certificate: Option<Certificate>,
    x509_certificate_chain: Option<Chain>,
    /// Like the timestamps, read only where they count.
    #[serde(default)]
    tlog_entries: Value,
    #[serde(default)]
    timestamp_verification_data: Value,
}

#[derive(Deserialize)]
struct Hint {
    #[serde(default)]
    hint: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Certificate {
    raw_bytes: String,
}

#[derive(Deserialize)]
struct Chain {
    certificates: Vec<Certificate>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Timestamps {
    #[serde(default)]
    rfc3161_timestamps: Vec<Stamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stamp {
    signed_timestamp: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageSignature {
    message_digest: MessageDigest,
    signature: String,
}

#[derive(Deserialize)]
struct MessageDigest {
    algorithm: String,
    digest: String,
}

/// Verifies one bundle, which must be an image's signature.
pub(super) fn verify(json: &[u8], subject: &Subject<'_>, signers: &Signers) -> Result<Signed, Refusal> {
    let (bundle, version) = parse(json)?;
    let proof = bundle.verification_material.proof(version, signers)?;
    match (bundle.dsse_envelope, bundle.message_signature) {
        (Some(envelope), None) => {
            let (statement, makers) = of_envelope(&envelope.open()?, proof, subject.digest, signers)?;
            statement.require_signature()?;
            Ok(Signed { makers, note: None })
        }
        (None, Some(signature)) => of_message(&signature, proof, subject, signers),
        _ => Err(bad("the bundle holds not exactly one signature")),
    }
}

/// What a bundle says about an image, and who signed it; `None` where it is signed itself, and nothing said.
pub(super) fn attested(
    json: &[u8],
    subject: &Subject<'_>,
    signers: &Signers,
) -> Result<Option<(Statement, Makers)>, LeftOut> {
    let (bundle, version) = parse(json)?;
    let proof = bundle.verification_material.proof(version, signers)?;
    match (bundle.dsse_envelope, bundle.message_signature) {
        (Some(envelope), None) => {
            let envelope = envelope.open()?;
            let said = of_envelope(&envelope, proof, subject.digest, signers);
            said.map(Some).map_err(|why| LeftOut::claiming(why, claimed_type(&envelope.payload)))
        }
        (None, Some(_)) => Ok(None),
        _ => Err(bad("the bundle holds not exactly one signature").into()),
    }
}

fn parse(json: &[u8]) -> Result<(Bundle, Version), Refusal> {
    let bundle: Bundle =
        serde_json::from_slice(json).map_err(|error| bad(format!("the bundle cannot be read: {error}")))?;
    match VERSIONS.iter().find(|(media_type, _)| *media_type == bundle.media_type) {
        Some((_, version)) => Ok((bundle, *version)),
        None => {
            let reason = format!("a bundle of type {:?} is not covered", bundle.media_type);
            Err(Refusal::new(RefusalKind::Unsupported, reason))
        }
    }
}

impl Material {
    /// Who is said to have signed.
    fn proof(self, version: Version, signers: &Signers) -> Result<Proof, Refusal> {
        let certificate = match (self.public_key, self.certificate, self.x509_certificate_chain) {
            (Some(Hint { hint }), None, None) => return Ok(Proof::Hint(hint)),
            (None, Some(certificate), None) => certificate,
            (None, None, Some(_)) if version == Version::Third => {
                return Err(bad("a bundle of version 0.3 with a chain of certificates"));
            }
            // The signer's is the first; those above it are of the trusted root.
            (None, None, Some(Chain { certificates })) => {
                let first = certificates.into_iter().next();
                first.ok_or_else(|| bad("the chain of certificates is empty"))?
            }
            (None, None, None) => return Err(bad("the bundle names neither a key nor a certificate")),
            _ => return Err(bad("the bundle names several keys or certificates")),
        };
        if matches!(signers, Signers::Keys(_)) {
            return Ok(Proof::Certificate(Certified::default()));
        }
        let must_have = if version == Version::First { Inclusion::Promise } else { Inclusion::Proof };
        let entries: Vec<BundleEntry> = part(self.tlog_entries)?;
        let entries: Result<_, _> = entries.iter().map(|entry| entry.read(must_have)).collect();
        let Timestamps { rfc3161_timestamps: stamps } = part(self.timestamp_verification_data)?;
        let stamps = stamps.iter().map(|stamp| decode(&stamp.signed_timestamp, "timestamp"));
        Ok(Proof::Certificate(Certified {
            certificate: decode(&certificate.raw_bytes, "certificate")?,
            entries: entries?,
            timestamps: stamps.collect::<Result<_, _>>()?,
        }))
    }
}

/// A part that may be missing.
fn part<T: Default + DeserializeOwned>(part: Value) -> Result<T, Refusal> {
    match part {
        Value::Null => Ok(T::default()),
        part => serde_json::from_value(part)
            .map_err(|error| bad(format!("a part of the bundle cannot be read: {error}"))),
    }
}

/// A statement in an envelope.
pub(super) fn of_envelope(
    envelope: &Opened,
    by: Proof,
    digest: &ImageDigest,
    signers: &Signers,
) -> Result<(Statement, Makers), Refusal> {
    let payload = envelope.payload.as_slice();
    let made =
        Made { message: &envelope.message, payload: Some(payload), signature: &envelope.signature, by };
    let makers = signers.require(made)?;
    envelope.require_kind()?;
    Ok((Statement::read(payload, digest)?, makers))
}

/// A signature over the manifest itself.
fn of_message(
    signed: &MessageSignature,
    by: Proof,
    subject: &Subject<'_>,
    signers: &Signers,
) -> Result<Signed, Refusal> {
    let named = decode(&signed.message_digest.digest, "digest")?;
    let algorithm = match signed.message_digest.algorithm.as_str() {
        "SHA2_256" => "sha256",
        "SHA2_512" => "sha512",
        other => {
            return Err(Refusal::new(
                RefusalKind::Unsupported,
                format!("digests of {other:?} are not covered"),
            ));
        }
    };
    if algorithm != subject.digest.algorithm() || crate::hex(&named) != subject.digest.sum() {
        return Err(bad("what is signed is another image"));
    }
    let manifest = (subject.manifest)()?;
    let signature = decode(&signed.signature, "signature")?;
    let made = Made { message: &manifest, payload: None, signature: &signature, by };
    Ok(Signed { makers: signers.require(made)?, note: None })
}

/// Bundles of sigstore's own instances, over files that are no images; see tests/signatures/README.md.
#[cfg(test)]
mod tests {
    use plimsoll_registry::Digest;

    use super::*;
    use crate::{Identity, Keyless, TrustedRoot};

    const PUBLIC: &[u8] = include_bytes!("../../tests/signatures/keyless/real/trusted_root.json");
    const STAGING: &[u8] = include_bytes!("../../tests/signatures/keyless/real/trusted_root_staging.json");
    const COSIGN: &[u8] = include_bytes!("../../tests/signatures/keyless/real/cosign-v3-blob.sigstore.json");
    const BLOB: &[u8] = include_bytes!("../../tests/signatures/keyless/real/cosign-v3-blob.txt");
    const GITHUB: &str = "https://github.com/login/oauth";
    const NOW: &str = "2026-11-24T00:00:00Z";

    fn signers(root: &[u8], now: &str, identity: Identity) -> Signers {
        let root = TrustedRoot::parse(root).unwrap();
        Signers::Keyless(Keyless::new(root, vec![identity], now.parse().unwrap()))
    }

    fn judge(
        bundle: &[u8],
        signed: &[u8],
        root: &[u8],
        now: &str,
        identity: Identity,
    ) -> Result<Vec<String>, Refusal> {
        let digest = Digest::of(signed);
        let subject = Subject { digest: &digest, repository: "", manifest: &|| Ok(signed.to_vec()) };
        verify(bundle, &subject, &signers(root, now, identity)).map(|signed| signed.makers.signers)
    }

    #[test]
    fn what_cosign_3_made_holds() {
        let wolf = || Identity::exact("w.vollprecht@gmail.com", GITHUB).unwrap();
        let found = judge(COSIGN, BLOB, PUBLIC, NOW, wolf()).unwrap();
        assert_eq!(found, [format!("w.vollprecht@gmail.com ({GITHUB})")]);
        let refused = |root, now, identity| judge(COSIGN, BLOB, root, now, identity).unwrap_err();
        let other =
            refused(PUBLIC, NOW, Identity::exact("w.vollprecht@gmail.com", "https://x.example").unwrap());
        assert_eq!(other.kind, RefusalKind::UntrustedKey);
        assert_eq!(refused(STAGING, NOW, wolf()).kind, RefusalKind::UntrustedKey);
        assert!(refused(PUBLIC, "2025-12-03T18:00:00Z", wolf()).reason.contains("yet to come"));
        let text = str::from_utf8(COSIGN).unwrap();
        for (from, to) in
            [("1764787003", "1764787004"), ("616408486", "616408487"), ("738312748", "738312749")]
        {
            let changed = text.replacen(from, to, 1);
            let why = judge(changed.as_bytes(), BLOB, PUBLIC, NOW, wolf()).unwrap_err();
            assert_eq!(why.kind, RefusalKind::BadSignature, "{from}: {why}");
        }
    }

    /// Entries of Rekor's second version, which signs no time, with a timestamp.
    #[test]
    fn what_is_in_rekor_2_holds() {
        let bundle = include_bytes!("../../tests/signatures/keyless/real/rekor-v2-blob.sigstore.json");
        let blob = include_bytes!("../../tests/signatures/keyless/real/rekor-v2-blob.txt");
        let jku = || Identity::exact("jku@goto.fi", GITHUB).unwrap();
        assert_eq!(judge(bundle, blob, STAGING, NOW, jku()).unwrap(), [format!("jku@goto.fi ({GITHUB})")]);
        let mut stampless: Value = serde_json::from_slice(bundle).unwrap();
        stampless["verificationMaterial"]["timestampVerificationData"] = Value::Null;
        let why = judge(stampless.to_string().as_bytes(), blob, STAGING, NOW, jku()).unwrap_err();
        assert!(why.reason.contains("nothing proves when"), "{why}");
    }

    #[test]
    fn statements_of_workflows_hold() {
        const ACTIONS: &str = "https://token.actions.githubusercontent.com";
        for (bundle, root, digest, workflow, kind) in [
            (
                &include_bytes!("../../tests/signatures/keyless/real/conda.sigstore.json")[..],
                PUBLIC,
                "sha256:54303491a8418fbed24344b513546182c29b43bf282ceb433af65e2299f9271f",
                "https://github\\.com/prefix-dev/sigstore-example/\\.github/workflows/action\\.yaml@refs/heads/main",
                "https://schemas.conda.org/attestations-publish-1.schema.json",
            ),
            (
                include_bytes!("../../tests/signatures/keyless/real/rekor-v2.sigstore.json"),
                STAGING,
                "sha256:a0cfc71271d6e278e57cd332ff957c3f7043fdda354c4cbb190a30d56efa01bf",
                "https://github\\.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.*",
                "https://slsa.dev/provenance/v1",
            ),
        ] {
            let signers = signers(root, NOW, Identity::like(workflow, ACTIONS).unwrap());
            let attested = |digest: &str| {
                let digest = digest.parse().unwrap();
                attested(
                    bundle,
                    &Subject { digest: &digest, repository: "", manifest: &|| Ok(Vec::new()) },
                    &signers,
                )
            };
            let (statement, makers) = attested(digest).unwrap().unwrap();
            assert_eq!(statement.predicate_type, kind);
            assert!(makers.signers[0].ends_with(&format!("({ACTIONS})")) && makers.signed_at.is_some());
            assert!(attested(&Digest::of(b"another").to_string()).is_err());
        }
    }
}
