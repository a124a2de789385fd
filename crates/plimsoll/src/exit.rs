//! Exit codes: the table is printed by `plimsoll --help`.

use std::fmt;
use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It did what it was asked for.
    Done {
        /// There are findings at or above `--fail-on`.
        findings: bool,
        /// Something could not be known.
        unknown: bool,
    },
    /// The command line, or a file that it names, is wrong.
    Usage,
    /// An error ended it.
    Error,
}

impl Exit {
    /// Nothing to say.
    pub const CLEAN: Self = Self::Done { findings: false, unknown: false };

    /// The code for an error that ended a command.
    pub fn of_error(error: &anyhow::Error) -> Self {
        if error.is::<Usage>() { Self::Usage } else { Self::Error }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done { findings, unknown } => u8::from(findings) + 4 * u8::from(unknown),
            Exit::Usage => 2,
            Exit::Error => 3,
        })
    }
}

/// An error with its causes, each told once: many errors name their cause themselves, because they also stand alone
/// in reports.
pub fn describe(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// An error of whoever wrote the command line or a file that it names.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::describe;

    #[test]
    fn a_cause_is_told_once() {
        let cause = std::io::Error::other("no such file");
        let error = anyhow::Error::new(cause).context("/x: no such file").context("opening /x");
        assert_eq!(describe(&error), "opening /x: /x: no such file");
        let error = Err::<(), _>(std::io::Error::other("no such file")).context("opening /x").unwrap_err();
        assert_eq!(describe(&error), "opening /x: no such file");
    }
}
