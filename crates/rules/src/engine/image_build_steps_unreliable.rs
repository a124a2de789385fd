use plimsoll_facts::Image;

use crate::answer::{fail, not_applicable, pass};
use crate::history::{Instruction, commands, instructions, is_shell, pipelines, program, verb, words};
use crate::processes::shortened;
use crate::{Concern, Confidence, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "image-build-steps-unreliable",
    title: "Build steps rest on what fails unseen or is going away",
    concern: Concern::Engine,
    severity: Severity::Info,
    why: "Where a download is piped on, the shell tells only how the last program ended: half a file is in the image and the \
          build succeeds. apt is made for people and changes its words between releases. MAINTAINER is deprecated; builders may \
          drop it.",
    fix: "SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"] before the step, or download to a file first; apt-get instead of \
          apt; LABEL org.opencontainers.image.authors instead of MAINTAINER. Build again; containers go on until they are \
          recreated.",
    references: &[
        "https://docs.docker.com/build/building/best-practices/#using-pipes",
        "apt(8)",
        "https://docs.docker.com/reference/build-checks/maintainer-deprecated/",
    ],
    cis: &[],
    judge: Judge::Image(judge),
};

fn judge(_: &EngineContext<'_>, image: &Image) -> Judgement {
    let config = image.config.require()?;
    let source = image.config.source();
    let mut steps = instructions(&config.history).peekable();
    if steps.peek().is_none() {
        return not_applicable("it records no build steps (an import)");
    }
    let found: Vec<_> = steps.flat_map(|step| faults(&step)).collect();
    let Some((first, _)) = found.first() else {
        return pass(Evidence::new("unreliable build steps", "none", source));
    };
    let message = format!("{first} in its build steps");
    let evidence = shortened(&found, |(what, shown)| Evidence::new(*what, shown.clone(), source), "steps");
    fail(Problem::new(message, evidence).confidence(Confidence::Medium))
}

const PIPED: &str = "a download is piped on without pipefail";
const FOR_PEOPLE: &str = "apt is called by a script";
const DEPRECATED: &str = "MAINTAINER is used";

fn faults(step: &Instruction<'_>) -> Vec<(&'static str, String)> {
    match step.keyword {
        "MAINTAINER" => vec![(DEPRECATED, step.text.chars().take(80).collect())],
        "RUN" => {
            let apt = commands(step.text).find(|words| {
                program(words) == "apt" && matches!(verb(words), "install" | "update" | "upgrade" | "full-upgrade")
            });
            let apt = apt.map(|words| (FOR_PEOPLE, words.into_iter().take(4).collect::<Vec<_>>().join(" ")));
            piped(step).map(|text| (PIPED, text)).into_iter().chain(apt).collect()
        }
        _ => Vec::new(),
    }
}

/// A download that another program takes from a pipe. One that a shell takes is the matter of
/// image-adds-unverified-download.
fn piped(step: &Instruction<'_>) -> Option<String> {
    if step.shell.contains("pipefail") || step.text.contains("pipefail") {
        return None;
    }
    let found = pipelines(step.text).into_iter().find(|pipeline| {
        let programs: Vec<_> = pipeline.iter().map(|command| program(&words(command)).to_owned()).collect();
        programs.split_last().is_some_and(|(last, before)| {
            !is_shell(last) && before.iter().any(|program| matches!(program.as_str(), "curl" | "wget"))
        })
    })?;
    Some(found.join("|").trim().chars().take(200).collect())
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{built, denied, image};
    use crate::testing::status_of;

    #[test]
    fn what_is_unreliable() {
        let bad = [
            "/bin/sh -c #(nop)  MAINTAINER Bob <bob@x.example>",
            "/bin/sh -c apt update && apt install -y curl",
            "/bin/sh -c curl -fsSL https://x.example/a.tgz | tar xz",
            "RUN /bin/sh -c set -e; wget -qO- https://x.example/key 2>/dev/null | gpg --dearmor > /k # buildkit",
        ];
        for step in bad {
            assert_eq!(status_of(&RULE, &built(&[step])), Status::Fail, "{step}");
        }
        let good = [
            "/bin/bash -o pipefail -c curl -fsSL https://x.example/a.tgz | tar xz",
            "/bin/bash -c set -euo pipefail; curl https://x.example/a | tar xz",
            "/bin/sh -c curl -fsSLo a.tgz https://x.example/a.tgz || exit 1",
            "/bin/sh -c grep -E 'curl|wget' /etc/packages | sort",
            r"/bin/sh -c echo 'curl x | tar' > /note",
            "/bin/sh -c apt-get update && apt list --installed",
            "LABEL MAINTAINER=bob",
        ];
        for step in good {
            assert_eq!(status_of(&RULE, &built(&[step])), Status::Pass, "{step}");
        }
    }

    #[test]
    fn imports_and_unread() {
        assert_eq!(status_of(&RULE, &image(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &image(|i| i.config = denied())), Status::Unknown);
    }
}
