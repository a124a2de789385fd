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
        let all = self.findings().filter(|finding| finding["rule"] == rule);
        all.filter(|finding| finding["subject"]["name"] == subject).collect()
    }

    /// The answers of a rule about an engine, or about the host that it is on.
    pub(crate) fn answers_of_engine(&self, rule: &str, endpoint: &str) -> Vec<&Value> {
        let all = self.findings().filter(|finding| finding["rule"] == rule);
        all.filter(|f| f["subject"]["name"] == endpoint || f["subject"]["kind"] == "host").collect()
    }

    fn findings(&self) -> impl Iterator<Item = &Value> {
        self.document["findings"].as_array().into_iter().flatten()
    }
}

/// A test: its name, and what it does.
pub(crate) struct Test {
    /// Name, which begins with the number of the case where there is one.
    pub(crate) name: &'static str,
    /// Fails with what is wrong.
    pub(crate) run: Box<dyn FnOnce() -> Result<(), String> + Send>,
}

impl Test {
    /// A test of this name.
    pub(crate) fn new(name: &'static str, run: impl FnOnce() -> Result<(), String> + Send + 'static) -> Self {
        Self { name, run: Box::new(run) }
    }
}

/// The tests of a list of cases: all containers are started before the one audit that every test reads.
pub(crate) fn tests(cases: &'static [Case]) -> impl Iterator<Item = Test> {
    cases.iter().map(move |case| {
        Test::new(case.name, move || {
            let scene = scene(cases);
            let report = scene.report.as_ref().map_err(Clone::clone)?;
            match scene.not_started.iter().find(|(name, _)| *name == case.name) {
                Some((_, why)) => Err(format!("could not be set up: {why}")),
                None => case.check(report),
            }
        })
    })
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
