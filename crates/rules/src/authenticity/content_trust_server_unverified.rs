use plimsoll_facts::Facts;

use super::signing::switched_on;
use crate::address::is_loopback_registry;
use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "content-trust-server-unverified",
    title: "Signatures of images come from a server that is not verified",
    concern: Concern::Authenticity,
    severity: Severity::High,
    why: "For a registry that the engine calls insecure the docker client verifies no certificate of the server of signatures \
          either, and it believes the first root keys that it is shown. Whoever answers first signs the images from then on.",
    fix: "Give the registry a certificate and take it out of \"insecure-registries\" in daemon.json; `systemctl reload docker`. \
          Nothing stops. Pin the root keys: plimsoll trust pin, and plimsoll verify before images are used.",
    references: &["https://docs.docker.com/engine/security/trust/", "https://github.com/docker/cli/issues/2752"],
    cis: &[],
    judge: Judge::Host(judge),
};

fn judge(facts: &Facts) -> Judgement {
    if switched_on(facts)?.is_empty() {
        return not_applicable("no file that a login reads switches DOCKER_CONTENT_TRUST on");
    }
    let mut away = Vec::new();
    let mut sources = Vec::new();
    for engine in &facts.engines {
        let all = &engine.info.require()?.insecure_registries;
        away.extend(all.iter().filter(|name| !is_loopback_registry(name)).map(String::as_str));
        sources.push(engine.info.source());
    }
    if away.is_empty() {
        return pass(Evidence::new("insecure registries beyond this host", "none", sources.join(", ")));
    }
    let evidence = Evidence::new("insecure registries beyond this host", away.join(" "), sources.join(", "));
    let message = format!("signatures of images of {} are asked for without verified TLS", away.join(", "));
    fail(Problem::new(message, vec![evidence.expected("none")]))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::authenticity::signing::testing::client;
    use crate::testing::bare::{ReachEngine, denied, engine};
    use crate::testing::status_of;

    #[test]
    fn insecure_registries_have_insecure_servers_of_signatures() {
        let with = |on: &str, registry: &str| {
            let mut facts = engine(|e| e.info().insecure_registries = vec![registry.to_owned()]);
            facts.host.signing = client("28.2.2", &[("DOCKER_CONTENT_TRUST", on)]).host.signing;
            facts
        };
        assert_eq!(status_of(&RULE, &with("1", "registry.example:5000")), Status::Fail);
        assert_eq!(status_of(&RULE, &with("1", "127.0.0.0/8")), Status::Pass);
        assert_eq!(status_of(&RULE, &with("0", "registry.example:5000")), Status::NotApplicable);
        let mut facts = with("1", "registry.example:5000");
        facts.engines[0].info = denied();
        assert_eq!(status_of(&RULE, &facts), Status::Unknown);
    }
}
