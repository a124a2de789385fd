use plimsoll_facts::Image;

use crate::answer::{fail, not_applicable, pass};
use crate::history::{Instruction, instructions, is_shell, pipelines, program, shown, words};
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "image-adds-unverified-download",
    title: "A build step takes or runs what a server sends, unchecked",
    concern: Concern::Authenticity,
    severity: Severity::Medium,
    why: "ADD with an address, and a download that is piped into a shell, take what the server sends on the day of the build. \
          Whoever takes over the server, or its name, is in the image, and a rebuild may differ from the one that was tested.",
    fix: "ADD --checksum=sha256:… URL PATH, or RUN curl -fsSLo FILE URL && sha256sum -c SUMS with the sums copied in. Build anew and \
          recreate the containers, which stops them.",
    references: &["https://docs.docker.com/reference/dockerfile/#add---checksum"],
    cis: &["4.9"],
    judge: Judge::Image(judge),
};

fn judge(_: &EngineContext<'_>, image: &Image) -> Judgement {
    let config = image.config.require()?;
    if config.history.iter().all(|step| step.created_by.trim().is_empty()) {
        return not_applicable("it records no build steps (an import)");
    }
    let source = image.config.source();
    let downloads: Vec<_> = instructions(&config.history)
        .filter_map(|step| {
            if is_unverified(&step) {
                return Some(Evidence::new("ADD of a download", shown(&step), source).expected("--checksum"));
            }
            let run = (step.keyword == "RUN").then(|| run_unseen(step.text))??;
            Some(Evidence::new("download that is run unseen", run, source).expected("a checked file"))
        })
        .collect();
    if downloads.is_empty() {
        return pass(Evidence::new("downloads that are taken or run unchecked", "none", source));
    }
    fail(Problem::new("it holds what a server sent on the day of the build", downloads))
}

fn is_unverified(step: &Instruction<'_>) -> bool {
    if step.keyword != "ADD" || step.text.contains("--checksum=") {
        return false;
    }
    let mut words = step.text.split_whitespace().filter(|word| !word.starts_with("--"));
    words.any(|word| is_address(word.trim_matches(['"', '[', ']', ',']))) || is_classic_download(step.text)
}

fn is_address(word: &str) -> bool {
    ["http://", "https://", "ftp://", "git://", "ssh://", "git@"].iter().any(|start| word.starts_with(start))
}

/// `curl … | sh`, `sh -c "$(curl …)"`, `bash <(curl …)`.
fn run_unseen(text: &str) -> Option<String> {
    let fetches = |command: &str| matches!(program(&words(command)), "curl" | "wget");
    let runs = |command: &&str| {
        let words = words(command);
        let interpreter = matches!(program(&words), "python" | "python3" | "perl" | "ruby" | "node" | "php");
        // An interpreter with a script of its own reads the download as data.
        is_shell(program(&words)) || (interpreter && words.get(1).is_none_or(|word| *word == "-"))
    };
    let piped = pipelines(text).into_iter().find(|pipeline| {
        let first = pipeline.iter().position(|command| fetches(command));
        first.is_some_and(|first| pipeline[first + 1..].iter().any(runs))
    });
    let substituted = ["<(curl ", "<(wget ", "-c \"$(curl ", "-c \"$(wget ", "-c $(curl ", "eval \"$(curl "];
    let at = substituted.iter().find_map(|start| text.find(start));
    let shown = piped.map(|pipeline| pipeline.join("|")).or_else(|| at.map(|at| text[at..].to_owned()))?;
    Some(shown.trim().chars().take(200).collect())
}

/// The classic builder writes a download as its bare hash (`ADD 3a7b… in /bin/x`), and local files as `file:3a7b…`.
fn is_classic_download(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    first.len() == 64 && first.chars().all(|c| c.is_ascii_hexdigit()) && text.contains(" in ")
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
    fn downloads_of_both_builders() {
        let classic = format!("/bin/sh -c #(nop) ADD {} in /usr/bin/gosu", "3a".repeat(32));
        for step in ["ADD https://x.example/a.tgz /opt/ # buildkit", classic.as_str()] {
            assert_eq!(status_of(&RULE, &built(step)), Status::Fail, "{step}");
        }
        let good = [
            "ADD --checksum=sha256:aa https://x.example/a /a # buildkit",
            "ADD rootfs.tar.xz / # buildkit",
            "/bin/sh -c #(nop) ADD file:3a7b in / ",
            "ENV ADDRESS=https://x.example",
        ];
        for step in good {
            assert_eq!(status_of(&RULE, &built(step)), Status::Pass, "{step}");
        }
    }

    #[test]
    fn downloads_that_are_run_unseen() {
        let bad = [
            "/bin/sh -c curl -fsSL https://x.example/install.sh | sh",
            "RUN /bin/bash -o pipefail -c wget -qO- https://x.example/i 2>/dev/null | sudo -E bash - # buildkit",
            r#"/bin/sh -c sh -c "$(curl -fsSL https://x.example/install.sh)""#,
            "/bin/bash -c bash <(curl -s https://x.example/i)",
            "/bin/sh -c curl https://x.example/get-pip.py | python3 -",
        ];
        for step in bad {
            assert_eq!(status_of(&RULE, &built(step)), Status::Fail, "{step}");
        }
        let good = [
            "/bin/sh -c curl -fsSL https://x.example/a.tgz | tar xz",
            "/bin/sh -c curl -fsSLo i.sh https://x.example/i.sh && sha256sum -c SUMS && sh i.sh",
            "/bin/sh -c curl https://x.example/v.json | python3 -c 'import json,sys; print(json.load(sys.stdin))'",
            "/bin/sh -c curl https://x.example/k | gpg --dearmor > k; sh /build.sh",
            "/bin/sh -c echo 'never curl x | sh' > /note",
        ];
        for step in good {
            assert_eq!(status_of(&RULE, &built(step)), Status::Pass, "{step}");
        }
    }

    #[test]
    fn imports_and_unread() {
        assert_eq!(status_of(&RULE, &built("")), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &image(|i| i.config = denied())), Status::Unknown);
    }
}
