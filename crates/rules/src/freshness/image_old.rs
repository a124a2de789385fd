use plimsoll_facts::Image;

use super::users;
use crate::age::days_between;
use crate::answer::{fail, pass, unknown};
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

/// A quarter: distributions mend something in most images in that time.
const OLD_DAYS: i64 = 90;
/// A year without a build.
const VERY_OLD_DAYS: i64 = 365;

pub(super) const RULE: Rule = Rule {
    id: "image-old",
    title: "The image was built long ago",
    concern: Concern::Freshness,
    severity: Severity::Low,
    why: "An image never changes: what was mended since it was built is missing in it. Long gaps between builds also mean that \
          nobody knows whether it can still be built when it has to be, in a hurry.",
    fix: "docker pull NAME, or docker build --pull --no-cache, then recreate its containers, which stops them; build and test \
          it regularly, also when nothing changed.",
    references: &["https://docs.docker.com/build/building/best-practices/"],
    cis: &["4.4"],
    judge: Judge::Image(judge),
};

fn judge(cx: &EngineContext<'_>, image: &Image) -> Judgement {
    let source = cx.engine.images.source();
    let built = image.created_at.and_then(|at| days_between(at, cx.facts.collected_at));
    let Some(days) = built else {
        return unknown(source, "it carries no real build time (reproducible builds leave it out)");
    };
    let used = users(cx, image);
    let evidence = vec![
        Evidence::new("age of the image", format!("{days} days"), source).expected("90 days or less"),
        Evidence::new("containers made from it", used.map_or("not known".to_owned(), |used| used.to_string()), cx.engine.containers.source()),
    ];
    if days <= OLD_DAYS {
        return pass(Evidence::new("age of the image", format!("{days} days"), source));
    }
    let severity = match (used, days > VERY_OLD_DAYS) {
        (Some(0), _) => Severity::Info,
        (_, true) => Severity::Medium,
        (_, false) => Severity::Low,
    };
    fail(Problem::new(format!("it was built {days} days ago"), evidence).severity(severity))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::bare::{DAY, NOW, image, known};
    use crate::testing::{answer, status_of};
    use crate::{Severity, Status};
    use plimsoll_facts::{Container, Declared, Facts};

    fn built(days: i64, used: bool) -> Facts {
        let mut facts = image(|i| i.created_at = Some(NOW - days * DAY));
        if used {
            let declared = known(Declared { image_id: "sha256:1mage".into(), ..Declared::default() });
            facts.engines[0].containers = known(vec![Container { declared, ..Container::default() }]);
        }
        facts
    }

    #[test]
    fn age_and_use_decide() {
        assert_eq!(status_of(&RULE, &built(90, true)), Status::Pass);
        assert_eq!(answer(&RULE, &built(91, true)).severity, Severity::Low);
        assert_eq!(answer(&RULE, &built(366, true)).severity, Severity::Medium);
        assert_eq!(answer(&RULE, &built(366, false)).severity, Severity::Info);
    }

    #[test]
    fn dates_that_are_none() {
        assert_eq!(status_of(&RULE, &image(|i| i.created_at = None)), Status::Unknown);
        assert_eq!(status_of(&RULE, &image(|i| i.created_at = Some(0))), Status::Unknown);
    }
}
