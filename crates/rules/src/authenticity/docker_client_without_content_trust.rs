use plimsoll_facts::{Component, ComponentKind, Facts};

use super::signing::{FIRST_WITHOUT, major};
use crate::answer::{fail, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "docker-client-without-content-trust",
    title: "The docker client cannot verify signatures",
    concern: Concern::Authenticity,
    severity: Severity::Info,
    why: "Docker Content Trust lived in the client, and release 29 took it out. Nothing of Docker on this host can hold a pulled \
          image against a signature now: neither the client nor the daemon.",
    fix: "Verify images by a gate of your own before they are used: plimsoll verify --policy, cosign verify, notation verify. \
          Nothing stops.",
    references: &["https://github.com/docker/cli/pull/6603", "https://docs.docker.com/engine/security/trust/"],
    cis: &[],
    judge: Judge::Component(&[ComponentKind::DockerCli], judge),
};

fn judge(_: &Facts, client: &Component) -> Judgement {
    let major = major(client)?;
    let version = client.version.value().cloned().unwrap_or_default();
    let evidence = Evidence::new("version of the docker client", version, client.version.source());
    if major < FIRST_WITHOUT {
        return pass(evidence);
    }
    let evidence = evidence.expected(format!("below {FIRST_WITHOUT}"));
    fail(Problem::new(format!("{} has no content trust", client.path), vec![evidence]))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::authenticity::signing::testing::client;
    use crate::testing::status_of;

    #[test]
    fn by_version() {
        assert_eq!(status_of(&RULE, &client("28.2.2", &[])), Status::Pass);
        assert_eq!(status_of(&RULE, &client("29.7.2", &[])), Status::Fail);
        assert_eq!(status_of(&RULE, &client("", &[])), Status::Unknown);
    }
}
