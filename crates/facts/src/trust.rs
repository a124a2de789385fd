//! Who vouches for the bytes of an image.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Attestation;

/// What came out of asking who vouches for an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Authenticity {
    /// The name that the question was about, in full (`docker.io/library/mariadb:11.4`).
    pub reference: String,
    /// Digest of the manifest or index that runs, or would be pulled.
    pub digest: Option<String>,
    /// What came out.
    pub outcome: TrustOutcome,
    /// Why, where nobody vouches for it.
    pub reason: String,
    /// What is signed under this name instead, where something is.
    pub signed_digest: Option<String>,
    /// Who vouches for it.
    pub vouchers: Vec<Voucher>,
    /// What else somebody trusted says about it, where that was asked for or is demanded.
    pub attestations: Vec<Attestation>,
    /// What was left out, and why.
    pub notes: Vec<String>,
    /// Where the policy demands it (`plimsoll.toml:3:1`), where one does.
    pub policy: Option<String>,
}

/// Whether somebody trusted vouches for exactly these bytes. None of these may be taken for another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TrustOutcome {
    /// Somebody trusted does.
    Verified,
    /// Nobody signed these bytes under this name.
    Unsigned,
    /// There is a signature, and it does not hold.
    BadSignature,
    /// It is signed by a key that is not trusted.
    UntrustedKey,
    /// What vouches for it is past its date.
    Stale,
    /// Whoever could tell was not reached.
    #[default]
    Unavailable,
    /// It is signed in a way that plimsoll cannot verify.
    Unsupported,
    /// It was built or loaded here: no registry knows these bytes, so nobody can have signed them.
    Local,
    /// The policy does not admit it, whoever signed it.
    Denied,
}

impl TrustOutcome {
    /// The identifier, as in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Unsigned => "unsigned",
            Self::BadSignature => "bad-signature",
            Self::UntrustedKey => "untrusted-key",
            Self::Stale => "stale",
            Self::Unavailable => "unavailable",
            Self::Unsupported => "unsupported",
            Self::Local => "local",
            Self::Denied => "denied",
        }
    }

    /// Whether it could not be found out, as opposed to an answer that is not liked.
    pub fn is_unknown(self) -> bool {
        matches!(self, Self::Unavailable | Self::Unsupported)
    }
}

/// Somebody who vouches for an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Voucher {
    /// How.
    pub method: TrustMethod,
    /// Keys or identities that signed.
    pub signers: Vec<String>,
    /// What they signed, in full (`docker.io/library/mariadb:11.4`).
    pub subject: String,
    /// In which role, where the method has roles (`targets`, `targets/releases`).
    pub role: Option<String>,
    /// When it was signed, in seconds since the Unix epoch, where a timestamp or the signer says so under a signature.
    pub signed_at: Option<i64>,
    /// Until when it holds, in seconds since the Unix epoch.
    pub expires: Option<i64>,
    /// When the signer's server was last reached, in seconds since the Unix epoch, where it could not be reached now.
    pub stale_since: Option<i64>,
}

/// How an image is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum TrustMethod {
    /// Docker Content Trust (Notary v1).
    #[default]
    #[serde(rename = "dct")]
    ContentTrust,
    /// cosign (sigstore).
    #[serde(rename = "cosign")]
    Cosign,
    /// Notation (Notary Project).
    #[serde(rename = "notation")]
    Notation,
    /// The digest in its name, where the policy takes that as enough.
    #[serde(rename = "digest")]
    Digest,
}

impl TrustMethod {
    /// Every method.
    pub const ALL: [Self; 4] = [Self::ContentTrust, Self::Cosign, Self::Notation, Self::Digest];

    /// The identifier, as in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::ContentTrust => "dct",
            Self::Cosign => "cosign",
            Self::Notation => "notation",
            Self::Digest => "digest",
        }
    }
}
