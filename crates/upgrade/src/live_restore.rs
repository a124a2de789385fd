//! Whether containers outlive their daemon: what is loaded decides how it stops, what is configured decides how
//! it starts again.

use plimsoll_facts::{Engine, Fact, Gap};
use serde_json::Value;

const OPTION: &str = "live-restore";

/// Live-restore across the daemon's next restart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LiveRestore {
    /// Loaded, and configured for the next start.
    On,
    /// Neither loaded nor configured.
    Off,
    /// Loaded, but the next start comes without: it stops the containers that it finds.
    LostAtRestart,
    /// Configured, but not loaded: the running daemon still stops its containers when it stops.
    NotLoaded,
    /// Could not be told.
    Unknown(Gap),
}

impl LiveRestore {
    /// Live-restore of this engine.
    pub(crate) fn of(engine: &Engine) -> Self {
        let loaded = match loaded(engine) {
            Ok(loaded) => loaded,
            Err(gap) => return Self::Unknown(gap),
        };
        match (loaded, configured(engine)) {
            (true, Ok(true)) => Self::On,
            (true, Ok(false)) => Self::LostAtRestart,
            (true, Err(gap)) => Self::Unknown(Gap {
                reason: format!(
                    "live-restore is loaded, but whether the next start keeps it could not be read ({})",
                    gap.reason
                ),
                ..gap
            }),
            (false, Ok(true)) => Self::NotLoaded,
            // What the next start brings does not save the containers that this daemon stops when it stops.
            (false, _) => Self::Off,
        }
    }
}

fn loaded(engine: &Engine) -> Result<bool, Gap> {
    match engine.settings.get(OPTION).and_then(|setting| setting.loaded.as_ref()).and_then(Value::as_bool) {
        Some(loaded) => Ok(loaded),
        None => Ok(engine.info.require()?.live_restore),
    }
}

/// What the next start reads: the flag or the file, which dockerd does not accept both, else the default, off.
fn configured(engine: &Engine) -> Result<bool, Gap> {
    let setting = engine.settings.get(OPTION);
    let flag = setting.and_then(|setting| setting.flag.as_ref()).and_then(Value::as_bool);
    let file = setting.and_then(|setting| setting.file.as_ref()).and_then(Value::as_bool);
    if let Some(configured) = flag.or(file) {
        return Ok(configured);
    }
    engine.daemon.require()?;
    match &engine.config_file {
        Fact::Known { value: file, source } => match &file.error {
            Some(error) => Err(Gap { subject: String::new(), source: source.clone(), reason: error.clone() }),
            None => Ok(false),
        },
        other => other.get().map(|_| false),
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{ConfigFile, Setting};

    use super::*;
    use crate::testing::engine;

    #[test]
    fn the_loaded_value_decides_over_the_file() {
        let mut it = engine(|_| ());
        it.settings.insert(OPTION.into(), Setting { file: Some(true.into()), ..Setting::default() });
        assert_eq!(LiveRestore::of(&it), LiveRestore::NotLoaded);
    }

    #[test]
    fn an_option_that_is_loaded_but_no_longer_configured_is_lost_at_the_next_start() {
        let mut it = engine(|_| ());
        it.info.value_mut().unwrap().live_restore = true;
        assert_eq!(LiveRestore::of(&it), LiveRestore::LostAtRestart);
    }

    #[test]
    fn a_flag_keeps_it() {
        let mut it = engine(|_| ());
        it.info.value_mut().unwrap().live_restore = true;
        it.settings.insert(OPTION.into(), Setting { flag: Some(true.into()), ..Setting::default() });
        assert_eq!(LiveRestore::of(&it), LiveRestore::On);
    }

    #[test]
    fn what_cannot_be_read_stays_unknown() {
        let mut it = engine(|_| ());
        it.info = Fact::unreadable("GET /info", "permission denied");
        assert!(
            matches!(LiveRestore::of(&it), LiveRestore::Unknown(gap) if gap.reason == "permission denied")
        );

        let mut it = engine(|_| ());
        it.info.value_mut().unwrap().live_restore = true;
        it.config_file = Fact::unreadable("/etc/docker/daemon.json", "permission denied");
        assert!(matches!(LiveRestore::of(&it), LiveRestore::Unknown(_)));

        it.config_file = Fact::known(
            ConfigFile { error: Some("not JSON".into()), ..ConfigFile::default() },
            "/etc/docker/daemon.json",
        );
        assert!(matches!(LiveRestore::of(&it), LiveRestore::Unknown(_)));
    }
}
