use plimsoll_facts::{Engine, Facts};

use super::settings::no_docker_daemon;
use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "live-restore-off",
    title: "Every container stops when the daemon does",
    concern: Concern::Engine,
    severity: Severity::Medium,
    why: "Each update or restart of the daemon stops all containers and waits for the slowest to end; after a crash those \
          with --restart unless-stopped stay down. Fixes of the engine are put off because they cost an outage. With \
          live-restore processes go on; only name lookups of containers, published loopback ports and much output wait.",
    fix: "\"live-restore\": true in daemon.json, then `systemctl reload docker`. Nothing stops, not even to turn it on.",
    references: &["https://docs.docker.com/engine/daemon/live-restore/"],
    cis: &["2.16"],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    if let Some(why) = no_docker_daemon(engine)? {
        return not_applicable(why);
    }
    let on = engine.info.require()?.live_restore;
    let evidence = Evidence::new("live restore", on.to_string(), engine.info.source()).expected("true");
    if on {
        return pass(evidence);
    }
    if engine.swarm.get()?.is_some() {
        return not_applicable("an engine that is part of a swarm cannot keep containers running without its daemon");
    }
    let running = engine.containers.value().map(|all| all.iter().filter(|c| c.is_running()).count());
    let mut seen = vec![evidence];
    seen.extend(running.map(|n| Evidence::new("containers that would stop", n.to_string(), engine.containers.source())));
    fail(Problem::new("a restart or crash of the daemon stops every container", seen))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachEngine, denied, engine, known};
    use crate::testing::status_of;
    use plimsoll_facts::{EngineKind, Swarm};

    #[test]
    fn what_the_daemon_says_decides() {
        assert_eq!(status_of(&RULE, &engine(|_| ())), Status::Fail);
        assert_eq!(status_of(&RULE, &engine(|e| e.file("live-restore", true))), Status::Fail);
        assert_eq!(status_of(&RULE, &engine(|e| e.info().live_restore = true)), Status::Pass);
    }

    #[test]
    fn swarm_podman_unread() {
        assert_eq!(status_of(&RULE, &engine(|e| e.swarm = known(Swarm::default()))), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &engine(|e| e.kind = EngineKind::Podman)), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &engine(|e| e.info = denied())), Status::Unknown);
        assert_eq!(status_of(&RULE, &engine(|e| e.kind = EngineKind::Unknown)), Status::Unknown);
    }
}
