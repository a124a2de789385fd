use plimsoll_facts::{Engine, Facts};

use crate::address::{host_of, is_loopback};
use crate::answer::{fail, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "registry-mirror-unencrypted",
    title: "A mirror of the registry is spoken to without TLS",
    concern: Concern::Engine,
    severity: Severity::High,
    why: "The engine asks a mirror first which image a tag means. Over plain HTTP whoever sits in between answers with an \
          image of his own, and the pull succeeds.",
    fix: "Serve the mirror over TLS and write https:// in \"registry-mirrors\" of daemon.json, then `systemctl reload \
          docker`. Nothing stops.",
    references: &["https://docs.docker.com/docker-hub/image-library/mirror/"],
    cis: &["2.5"],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    let source = engine.info.source();
    let mirrors = &engine.info.require()?.registry_mirrors;
    let plain: Vec<_> = mirrors.iter().filter(|url| is_plain(url)).map(String::as_str).collect();
    if plain.is_empty() {
        return pass(Evidence::new("mirrors without TLS", "none", source));
    }
    let evidence = Evidence::new("mirrors without TLS", plain.join(" "), source).expected("none");
    fail(Problem::new(format!("{} decides over plain HTTP what a tag means", plain.join(", ")), vec![evidence]))
}

fn is_plain(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let host = host_of(rest.split('/').next().unwrap_or_default());
    !(host == "localhost" || is_loopback(host))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachEngine, denied, engine};
    use crate::testing::status_of;

    #[test]
    fn plain_http_beyond_this_host() {
        let with = |url: &str| status_of(&RULE, &engine(|e| e.info().registry_mirrors = vec![url.into()]));
        assert_eq!(with("http://mirror.example:5000/"), Status::Fail);
        assert_eq!(with("https://mirror.example/"), Status::Pass);
        assert_eq!(with("http://127.0.0.1:5000/"), Status::Pass);
        assert_eq!(status_of(&RULE, &engine(|e| e.info = denied())), Status::Unknown);
    }
}
