//! The tightest options of a container: as options of docker run, as keys of a compose file, and what can't be known.

use std::collections::BTreeMap;
use std::io::{self, Write};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::layout::{BOLD, DIM, PLAIN, Page, REMEDY, TerminalOptions, UNKNOWN, span};

/// Version of the document that this build writes.
pub const HARDEN_SCHEMA: &str = "plimsoll.harden/1";

/// Keys of a compose file that hold one value; the others hold lists.
const SINGLE: [&str; 4] = ["user", "read_only", "pids_limit", "mem_limit"];

/// The options for one container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Harden {
    /// Always [`HARDEN_SCHEMA`].
    pub schema: String,
    /// The container's name.
    pub container: String,
    /// Options.
    pub options: Vec<HardenOption>,
    /// What was not observed, and may break.
    pub unknown: Vec<String>,
}

/// One option.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HardenOption {
    /// As `docker run` takes it.
    pub flag: String,
    /// The key in a compose file.
    pub key: String,
    /// Its value, or an item of its list.
    pub value: String,
    /// What was observed.
    pub because: String,
}

/// Writes it as JSON.
///
/// # Errors
/// What the writer answers.
pub fn json(harden: &Harden, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, harden)?;
    out.write_all(b"\n")
}

/// Writes it for a terminal.
///
/// # Errors
/// What the writer answers.
pub fn terminal(harden: &Harden, options: &TerminalOptions, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(out, options);
    page.paragraph(&[
        span(&harden.container, BOLD),
        span(" · the tightest options for what was observed", DIM),
    ])?;
    page.heading("docker run", "")?;
    for option in &harden.options {
        page.labelled("", REMEDY, &[span(&option.flag, BOLD)])?;
        page.beside(&[span(&option.because, DIM)])?;
    }
    page.heading("compose", "")?;
    for line in compose(harden) {
        page.line(&[span("  ", PLAIN), span(&line, PLAIN)])?;
    }
    page.heading("Not known", &harden.unknown.len().to_string())?;
    for unknown in &harden.unknown {
        page.labelled("unknown", UNKNOWN, &[span(unknown, PLAIN)])?;
    }
    Ok(())
}

/// Lines of the service in a compose file.
fn compose(harden: &Harden) -> Vec<String> {
    let mut keys: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for option in &harden.options {
        keys.entry(&option.key).or_default().push(&option.value);
    }
    let mut lines = Vec::new();
    for (key, values) in keys {
        if SINGLE.contains(&key) {
            lines.extend(values.first().map(|value| format!("{key}: {}", quoted(key, value))));
        } else {
            lines.push(format!("{key}:"));
            lines.extend(values.iter().map(|value| format!("  - {}", quoted(key, value))));
        }
    }
    lines
}

/// Users and paths are quoted: YAML would read `999:999` as a number.
fn quoted(key: &str, value: &str) -> String {
    if matches!(key, "user" | "tmpfs") { format!("{value:?}") } else { value.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{Harden, HardenOption, compose};

    #[test]
    fn lists_and_values() {
        let option = |key: &str, value: &str| HardenOption {
            key: key.into(),
            value: value.into(),
            ..HardenOption::default()
        };
        let harden = Harden {
            options: vec![
                option("user", "999:999"),
                option("cap_add", "SETUID"),
                option("cap_add", "SETGID"),
                option("read_only", "true"),
            ],
            ..Harden::default()
        };
        assert_eq!(
            compose(&harden),
            ["cap_add:", "  - SETUID", "  - SETGID", "read_only: true", "user: \"999:999\""]
        );
    }
}
