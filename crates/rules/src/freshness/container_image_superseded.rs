use plimsoll_facts::Container;

use super::same_id;
use crate::age::days_between;
use crate::answer::{fail, not_applicable, pass};
use crate::reference::Reference;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "container-image-superseded",
    title: "The container runs an older image than its tag means now",
    concern: Concern::Freshness,
    severity: Severity::Medium,
    why: "Somebody pulled or built the newer image, fixes and all, but the container was made from the one before and stays \
          with it: docker restart does not change that. Compared by image id, not by name.",
    fix: "docker compose up -d NAME, or docker stop, rm and run with the same options. That stops the container; named volumes \
          stay, anonymous ones have to be carried over.",
    references: &["https://docs.docker.com/reference/cli/docker/container/run/"],
    cis: &["5.28"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    let declared = container.declared.require()?;
    let images = cx.engine.images.require()?;
    let Some(reference) = Reference::parse(&declared.image).filter(|reference| reference.digest.is_none()) else {
        return pass(Evidence::new("image of the container", declared.image.clone(), container.declared.source()));
    };
    let Some(tagged) = images.iter().find(|image| image.tags.iter().any(|tag| reference.same_tag(tag))) else {
        return not_applicable(format!("no image here is tagged {}", declared.image));
    };
    let source = cx.engine.images.source();
    let running = Evidence::new("image of the container", declared.image_id.clone(), container.declared.source());
    if same_id(&tagged.id, &declared.image_id) {
        return pass(running.expected(format!("what {} means", declared.image)));
    }
    let mut evidence = vec![
        running.expected(tagged.id.clone()),
        Evidence::new(format!("image that {} means", declared.image), tagged.id.clone(), source),
    ];
    let built = |at: Option<i64>| at.and_then(|at| days_between(at, cx.facts.collected_at));
    let older = built(cx.image_of(container).and_then(|image| image.created_at));
    if let (Some(newer), Some(older)) = (built(tagged.created_at), older) {
        let ages = format!("{older} and {newer} days");
        evidence.push(Evidence::new("ages of the two", ages, source));
    }
    fail(Problem::new(format!("{} means another image now than it was made from", declared.image), evidence))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{denied, image, known};
    use crate::testing::status_of;
    use plimsoll_facts::{Container, Declared, Facts};

    fn made_from(reference: &str, id: &str) -> Facts {
        let mut facts = image(|_| ());
        let declared = Declared { image: reference.into(), image_id: id.into(), ..Declared::default() };
        facts.engines[0].containers = known(vec![Container { declared: known(declared), ..Container::default() }]);
        facts
    }

    #[test]
    fn ids_are_compared() {
        assert_eq!(status_of(&RULE, &made_from("app:1", "sha256:older")), Status::Fail);
        assert_eq!(status_of(&RULE, &made_from("docker.io/library/app:1", "sha256:older")), Status::Fail);
        assert_eq!(status_of(&RULE, &made_from("app:1", "1mage")), Status::Pass);
        assert_eq!(status_of(&RULE, &made_from("app@sha256:aa", "sha256:older")), Status::Pass);
        assert_eq!(status_of(&RULE, &made_from("other:1", "sha256:older")), Status::NotApplicable);
        let mut unread = made_from("app:1", "sha256:older");
        unread.engines[0].containers.value_mut().unwrap()[0].declared = denied();
        assert_eq!(status_of(&RULE, &unread), Status::Unknown);
    }
}
