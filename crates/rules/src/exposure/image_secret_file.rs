use plimsoll_facts::Image;

use crate::answer::{fail, gap, pass};
use crate::processes::shortened;
use crate::{Concern, Confidence, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "image-secret-file",
    title: "A private key or password file is in the image",
    concern: Concern::Exposure,
    severity: Severity::High,
    why: "Whoever can pull the image has it. A file that a later layer deletes is still in the earlier one.",
    fix: "Add it to .dockerignore, use RUN --mount=type=secret (or type=ssh) while building; build again, delete the old \
          tags from the registry, and replace the key: it has been published.",
    references: &["https://docs.docker.com/build/building/secrets/"],
    cis: &["4.10"],
    judge: Judge::Image(judge),
};

fn judge(_: &EngineContext<'_>, image: &Image) -> Judgement {
    let content = image.content.require()?;
    let source = image.content.source();
    match (content.secret_files.first(), content.gaps.first()) {
        (None, Some(reason)) => Err(gap(source, reason.clone())),
        (None, None) => pass(Evidence::new("files that hold keys or passwords", "none", source)),
        (Some(first), _) => {
            let evidence = shortened(
                &content.secret_files,
                |path| Evidence::new("file that holds a key or password", path.clone(), source).expected("none"),
                "files",
            );
            fail(Problem::new(format!("contains {first}"), evidence).confidence(Confidence::Medium))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::{World, image, status_of};

    #[test]
    fn by_content() {
        assert_eq!(status_of(&RULE, &image(|_| ())), Status::Pass);
        let mut it =
            image(|i| i.content.value_mut().unwrap().secret_files = vec!["/root/.ssh/id_ed25519".into()]);
        assert_eq!(status_of(&RULE, &it), Status::Fail);
        it.image().content.value_mut().unwrap().secret_files.clear();
        it.image().content.value_mut().unwrap().gaps = vec!["a layer could not be opened".into()];
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
        it.image().content = Default::default();
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
    }
}
