use plimsoll_facts::{Component, ComponentKind, Facts};

use super::signing::{FIRST_WITHOUT, files, major, switched_on};
use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "docker-client-ignores-content-trust",
    title: "DOCKER_CONTENT_TRUST is set, and the docker client ignores it",
    concern: Concern::Authenticity,
    severity: Severity::High,
    why: "Since release 29 the docker client verifies no signatures: DOCKER_CONTENT_TRUST and --disable-content-trust do \
          nothing, and nothing says so. Whoever relies on the variable pulls whatever the registry gives.",
    fix: "Verify images by a gate of your own before they are used (plimsoll verify --policy, cosign verify, notation verify), \
          run them by the verified digest, and take the variable out of the file, so that nobody relies on it. Nothing stops.",
    references: &[
        "https://github.com/docker/cli/pull/6603",
        "https://docs.docker.com/engine/release-notes/29/",
        "https://docs.docker.com/engine/security/trust/",
    ],
    cis: &[],
    judge: Judge::Component(&[ComponentKind::DockerCli], judge),
};

fn judge(facts: &Facts, client: &Component) -> Judgement {
    let settings = switched_on(facts)?;
    if settings.is_empty() {
        return not_applicable("no file that a login reads switches DOCKER_CONTENT_TRUST on");
    }
    let major = major(client)?;
    let evidence = |expected: bool| {
        let version = client.version.value().cloned().unwrap_or_default();
        let evidence = Evidence::new("version of the docker client", version, client.version.source());
        if expected { evidence.expected(format!("below {FIRST_WITHOUT}")) } else { evidence }
    };
    if major < FIRST_WITHOUT {
        return pass(evidence(false));
    }
    let set = Evidence::new("DOCKER_CONTENT_TRUST", "on", files(&settings));
    let message = format!("{} verifies no signatures, whatever {} says", client.path, files(&settings));
    fail(Problem::new(message, vec![evidence(true), set]))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::authenticity::signing::testing::client;
    use crate::testing::bare::denied;
    use crate::testing::status_of;

    #[test]
    fn clients_from_release_29_on_ignore_it() {
        let on = [("DOCKER_CONTENT_TRUST", "1")];
        assert_eq!(status_of(&RULE, &client("29.0.0", &on)), Status::Fail);
        assert_eq!(status_of(&RULE, &client("5:29.1.2-1~debian.12~bookworm", &on)), Status::Fail);
        assert_eq!(status_of(&RULE, &client("28.5.2", &on)), Status::Pass);
        assert_eq!(status_of(&RULE, &client("20.10.24+dfsg1-1", &on)), Status::Pass);
        for off in [&[("DOCKER_CONTENT_TRUST", "false")][..], &[("DOCKER_CONTENT_TRUST_SERVER", "x")], &[]] {
            assert_eq!(status_of(&RULE, &client("29.0.0", off)), Status::NotApplicable);
        }
    }

    #[test]
    fn what_is_not_known_is_no_pass() {
        let mut facts = client("29.0.0", &[]);
        facts.host.signing.content_trust = denied();
        assert_eq!(status_of(&RULE, &facts), Status::Unknown);
        assert_eq!(status_of(&RULE, &client("dev", &[("DOCKER_CONTENT_TRUST", "1")])), Status::Unknown);
    }
}
