use plimsoll_facts::{Image, is_secret_name};

use crate::answer::{fail, not_applicable, pass};
use crate::history::{Instruction, instructions};
use crate::{Concern, Confidence, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "image-secret-in-history",
    title: "A password or key stands in the image's build steps",
    concern: Concern::Exposure,
    severity: Severity::High,
    why: "Build arguments and commands are kept word for word in the image's history: docker history shows them to everybody \
          who can pull it, whatever later steps delete. Names are shown here, never values.",
    fix: "RUN --mount=type=secret,id=… instead of ARG or a password in the command; build anew, delete the old tags from the \
          registry, and change the secret: it has been published. Containers go on until they are recreated.",
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
    let mut steps = 0;
    let mut names: Vec<String> = Vec::new();
    for step in instructions(&config.history) {
        steps += 1;
        names.extend(secrets(&step));
    }
    if steps == 0 {
        return not_applicable("it records no build steps (an import)");
    }
    // What is still in the environment or a label is the matter of image-secret-in-environment.
    names.retain(|name| !config.environment.contains(name) && !config.labels.contains(name));
    names.sort();
    names.dedup();
    if names.is_empty() {
        return pass(Evidence::new("build steps with a secret", format!("none of {steps}"), source));
    }
    let evidence = Evidence::new("given a value in a build step", names.join(" "), source).expected("no secret");
    let message = format!("{} in its build steps looks like a secret", names.join(", "));
    fail(Problem::new(message, vec![evidence]).confidence(Confidence::Low))
}

/// Names that look like a secret's and are given a literal value; for an address with a password, its scheme.
fn secrets(step: &Instruction<'_>) -> Vec<String> {
    let words = step.arguments.split_whitespace().chain(step.text.split_whitespace());
    words.filter_map(|word| assignment(word).or_else(|| address_with_password(word))).collect()
}

fn assignment(word: &str) -> Option<String> {
    let (name, value) = word.split_once('=')?;
    let name = name.trim_start_matches(['-', '"', '\'', '(']);
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let value = value.trim_matches(['"', '\'', ';', ')']);
    let literal = value.len() > 3 && !value.starts_with(['$', '`', '/', '<', '{']) && !is_switch(value);
    (plain && literal && is_secret_name(name)).then(|| name.to_owned())
}

fn is_switch(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "true" | "false" | "none" | "null" | "disabled" | "enabled")
}

/// `https://user:password@host/…`
fn address_with_password(word: &str) -> Option<String> {
    let (scheme, rest) = word.split_once("://")?;
    let (user, _) = rest.split('/').next()?.rsplit_once('@')?;
    let (_, password) = user.split_once(':')?;
    let literal = !password.is_empty() && !password.starts_with('$');
    let scheme = scheme.rsplit(|c: char| !c.is_ascii_alphanumeric()).next()?;
    literal.then(|| format!("{scheme}://…:…@"))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachImage, denied, image};
    use crate::testing::{answer, status_of};
    use plimsoll_facts::{Facts, HistoryStep};

    fn built(step: &str) -> Facts {
        let step = HistoryStep { created_by: step.into(), ..HistoryStep::default() };
        image(|i| i.config().history = vec![step])
    }

    #[test]
    fn arguments_commands_addresses() {
        let found = answer(&RULE, &built("RUN |1 NPM_TOKEN=s3cr3t-value /bin/sh -c npm ci # buildkit"));
        assert_eq!(found.status, Status::Fail);
        assert!(!format!("{found:?}").contains("s3cr3t"), "values stay out of the report");
        let bad = [
            "/bin/sh -c mysql --password=hunter22 < x.sql",
            "/bin/sh -c git clone https://bob:hunter22@git.example/x",
            "ARG DB_PASSWORD=hunter22",
            "/bin/sh -c #(nop)  ENV OLD_PASSWORD=hunter22",
            r#"/bin/sh -c #(nop)  CMD ["mariadbd" "--password=hunter22"]"#,
            "LABEL deploy_token=hunter22",
        ];
        for step in bad {
            assert_eq!(status_of(&RULE, &built(step)), Status::Fail, "{step}");
        }
        let good = [
            "/bin/sh -c export PASSWORD=$(cat /run/secrets/p) && make",
            "ARG DB_PASSWORD",
            "/bin/sh -c MARIADB_ROOT_PASSWORD_FILE=/run/secrets/root ./init",
            "/bin/sh -c curl https://user@git.example/x",
            "/bin/sh -c useradd --password=disabled bob",
            "ENV MAX_TOKENS=40960 TOKENIZERS_PARALLELISM=sometimes",
            // Reported against dockle (issues 250, 202, 159) and hadolint's DL3064.
            "RUN /bin/sh -c apk add --no-cache libcrypto3=3.1.4-r1 libssl3=3.1.4-r1 # buildkit",
            "/bin/sh -c set -eux; { echo 'access.log = /proc/self/fd/2'; echo 'clear_env = no'; } | tee www.conf",
            "ENV PASSENGER_VERSION=6.0.18 JENKINS_USERNAME=jenkins KEYMAP=us-intl",
        ];
        for step in good {
            assert_eq!(status_of(&RULE, &built(step)), Status::Pass, "{step}");
        }
    }

    #[test]
    fn what_is_in_the_environment_still_is_told_there() {
        let mut facts = built("ENV DB_PASSWORD=hunter22");
        let images = facts.engines[0].images.value_mut().unwrap();
        images[0].config().environment = vec!["DB_PASSWORD".into()];
        assert_eq!(status_of(&RULE, &facts), Status::Pass);
    }

    #[test]
    fn imports_and_unread() {
        assert_eq!(status_of(&RULE, &image(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &image(|i| i.config = denied())), Status::Unknown);
    }
}
