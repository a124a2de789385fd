use plimsoll_facts::Image;

use crate::answer::{complete, fail, pass};
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
    let present = content.secret_files.iter().map(|path| (path, "in the image"));
    let deleted = content.deleted_secret_files.iter().filter(|path| !content.secret_files.contains(path));
    let deleted = deleted.map(|path| (path, "in a lower layer; a later one deletes or replaces it"));
    let files: Vec<_> = present.chain(deleted).collect();
    let Some((first, _)) = files.first() else {
        complete(image)?;
        return pass(Evidence::new("files that hold keys or passwords", "none", source));
    };
    let evidence = shortened(
        &files,
        |(path, place)| Evidence::new((*path).clone(), *place, source).expected("no key or password"),
        "files",
    );
    let message = match content.secret_files.is_empty() {
        true => format!("{first} was deleted, and everybody who has the image has it still"),
        false => format!("contains {first}"),
    };
    fail(Problem::new(message, evidence).confidence(Confidence::Medium))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachImage, denied, image};
    use crate::testing::{answer, status_of};
    use plimsoll_facts::Facts;

    fn files(present: &[&str], deleted: &[&str]) -> Facts {
        let list = |paths: &[&str]| paths.iter().map(|path| (*path).into()).collect();
        image(|i| {
            i.content().secret_files = list(present);
            i.content().deleted_secret_files = list(deleted);
        })
    }

    #[test]
    fn by_content() {
        assert_eq!(status_of(&RULE, &files(&[], &[])), Status::Pass);
        assert_eq!(status_of(&RULE, &files(&["/root/.ssh/id_ed25519"], &[])), Status::Fail);
        let partly = image(|i| i.content().gaps = vec!["a layer could not be opened".into()]);
        assert_eq!(status_of(&RULE, &partly), Status::Unknown);
        assert_eq!(status_of(&RULE, &image(|i| i.content = denied())), Status::Unknown);
    }

    #[test]
    fn what_was_deleted_is_still_there() {
        let found = answer(&RULE, &files(&[], &["/app/.npmrc"]));
        assert_eq!(found.message, "/app/.npmrc was deleted, and everybody who has the image has it still");
        // A file that stands in both is one.
        assert_eq!(answer(&RULE, &files(&["/app/.npmrc"], &["/app/.npmrc"])).evidence.len(), 1);
    }
}
