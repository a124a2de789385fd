//! A daemon's options as rules read them: what is in force, and where that is known from.

use plimsoll_facts::{Engine, EngineKind, Gap};
use serde_json::Value;

use crate::Evidence;
use crate::answer::gap;

/// Why an engine has no options of Docker's daemon; `None` for Docker itself.
///
/// # Errors
/// A gap where it is not known whose engine it is.
pub(super) fn no_docker_daemon(engine: &Engine) -> Result<Option<&'static str>, Gap> {
    match engine.kind {
        EngineKind::Docker => Ok(None),
        EngineKind::Podman => Ok(Some("podman has no daemon with this option")),
        EngineKind::Unknown => {
            engine.info.require()?;
            Err(gap(engine.endpoint.clone(), "it was not told whose engine answers here"))
        }
    }
}

/// Whether an engine runs in a user namespace of its own.
pub(crate) fn is_rootless(engine: &Engine) -> bool {
    let said =
        engine.info.value().is_some_and(|info| has_security_option(&info.security_options, "rootless"));
    said || engine.daemon.value().is_some_and(|daemon| daemon.in_user_namespace == Some(true))
}

/// Whether the engine reports a security option by this name (`name=rootless`).
pub(crate) fn has_security_option(options: &[String], name: &str) -> bool {
    options.iter().any(|option| option.split(',').any(|part| part.strip_prefix("name=") == Some(name)))
}

/// One option of the running daemon.
#[derive(Debug)]
pub(super) struct InForce<'a> {
    option: &'static str,
    /// Its value; `None` is the daemon's default.
    pub(super) value: Option<&'a Value>,
    /// Where that is known from.
    pub(super) source: String,
}

impl InForce<'_> {
    /// The option as a switch, with the daemon's default.
    pub(super) fn switch(&self, default: bool) -> Result<bool, Gap> {
        match self.value {
            None => Ok(default),
            Some(Value::Bool(on)) => Ok(*on),
            Some(Value::String(text)) if matches!(text.as_str(), "true" | "1") => Ok(true),
            Some(Value::String(text)) if matches!(text.as_str(), "false" | "0") => Ok(false),
            Some(other) => {
                Err(gap(self.source.clone(), format!("{} is neither true nor false: {other}", self.option)))
            }
        }
    }

    /// The option as text; empty where it is not set.
    pub(super) fn text(&self) -> &str {
        self.value.and_then(Value::as_str).unwrap_or_default()
    }

    /// The option as a list of texts.
    pub(super) fn list(&self) -> Vec<&str> {
        match self.value {
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(text)) => vec![text],
            _ => Vec::new(),
        }
    }

    /// The option as an observation.
    pub(super) fn evidence(&self) -> Evidence {
        let shown = self.value.map_or_else(|| "not set".to_owned(), show);
        Evidence::new(self.option, shown, self.source.clone())
    }
}

/// A value as a person writes it: texts without quotation marks.
pub(super) fn show(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What the running daemon uses for an option: what it shows, else its command line, else the file that it read.
///
/// # Errors
/// A gap where the file was changed after the daemon read it, or where file or command line could not be read.
pub(super) fn in_force<'a>(engine: &'a Engine, option: &'static str) -> Result<InForce<'a>, Gap> {
    let setting = engine.settings.get(option);
    let found = |value, source| Ok(InForce { option, value, source });
    if let Some(value) = setting.and_then(|s| s.loaded.as_ref()) {
        return found(Some(value), setting.map(|s| s.loaded_source.clone()).unwrap_or_default());
    }
    let daemon = engine.daemon.require()?;
    let command_line = format!("/proc/{}/cmdline", daemon.pid);
    if let Some(value) = setting.and_then(|s| s.flag.as_ref()) {
        return found(Some(value), command_line);
    }
    let Some(file) = engine.config_file.get()? else {
        return found(None, format!("{command_line}; no {}", engine.config_file.source()));
    };
    if let Some(error) = &file.error {
        return Err(gap(file.path.clone(), format!("what the daemon loaded is not known: {error}")));
    }
    if file.newer_than_daemon != Some(false) {
        let why = match file.newer_than_daemon {
            Some(_) => "the file was changed after the daemon started: what it loaded is not known",
            None => "it is not known whether the file was changed after the daemon started",
        };
        return Err(gap(file.path.clone(), format!("{option}: {why}")));
    }
    match setting.and_then(|s| s.file.as_ref()) {
        Some(value) => found(Some(value), file.path.clone()),
        None => found(None, format!("{command_line}, {}", file.path)),
    }
}

#[cfg(test)]
mod tests {
    use super::{in_force, is_rootless};
    use crate::testing::bare::{ReachEngine, denied, engine};
    use plimsoll_facts::{Engine, Facts};

    fn first(facts: &Facts) -> &Engine {
        &facts.engines[0]
    }

    #[test]
    fn loaded_before_flag_before_file() {
        let facts = engine(|e| {
            e.file("icc", true);
            e.flag("icc", true);
            e.loaded("icc", false);
        });
        assert!(!in_force(first(&facts), "icc").unwrap().switch(true).unwrap());
        let facts = engine(|e| e.file("icc", false));
        assert!(!in_force(first(&facts), "icc").unwrap().switch(true).unwrap());
        assert!(in_force(first(&facts), "debug").unwrap().value.is_none());
    }

    #[test]
    fn a_file_that_the_daemon_has_not_read_tells_nothing() {
        let facts = engine(|e| {
            e.file("icc", false);
            e.config_file.value_mut().unwrap().newer_than_daemon = Some(true);
        });
        assert!(in_force(first(&facts), "icc").is_err());
        assert!(in_force(first(&facts), "debug").is_err());
        let facts = engine(|e| e.config_file = denied());
        assert!(in_force(first(&facts), "icc").is_err());
    }

    #[test]
    fn texts_and_numbers_for_switches() {
        let facts = engine(|e| {
            e.flag("icc", "false");
            e.flag("debug", 3);
        });
        assert!(!in_force(first(&facts), "icc").unwrap().switch(true).unwrap());
        assert!(in_force(first(&facts), "debug").unwrap().switch(true).is_err());
    }

    #[test]
    fn rootless_is_a_whole_name() {
        let rootless = engine(|e| e.info().security_options.push("name=rootless".into()));
        assert!(is_rootless(first(&rootless)));
        let other = engine(|e| e.info().security_options.push("name=rootlessness".into()));
        assert!(!is_rootless(first(&other)));
    }
}
