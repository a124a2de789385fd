use plimsoll_facts::Image;

use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "image-tagged-latest",
    title: "The image's only tag is latest",
    concern: Concern::Freshness,
    severity: Severity::Info,
    why: "latest is what was pushed last, not what is newest: nobody can tell from it which build runs, two hosts that have it \
          may run different ones, and there is no name to go back to after a bad update.",
    fix: "docker tag NAME:latest NAME:VERSION, push and deploy that one, or the digest. Containers go on until they are recreated.",
    references: &["https://docs.docker.com/build/building/best-practices/#pin-base-image-versions"],
    cis: &[],
    judge: Judge::Image(judge),
};

fn judge(cx: &EngineContext<'_>, image: &Image) -> Judgement {
    let source = cx.engine.images.source();
    if image.tags.is_empty() {
        return not_applicable("it has no tag");
    }
    let evidence = Evidence::new("tags", image.tags.join(", "), source);
    if image.tags.iter().all(|tag| moves(tag)) {
        return fail(Problem::new("its tag does not say which version it is", vec![evidence.expected("a version")]));
    }
    pass(evidence)
}

/// Whether a reference names whatever was pushed last: a port of the registry is no tag.
pub(crate) fn moves(reference: &str) -> bool {
    let name = reference.rsplit('/').next().unwrap_or_default();
    !name.contains('@') && name.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

#[cfg(test)]
mod tests {
    use super::{RULE, moves};
    use crate::Status;
    use crate::testing::bare::image;
    use crate::testing::status_of;

    #[test]
    fn tags() {
        let tagged = |tags: &[&str]| image(|i| i.tags = tags.iter().map(|tag| (*tag).into()).collect());
        assert_eq!(status_of(&RULE, &tagged(&["r.example:5000/app:latest"])), Status::Fail);
        assert_eq!(status_of(&RULE, &tagged(&["app:latest", "app:1"])), Status::Pass);
        assert_eq!(status_of(&RULE, &tagged(&[])), Status::NotApplicable);
        assert!(moves("r.example:5000/debian") && !moves("debian:12") && !moves("debian@sha256:0a"));
    }
}
