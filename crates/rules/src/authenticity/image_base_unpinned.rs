use plimsoll_facts::Image;

use crate::answer::{fail, not_applicable, pass};
use crate::freshness::moves;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

const DIGEST: &str = "org.opencontainers.image.base.digest";

pub(super) const RULE: Rule = Rule {
    id: "image-base-unpinned",
    title: "The image was built from whatever its base's tag meant that day",
    concern: Concern::Authenticity,
    severity: Severity::Info,
    why: "A base named latest, or without a tag, is another one at the next build: a new major version, or what somebody pushed \
          who took the repository over. Without its digest nobody can tell which one is in this image.",
    fix: "FROM NAME:VERSION@sha256:… in the Dockerfile, kept current by a bot, and the labels \
          org.opencontainers.image.base.name and .digest. Build again; containers go on until they are recreated.",
    references: &["https://docs.docker.com/build/building/best-practices/#pin-base-image-versions"],
    cis: &["4.2"],
    judge: Judge::Image(judge),
};

fn judge(_: &EngineContext<'_>, image: &Image) -> Judgement {
    let config = image.config.require()?;
    let source = image.config.source();
    let Some(base) = &config.base else {
        return not_applicable("it does not record what it was built from");
    };
    let evidence = Evidence::new("base image", base.clone(), source);
    let is_pinned = base.starts_with("sha256:") || config.labels.iter().any(|label| label == DIGEST);
    if is_pinned || !moves(base) {
        return pass(evidence);
    }
    fail(Problem::new(format!("it was built from {base}"), vec![evidence.expected("a version or a digest")]))
}

#[cfg(test)]
mod tests {
    use super::{DIGEST, RULE};
    use crate::Status;
    use crate::testing::bare::{ReachImage, denied, image};
    use crate::testing::status_of;

    #[test]
    fn as_far_as_it_is_recorded() {
        let from = |base: &str| status_of(&RULE, &image(|i| i.config().base = Some(base.into())));
        assert_eq!(from("docker.io/library/debian:latest"), Status::Fail);
        assert_eq!(from("r.example:5000/debian"), Status::Fail);
        assert_eq!(from("debian:12"), Status::Pass);
        assert_eq!(from("sha256:0a"), Status::Pass);
        let pinned = image(|i| {
            i.config().base = Some("debian:latest".into());
            i.config().labels = vec![DIGEST.into()];
        });
        assert_eq!(status_of(&RULE, &pinned), Status::Pass);
        assert_eq!(status_of(&RULE, &image(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &image(|i| i.config = denied())), Status::Unknown);
    }
}
