use std::collections::BTreeMap;

use plimsoll_facts::{Container, Engine, Facts};
use serde_json::Value;

use super::settings::{in_force, no_docker_daemon};
use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Evidence, Judge, Judgement, Outcome, Problem, Rule, Severity};

/// Open files that systemd's own default leaves to a service at most; above, old programs walk through the whole table.
const MOST_FILES: u64 = 1_048_576;

pub(super) const RULE: Rule = Rule {
    id: "default-ulimits-unset",
    title: "Containers inherit limits that were made for the daemon",
    concern: Concern::Engine,
    severity: Severity::Low,
    why: "Without defaults of its own a container gets the daemon's resource limits, on many hosts a thousand million open \
          files. One process then uses up the host's file table, and programs that close each possible descriptor hang \
          for minutes at their start (older MySQL among them).",
    fix: "\"default-ulimits\": {\"nofile\": {\"Name\": \"nofile\", \"Soft\": 1024, \"Hard\": 524288}} in daemon.json, then \
          `systemctl restart docker` (stops every container unless live-restore is on). It holds for containers that are \
          made afterwards; single ones take --ulimit.",
    references: &["getrlimit(2)", "https://docs.docker.com/reference/cli/dockerd/#default-ulimit-settings"],
    cis: &["2.9"],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    if let Some(why) = no_docker_daemon(engine)? {
        return not_applicable(why);
    }
    let defaults = in_force(engine, "default-ulimits")?;
    if defaults.value.is_some_and(|value| !matches!(value, Value::Null) && !is_empty(value)) {
        return pass(defaults.evidence());
    }
    let mut evidence = vec![defaults.evidence()];
    let running = engine.containers.require()?.iter().filter(|c| c.is_running());
    let seen: Vec<_> = running.filter_map(open_files).collect();
    let Some((name, most)) = seen.iter().max_by_key(|(_, most)| most.unwrap_or(u64::MAX)) else {
        return not_applicable("no container runs whose limits would show what the daemon hands down");
    };
    let shown = most.map_or_else(|| "unlimited".to_owned(), |n| n.to_string());
    let fact = format!("most open files of a process in {name}");
    evidence.push(Evidence::new(fact, shown, "/proc/PID/limits").expected("1048576 or less"));
    if most.is_some_and(|n| n <= MOST_FILES) {
        return Ok(Outcome::Pass(evidence));
    }
    fail(Problem::new("containers get the daemon's own resource limits", evidence))
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty)
}

/// The hard limit of open files of a container's first process, which proc_pid_limits(5) calls "Max open files".
fn open_files(container: &Container) -> Option<(&str, Option<u64>)> {
    let limits: &BTreeMap<_, _> = container.effective.value()?.rlimits.value()?;
    let (_, hard) = limits.get("nofile").or_else(|| limits.get("Max open files"))?;
    Some((&container.name, *hard))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachEngine, denied, engine, known};
    use crate::testing::status_of;
    use plimsoll_facts::{Container, Effective, Engine, EngineKind};
    use serde_json::json;

    fn running(files: Option<u64>) -> impl FnOnce(&mut Engine) {
        move |e| {
            let rlimits = known([("nofile".to_owned(), (files, files))].into());
            let effective = known(Effective { rlimits, ..Effective::default() });
            e.containers = known(vec![Container { state: "running".into(), effective, ..Container::default() }]);
        }
    }

    #[test]
    fn what_containers_get_decides() {
        assert_eq!(status_of(&RULE, &engine(running(Some(1_073_741_816)))), Status::Fail);
        assert_eq!(status_of(&RULE, &engine(running(None))), Status::Fail);
        assert_eq!(status_of(&RULE, &engine(running(Some(524_288)))), Status::Pass);
        assert_eq!(status_of(&RULE, &engine(|_| ())), Status::NotApplicable);
    }

    #[test]
    fn a_default_that_the_daemon_loaded_passes() {
        let set = engine(|e| e.file("default-ulimits", json!({"nofile": {"Name": "nofile", "Hard": 64000, "Soft": 64000}})));
        assert_eq!(status_of(&RULE, &set), Status::Pass);
    }

    #[test]
    fn case_23_edited_but_not_loaded_is_unknown() {
        let edited = engine(|e| {
            e.file("default-ulimits", json!({"nofile": {"Hard": 64000}}));
            e.config_file.value_mut().unwrap().newer_than_daemon = Some(true);
        });
        assert_eq!(status_of(&RULE, &edited), Status::Unknown);
        assert_eq!(status_of(&RULE, &engine(|e| e.daemon = denied())), Status::Unknown);
        assert_eq!(status_of(&RULE, &engine(|e| e.kind = EngineKind::Podman)), Status::NotApplicable);
    }
}
