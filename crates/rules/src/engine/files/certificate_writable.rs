use plimsoll_facts::{Facts, FileRole};

use super::access::{Question, show_mode, writable};
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "certificate-writable",
    title: "A certificate that the engine trusts may be written",
    concern: Concern::Engine,
    severity: Severity::High,
    why: "Who writes a CA certificate decides whom the engine trusts: a registry of his own, or a client certificate that \
          makes him root. That root itself may write it is a note only: root may anyway.",
    fix: "chmod 0444 FILE for each file of the evidence, chmod go-w on the directories above. Nothing stops.",
    references: &["https://docs.docker.com/engine/security/certificates/", "chmod(1)"],
    cis: &["3.8", "3.10", "3.12"],
    judge: Judge::Host(judge),
};

const QUESTION: Question = Question {
    about: "mode",
    files: &[
        (FileRole::RegistryCertificate, "3.8"),
        (FileRole::TlsCaCertificate, "3.10"),
        (FileRole::TlsServerCertificate, "3.12"),
    ],
    expected: "0444 or fewer bits",
    none: "the engine has no certificates of registries and none of its own",
};

fn judge(facts: &Facts) -> Judgement {
    QUESTION.ask(facts, show_mode, |_, stat| writable(stat, 0o444))
}

#[cfg(test)]
mod tests {
    use super::super::access::one_file;
    use super::RULE;
    use crate::testing::answer;
    use crate::{Severity, Status};
    use plimsoll_facts::{Facts, FileRole};

    fn with(mode: u32) -> Facts {
        one_file(FileRole::RegistryCertificate, "/etc/docker/certs.d/r.example/ca.crt", mode, |_| ())
    }

    #[test]
    fn who_may_write_decides_how_bad_it_is() {
        assert_eq!(answer(&RULE, &with(0o446)).severity, Severity::Critical);
        let usual = answer(&RULE, &with(0o644));
        assert_eq!((usual.status, usual.severity), (Status::Fail, Severity::Info));
        assert_eq!(answer(&RULE, &with(0o400)).status, Status::Pass);
    }
}
