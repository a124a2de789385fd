//! Who must vouch for the images of which repositories.

use std::path::PathBuf;

use plimsoll_facts::AttestationDemand;

use crate::Place;
use crate::subject::glob_matches;

/// Who must vouch for the images of some repositories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustRule {
    /// Of which.
    pub repository: RepositoryPattern,
    /// Who may vouch. None only where images must be named by digest, which is enough then.
    pub signers: Vec<Method>,
    /// Whether every signer must vouch, or one is enough.
    pub require: Require,
    /// Whether images must be named by digest.
    pub digest_only: bool,
    /// How old a signature may be, in days.
    pub max_age_days: Option<u32>,
    /// Whether a tag may not go back behind what was accepted for it before.
    pub rollback_guard: bool,
    /// Statements about the image that must be there, each signed by a signer that can sign such.
    pub attestations: Vec<AttestationDemand>,
    /// What must have built the image, by the SLSA provenance that is demanded.
    pub builder: Option<String>,
    /// Where it is written.
    pub place: Place,
}

/// How many signers must vouch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Require {
    /// Each of them.
    #[default]
    All,
    /// One of them.
    Any,
}

/// How a signer vouches, and by what they are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    /// Docker Content Trust.
    ContentTrust {
        /// Ids of root keys, of which one must be the repository's; none leaves that to the pins of the state folder.
        pins: Vec<String>,
        /// Whether the first root that a server shows is believed.
        first_use: bool,
    },
    /// cosign with keys.
    Cosign {
        /// Files of public keys, of which one must have signed.
        keys: Vec<PathBuf>,
    },
    /// cosign without keys of its own: a certificate says who signed.
    Keyless {
        /// Whom it must name.
        identity: String,
        /// Who must have told the authority who that is.
        issuer: String,
        /// The file of trusted authorities and logs.
        trusted_root: PathBuf,
    },
    /// Notation, by its own trust policy.
    Notation {
        /// Where trust policy and trust store are, if not in Notation's own place.
        directory: Option<PathBuf>,
    },
}

impl Method {
    /// Whether there is a way to sign statements about an image (in-toto attestations) by it.
    pub(crate) fn signs_attestations(&self) -> bool {
        match self {
            Self::Cosign { .. } | Self::Keyless { .. } => true,
            Self::ContentTrust { .. } | Self::Notation { .. } => false,
        }
    }
}

/// A pattern over the full name of a repository (`docker.io/library/mariadb`): `*` is any run of characters, `?` any one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryPattern(String);

impl RepositoryPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Why it could never cover a repository.
    pub fn new(text: &str) -> Result<Self, String> {
        let (registry, repository) = match text.split_once('/') {
            Some(parts) => parts,
            None if text.contains('*') => (text, text),
            None => return Err(format!("it names no repository; {text}/* covers all of a registry")),
        };
        if !registry.contains(['.', ':', '*', '?']) && registry != "localhost" {
            return Err(format!(
                "names are in full, and {registry} is no registry; docker.io/{text} may be meant"
            ));
        }
        match repository.contains([':', '@']) {
            true => Err("it names a tag or digest, and covers whole repositories".to_owned()),
            false => Ok(Self(text.to_owned())),
        }
    }

    /// Whether the pattern covers this repository.
    pub fn matches(&self, repository: &str) -> bool {
        glob_matches(&self.0, repository)
    }

    /// What is compared where several cover a repository: one without wildcards says most, then one that has its first
    /// wildcard later, then one that spells out more.
    pub(crate) fn specificity(&self) -> (bool, usize, usize) {
        let is_wildcard = |c| matches!(c, '*' | '?');
        let prefix = self.0.find(is_wildcard);
        let literal = self.0.chars().filter(|c| !is_wildcard(*c)).count();
        (prefix.is_none(), prefix.unwrap_or(self.0.len()), literal)
    }
}

#[cfg(test)]
mod tests {
    use super::RepositoryPattern;

    #[test]
    fn what_could_never_cover_anything_is_refused() {
        for fine in
            ["*", "*/*", "docker.io/library/*", "r.example:5000/a", "localhost/a", "r.example/team-?/*"]
        {
            RepositoryPattern::new(fine).unwrap();
        }
        for wrong in ["mariadb", "library/mariadb", "r.example", "r.example/a:1", "r.example/a@sha256:00", ""]
        {
            RepositoryPattern::new(wrong).unwrap_err();
        }
    }

    #[test]
    fn the_most_specific_comes_out_on_top() {
        let mut patterns =
            ["*", "r.example/shop/db", "r.example/*", "r.example/shop/*", "r.example/*b", "*/shop/db"]
                .map(|text| RepositoryPattern::new(text).unwrap());
        patterns.sort_by_key(RepositoryPattern::specificity);
        let order = patterns.map(|pattern| pattern.0);
        assert_eq!(
            order,
            ["*", "*/shop/db", "r.example/*", "r.example/*b", "r.example/shop/*", "r.example/shop/db"]
        );
    }
}
