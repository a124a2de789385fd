use plimsoll_facts::{Engine, Facts};

use super::settings::{in_force, no_docker_daemon};
use crate::answer::{fail, not_applicable};
use crate::{Concern, Evidence, Judge, Judgement, Outcome, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "daemon-log-level-unsuited",
    title: "The daemon logs too much, or too little to follow what happened",
    concern: Concern::Engine,
    severity: Severity::Low,
    why: "At debug level the daemon writes the body of each request to its log, environment variables and so passwords \
          among it. Above info it leaves out what led to a failure, and nobody can follow later what happened.",
    fix: "Take \"log-level\" and \"debug\" out of daemon.json and off the command line, then `systemctl reload docker` \
          (SIGHUP): both are reloaded while everything runs on.",
    references: &["https://docs.docker.com/engine/daemon/logs/", "https://docs.docker.com/reference/cli/dockerd/"],
    cis: &["2.3"],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    if let Some(why) = no_docker_daemon(engine)? {
        return not_applicable(why);
    }
    let debug = engine.info.require()?.debug;
    let debugging = Evidence::new("debug mode", debug.to_string(), engine.info.source()).expected("false");
    if debug {
        return fail(Problem::new("the daemon runs in debug mode", vec![debugging]));
    }
    let level = in_force(engine, "log-level")?;
    let evidence = vec![debugging, level.evidence().expected("info, or not set")];
    match level.text() {
        "" | "info" => Ok(Outcome::Pass(evidence)),
        "debug" | "trace" => fail(Problem::new("the daemon logs the bodies of requests", evidence)),
        other => fail(Problem::new(format!("at level {other} the daemon leaves out what led to a failure"), evidence)),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachEngine, denied, engine};
    use crate::testing::status_of;
    use plimsoll_facts::EngineKind;

    #[test]
    fn case_28_the_command_line_counts() {
        assert_eq!(status_of(&RULE, &engine(|e| e.flag("log-level", "debug"))), Status::Fail);
        assert_eq!(status_of(&RULE, &engine(|e| e.file("log-level", "warn"))), Status::Fail);
        assert_eq!(status_of(&RULE, &engine(|e| e.info().debug = true)), Status::Fail);
    }

    #[test]
    fn the_default_passes() {
        assert_eq!(status_of(&RULE, &engine(|_| ())), Status::Pass);
        assert_eq!(status_of(&RULE, &engine(|e| e.flag("log-level", "info"))), Status::Pass);
    }

    #[test]
    fn unread_and_podman() {
        assert_eq!(status_of(&RULE, &engine(|e| e.daemon = denied())), Status::Unknown);
        assert_eq!(status_of(&RULE, &engine(|e| e.kind = EngineKind::Podman)), Status::NotApplicable);
    }
}
