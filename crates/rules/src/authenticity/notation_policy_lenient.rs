use plimsoll_facts::{Facts, NotationStatement};

use super::notation::judge_each;
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "notation-policy-lenient",
    title: "Notation's trust policy lets images pass that are not verified",
    concern: Concern::Authenticity,
    severity: Severity::High,
    why: "At the levels skip and audit notation verify succeeds for any image, signed or not; with authenticity, integrity or \
          expiry overridden to log or skip it does so for that check. Permissive accepts expired and revoked signers.",
    fix: "In trustpolicy.json set \"level\": \"strict\" and take out \"override\", for every scope that is used; images that \
          nobody signs belong into a statement of their own. Nothing stops.",
    references: &[
        "https://github.com/notaryproject/specifications/blob/main/specs/trust-store-trust-policy.md#signature-verification",
    ],
    cis: &[],
    judge: Judge::Host(judge),
};

fn judge(facts: &Facts) -> Judgement {
    judge_each(facts, "what is enforced", "level strict", |statement: &NotationStatement| {
        if statement.level != "strict" {
            return Some(format!("level {}", statement.level));
        }
        let weaker = statement.overrides.iter().find(|(_, action)| *action != "enforce");
        weaker.map(|(check, action)| format!("{check}={action}"))
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::authenticity::notation::testing::policy;
    use crate::testing::bare::{denied, host};
    use crate::testing::status_of;

    #[test]
    fn only_strict_enforces_all() {
        assert_eq!(status_of(&RULE, &policy("strict", &[], "x509.subject: O=a")), Status::Pass);
        assert_eq!(status_of(&RULE, &policy("strict", &[("revocation", "enforce")], "*")), Status::Pass);
        for level in ["skip", "audit", "permissive"] {
            assert_eq!(status_of(&RULE, &policy(level, &[], "*")), Status::Fail, "{level}");
        }
        assert_eq!(status_of(&RULE, &policy("strict", &[("authenticity", "log")], "*")), Status::Fail);
        assert_eq!(status_of(&RULE, &host(|h| h.signing.notation = denied())), Status::Unknown);
    }
}
