//! What an envelope says, and about what (in-toto, "Statement").

use plimsoll_facts::AttestationKind;
use serde::Deserialize;

use crate::outcome::bad;
use crate::{ImageDigest, Refusal, RefusalKind};

/// Versions of it.
const TYPES: [&str; 2] = ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"];
/// What a statement is about that is an image's signature. Others, such as how it was built, say something else.
pub(super) const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";
/// The most images that one is about.
const MOST_SUBJECTS: usize = 10_000;

/// Versions of SLSA provenance before the first, which name the builder elsewhere.
const EARLY_PROVENANCE: &str = "https://slsa.dev/provenance/v0.";

/// A statement. Of what it says in detail only what built the image is looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    pub(super) predicate_type: String,
    subject: Vec<Named>,
    /// What built the image, where it is SLSA provenance and says so.
    #[serde(skip)]
    pub(super) builder: Option<String>,
}

#[derive(Deserialize)]
struct Named {
    digest: NamedDigest,
}

#[derive(Deserialize)]
struct NamedDigest {
    sha256: Option<String>,
    sha512: Option<String>,
}

impl Statement {
    /// Reads a statement that must be about this image.
    pub(super) fn read(payload: &[u8], asked: &ImageDigest) -> Result<Self, Refusal> {
        let mut statement: Self = serde_json::from_slice(payload)
            .map_err(|error| bad(format!("what is signed cannot be read: {error}")))?;
        if !TYPES.contains(&statement.kind.as_str()) {
            return Err(bad(format!("what is signed is {:?}", statement.kind)));
        }
        if statement.subject.len() > MOST_SUBJECTS {
            return Err(bad(format!("what is signed is about more than {MOST_SUBJECTS} images")));
        }
        let is_asked = |named: &Named| match asked.algorithm() {
            "sha512" => named.digest.sha512.as_deref() == Some(asked.sum()),
            _ => named.digest.sha256.as_deref() == Some(asked.sum()),
        };
        if !statement.subject.iter().any(is_asked) {
            return Err(bad("what is signed is another image"));
        }
        if AttestationKind::of(&statement.predicate_type) == AttestationKind::SlsaProvenance {
            statement.builder = builder(payload, &statement.predicate_type);
        }
        Ok(statement)
    }

    /// It must be an image's signature.
    pub(super) fn require_signature(&self) -> Result<(), Refusal> {
        if self.predicate_type == SIGNATURE {
            return Ok(());
        }
        let reason = format!(
            "what is signed is a statement of {:?}, not that the image is vouched for",
            self.predicate_type
        );
        Err(Refusal::new(RefusalKind::Unsigned, reason))
    }
}

/// What SLSA provenance says that built the image (SLSA, "Provenance", versions 0.1 to 1).
fn builder(payload: &[u8], predicate_type: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Provenance {
        predicate: Predicate,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Predicate {
        builder: Option<Builder>,
        run_details: Option<RunDetails>,
    }
    #[derive(Deserialize)]
    struct RunDetails {
        builder: Builder,
    }
    #[derive(Deserialize)]
    struct Builder {
        id: String,
    }
    let Provenance { predicate } = serde_json::from_slice(payload).ok()?;
    let builder = match predicate_type.starts_with(EARLY_PROVENANCE) {
        true => predicate.builder,
        false => predicate.run_details.map(|details| details.builder),
    };
    builder.map(|builder| builder.id).filter(|id| !id.is_empty())
}

/// What kind of statement a payload says that it is. Nobody vouches for that: it tells no more than what was left out.
pub(super) fn claimed_type(payload: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Claimed {
        predicate_type: String,
    }
    serde_json::from_slice(payload).ok().map(|Claimed { predicate_type }| predicate_type)
}
