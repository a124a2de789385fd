//! What an envelope says, and about what (in-toto, "Statement").

use serde::Deserialize;

use crate::outcome::bad;
use crate::{ImageDigest, Refusal, RefusalKind};

/// Versions of it.
const TYPES: [&str; 2] = ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"];
/// What a statement is about that is an image's signature. Others, such as how it was built, say something else.
pub(super) const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";
/// The most images that one is about.
const MOST_SUBJECTS: usize = 10_000;

/// A statement. What it says in detail is not looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    pub(super) predicate_type: String,
    subject: Vec<Named>,
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
        let statement: Self = serde_json::from_slice(payload)
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
        match statement.subject.iter().any(is_asked) {
            true => Ok(statement),
            false => Err(bad("what is signed is another image")),
        }
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
