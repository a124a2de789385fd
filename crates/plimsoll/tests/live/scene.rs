//! The scene: every case's container is started, then one audit looks at all of them.

use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::docker::{self, run, text};

/// Prefix of every container's name.
pub(crate) const PREFIX: &str = "plt-";

/// A container in a configuration that other tools judge wrongly, and the right answers.
pub(crate) struct Case {
    /// Name of the test: the number is the case's in the list of reproduced wrong verdicts.
    pub(crate) name: &'static str,
    /// Name of the container after [`PREFIX`].
    pub(crate) container: &'static str,
    /// Options of `docker run`.
    pub(crate) options: &'static [&'static str],
    /// Image.
    pub(crate) image: &'static str,
    /// Command.
    pub(crate) command: &'static [&'static str],
    /// What is done to it from outside after it has started.
    pub(crate) after: fn(&str) -> Result<(), String>,
    /// Rule and status that the audit must answer about it.
    pub(crate) expect: &'static [(&'static str, &'static str)],
}

impl Case {
    /// The container's name.
    pub(crate) fn container_name(&self) -> String {
        format!("{PREFIX}{}", self.container)
    }

    fn start(&self) -> Result<(), String> {
        let name = self.container_name();
        run(&name, self.options, self.image, self.command)?;
        (self.after)(&name)
    }

    fn check(&self, report: &Report) -> Result<(), String> {
        let name = self.container_name();
        let wrong: Vec<String> = self
            .expect
            .iter()
            .filter_map(|(rule, wanted)| {
                let found = report.answers(rule, &name);
                let right = found.len() == 1 && found[0]["status"] == *wanted;
                (!right).then(|| format!("{rule} about {name}: wanted {wanted}, found {found:#?}"))
            })
            .collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
    }
}

/// What `plimsoll audit --format json` wrote.
pub(crate) struct Report {
    document: Value,
}

impl Report {
    /// Audits with these arguments.
    pub(crate) fn of(arguments: &[&str]) -> Result<Self, String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        let output = command.arg("audit").args(["--format", "json"]).args(arguments).output();
        let output = output.map_err(|error| error.to_string())?;
        let code = output.status.code();
        if !matches!(code, Some(0 | 1 | 4 | 5)) {
            return Err(text(output).err().unwrap_or_default());
        }
        let document = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
        Ok(Self { document })
    }

    /// The answers of a rule about the subject of this name.
    pub(crate) fn answers(&self, rule: &str, subject: &str) -> Vec<&Value> {
        let all = self.document["findings"].as_array().map_or(&[][..], Vec::as_slice);
        all.iter()
            .filter(|finding| finding["rule"] == rule && finding["subject"]["name"] == subject)
            .collect()
    }

    /// The whole document.
    pub(crate) fn document(&self) -> &Value {
        &self.document
    }
}

/// The tests of a list of cases: all containers are started before the one audit that every test reads.
pub(crate) fn tests(
    cases: &'static [Case],
) -> Vec<(&'static str, Box<dyn Fn() -> Result<(), String> + Send>)> {
    cases
        .iter()
        .map(|case| {
            let test = move || {
                let scene = scene(cases);
                let report = scene.report.as_ref().map_err(Clone::clone)?;
                if let Some((_, why)) = scene.not_started.iter().find(|(name, _)| *name == case.name) {
                    return Err(format!("could not be set up: {why}"));
                }
                case.check(report)
            };
            (case.name, Box::new(test) as Box<dyn Fn() -> Result<(), String> + Send>)
        })
        .collect()
}

struct Scene {
    not_started: Vec<(&'static str, String)>,
    report: Result<Report, String>,
}

fn scene(cases: &'static [Case]) -> &'static Scene {
    static SCENE: OnceLock<Scene> = OnceLock::new();
    SCENE.get_or_init(|| {
        let not_started =
            cases.iter().filter_map(|case| case.start().err().map(|why| (case.name, why))).collect();
        Scene { not_started, report: Report::of(&["--host", docker::SOCKET]) }
    })
}
