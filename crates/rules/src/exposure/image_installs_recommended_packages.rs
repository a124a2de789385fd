use plimsoll_facts::Image;

use crate::answer::{fail, not_applicable, pass};
use crate::history::{commands, instructions, program, verb};
use crate::processes::shortened;
use crate::{Concern, Confidence, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "image-installs-recommended-packages",
    title: "A build step installs what packages recommend, not only what they need",
    concern: Concern::Exposure,
    severity: Severity::Info,
    why: "apt takes recommended packages along: documentation, helpers, sometimes whole services. Each is code that an intruder \
          finds there and that has to be kept free of known flaws.",
    fix: "apt-get install -y --no-install-recommends …, and name what of the rest is needed; build again, and recreate the \
          containers, which stops them.",
    references: &["apt-get(8)", "https://docs.docker.com/build/building/best-practices/#apt-get"],
    cis: &["4.3"],
    judge: Judge::Image(judge),
};

fn judge(_: &EngineContext<'_>, image: &Image) -> Judgement {
    let config = image.config.require()?;
    let steps: Vec<_> = instructions(&config.history).filter(|step| step.keyword == "RUN").collect();
    if steps.is_empty() {
        return not_applicable("no build step of it runs a command");
    }
    let source = image.config.source();
    // Written into apt's configuration it holds for every later step.
    let always = steps.iter().position(|step| switches_off(step.text)).unwrap_or(steps.len());
    let installs: Vec<_> = steps[..always]
        .iter()
        .flat_map(|step| commands(step.text).filter(|words| with_recommended(words)))
        .map(|words| words.into_iter().take(8).collect::<Vec<_>>().join(" "))
        .collect();
    if installs.is_empty() {
        return pass(Evidence::new("steps that install recommended packages", "none", source));
    }
    let one = |shown: &String| {
        Evidence::new("installs", shown.clone(), source).expected("--no-install-recommends")
    };
    let message = "recommended packages were installed along";
    fail(Problem::new(message, shortened(&installs, one, "commands")).confidence(Confidence::Medium))
}

/// `APT::Install-Recommends "false";` in a file, or as an option.
fn switches_off(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.match_indices("install-recommends").any(|(at, setting)| {
        let value = lower[at + setting.len()..].trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        !lower[..at].ends_with("--no-") && ["0", "false", "no", "off"].iter().any(|word| value.starts_with(word))
    })
}

fn with_recommended(words: &[&str]) -> bool {
    if !matches!(program(words), "apt-get" | "apt" | "aptitude") || verb(words) != "install" {
        return false;
    }
    let off = |word: &&str| matches!(*word, "--no-install-recommends" | "-R" | "--without-recommends");
    let named = words.iter().skip_while(|word| **word != "install").skip(1).any(|word| !word.starts_with('-'));
    named && !words.iter().any(off)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{built, denied, image};
    use crate::testing::status_of;

    #[test]
    fn with_and_without() {
        let bad = [
            "/bin/sh -c apt-get update && apt-get install -y curl",
            "/bin/sh -c DEBIAN_FRONTEND=noninteractive apt-get -qq install curl; true",
            "RUN /bin/sh -c apt install --yes vim # buildkit",
        ];
        for step in bad {
            assert_eq!(status_of(&RULE, &built(&[step])), Status::Fail, "{step}");
        }
        let good = [
            "/bin/sh -c apt-get install -y --no-install-recommends curl",
            "/bin/sh -c apt-get -o APT::Install-Recommends=0 install curl",
            "/bin/sh -c apt-get install -y -f",
            "/bin/sh -c apk add curl",
            "/bin/sh -c echo apt-get install",
        ];
        for step in good {
            assert_eq!(status_of(&RULE, &built(&[step])), Status::Pass, "{step}");
        }
    }

    #[test]
    fn a_setting_of_apt_holds_from_then_on() {
        let configured = r#"/bin/sh -c echo 'APT::Install-Recommends "false";' > /etc/apt/apt.conf.d/99x"#;
        let install = "/bin/sh -c apt-get install -y curl";
        assert_eq!(status_of(&RULE, &built(&[configured, install])), Status::Pass);
        assert_eq!(status_of(&RULE, &built(&[install, configured])), Status::Fail);
    }

    #[test]
    fn imports_and_unread() {
        assert_eq!(status_of(&RULE, &image(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &image(|i| i.config = denied())), Status::Unknown);
    }
}
