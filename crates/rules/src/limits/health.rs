//! Health checks as declarations write them, and as an image's history remembers them.

use plimsoll_facts::ImageConfig;

/// What a declaration says about a health check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// There is one: its command.
    Present(String),
    /// Switched off on purpose (`HEALTHCHECK NONE`).
    SwitchedOff,
    /// Nothing is declared.
    Absent,
}

/// `Healthcheck.Test`: absent, empty (inherit nothing), `["NONE"]`, or the command with its form.
pub(super) fn check(test: Option<&[String]>) -> Check {
    match test {
        None | Some([]) => Check::Absent,
        Some([only]) if only == "NONE" => Check::SwitchedOff,
        Some([form, command @ ..]) if form.starts_with("CMD") => Check::Present(command.join(" ")),
        Some(command) => Check::Present(command.join(" ")),
    }
}

/// The last HEALTHCHECK instruction of an image's history. podman's compatible API leaves the health check out of
/// an image's configuration; the instruction is still there.
pub(super) fn in_history(image: &ImageConfig) -> Check {
    let instruction = image.history.iter().rev().find_map(|step| {
        let text = step.created_by.as_str();
        text.find("HEALTHCHECK ").map(|at| &text[at + "HEALTHCHECK ".len()..])
    });
    match instruction {
        None => Check::Absent,
        Some(text) if text.contains("[\"NONE\"]") || text.trim() == "NONE" => Check::SwitchedOff,
        Some(text) => Check::Present(text.chars().take(200).collect()),
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{HistoryStep, ImageConfig};

    use super::{Check, check, in_history};

    #[test]
    fn forms() {
        let of = |words: &[&str]| check(Some(&words.iter().map(|&w| w.to_owned()).collect::<Vec<_>>()));
        assert_eq!(of(&["CMD-SHELL", "mariadb-admin ping"]), Check::Present("mariadb-admin ping".into()));
        assert_eq!(of(&["NONE"]), Check::SwitchedOff);
        assert_eq!(of(&[]), Check::Absent);
        assert_eq!(check(None), Check::Absent);
    }

    #[test]
    fn history() {
        let of = |steps: &[&str]| {
            let history =
                steps.iter().map(|&text| HistoryStep { created_by: text.into(), ..Default::default() });
            in_history(&ImageConfig { history: history.collect(), ..Default::default() })
        };
        let set = r#"HEALTHCHECK &{["CMD-SHELL" "true"] "30s" "0s" "0s" "0s" '\x00'}"#;
        assert!(matches!(of(&["RUN x", set, "CMD y"]), Check::Present(_)));
        assert_eq!(of(&[set, "/bin/sh -c #(nop)  HEALTHCHECK &{[\"NONE\"]}"]), Check::SwitchedOff);
        assert_eq!(of(&["RUN x"]), Check::Absent);
    }
}
