use plimsoll_facts::{Engine, Facts, Setting};
use serde_json::Value;

use super::settings::{no_docker_daemon, show};
use crate::answer::{fail, not_applicable, pass, unknown};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "setting-not-in-force",
    title: "The running daemon does not do what its configuration says",
    concern: Concern::Engine,
    severity: Severity::Medium,
    why: "Somebody hardened daemon.json and believes in it, but the daemon was not restarted, or the option cannot be reloaded: \
          what runs is the old setting. The other way round an unwanted setting waits in the file for the next restart.",
    fix: "dockerd --validate --config-file /etc/docker/daemon.json, then `systemctl restart docker` (`reload` for debug, \
          live-restore, registries and authorization plugins). A restart stops every container unless live-restore is on.",
    references: &["https://docs.docker.com/reference/cli/dockerd/#configuration-reload-behavior"],
    cis: &[],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    if let Some(why) = no_docker_daemon(engine)? {
        return not_applicable(why);
    }
    engine.config_file.get()?;
    let shown: Vec<_> = engine.settings.iter().filter(|(_, setting)| setting.loaded.is_some()).collect();
    if shown.is_empty() {
        return unknown(engine.endpoint.clone(), "nothing is known of the options that the daemon runs with");
    }
    let drifted: Vec<_> = shown.iter().filter(|(_, setting)| drifts(setting)).collect();
    if drifted.is_empty() {
        let count = format!("{} of {} that can be seen from outside", shown.len(), engine.settings.len());
        return pass(Evidence::new("options in force as they are written", count, engine.endpoint.clone()));
    }
    let names: Vec<_> = drifted.iter().map(|(name, _)| name.as_str()).collect();
    let evidence = drifted.iter().flat_map(|(name, setting)| three_ways(engine, name, setting)).collect();
    fail(Problem::new(format!("in force otherwise than written: {}", names.join(", ")), evidence))
}

/// Whether the option is given, on the command line before the file, and another value runs.
fn drifts(setting: &Setting) -> bool {
    let given = setting.flag.as_ref().or(setting.file.as_ref());
    matches!((given, &setting.loaded), (Some(given), Some(loaded)) if show(given) != show(loaded))
}

fn three_ways(engine: &Engine, name: &str, setting: &Setting) -> [Evidence; 3] {
    let value = |value: &Option<Value>| value.as_ref().map_or_else(|| "not set".to_owned(), show);
    let command_line = engine.daemon.value().map(|daemon| format!("/proc/{}/cmdline", daemon.pid));
    [
        Evidence::new(format!("{name} in the file"), value(&setting.file), engine.config_file.source()),
        Evidence::new(format!("{name} on the command line"), value(&setting.flag), command_line.unwrap_or_default()),
        Evidence::new(format!("{name} in force"), value(&setting.loaded), setting.loaded_source.clone()),
    ]
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachEngine, denied, engine};
    use crate::testing::{answer, status_of};
    use plimsoll_facts::{Engine, EngineKind};

    #[test]
    fn case_23_each_difference_is_shown_three_ways() {
        let found = answer(&RULE, &engine(|e| {
            e.file("icc", false);
            e.loaded("icc", true);
            e.loaded("debug", false);
        }));
        assert_eq!(found.status, Status::Fail);
        let seen: Vec<_> = found.evidence.iter().map(|e| (e.fact.as_ref(), e.value.as_str())).collect();
        let expected = [("icc in the file", "false"), ("icc on the command line", "not set"), ("icc in force", "true")];
        assert_eq!(seen, expected);
    }

    #[test]
    fn the_command_line_goes_before_the_file() {
        let both = |file: bool, flag: bool| {
            move |e: &mut Engine| {
                e.file("live-restore", file);
                e.flag("live-restore", flag);
                e.loaded("live-restore", true);
            }
        };
        assert_eq!(status_of(&RULE, &engine(both(false, true))), Status::Pass);
        assert_eq!(status_of(&RULE, &engine(both(true, false))), Status::Fail);
    }

    #[test]
    fn what_cannot_be_seen_is_unknown() {
        assert_eq!(status_of(&RULE, &engine(|e| e.file("default-ulimits", "x"))), Status::Unknown);
        let unread = engine(|e| {
            e.loaded("icc", true);
            e.config_file = denied();
        });
        assert_eq!(status_of(&RULE, &unread), Status::Unknown);
        assert_eq!(status_of(&RULE, &engine(|e| e.kind = EngineKind::Podman)), Status::NotApplicable);
    }
}
