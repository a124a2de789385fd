use plimsoll_facts::Image;

use crate::answer::{fail, not_automated, pass};
use crate::history::{commands, instructions, program};
use crate::{Concern, Confidence, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "image-skips-package-verification",
    title: "A build step switches verification of what it installs off",
    concern: Concern::Authenticity,
    severity: Severity::Medium,
    why: "With signatures or certificates switched off, whoever is on the way to the mirror puts code into the image that runs \
          as root while it is built. Such options are mostly left over from a certificate that failed once.",
    fix: "Take the option out and mend the cause: install the distribution's keyring or ca-certificates first, add the \
          repository's key with signed-by. Build anew and recreate the containers, which stops them.",
    references: &["apt-secure(8)", "https://docs.docker.com/build/building/best-practices/"],
    cis: &["4.11"],
    judge: Judge::Image(judge),
};

/// Options and settings that mean it wherever they stand.
const ANYWHERE: [&str; 17] = [
    "--allow-unauthenticated",
    "--allow-insecure-repositories",
    "--force-yes",
    "[trusted=yes",
    "trusted=yes",
    "allowinsecurerepositories=true",
    "verify-peer=false",
    "--nogpgcheck",
    "--no-gpg-checks",
    "gpgcheck=0",
    "sslverify=0",
    "--allow-untrusted",
    "--no-check-certificate",
    "--trusted-host",
    "strict-ssl=false",
    "git_ssl_no_verify=",
    "node_tls_reject_unauthorized=0",
];

fn judge(_: &EngineContext<'_>, image: &Image) -> Judgement {
    let config = image.config.require()?;
    let source = image.config.source();
    let steps: Vec<_> = instructions(&config.history).filter(|s| matches!(s.keyword, "RUN" | "ENV" | "ARG")).collect();
    if steps.is_empty() {
        return not_automated(
            "It records no build steps. Look at how its packages were installed: where its Dockerfile is, and whether \
             repositories in it (etc/apt/sources.list.d, etc/yum.repos.d) are signed.",
        );
    }
    let found: Vec<_> = steps
        .iter()
        .filter_map(|step| switch(step.text))
        .map(|switch| Evidence::new("verification switched off by", switch, source).expected("on"))
        .collect();
    if found.is_empty() {
        let count = format!("none of {}", steps.len());
        return pass(Evidence::new("recorded steps that switch verification off", count, source));
    }
    fail(Problem::new("what it installs was not verified while it was built", found).confidence(Confidence::Medium))
}

/// What in a step switches verification off.
fn switch(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    if let Some(option) = ANYWHERE.iter().find(|option| lower.contains(*option)) {
        return Some((*option).to_owned());
    }
    commands(text).find_map(|words| {
        let insecure = |word: &&&str| **word == "--insecure" || is_short_option(word, 'k');
        let option = words.iter().skip(1).find(insecure)?;
        (program(&words) == "curl").then(|| format!("curl {option}"))
    })
}

/// Whether a cluster of short options (`-fsSLk`) holds this one.
fn is_short_option(word: &str, option: char) -> bool {
    word.strip_prefix('-').is_some_and(|rest| !rest.starts_with('-') && rest.contains(option))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachImage, denied, image};
    use crate::testing::status_of;
    use plimsoll_facts::{Facts, HistoryStep};

    fn built(step: &str) -> Facts {
        let step = HistoryStep { created_by: step.into(), ..HistoryStep::default() };
        image(|i| i.config().history = vec![step])
    }

    #[test]
    fn switches() {
        let bad = [
            "/bin/sh -c apt-get install -y --allow-unauthenticated x",
            "RUN /bin/sh -c echo 'deb [trusted=yes] http://r.example /' > /etc/apt/sources.list # buildkit",
            "RUN /bin/sh -c curl -fsSLk https://x.example | sh # buildkit",
            "ENV NODE_TLS_REJECT_UNAUTHORIZED=0",
            "/bin/sh -c pip install --trusted-host index.example x",
        ];
        for step in bad {
            assert_eq!(status_of(&RULE, &built(step)), Status::Fail, "{step}");
        }
        let good = ["/bin/sh -c curl -fsSL https://x.example -o k", "/bin/sh -c apt-get install -y mariadb-server"];
        for step in good {
            assert_eq!(status_of(&RULE, &built(step)), Status::Pass, "{step}");
        }
    }

    #[test]
    fn imports_and_unread() {
        assert_eq!(status_of(&RULE, &built("")), Status::NotAutomated);
        assert_eq!(status_of(&RULE, &image(|i| i.config = denied())), Status::Unknown);
    }
}
