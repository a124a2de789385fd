use std::collections::BTreeMap;

use plimsoll_facts::{Container, Engine, Facts};

use super::settings::{in_force, no_docker_daemon};
use crate::address::{host_of, is_loopback};
use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Confidence, Evidence, Judge, Judgement, Outcome, Problem, Rule, Severity};

/// Drivers that send logs to another machine by their nature.
const REMOTE: [&str; 5] = ["awslogs", "gcplogs", "splunk", "logentries", "etwlogs"];

/// Drivers that send logs to an address, and the option that holds it.
const ADDRESSED: [(&str, &str); 3] =
    [("syslog", "syslog-address"), ("gelf", "gelf-address"), ("fluentd", "fluentd-address")];

pub(super) const RULE: Rule = Rule {
    id: "container-logs-stay-on-host",
    title: "Logs of containers do not leave the host",
    concern: Concern::Engine,
    severity: Severity::Low,
    why: "Whoever takes the host over removes the traces with it, and logs that lie beside the engine's data are gone with a \
          `docker rm`. With the driver none there are none at all. Judged by the driver that each running container really \
          has, then by the default.",
    fix: "Set \"log-driver\" and \"log-opts\" in daemon.json to a remote collector (syslog, gelf, fluentd …) and `systemctl \
          restart docker` (stops every container unless live-restore is on); it holds for containers made afterwards. Where \
          a collector on the host already ships the files or the journal, record an exception.",
    references: &["https://docs.docker.com/engine/logging/configure/"],
    cis: &["2.14"],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    if let Some(why) = no_docker_daemon(engine)? {
        return not_applicable(why);
    }
    let running: Vec<_> = engine.containers.require()?.iter().filter(|c| c.is_running()).collect();
    if running.is_empty() {
        return judge_default(engine);
    }
    let mut local: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for container in &running {
        let config = &container.declared.require()?.host_config;
        if !leaves_host(&config.log_driver, &config.log_options) {
            local.entry(&config.log_driver).or_default().push(&container.name);
        }
    }
    if local.is_empty() {
        let all = Evidence::new("running containers that log to another machine", running.len().to_string(), source(&running));
        return Ok(Outcome::Pass(vec![all]));
    }
    let evidence = local.iter().map(|(driver, names)| {
        let shown = names.iter().take(8).copied().collect::<Vec<_>>().join(" ");
        Evidence::new(format!("{} with {driver}", names.len()), shown, "GET /containers/ID/json HostConfig.LogConfig")
    });
    let count: usize = local.values().map(Vec::len).sum();
    let problem = Problem::new(format!("{count} of {} running containers log to this host only", running.len()), evidence.collect());
    fail(weigh(problem, local.keys().copied()))
}

fn judge_default(engine: &Engine) -> Judgement {
    let driver = &engine.info.require()?.logging_driver;
    let mut map = BTreeMap::new();
    if ADDRESSED.iter().any(|(name, _)| name == driver) {
        let options = in_force(engine, "log-opts")?;
        let given = options.value.and_then(|v| v.as_object()).into_iter().flatten();
        map.extend(given.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))));
    }
    let evidence = Evidence::new("default logging driver", driver.clone(), engine.info.source());
    if leaves_host(driver, &map) {
        return pass(evidence);
    }
    let problem = Problem::new(format!("containers log with {driver}, to this host only"), vec![evidence]);
    fail(weigh(problem, std::iter::once(driver.as_str())))
}

/// No log at all is worse; a journal may be shipped by another service, which no fact here shows.
fn weigh<'a>(problem: Problem, drivers: impl Iterator<Item = &'a str> + Clone) -> Problem {
    if drivers.clone().any(|driver| driver == "none") {
        return problem.severity(Severity::Medium);
    }
    if drivers.into_iter().all(|driver| driver == "journald") {
        return problem.severity(Severity::Info).confidence(Confidence::Low);
    }
    problem
}

fn leaves_host(driver: &str, options: &BTreeMap<String, String>) -> bool {
    if REMOTE.contains(&driver) {
        return true;
    }
    let Some((_, option)) = ADDRESSED.iter().find(|(name, _)| *name == driver) else { return false };
    let Some(address) = options.get(*option) else { return false };
    let rest = address.split_once("://").map_or(address.as_str(), |(_, rest)| rest);
    let host = host_of(rest);
    !(host.is_empty() || host == "localhost" || address.starts_with("unix") || is_loopback(host))
}

fn source(containers: &[&Container]) -> String {
    containers.first().map(|c| c.declared.source().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::bare::{ReachEngine, denied, engine, known};
    use crate::testing::{answer, status_of};
    use crate::{Severity, Status};
    use plimsoll_facts::{Container, Declared, Engine, EngineKind, HostConfig};

    fn running(driver: &str, address: &str) -> impl FnOnce(&mut Engine) {
        let (log_driver, address) = (driver.to_owned(), address.to_owned());
        move |e| {
            let log_options = [("syslog-address".to_owned(), address)].into();
            let host_config = HostConfig { log_driver, log_options, ..HostConfig::default() };
            let declared = known(Declared { host_config, ..Declared::default() });
            e.containers = known(vec![Container { state: "running".into(), declared, ..Container::default() }]);
        }
    }

    #[test]
    fn case_28_the_driver_none_discards_logs() {
        let found = answer(&RULE, &engine(|e| e.info().logging_driver = "none".into()));
        assert_eq!((found.status, found.severity), (Status::Fail, Severity::Medium));
        let unread = engine(|e| {
            e.info().logging_driver = "none".into();
            e.daemon = denied();
        });
        assert_eq!(status_of(&RULE, &unread), Status::Fail);
    }

    #[test]
    fn what_the_containers_use_decides() {
        assert_eq!(status_of(&RULE, &engine(running("local", ""))), Status::Fail);
        assert_eq!(status_of(&RULE, &engine(running("syslog", "udp://logs.example:514"))), Status::Pass);
        assert_eq!(status_of(&RULE, &engine(running("syslog", "udp://127.0.0.1:514"))), Status::Fail);
        assert_eq!(status_of(&RULE, &engine(running("syslog", "unixgram:///dev/log"))), Status::Fail);
        assert_eq!(status_of(&RULE, &engine(running("awslogs", ""))), Status::Pass);
        assert_eq!(answer(&RULE, &engine(running("journald", ""))).severity, Severity::Info);
    }

    #[test]
    fn the_default_without_containers() {
        assert_eq!(status_of(&RULE, &engine(|_| ())), Status::Fail);
        assert_eq!(status_of(&RULE, &engine(|e| e.containers = denied())), Status::Unknown);
        assert_eq!(status_of(&RULE, &engine(|e| e.kind = EngineKind::Podman)), Status::NotApplicable);
    }
}
