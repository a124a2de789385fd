use plimsoll_facts::{Facts, NotationStatement};

use super::notation::judge_each;
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "notation-policy-trusts-anyone",
    title: "Notation's trust policy trusts everybody who has a certificate of its authorities",
    concern: Concern::Authenticity,
    severity: Severity::Medium,
    why: "With the identity * whoever gets a certificate for signing from a trusted authority vouches for any image: every team \
          and every customer of that authority, not only the publisher.",
    fix: "In trustpolicy.json name the publishers in \"trustedIdentities\", as \"x509.subject: C=…, ST=…, O=…\". Nothing stops.",
    references: &[
        "https://github.com/notaryproject/specifications/blob/main/specs/trust-store-trust-policy.md#trusted-identities-constraints",
    ],
    cis: &[],
    judge: Judge::Host(judge),
};

fn judge(facts: &Facts) -> Judgement {
    judge_each(facts, "who is trusted", "named identities", |statement: &NotationStatement| {
        let is_anyone = statement.level != "skip" && statement.identities.iter().any(|identity| identity == "*");
        is_anyone.then(|| "everybody (*)".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::NotationPolicy;

    use super::RULE;
    use crate::Status;
    use crate::authenticity::notation::testing::policy;
    use crate::testing::bare::{denied, host, known};
    use crate::testing::status_of;

    #[test]
    fn a_star_is_everybody() {
        assert_eq!(status_of(&RULE, &policy("strict", &[], "*")), Status::Fail);
        assert_eq!(status_of(&RULE, &policy("strict", &[], "x509.subject: O=a")), Status::Pass);
        // Nobody is asked at all: another rule tells that.
        assert_eq!(status_of(&RULE, &policy("skip", &[], "*")), Status::Pass);
    }

    #[test]
    fn no_policy_asks_nothing_and_one_that_cannot_be_read_is_unknown() {
        assert_eq!(status_of(&RULE, &host(|h| h.signing.notation = known(Vec::new()))), Status::NotApplicable);
        let unreadable = NotationPolicy { path: "/root/x".into(), statements: denied() };
        assert_eq!(status_of(&RULE, &host(|h| h.signing.notation = known(vec![unreadable]))), Status::Unknown);
    }
}
