use plimsoll_facts::Image;

use super::secrets::secrets;
use crate::answer::{fail, pass};
use crate::processes::shortened;
use crate::{Concern, Confidence, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "image-secret-in-environment",
    title: "A password or key is written into the image's environment",
    concern: Concern::Exposure,
    severity: Severity::High,
    why: "Whoever can pull the image has it, every container of the image starts with it, and it stays in the registry \
          when a later build leaves it out.",
    fix: "Remove the ENV or ARG from the Dockerfile, use RUN --mount=type=secret while building and a file when running; \
          build again, delete the old tags from the registry, and change the password: it has been published.",
    references: &[
        "https://docs.docker.com/build/building/secrets/",
        "https://docs.docker.com/reference/build-checks/secrets-used-in-arg-or-env/",
    ],
    cis: &["4.10"],
    judge: Judge::Image(judge),
};

fn judge(_: &EngineContext<'_>, image: &Image) -> Judgement {
    let config = image.config.require()?;
    let source = image.config.source();
    let names = secrets(&config.secret_like_environment);
    let Some(first) = names.first() else {
        let shown = format!("none of {} looks like a secret", config.environment.len());
        return pass(Evidence::new("variables", shown, source));
    };
    let evidence = shortened(
        &names,
        |name| Evidence::new("variable that looks like a secret", *name, source).expected("none"),
        "variables",
    );
    fail(Problem::new(format!("{first} in its environment looks like a secret"), evidence).confidence(Confidence::Low))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::{image, status_of};

    #[test]
    fn by_name() {
        let with = |name: &str| {
            status_of(&RULE, &image(|i| i.config.value_mut().unwrap().secret_like_environment = vec![name.into()]))
        };
        assert_eq!(with("API_TOKEN"), Status::Fail);
        assert_eq!(with("GPG_KEYS"), Status::Pass);
        assert_eq!(status_of(&RULE, &image(|i| i.config = Default::default())), Status::Unknown);
    }
}
