//! Where docker's clients and Notation are told whom to believe: files that a login reads, and Notation's own.

use std::collections::BTreeMap;

use plimsoll_facts::{ContentTrustSetting, Fact, NotationPolicy, NotationStatement, SigningPractice};
use plimsoll_rootdir::RootDir;
use serde::Deserialize;

use crate::gaps::Gaps;
use crate::source::{self, why};

/// Files that every login reads, or every shell (environment(5), bash(1), zsh(1)).
const SHARED: [&str; 6] =
    ["/etc/environment", "/etc/profile", "/etc/bash.bashrc", "/etc/bashrc", "/etc/zshenv", "/etc/zsh/zshenv"];
/// Folders of such files (environment.d(5)).
const FOLDERS: [&str; 2] = ["/etc/profile.d", "/etc/environment.d"];
/// The same in a home.
const OF_HOMES: [&str; 6] =
    [".profile", ".bash_profile", ".bash_login", ".bashrc", ".zshenv", ".pam_environment"];
/// Notation's trust policy in a home, newest form first.
const NOTATION: [&str; 2] = [".config/notation/trustpolicy.oci.json", ".config/notation/trustpolicy.json"];
/// Homes, and the folder of homes.
const ROOT_HOME: &str = "/root";
const HOMES: &str = "/home";
/// The variables. The longer one first: the other is its beginning.
const VARIABLES: [&str; 2] = ["DOCKER_CONTENT_TRUST_SERVER", "DOCKER_CONTENT_TRUST"];

/// Most entries of a folder, and most bytes of a file.
const MAX_ENTRIES: usize = 10_000;
const MAX_BYTES: u64 = 1 << 20;
/// The longest value that is kept, in characters.
const LONGEST: usize = 512;

/// Reads them.
pub(super) fn collect(root: &RootDir, gaps: &mut Gaps) -> SigningPractice {
    let homes = entries(root, HOMES).map(|mut homes| {
        homes.push(ROOT_HOME.to_owned());
        homes
    });
    let (content_trust, notation) = match homes {
        Ok(homes) => (content_trust(root, &homes), notation(root, &homes)),
        Err((path, reason)) => {
            (Fact::unreadable(path.clone(), reason.clone()), Fact::unreadable(path, reason))
        }
    };
    SigningPractice { content_trust: gaps.keep("host", content_trust), notation: gaps.keep("host", notation) }
}

type Failure = (String, String);

/// Paths of what a folder holds; none where there is no such folder.
fn entries(root: &RootDir, folder: &str) -> Result<Vec<String>, Failure> {
    match root.read_dir(folder, MAX_ENTRIES) {
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        Err(error) => Err((folder.to_owned(), why(&error))),
        Ok(entries) => {
            let names = entries.iter().filter_map(|entry| entry.name.to_str());
            Ok(names.map(|name| format!("{folder}/{name}")).collect())
        }
    }
}

fn content_trust(root: &RootDir, homes: &[String]) -> Fact<Vec<ContentTrustSetting>> {
    let mut files: Vec<String> = SHARED.map(str::to_owned).to_vec();
    for folder in FOLDERS {
        match entries(root, folder) {
            Ok(found) => files.extend(found.into_iter().filter(|path| is_read(path))),
            Err((path, reason)) => return Fact::unreadable(path, reason),
        }
    }
    files.extend(homes.iter().flat_map(|home| OF_HOMES.map(|name| format!("{home}/{name}"))));
    let mut found = Vec::new();
    for path in files {
        match source::read(&path, root.read(&path, MAX_BYTES)) {
            Fact::Known { value, .. } => found.extend(settings(&path, &String::from_utf8_lossy(&value))),
            Fact::Absent { .. } => {}
            Fact::Unreadable { source, reason } => return Fact::unreadable(source, reason),
        }
    }
    Fact::known(found, "/etc/environment, profiles, files of shells in homes")
}

/// Whether a login reads this file of a folder.
fn is_read(path: &str) -> bool {
    [".sh", ".csh", ".conf"].iter().any(|end| path.ends_with(end))
}

/// Assignments of the variables: of a shell, of csh (`setenv`), or of PAM (`NAME DEFAULT=…`). Which of them a shell comes
/// to is not told.
pub(super) fn settings(path: &str, text: &str) -> Vec<ContentTrustSetting> {
    let setting = |line: &str| {
        let line = line.trim_start();
        let at = VARIABLES.iter().find_map(|name| Some((*name, line.find(name)?)))?;
        let (variable, at) = at;
        let before = line.get(..at)?;
        if line.starts_with('#') || !before.is_empty() && !before.ends_with([' ', '\t', ';', '&']) {
            return None;
        }
        let rest = line.get(at + variable.len()..)?;
        let rest =
            rest.strip_prefix('=').or_else(|| rest.trim_start().strip_prefix("DEFAULT=")).or_else(|| {
                let is_setenv = before.trim_end().ends_with("setenv");
                rest.strip_prefix([' ', '\t']).filter(|_| is_setenv)
            })?;
        let value = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => rest.get(1..)?.split(quote).next()?,
            _ => rest.split([' ', '\t', ';', '&', '#']).next()?,
        };
        let (variable, path) = (variable.to_owned(), path.to_owned());
        Some(ContentTrustSetting { variable, value: value.chars().take(LONGEST).collect(), path })
    };
    text.lines().filter_map(setting).collect()
}

fn notation(root: &RootDir, homes: &[String]) -> Fact<Vec<NotationPolicy>> {
    let mut found = Vec::new();
    for home in homes {
        // Notation reads the newest form and no other.
        let read = NOTATION.iter().map(|name| format!("{home}/{name}")).find_map(|path| {
            match source::read(&path, root.read(&path, MAX_BYTES)) {
                Fact::Absent { .. } => None,
                fact => Some((path, fact)),
            }
        });
        let Some((path, fact)) = read else { continue };
        let statements = match fact {
            Fact::Known { value, source } => match statements(&value) {
                Ok(statements) => Fact::known(statements, source),
                Err(reason) => Fact::unreadable(source, reason),
            },
            other => other.map(|_| Vec::new()),
        };
        found.push(NotationPolicy { path, statements });
    }
    Fact::known(found, "~/.config/notation/trustpolicy.json of root and homes")
}

/// What a trust policy says.
///
/// # Errors
/// Why it is none.
pub(super) fn statements(json: &[u8]) -> Result<Vec<NotationStatement>, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Policy {
        trust_policies: Vec<Statement>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Statement {
        name: String,
        registry_scopes: Vec<String>,
        signature_verification: Verification,
        #[serde(default)]
        trusted_identities: Vec<String>,
    }
    #[derive(Deserialize)]
    struct Verification {
        level: String,
        #[serde(default, rename = "override")]
        changes: BTreeMap<String, String>,
    }
    let policy: Policy = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let statement = |it: Statement| NotationStatement {
        name: it.name,
        scopes: it.registry_scopes,
        level: it.signature_verification.level,
        overrides: it.signature_verification.changes,
        identities: it.trusted_identities,
    };
    Ok(policy.trust_policies.into_iter().map(statement).collect())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn assignments_of_shells_and_of_pam() {
        let text = "DOCKER_CONTENT_TRUST=1\nexport DOCKER_CONTENT_TRUST=\"true\" # x\n# DOCKER_CONTENT_TRUST=1\n\
            setenv DOCKER_CONTENT_TRUST 0\nDOCKER_CONTENT_TRUST DEFAULT=yes\nMY_DOCKER_CONTENT_TRUST=1\n\
            A=1; export DOCKER_CONTENT_TRUST_SERVER='https://n.example:4443'\nunset DOCKER_CONTENT_TRUST\n\
            echo $DOCKER_CONTENT_TRUST\n";
        let found = settings("/etc/profile", text);
        let values: Vec<_> = found.iter().map(|it| (it.value.as_str(), it.is_on())).collect();
        let server = ("https://n.example:4443", false);
        assert_eq!(values, [("1", true), ("true", true), ("0", false), ("yes", true), server]);
    }

    #[test]
    fn every_home_is_looked_at() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("etc/profile.d/trust.sh", "export DOCKER_CONTENT_TRUST=1\n");
        write("root/.bashrc", "DOCKER_CONTENT_TRUST=1\n");
        let policy = r#"{"version":"1.0","trustPolicies":[{"name":"a","registryScopes":["*"],
            "signatureVerification":{"level":"audit","override":{"authenticity":"log"}},"trustedIdentities":["*"]}]}"#;
        write("home/a/.config/notation/trustpolicy.json", policy);
        write("home/b/.config/notation/trustpolicy.oci.json", "{}");
        write("home/b/.config/notation/trustpolicy.json", policy);
        let found = collect(&RootDir::open(dir.path()).unwrap(), &mut Gaps::default());
        let paths: Vec<_> = found.content_trust.value().unwrap().iter().map(|it| it.path.as_str()).collect();
        assert_eq!(paths, ["/etc/profile.d/trust.sh", "/root/.bashrc"]);
        let mut notation = found.notation.value().unwrap().clone();
        notation.sort_by(|a, b| a.path.cmp(&b.path));
        assert_eq!(notation[0].statements.value().unwrap()[0].level, "audit");
        assert!(matches!(notation[1].statements, Fact::Unreadable { .. }));
    }
}
