use plimsoll_facts::{Image, ImageConfig};

use crate::answer::{fail, not_applicable, pass};
use crate::history::is_shell;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "image-command-in-shell-form",
    title: "A shell stands between the engine and the image's service",
    concern: Concern::Engine,
    severity: Severity::Info,
    why: "CMD and ENTRYPOINT without brackets start /bin/sh -c, which stays process 1 and passes no signals on: docker stop waits \
          ten seconds and kills, so that a database recovers from its log at the next start. An ENTRYPOINT of that kind never \
          sees CMD or the arguments of docker run either.",
    fix: "CMD [\"PROGRAM\", \"ARGUMENT\"] in the Dockerfile, or exec before the program in the shell text; build again, and \
          recreate the containers, which stops them. docker run --init does not help here.",
    references: &[
        "https://docs.docker.com/reference/dockerfile/#shell-and-exec-form",
        "https://docs.docker.com/reference/build-checks/json-args-recommended/",
    ],
    cis: &[],
    judge: Judge::Image(judge),
};

fn judge(_: &EngineContext<'_>, image: &Image) -> Judgement {
    let config = image.config.require()?;
    let source = image.config.source();
    let ImageConfig { entrypoint, cmd, .. } = config;
    if entrypoint.is_empty() && cmd.is_empty() {
        return not_applicable("it names no program to start");
    }
    // With an entrypoint, Cmd is only its arguments.
    let (field, started) = if entrypoint.is_empty() { ("Cmd", cmd) } else { ("Entrypoint", entrypoint) };
    let evidence = Evidence::new(field, started.join(" "), source);
    let Some(text) = shell_text(started) else { return pass(evidence) };
    if !entrypoint.is_empty() && !cmd.is_empty() && !text.contains("$@") && !text.contains("$*") {
        let unused = Evidence::new("Cmd, which never reaches it", cmd.join(" "), source);
        let message = "its entrypoint is a shell text, which ignores Cmd and arguments";
        return fail(Problem::new(message, vec![evidence.expected("a list of arguments"), unused]));
    }
    if replaces_the_shell(started, text) {
        return pass(evidence);
    }
    let evidence = evidence.expected("a list of arguments, or exec");
    fail(Problem::new("a shell stays process 1 and passes no signals on to the service", vec![evidence]))
}

/// The text of `[SHELL, "-c", TEXT]`, as the builder writes the shell form.
fn shell_text(started: &[String]) -> Option<&str> {
    let (program, rest) = started.split_first()?;
    let at = rest.iter().position(|argument| argument == "-c")?;
    let options = rest[..at].iter().all(|argument| argument.starts_with('-') || argument == "pipefail");
    (is_shell(program) && options).then(|| rest.get(at + 1).map(String::as_str)).flatten()
}

/// `exec` does; bash does by itself for a single command, dash and the shell of busybox do not.
fn replaces_the_shell(started: &[String], text: &str) -> bool {
    let is_bash = started.first().is_some_and(|program| program.ends_with("bash"));
    let single = !text.contains(['&', '|', ';', '\n', '(', '`']);
    text.split(['&', '|', ';', '\n']).any(|part| part.trim_start().starts_with("exec ")) || (is_bash && single)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachImage, denied, image};
    use crate::testing::status_of;
    use plimsoll_facts::Facts;

    fn starts(entrypoint: &[&str], cmd: &[&str]) -> Facts {
        let list = |words: &[&str]| words.iter().map(|word| (*word).into()).collect();
        image(|i| {
            i.config().entrypoint = list(entrypoint);
            i.config().cmd = list(cmd);
        })
    }

    #[test]
    fn shell_forms() {
        let bad: [(&[&str], &[&str]); 4] = [
            (&[], &["/bin/sh", "-c", "mariadbd --user=mysql"]),
            (&[], &["/bin/bash", "-c", "prepare && mariadbd"]),
            (&[], &["/bin/bash", "-o", "pipefail", "-c", "a | b"]),
            (&["/bin/sh", "-c", "exec start"], &["mariadbd"]),
        ];
        for (entrypoint, cmd) in bad {
            assert_eq!(status_of(&RULE, &starts(entrypoint, cmd)), Status::Fail, "{entrypoint:?} {cmd:?}");
        }
        let good: [(&[&str], &[&str]); 6] = [
            (&[], &["mariadbd"]),
            (&[], &["bash"]),
            (&[], &["/bin/sh", "-c", "prepare; exec mariadbd"]),
            (&[], &["/bin/bash", "-c", "mariadbd"]),
            (&["docker-entrypoint.sh"], &["/bin/sh", "-c", "mariadbd; true"]),
            (&["sh", "-c", "exec start \"$@\"", "--"], &["mariadbd"]),
        ];
        for (entrypoint, cmd) in good {
            assert_eq!(status_of(&RULE, &starts(entrypoint, cmd)), Status::Pass, "{entrypoint:?} {cmd:?}");
        }
        assert_eq!(status_of(&RULE, &starts(&[], &[])), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &image(|i| i.config = denied())), Status::Unknown);
    }
}
