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

/// What `plimsoll audit --format json` wrote, and how it ended.
pub(crate) struct Report {
    document: Value,
    code: i32,
}

impl Report {
    /// Audits with these arguments.
    pub(crate) fn of(arguments: &[&str]) -> Result<Self, String> {
        Self::by(&mut Command::new(env!("CARGO_BIN_EXE_plimsoll")), arguments)
    }

    /// Audits with these arguments by a command that starts plimsoll.
    pub(crate) fn by(plimsoll: &mut Command, arguments: &[&str]) -> Result<Self, String> {
        let output = plimsoll.arg("audit").args(["--format", "json"]).args(arguments).output();
        let output = output.map_err(|error| error.to_string())?;
        let Some(code @ (0 | 1 | 4 | 5)) = output.status.code() else {
            return Err(text(output).err().unwrap_or_default());
        };
        let document = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
        Ok(Self { document, code })
    }

    /// Fails where the exit code does not say that something could not be known.
    pub(crate) fn is_incomplete(&self) -> Result<(), String> {
        if self.code & 4 != 0 { Ok(()) } else { Err(format!("ended with {}", self.code)) }
    }

    /// Holds the document against `plimsoll schema audit`.
    pub(crate) fn matches_schema(&self) -> Result<(), String> {
        let schema = serde_json::from_str(&plimsoll(&["schema", "audit"])?).map_err(|e| e.to_string())?;
        let schema = jsonschema::validator_for(&schema).map_err(|error| error.to_string())?;
        let errors: Vec<_> = schema.iter_errors(&self.document).map(|error| error.to_string()).collect();
        if errors.is_empty() { Ok(()) } else { Err(format!("{errors:#?}")) }
    }

    /// The gaps, as JSON.
    pub(crate) fn gaps(&self) -> Vec<String> {
        self.document["gaps"].as_array().into_iter().flatten().map(Value::to_string).collect()
    }

    /// Rules that passed about an engine and what it holds, but for those that the kernel's sockets answer.
    pub(crate) fn passed_about(&self, endpoint: &str) -> Vec<&Value> {
        let passed = self.findings().filter(|finding| finding["status"] == "pass");
        let passed = passed.filter(|finding| !finding["evidence"].to_string().contains("sock_diag(7)"));
        passed.filter(|f| f["subject"]["engine"] == endpoint).map(|finding| &finding["rule"]).collect()
    }

    /// Whether there are answers about a kind of subject.
    pub(crate) fn has_answers_about(&self, kind: &str) -> bool {
        self.findings()
            .any(|f| f["subject"]["kind"] == kind && (f["status"] == "pass" || f["status"] == "fail"))
    }

    /// Rule, id of the subject, status of every answer.
    pub(crate) fn statuses(&self) -> Vec<(String, String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.findings().map(|f| (text(&f["rule"]), text(&f["subject"]["id"]), text(&f["status"]))).collect()
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

    /// The answers of a rule about the host.
    pub(crate) fn answers_about_host(&self, rule: &str) -> Vec<&Value> {
        let all = self.findings().filter(|finding| finding["rule"] == rule);
        all.filter(|finding| finding["subject"]["kind"] == "host").collect()
    }

    fn findings(&self) -> impl Iterator<Item = &Value> {
        self.document["findings"].as_array().into_iter().flatten()
    }
}

/// Runs plimsoll, which must find nothing to complain about; what it printed.
pub(crate) fn plimsoll(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(env!("CARGO_BIN_EXE_plimsoll")).args(arguments).output();
    let output = output.map_err(|error| error.to_string())?;
    match output.status.code() {
        // `facts` tells by 4 that something could not be read.
        Some(0 | 4) => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        _ => Err(text(output).err().unwrap_or_default()),
    }
}

/// A test: its name, and what it does.
pub(crate) struct Test {
    /// Name, which begins with the number of the case where there is one.
    pub(crate) name: &'static str,
    /// Fails with what is wrong.
    pub(crate) run: Box<dyn FnOnce() -> Result<(), String> + Send>,
    needs: &'static [&'static str],
}

impl Test {
    /// A test of this name.
    pub(crate) fn new(name: &'static str, run: impl FnOnce() -> Result<(), String> + Send + 'static) -> Self {
        Self { name, run: Box::new(run), needs: &[] }
    }

    /// The same, which needs these programs beside docker's.
    pub(crate) fn needing(self, needs: &'static [&'static str]) -> Self {
        Self { needs, ..self }
    }

    /// Whether a program that it needs is not here.
    pub(crate) fn lacks(&self) -> bool {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let has = |name: &&str| std::env::split_paths(&path).any(|folder| folder.join(name).exists());
        !self.needs.iter().all(has)
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
