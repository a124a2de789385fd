use plimsoll_facts::Image;

use crate::answer::{fail, not_applicable};
use crate::history::{commands, instructions, program, verb};
use crate::{Concern, Confidence, EngineContext, Evidence, Judge, Judgement, Outcome, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "image-update-without-install",
    title: "Package lists are refreshed in one build step, packages installed in another",
    concern: Concern::Freshness,
    severity: Severity::Low,
    why: "A build step that was run once is taken from the cache: the lists stay those of the first build, and the next step \
          installs old packages from them, or fails because they are gone. The whole instruction is read, not its beginning.",
    fix: "RUN apt-get update && apt-get install -y --no-install-recommends … && rm -rf /var/lib/apt/lists/* as one step; for \
          Alpine apk add --no-cache. Build anew and recreate the containers, which stops them.",
    references: &["https://docs.docker.com/build/building/best-practices/#apt-get"],
    cis: &["4.7"],
    judge: Judge::Image(judge),
};

fn judge(_: &EngineContext<'_>, image: &Image) -> Judgement {
    let config = image.config.require()?;
    let runs: Vec<_> = instructions(&config.history).filter(|step| step.keyword == "RUN").collect();
    if runs.is_empty() {
        return not_applicable("no build step of it runs a command");
    }
    let source = image.config.source();
    let mut alone = Vec::new();
    for step in &runs {
        let words: Vec<_> = commands(step.text).collect();
        let updates = words.iter().find(|words| refreshes(words));
        if let Some(words) = updates.filter(|_| !words.iter().any(|words| installs(words))) {
            let shown: Vec<_> = words.iter().take(4).copied().collect();
            alone.push(Evidence::new("build step that refreshes lists only", shown.join(" "), source));
        }
    }
    if alone.is_empty() {
        let count = format!("none of {}", runs.len());
        return Ok(Outcome::Pass(vec![Evidence::new("build steps that refresh lists only", count, source)]));
    }
    let message = "package lists are refreshed without installing from them in the same step";
    fail(Problem::new(message, alone).confidence(Confidence::Medium))
}

/// Whether a command fetches package lists and does nothing else.
fn refreshes(words: &[&str]) -> bool {
    matches!(
        (program(words), verb(words)),
        ("apt-get" | "apt" | "aptitude" | "apk", "update")
            | ("dnf" | "yum" | "microdnf", "makecache" | "check-update")
            | ("zypper", "refresh" | "ref")
            | ("pacman", "-Sy")
    )
}

/// Whether a command installs or upgrades packages.
fn installs(words: &[&str]) -> bool {
    match program(words) {
        "apt-get" | "apt" | "aptitude" | "dnf" | "yum" | "microdnf" | "zypper" => {
            let verb = verb(words);
            verb.contains("upgrade") || matches!(verb, "install" | "in" | "update" | "up" | "build-dep" | "source" | "download")
                && !refreshes(words)
        }
        "apk" => matches!(verb(words), "add" | "upgrade" | "fix" | "fetch"),
        "pacman" => verb(words).starts_with("-S") && verb(words) != "-Sy",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachImage, denied, image};
    use crate::testing::status_of;
    use plimsoll_facts::{Facts, HistoryStep};

    fn built(steps: &[&str]) -> Facts {
        let step = |text: &&str| HistoryStep { created_by: (*text).into(), ..HistoryStep::default() };
        image(|i| i.config().history = steps.iter().map(step).collect())
    }

    #[test]
    fn case_32_late_in_a_long_step() {
        let long = format!("RUN /bin/sh -c {} && apt-get -qq update # buildkit", "echo preparing && ".repeat(20) + "true");
        assert_eq!(status_of(&RULE, &built(&[&long])), Status::Fail);
        let both = format!("{} && apt-get install -y curl", long.trim_end_matches(" # buildkit"));
        assert_eq!(status_of(&RULE, &built(&[&both])), Status::Pass);
    }

    #[test]
    fn case_44_names_that_contain_the_word() {
        let named = ["RUN touch /var/update-ca-certificates.done", "ENV NOTE=apt-get update"];
        assert_eq!(status_of(&RULE, &built(&named)), Status::Pass);
    }

    #[test]
    fn managers_and_their_verbs() {
        let alone = ["/bin/sh -c apk update", "/bin/sh -c apt update", "/bin/sh -c dnf makecache"];
        for step in alone {
            assert_eq!(status_of(&RULE, &built(&[step])), Status::Fail, "{step}");
        }
        let together = [
            "/bin/sh -c apk update && apk add curl",
            "/bin/sh -c apt-get update && apt-get -o A=b -y dist-upgrade",
            "/bin/sh -c yum update -y",
            "/bin/sh -c apt-get update; apt-get install -y --no-install-recommends mariadb-server",
        ];
        for step in together {
            assert_eq!(status_of(&RULE, &built(&[step])), Status::Pass, "{step}");
        }
    }

    #[test]
    fn no_history_and_unread() {
        assert_eq!(status_of(&RULE, &image(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &image(|i| i.config = denied())), Status::Unknown);
    }
}
