use plimsoll_facts::Container;

use crate::answer::{fail, not_applicable, pass};
use crate::reference::Reference;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "container-image-unpinned",
    title: "Which image the container gets next is for its registry to decide",
    concern: Concern::Freshness,
    severity: Severity::Info,
    why: "A tag is moved at will by whoever may push it: the same command starts other code tomorrow, on one host before the \
          others. latest may even be the next major version, which a database's files do not survive. A digest means one \
          image for ever.",
    fix: "docker image inspect --format '{{index .RepoDigests 0}}' NAME tells the digest; write NAME:TAG@sha256:… into the compose \
          file or the command and let a tool (Renovate) raise it. Takes effect when the container is recreated, which stops it.",
    references: &["https://docs.docker.com/build/building/best-practices/#pin-base-image-versions"],
    cis: &["5.28"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    let declared = container.declared.require()?;
    let source = container.declared.source();
    let evidence = Evidence::new("image of the container", declared.image.clone(), source);
    let Some(reference) = Reference::parse(&declared.image) else { return pass(evidence) };
    if reference.digest.is_some() {
        return pass(evidence);
    }
    if cx.image_of(container).is_some_and(|image| image.digests.is_empty()) {
        return not_applicable("its image was built or loaded here and is of no registry");
    }
    let evidence = evidence.expected("NAME@sha256:…");
    if reference.tag == "latest" {
        let problem = Problem::new("it takes whatever latest means when it is pulled", vec![evidence]);
        return fail(problem.severity(Severity::Low));
    }
    fail(Problem::new(format!("it takes whatever the tag {} means when it is pulled", reference.tag), vec![evidence]))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::bare::{denied, image, known};
    use crate::testing::{answer, status_of};
    use crate::{Severity, Status};
    use plimsoll_facts::{Container, Declared, Facts};

    fn named(reference: &str) -> Facts {
        let mut facts = image(|i| i.digests = vec!["app@sha256:aa".into()]);
        let declared =
            Declared { image: reference.into(), image_id: "sha256:1mage".into(), ..Declared::default() };
        facts.engines[0].containers = known(vec![Container { declared: known(declared), ..Container::default() }]);
        facts
    }

    #[test]
    fn tags_digests_ids() {
        assert_eq!(answer(&RULE, &named("app")).severity, Severity::Low);
        assert_eq!(answer(&RULE, &named("app:1")).severity, Severity::Info);
        assert_eq!(status_of(&RULE, &named("app:1@sha256:aa")), Status::Pass);
        assert_eq!(status_of(&RULE, &named("5b86d92fb66d")), Status::Pass);
    }

    #[test]
    fn built_here_and_unread() {
        let mut local = named("app");
        local.engines[0].images.value_mut().unwrap()[0].digests.clear();
        assert_eq!(status_of(&RULE, &local), Status::NotApplicable);
        local.engines[0].containers.value_mut().unwrap()[0].declared = denied();
        assert_eq!(status_of(&RULE, &local), Status::Unknown);
    }
}
