use plimsoll_facts::Image;

use crate::answer::{fail, not_applicable, pass};
use crate::history::instructions;
use crate::{Concern, Confidence, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "image-adds-where-copy-suffices",
    title: "A build step uses ADD where COPY does the same",
    concern: Concern::Authenticity,
    severity: Severity::Info,
    why: "ADD unpacks archives and fetches addresses by itself: a file that somebody exchanges in the build context lands where \
          nobody meant it to. COPY only copies. The first step of a base image, which unpacks its root, is meant and left out.",
    fix: "COPY instead of ADD, except where an archive is to be unpacked. Build anew and recreate the containers, which stops \
          them.",
    references: &["https://docs.docker.com/build/building/best-practices/#add-or-copy"],
    cis: &["4.9"],
    judge: Judge::Image(judge),
};

const ARCHIVES: [&str; 9] = [".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tar.lzma"];

fn judge(_: &EngineContext<'_>, image: &Image) -> Judgement {
    let config = image.config.require()?;
    let source = image.config.source();
    let mut steps = instructions(&config.history).peekable();
    if steps.peek().is_none() {
        return not_applicable("it records no build steps (an import)");
    }
    let copies: Vec<_> = steps
        .skip(1)
        .filter(|step| step.keyword == "ADD" && copies_only(step.text))
        .map(|step| Evidence::new("ADD of a local file", step.text.chars().take(200).collect::<String>(), source))
        .collect();
    if copies.is_empty() {
        return pass(Evidence::new("ADD of local files that are no archives", "none", source));
    }
    // The classic builder records hashes instead of names: such a file may be an archive.
    let named = copies.iter().all(|evidence| !evidence.value.starts_with("file:"));
    let confidence = if named { Confidence::Medium } else { Confidence::Low };
    fail(Problem::new("files were put in with ADD", copies).confidence(confidence))
}

fn copies_only(text: &str) -> bool {
    let words: Vec<_> = text.split_whitespace().filter(|word| !word.starts_with("--")).collect();
    let remote = |word: &&str| word.contains("://") || word.starts_with("git@") || word.len() == 64;
    let archive = |word: &&str| ARCHIVES.iter().any(|ending| word.trim_matches(['"', ',', '[', ']']).ends_with(ending));
    let sources = words.split_last().map(|(_, sources)| sources).unwrap_or_default();
    !sources.is_empty() && !sources.iter().any(|word| remote(word) || archive(word))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachImage, denied, image};
    use crate::testing::status_of;
    use plimsoll_facts::{Facts, HistoryStep};

    fn built(step_text: &str) -> Facts {
        let step = |text: &str| HistoryStep { created_by: text.into(), ..HistoryStep::default() };
        let history = vec![step("/bin/sh -c #(nop) ADD file:0a1b in / "), step(step_text)];
        image(|i| i.config().history = history)
    }

    #[test]
    fn case_44_an_environment_variable_is_no_add() {
        assert_eq!(status_of(&RULE, &built("/bin/sh -c #(nop) ENV LISTEN_ADDRESS=ADD")), Status::Pass);
    }

    #[test]
    fn files_archives_downloads() {
        assert_eq!(status_of(&RULE, &built("ADD entrypoint.sh / # buildkit")), Status::Fail);
        assert_eq!(status_of(&RULE, &built("/bin/sh -c #(nop) ADD dir:12ab in /app ")), Status::Fail);
        assert_eq!(status_of(&RULE, &built("ADD app.tar.gz /app # buildkit")), Status::Pass);
        assert_eq!(status_of(&RULE, &built("ADD https://x.example/a /a # buildkit")), Status::Pass);
        assert_eq!(status_of(&RULE, &built("COPY entrypoint.sh / # buildkit")), Status::Pass);
    }

    #[test]
    fn imports_and_unread() {
        assert_eq!(status_of(&RULE, &image(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &image(|i| i.config = denied())), Status::Unknown);
    }
}
