use plimsoll_facts::Image;

use super::secrets::secrets;
use crate::answer::{fail, pass};
use crate::processes::shortened;
use crate::{Concern, Confidence, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "image-secret-in-environment",
    title: "A password or key is written into the image's environment or labels",
    concern: Concern::Exposure,
    severity: Severity::High,
    why: "Whoever can pull the image has it, every container of the image starts with it, and it stays in the registry \
          when a later build leaves it out.",
    fix: "Remove the ENV, ARG or LABEL from the Dockerfile, use RUN --mount=type=secret while building and a file when running; \
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
    let variables = secrets(&config.secret_like_environment).into_iter().map(|name| ("variable", name));
    let labels = config.secret_like_labels.iter().map(|name| ("label", name.as_str()));
    let names: Vec<_> = variables.chain(labels).collect();
    let Some((kind, first)) = names.first() else {
        let (variables, labels) = (config.environment.len(), config.labels.len());
        let shown = format!("none of {variables} variables and {labels} labels looks like one");
        return pass(Evidence::new("secrets", shown, source));
    };
    let evidence = shortened(
        &names,
        |(kind, name)| Evidence::new(format!("{kind} that looks like a secret"), *name, source).expected("none"),
        "names",
    );
    fail(Problem::new(format!("{kind} {first} looks like a secret"), evidence).confidence(Confidence::Low))
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
        let label = image(|i| i.config.value_mut().unwrap().secret_like_labels = vec!["deploy.token".into()]);
        assert_eq!(status_of(&RULE, &label), Status::Fail);
        assert_eq!(status_of(&RULE, &image(|i| i.config = Default::default())), Status::Unknown);
    }
}
