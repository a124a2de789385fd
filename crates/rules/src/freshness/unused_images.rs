use std::collections::BTreeSet;

use plimsoll_facts::{Engine, Facts, Image};

use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

/// As many as a rollback or two of a few services need.
const SPARE: usize = 10;

pub(super) const RULE: Rule = Rule {
    id: "unused-images",
    title: "Images lie on the host that no container uses",
    concern: Concern::Freshness,
    severity: Severity::Info,
    why: "Old versions with their holes stay one typing error away from running, and fill the disk. Counted by image ids that \
          containers really have, stopped ones too; a few named images for a rollback are no sprawl.",
    fix: "docker image prune removes those without a name, docker image prune -a --filter until=720h those that no container \
          uses and that are older than 30 days. Stops nothing; pull what you keep for a rollback again.",
    references: &["https://docs.docker.com/reference/cli/docker/image/prune/"],
    cis: &["6.1"],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    let images = engine.images.require()?;
    if images.is_empty() {
        return not_applicable("the engine has no image");
    }
    let mut used = BTreeSet::new();
    for container in engine.containers.require()? {
        used.insert(container.declared.require()?.image_id.trim_start_matches("sha256:"));
    }
    let unused: Vec<_> = images.iter().filter(|i| !used.contains(i.id.trim_start_matches("sha256:"))).collect();
    let (nameless, named): (Vec<&Image>, Vec<&Image>) =
        unused.iter().copied().partition(|i| i.tags.is_empty() && i.digests.is_empty());
    let source = engine.images.source();
    let evidence = vec![
        Evidence::new("images", format!("{} in use, {} not", images.len() - unused.len(), unused.len()), source),
        Evidence::new("unused images without a name", size(&nameless), source).expected("0"),
        Evidence::new("unused images with a name", size(&named), source).expected("10 or fewer"),
    ];
    if nameless.is_empty() && named.len() <= SPARE {
        return evidence.into_iter().next().map_or_else(|| not_applicable("no image"), pass);
    }
    let message = format!("{} of {} images are used by no container", unused.len(), images.len());
    fail(Problem::new(message, evidence))
}

fn size(images: &[&Image]) -> String {
    let bytes: u64 = images.iter().map(|image| image.size).sum();
    format!("{} ({} MiB, shared layers counted each time)", images.len(), bytes >> 20)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::bare::{denied, engine, image, known};
    use crate::testing::{answer, status_of};
    use crate::Status;
    use plimsoll_facts::{Container, Declared, Facts};

    fn with(tags: usize, used: bool) -> Facts {
        let mut facts = image(|i| i.tags.truncate(tags));
        if used {
            let declared = known(Declared { image_id: "1mage".into(), ..Declared::default() });
            facts.engines[0].containers = known(vec![Container { declared, ..Container::default() }]);
        }
        facts
    }

    #[test]
    fn case_50_images_are_counted_by_their_ids() {
        let found = answer(&RULE, &with(0, false));
        assert_eq!(found.status, Status::Fail);
        assert_eq!(found.evidence[0].value, "0 in use, 1 not");
        assert_eq!(status_of(&RULE, &with(0, true)), Status::Pass);
        assert_eq!(status_of(&RULE, &with(1, false)), Status::Pass);
    }

    #[test]
    fn none_and_unread() {
        assert_eq!(status_of(&RULE, &engine(|_| ())), Status::NotApplicable);
        let mut unread = with(1, false);
        unread.engines[0].containers = denied();
        assert_eq!(status_of(&RULE, &unread), Status::Unknown);
        assert_eq!(status_of(&RULE, &engine(|e| e.images = denied())), Status::Unknown);
    }
}
