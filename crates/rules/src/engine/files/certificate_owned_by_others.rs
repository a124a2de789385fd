use plimsoll_facts::{Facts, FileRole};

use super::access::{Question, belongs_to_rootless_engine, not_roots, show_owner};
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "certificate-owned-by-others",
    title: "A certificate or key of the engine does not belong to root",
    concern: Concern::Engine,
    severity: Severity::High,
    why: "Who owns a CA certificate puts his own in its place: the engine then trusts his registry, or lets his client \
          certificate in as root. Who owns a key can read it, whatever its mode says.",
    fix: "chown root:root FILE for each file of the evidence. Nothing stops.",
    references: &["https://docs.docker.com/engine/security/certificates/"],
    cis: &["3.7", "3.9", "3.11", "3.13"],
    judge: Judge::Host(judge),
};

const QUESTION: Question = Question {
    about: "owner",
    files: &[
        (FileRole::RegistryCertificate, "3.7"),
        (FileRole::TlsCaCertificate, "3.9"),
        (FileRole::TlsServerCertificate, "3.11"),
        (FileRole::TlsServerKey, "3.13"),
        (FileRole::RegistryKey, ""),
    ],
    expected: "root:root",
    none: "the engine has no certificate or key, neither for registries nor of its own",
};

fn judge(facts: &Facts) -> Judgement {
    QUESTION.ask(facts, show_owner, |file, stat| {
        if belongs_to_rootless_engine(facts, file, stat) { None } else { not_roots(stat) }
    })
}

#[cfg(test)]
mod tests {
    use super::super::access::one_file;
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::denied;
    use crate::testing::status_of;
    use plimsoll_facts::FileRole;

    const CLIENT: &str = "/etc/docker/certs.d/registry.example/client.cert";

    #[test]
    fn case_29_client_certificates_count_too() {
        let others = one_file(FileRole::RegistryCertificate, CLIENT, 0o444, |s| s.uid = 1000);
        assert_eq!(status_of(&RULE, &others), Status::Fail);
        let roots = one_file(FileRole::RegistryCertificate, CLIENT, 0o444, |_| ());
        assert_eq!(status_of(&RULE, &roots), Status::Pass);
    }

    #[test]
    fn none_and_unread() {
        let mut facts = one_file(FileRole::EngineConfig, "/etc/docker/daemon.json", 0o644, |_| ());
        assert_eq!(status_of(&RULE, &facts), Status::NotApplicable);
        facts.host.files[0].role = FileRole::TlsCaCertificate;
        facts.host.files[0].stat = denied();
        assert_eq!(status_of(&RULE, &facts), Status::Unknown);
    }
}
