//! An image's history as the instructions that made it.
//!
//! The classic builder writes `/bin/sh -c #(nop)  CMD ["x"]` for everything but RUN, and RUN as the command alone; BuildKit
//! writes the instruction and ends it with `# buildkit`. Build arguments stand before a command as `|2 A=1 B=2`.

use plimsoll_facts::HistoryStep;

/// One instruction of a Dockerfile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instruction<'a> {
    /// `RUN`, `ADD`, `ENV` …
    pub(crate) keyword: &'a str,
    /// What follows it, without build arguments.
    pub(crate) text: &'a str,
    /// Build arguments of a RUN, `NAME=VALUE` each, as far as they can be told apart.
    pub(crate) arguments: &'a str,
    /// The shell of a RUN with its options, up to `-c`.
    pub(crate) shell: &'a str,
}

/// A step as it is shown: its beginning.
pub(crate) fn shown(step: &Instruction<'_>) -> String {
    step.text.chars().take(200).collect()
}

/// The instructions of a history, lowest first. Steps without one (an import) are left out.
pub(crate) fn instructions(history: &[HistoryStep]) -> impl Iterator<Item = Instruction<'_>> {
    history.iter().filter_map(|step| parse(&step.created_by))
}

const KEYWORDS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

fn parse(created_by: &str) -> Option<Instruction<'_>> {
    let text = created_by.trim();
    let text = text.strip_suffix("# buildkit").unwrap_or(text).trim_end();
    if text.is_empty() {
        return None;
    }
    let declared = match text.split_once("#(nop)") {
        Some((shell, rest)) if shell.starts_with('/') => rest.trim_start(),
        _ => text,
    };
    let (first, rest) = declared.split_once(char::is_whitespace).unwrap_or((declared, ""));
    let Some(keyword) = KEYWORDS.into_iter().find(|keyword| *keyword == first) else {
        return Some(run(text));
    };
    if keyword == "RUN" {
        Some(run(rest.trim_start()))
    } else {
        Some(Instruction { keyword, text: rest.trim_start(), arguments: "", shell: "" })
    }
}

/// A command, with its build arguments and its shell before it.
fn run(text: &str) -> Instruction<'_> {
    let Some(rest) = text.strip_prefix('|') else { return with_shell(text, "") };
    let Some((_, rest)) = rest.split_once(' ') else { return with_shell(text, "") };
    // The arguments' values are not quoted: they end where the shell begins.
    let shell =
        [" /bin/", " /usr/bin/", " sh -c", " bash -c"].iter().filter_map(|shell| rest.find(shell)).min();
    match shell {
        Some(at) => {
            let (arguments, command) = rest.split_at(at);
            with_shell(command.trim_start(), arguments)
        }
        None => Instruction { keyword: "RUN", text: "", arguments: rest, shell: "" },
    }
}

fn with_shell<'a>(command: &'a str, arguments: &'a str) -> Instruction<'a> {
    let (shell, text) = match command.split_once(" -c ") {
        Some((shell, rest)) if shell.split_whitespace().next().is_some_and(is_shell) => {
            (shell, rest.trim_start())
        }
        _ => ("", command),
    };
    Instruction { keyword: "RUN", text, arguments, shell }
}

/// Whether a program is a shell, by its file name.
pub(crate) fn is_shell(program: &str) -> bool {
    matches!(program.rsplit('/').next(), Some("sh" | "bash" | "ash" | "dash" | "zsh"))
}

/// The simple commands of a shell text: what stands between `&&`, `||`, `|`, `;`, `&` and line ends. Quoted separators split
/// too; for looking for programs and their options that does no harm.
pub(crate) fn commands(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.split(['&', '|', ';', '\n', '(', ')', '{', '}']).map(words).filter(|words| !words.is_empty())
}

fn is_prefix(word: &str) -> bool {
    let wrapper =
        matches!(word, "sudo" | "env" | "then" | "do" | "else" | "if" | "time" | "nice" | "exec" | "-E");
    wrapper
        || word
            .split_once('=')
            .is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

/// The pipelines of a shell text, each as the simple commands between its pipes. Quotes hold, as a shell reads them.
pub(crate) fn pipelines(text: &str) -> Vec<Vec<&str>> {
    let mut pipelines = vec![vec![]];
    let (mut quote, mut start, mut skip) = (None, 0, 0);
    for (at, c) in text.char_indices() {
        if at < skip {
            continue;
        }
        match (quote, c) {
            (None | Some('"'), '\\') => {
                skip = at + 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8)
            }
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '&') if text[..at].ends_with('>') || text[at + 1..].starts_with('>') => {}
            (None, '|' | '&' | ';' | '\n' | '(' | ')') => {
                if let Some(pipeline) = pipelines.last_mut() {
                    pipeline.push(&text[start..at]);
                }
                let next = text[at + 1..].chars().next();
                // `|` and `|&` go on, `||` and everything else begins anew; `2>&1` is no end at all.
                if c != '|' || next == Some('|') {
                    pipelines.push(vec![]);
                }
                skip = if next == Some(c) || (c == '|' && next == Some('&')) { at + 2 } else { at + 1 };
                start = skip;
            }
            (None, _) => {}
        }
    }
    if let Some(pipeline) = pipelines.last_mut() {
        pipeline.push(&text[start.min(text.len())..]);
    }
    pipelines
}

/// The words of one simple command, wrappers and assignments before its program left out.
pub(crate) fn words(command: &str) -> Vec<&str> {
    let words = command.split_whitespace().map(|word| word.trim_matches(['"', '\'', '\\', '`']));
    words.filter(|word| !word.is_empty()).skip_while(|word| is_prefix(word)).collect()
}

/// The word that says what a package manager does: the first that is no option and no option's value.
pub(crate) fn verb<'a>(words: &[&'a str]) -> &'a str {
    let mut rest = words.iter().skip(1).copied();
    while let Some(word) = rest.next() {
        match word {
            "-o" | "-c" | "-t" | "-p" | "-X" => {
                rest.next();
            }
            _ if word.starts_with("-S") => return word,
            _ if word.starts_with('-') => {}
            _ => return word,
        }
    }
    ""
}

/// The file name of a program.
pub(crate) fn program<'a>(words: &[&'a str]) -> &'a str {
    words.first().and_then(|word| word.rsplit('/').next()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Instruction, commands, parse, pipelines};

    fn instruction(created_by: &str) -> (&str, &str, &str) {
        let Instruction { keyword, text, arguments, .. } = parse(created_by).unwrap();
        (keyword, text, arguments)
    }

    /// Texts of `docker history --no-trunc` of images built with the classic builder of 20.10 and with BuildKit.
    #[test]
    fn both_builders() {
        let cases = [
            (r#"/bin/sh -c #(nop)  CMD ["mariadbd"]"#, ("CMD", r#"["mariadbd"]"#, "")),
            ("/bin/sh -c #(nop) ADD file:0a1b in / ", ("ADD", "file:0a1b in /", "")),
            ("/bin/sh -c apt-get update", ("RUN", "apt-get update", "")),
            ("/bin/bash -o pipefail -c curl x | sh", ("RUN", "curl x | sh", "")),
            ("RUN /bin/sh -c apt-get update # buildkit", ("RUN", "apt-get update", "")),
            ("RUN |1 TOKEN=a b /bin/sh -c make # buildkit", ("RUN", "make", "TOKEN=a b")),
            ("|2 A=1 B=2 /bin/sh -c make", ("RUN", "make", "A=1 B=2")),
            ("COPY a /b # buildkit", ("COPY", "a /b", "")),
            ("ENV LISTEN_ADDRESS=0.0.0.0", ("ENV", "LISTEN_ADDRESS=0.0.0.0", "")),
            ("bash", ("RUN", "bash", "")),
        ];
        for (created_by, expected) in cases {
            assert_eq!(instruction(created_by), expected, "{created_by}");
        }
        assert_eq!(parse("  "), None);
    }

    #[test]
    fn pipelines_keep_quotes() {
        let text = r#"a 'x|y' | b "p;q" 2>&1 || c \| d && e |& f; g=$(h | i)"#;
        let expected: [&[&str]; 6] =
            [&["a 'x|y'", r#"b "p;q" 2>&1"#], &[r"c \| d"], &["e", "f"], &["g=$"], &["h", "i"], &[""]];
        let found: Vec<Vec<&str>> =
            pipelines(text).into_iter().map(|p| p.into_iter().map(str::trim).collect()).collect();
        assert_eq!(found, expected);
        assert_eq!(pipelines("a \\"), [["a \\"]]);
        assert_eq!(parse("/bin/bash -o pipefail -c a | b").unwrap().shell, "/bin/bash -o pipefail");
    }

    #[test]
    fn commands_of_a_shell_text() {
        let text = "set -eux; DEBIAN_FRONTEND=noninteractive apt-get -qq update && apt-get install -y curl || (exit 1)";
        let programs: Vec<_> = commands(text).map(|words| words[0].to_owned()).collect();
        assert_eq!(programs, ["set", "apt-get", "apt-get", "exit"]);
    }
}
