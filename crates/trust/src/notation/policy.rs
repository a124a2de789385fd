//! Notation's trust policy (Notary Project, "Trust policy"): `trustpolicy.oci.json`, before version 1.2 `trustpolicy.json`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use super::identity;
use crate::{Refusal, RefusalKind};

/// Its names, newest first.
const FILES: [&str; 2] = ["trustpolicy.oci.json", "trustpolicy.json"];
/// The largest policy that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// A policy that makes sense.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Policy {
    version: String,
    trust_policies: Vec<Statement>,
}

/// Whom to trust for some repositories.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Statement {
    pub(super) name: String,
    registry_scopes: Vec<String>,
    signature_verification: Verification,
    #[serde(default)]
    pub(super) trust_stores: Vec<String>,
    #[serde(default)]
    pub(super) trusted_identities: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Verification {
    level: String,
    #[serde(default, rename = "override")]
    changes: BTreeMap<String, String>,
    #[serde(default, rename = "verifyTimestamp")]
    timestamps: When,
}

/// When the timestamp of a signature is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum When {
    #[default]
    Always,
    /// When a certificate of the signer does not hold any more.
    AfterCertExpiry,
}

/// What it means that a check fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// The signature does not count.
    Enforce,
    /// It is noted.
    Log,
    /// Nothing: it is not asked.
    Skip,
}

impl Policy {
    /// Reads the policy in Notation's directory.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub(super) fn read(directory: &Path) -> Result<Self, String> {
        let path = FILES.iter().map(|name| directory.join(name)).find(|path| path.symlink_metadata().is_ok());
        let path =
            path.ok_or_else(|| format!("{}: there is no trust policy of Notation", directory.display()))?;
        let unfit = |why: String| format!("{}: {why}", path.display());
        if !fs::symlink_metadata(&path).is_ok_and(|file| file.is_file()) {
            return Err(unfit("it is no regular file".to_owned()));
        }
        let mut bytes = Vec::new();
        let read = File::open(&path).and_then(|file| file.take(LARGEST).read_to_end(&mut bytes));
        read.map_err(|error| unfit(error.to_string()))?;
        Self::parse(&bytes).map_err(unfit)
    }

    pub(super) fn parse(json: &[u8]) -> Result<Self, String> {
        let policy: Self = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        if policy.version != "1.0" {
            return Err(format!("version {:?} is not covered", policy.version));
        }
        let mut scopes: Vec<&String> =
            policy.trust_policies.iter().flat_map(|statement| &statement.registry_scopes).collect();
        let count = scopes.len();
        scopes.sort();
        scopes.dedup();
        if scopes.len() != count {
            return Err("a registry scope stands twice".to_owned());
        }
        policy.trust_policies.iter().try_for_each(Statement::check)?;
        Ok(policy)
    }

    /// The statement about a repository: that which names it, before that about all others.
    ///
    /// # Errors
    /// When there is none, or it verifies nothing.
    pub(super) fn of(&self, repository: &str) -> Result<&Statement, Refusal> {
        let named = |scope: &str| {
            let has = |statement: &&Statement| statement.registry_scopes.iter().any(|known| known == scope);
            self.trust_policies.iter().find(has)
        };
        let Some(statement) = named(repository).or_else(|| named("*")) else {
            let reason = format!("Notation's trust policy says nothing about {repository}");
            return Err(Refusal::new(RefusalKind::UntrustedKey, reason));
        };
        if statement.signature_verification.level == "skip" {
            let reason = format!("Notation's trust policy {:?} says skip: nobody is trusted", statement.name);
            return Err(Refusal::new(RefusalKind::UntrustedKey, reason));
        }
        Ok(statement)
    }
}

impl Statement {
    fn check(&self) -> Result<(), String> {
        let unfit = |why: String| Err(format!("trust policy {:?}: {why}", self.name));
        let Verification { level, .. } = &self.signature_verification;
        if !["strict", "permissive", "audit", "skip"].contains(&level.as_str()) {
            return unfit(format!("there is no level {level:?}"));
        }
        if self.registry_scopes.is_empty()
            || (has_star(&self.registry_scopes) && self.registry_scopes.len() > 1)
        {
            return unfit("its registry scopes are none, or * and others".to_owned());
        }
        if level == "skip" {
            return Ok(());
        }
        if let Err(why) = self.signature_verification.revocation() {
            return unfit(why);
        }
        if self.trust_stores.is_empty() || self.trusted_identities.is_empty() {
            return unfit("it names no trust store or no identity".to_owned());
        }
        if has_star(&self.trusted_identities) && self.trusted_identities.len() > 1 {
            return unfit("its identities are * and others".to_owned());
        }
        for identity in self.trusted_identities.iter().filter(|identity| *identity != "*") {
            identity::parse(identity)
                .map_err(|why| format!("trust policy {:?}: {identity:?}: {why}", self.name))?;
        }
        Ok(())
    }

    pub(super) fn timestamps(&self) -> When {
        self.signature_verification.timestamps
    }

    /// What it means that a certificate was revoked, or that nobody can tell.
    pub(super) fn revocation(&self) -> Action {
        // A policy with another word is not taken.
        self.signature_verification.revocation().unwrap_or(Action::Enforce)
    }

    /// The level, where it asks for less than all of it.
    pub(super) fn weaker_level(&self) -> Option<String> {
        let Verification { level, changes, .. } = &self.signature_verification;
        let changes: Vec<_> = changes.iter().map(|(what, action)| format!("{what}={action}")).collect();
        match (level.as_str(), changes.is_empty()) {
            ("strict", true) => None,
            (_, true) => Some(level.clone()),
            (_, false) => Some(format!("{level}, {}", changes.join(", "))),
        }
    }
}

impl Verification {
    /// What its level, or what overrides it, says of revocation.
    fn revocation(&self) -> Result<Action, String> {
        let overridden = self.changes.get("revocation").map(String::as_str);
        match overridden.unwrap_or(if self.level == "strict" { "enforce" } else { "log" }) {
            "enforce" => Ok(Action::Enforce),
            "log" => Ok(Action::Log),
            "skip" => Ok(Action::Skip),
            other => Err(format!("there is no action {other:?} for revocation")),
        }
    }
}

fn has_star(list: &[String]) -> bool {
    list.iter().any(|entry| entry == "*")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn statement(scopes: &[&str], level: &str, identities: &[&str]) -> Value {
        json!({"name": scopes.join(" "), "registryScopes": scopes, "signatureVerification": {"level": level},
            "trustStores": ["ca:a"], "trustedIdentities": identities})
    }

    fn policy(statements: &[Value]) -> Result<Policy, String> {
        Policy::parse(json!({"version": "1.0", "trustPolicies": statements}).to_string().as_bytes())
    }

    #[test]
    fn the_scope_decides() {
        let found = policy(&[
            statement(&["r.example/a"], "strict", &["*"]),
            statement(&["*"], "audit", &["*"]),
            statement(&["r.example/free"], "skip", &[]),
        ])
        .unwrap();
        assert_eq!(found.of("r.example/a").unwrap().weaker_level(), None);
        assert_eq!(found.of("r.example/a/b").unwrap().weaker_level().as_deref(), Some("audit"));
        assert_eq!(found.of("r.example/free").unwrap_err().kind, RefusalKind::UntrustedKey);
        let found = policy(&[statement(&["r.example/a"], "strict", &["*"])]).unwrap();
        assert_eq!(found.of("r.example/b").unwrap_err().kind, RefusalKind::UntrustedKey);
    }

    #[test]
    fn revocation_is_what_the_level_says_or_what_overrides_it() {
        let action = |level: &str, changes: Value| {
            let mut statement = statement(&["*"], level, &["*"]);
            statement["signatureVerification"]["override"] = changes;
            policy(&[statement]).map(|policy| policy.of("r.example/a").unwrap().revocation())
        };
        assert_eq!(action("strict", json!({"expiry": "log"})), Ok(Action::Enforce));
        assert_eq!(action("permissive", json!({})), Ok(Action::Log));
        assert_eq!(action("audit", json!({"revocation": "enforce"})), Ok(Action::Enforce));
        assert_eq!(action("strict", json!({"revocation": "log"})), Ok(Action::Log));
        assert_eq!(action("strict", json!({"revocation": "skip"})), Ok(Action::Skip));
        assert!(action("strict", json!({"revocation": "never"})).unwrap_err().contains("\"never\""));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for statements in [
            vec![statement(&["a"], "strict", &[])],
            vec![statement(&["a"], "lenient", &["*"])],
            vec![statement(&["a"], "strict", &["x509.subject: O=#00"])],
            vec![statement(&["a", "*"], "strict", &["*"])],
            vec![statement(&["a"], "strict", &["*", "x509.subject: C=a, ST=b, O=c"])],
            vec![statement(&["a"], "strict", &["*"]), statement(&["a"], "audit", &["*"])],
        ] {
            assert!(policy(&statements).is_err(), "{statements:?}");
        }
        assert!(Policy::parse(br#"{"version":"2.0","trustPolicies":[]}"#).is_err());
    }
}
