use plimsoll_facts::Container;

use super::same_id;
use crate::answer::{fail, pass};
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "container-image-gone",
    title: "The container's image has no name any more, or is gone",
    concern: Concern::Freshness,
    severity: Severity::Low,
    why: "Nobody can say which version runs or pull it again, a scanner of images passes it over, and it cannot be started \
          anew as it was. It comes from docker rmi -f, or from a pull that took the tag away.",
    fix: "docker tag ID NAME:TAG keeps it for now (stops nothing); then recreate the container from an image with a name, which \
          stops it.",
    references: &["https://docs.docker.com/reference/cli/docker/image/rm/"],
    cis: &[],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    let declared = container.declared.require()?;
    let images = cx.engine.images.require()?;
    let source = cx.engine.images.source();
    let found = images.iter().find(|image| same_id(&image.id, &declared.image_id));
    let Some(image) = found else {
        let evidence = Evidence::new(declared.image_id.clone(), "not among the images", source).expected("an image");
        return fail(Problem::new("its image is gone", vec![evidence]));
    };
    if image.tags.is_empty() && image.digests.is_empty() {
        let evidence = Evidence::new(format!("names of {}", image.id), "none", source).expected("a tag or a digest");
        return fail(Problem::new("its image has neither tag nor digest", vec![evidence]));
    }
    pass(Evidence::new("name of its image", image.name(), source))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{denied, image, known};
    use crate::testing::status_of;
    use plimsoll_facts::{Container, Declared, Facts};

    fn made_from(id: &str) -> Facts {
        let mut facts = image(|_| ());
        let declared = known(Declared { image_id: id.into(), ..Declared::default() });
        facts.engines[0].containers = known(vec![Container { declared, ..Container::default() }]);
        facts
    }

    #[test]
    fn gone_or_nameless() {
        assert_eq!(status_of(&RULE, &made_from("sha256:1mage")), Status::Pass);
        assert_eq!(status_of(&RULE, &made_from("sha256:other")), Status::Fail);
        let mut nameless = made_from("sha256:1mage");
        nameless.engines[0].images.value_mut().unwrap()[0].tags.clear();
        assert_eq!(status_of(&RULE, &nameless), Status::Fail);
        nameless.engines[0].images = denied();
        let findings = crate::judge(&nameless, [&RULE]).findings;
        assert_eq!(findings[0].status, Status::Unknown);
    }
}
