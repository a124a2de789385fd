//! Asks a question of every statement of Notation's trust policies.

use plimsoll_facts::{Facts, NotationStatement};

use crate::answer::{fail, not_applicable, pass};
use crate::{Evidence, Judgement, Problem};

/// Fails where `flaw` finds something in a statement; what it finds is told as evidence of `what`.
pub(super) fn judge_each(
    facts: &Facts,
    what: &str,
    expected: &str,
    flaw: impl Fn(&NotationStatement) -> Option<String>,
) -> Judgement {
    let policies = facts.host.signing.notation.get()?.into_iter().flatten();
    let mut found = Vec::new();
    let mut sound = Vec::new();
    for policy in policies {
        let statements = policy.statements.require()?;
        sound.push(policy.path.as_str());
        for statement in statements {
            let Some(flaw) = flaw(statement) else { continue };
            let about = format!("{:?} for {}: {flaw}", statement.name, statement.scopes.join(", "));
            found.push((policy.path.as_str(), about));
        }
    }
    if sound.is_empty() {
        return not_applicable("Notation has no trust policy here");
    }
    let Some((path, first)) = found.first() else {
        return pass(Evidence::new(what.to_owned(), expected.to_owned(), sound.join(", ")));
    };
    let message = format!("{path}: {first}");
    let evidence = found.iter().map(|(path, about)| {
        Evidence::new(what.to_owned(), about.clone(), *path).expected(expected.to_owned())
    });
    fail(Problem::new(message, evidence.collect()))
}

#[cfg(test)]
pub(super) mod testing {
    use plimsoll_facts::{Facts, NotationPolicy, NotationStatement};

    use crate::testing::bare::{host, known};

    /// A host with one statement.
    pub(in crate::authenticity) fn policy(level: &str, overrides: &[(&str, &str)], identity: &str) -> Facts {
        let changes = overrides.iter().map(|(check, action)| ((*check).to_owned(), (*action).to_owned()));
        let statement = NotationStatement {
            name: "all".into(),
            scopes: vec!["*".into()],
            level: level.into(),
            overrides: changes.collect(),
            identities: vec![identity.into()],
        };
        let path = "/root/.config/notation/trustpolicy.json".to_owned();
        host(|h| {
            h.signing.notation = known(vec![NotationPolicy { path, statements: known(vec![statement]) }])
        })
    }
}
