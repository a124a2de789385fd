use plimsoll_facts::Image;

use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "image-differs-from-signed",
    title: "Other bytes are signed for the tag than the image has",
    concern: Concern::Authenticity,
    severity: Severity::High,
    why: "The owner of the repository signed one digest for this tag, and the image here has another: it is older or newer than \
          what is vouched for, or somebody pushed past the signature. An unsigned push moves the registry's tag, and pulls \
          without content trust follow it.",
    fix: "Pull the signed digest (docker pull NAME@sha256:…, which the report names), and recreate the containers that run the \
          other one; they stop while that is done. If the new image is meant, have it signed.",
    references: &["https://docs.docker.com/engine/security/trust/"],
    cis: &[],
    judge: Judge::Image(judge),
};

fn judge(_: &EngineContext<'_>, image: &Image) -> Judgement {
    let Some(answers) = &image.authenticity else {
        return not_applicable("nobody was asked who vouches for images (plimsoll audit --verify)");
    };
    let other = answers.iter().find_map(|found| Some((found, found.signed_digest.as_ref()?)));
    let Some((found, signed)) = other else {
        return pass(Evidence::new("another digest signed for its tags", "none", "plimsoll audit --verify"));
    };
    let here = found.digest.clone().unwrap_or_else(|| "another digest".to_owned());
    let evidence = Evidence::new("digest", here, image.name()).expected(signed.clone());
    fail(Problem::new(format!("{}: {}", found.reference, found.reason), vec![evidence]))
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Authenticity, TrustOutcome};

    use super::RULE;
    use crate::Status;
    use crate::testing::bare::image;
    use crate::testing::status_of;

    #[test]
    fn the_signed_digest_decides() {
        let with = |signed: Option<&str>| {
            let found = Authenticity {
                outcome: TrustOutcome::Unsigned,
                signed_digest: signed.map(str::to_owned),
                ..Authenticity::default()
            };
            status_of(&RULE, &image(|it| it.authenticity = Some(vec![Authenticity::default(), found])))
        };
        assert_eq!(with(Some("sha256:00")), Status::Fail);
        assert_eq!(with(None), Status::Pass);
        assert_eq!(status_of(&RULE, &image(|it| it.authenticity = None)), Status::NotApplicable);
    }
}
