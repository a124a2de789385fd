use crate::{Concern, Judge, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "content-trust-unchecked",
    title: "Whether pulled images were signed is not checked here",
    concern: Concern::Authenticity,
    severity: Severity::Info,
    why: "DOCKER_CONTENT_TRUST is a variable of whoever types the command: that it is set in one shell says nothing about other \
          users, compose, or the daemon, which never checks it.",
    fix: "Let a gate check signatures at the host or in the pipeline before an image is used (cosign verify, notation verify, \
          plimsoll verify --policy), against keys that you chose. Nothing stops.",
    references: &["https://docs.docker.com/engine/security/trust/", "https://docs.sigstore.dev/"],
    cis: &["4.5"],
    judge: Judge::Manual(
        "A variable in the environment of the auditor proves nothing, so it is not looked at. Look at what really stands between \
         a registry and this host: an admission rule or pipeline step that verifies signatures by digest, and what it does with \
         an image that has none. `plimsoll audit --verify` asks whom the policy demands about every image and running \
         container.",
    ),
};

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachEngine, engine};
    use crate::testing::status_of;

    #[test]
    fn case_31_a_variable_of_a_shell_answers_nothing() {
        let set = engine(|e| e.daemon().environment = vec!["DOCKER_CONTENT_TRUST".into()]);
        assert_eq!(status_of(&RULE, &set), Status::NotAutomated);
    }
}
