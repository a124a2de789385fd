use plimsoll_facts::{Engine, Facts};

use crate::address::is_loopback_registry;
use crate::answer::{fail, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "registry-insecure",
    title: "A registry is spoken to without verified TLS",
    concern: Concern::Engine,
    severity: Severity::High,
    why: "Whoever sits between the host and that registry, or answers for its name, chooses what `docker pull` of a tag \
          brings and reads the credentials that are sent. Registries on this host itself do not count.",
    fix: "Give the registry a certificate and put its CA into /etc/docker/certs.d/HOST:PORT/ca.crt; take it out of \
          \"insecure-registries\" in daemon.json (or off the command line) and `systemctl reload docker`. Nothing stops.",
    references: &["https://docs.docker.com/reference/cli/dockerd/#insecure-registries"],
    cis: &["2.5"],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    let source = engine.info.source();
    let all = &engine.info.require()?.insecure_registries;
    let away: Vec<_> = all.iter().filter(|name| !is_loopback_registry(name)).map(String::as_str).collect();
    if away.is_empty() {
        return pass(Evidence::new("insecure registries beyond this host", "none", source));
    }
    let evidence = Evidence::new("insecure registries beyond this host", away.join(" "), source).expected("none");
    fail(Problem::new(format!("images from {} are not protected on the way", away.join(", ")), vec![evidence]))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachEngine, denied, engine};
    use crate::testing::status_of;

    #[test]
    fn loopback_does_not_count() {
        let with = |list: &[&str]| {
            let list = list.iter().map(|name| (*name).to_owned()).collect();
            status_of(&RULE, &engine(|e| e.info().insecure_registries = list))
        };
        assert_eq!(with(&["127.0.0.0/8", "::1/128"]), Status::Pass);
        assert_eq!(with(&["127.0.0.0/8", "registry.example:5000"]), Status::Fail);
        assert_eq!(status_of(&RULE, &engine(|e| e.info = denied())), Status::Unknown);
    }
}
