use plimsoll_facts::{Container, Engine, Facts};

use super::settings::{in_force, no_docker_daemon};
use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Confidence, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "new-privileges-by-default",
    title: "Programs in containers may gain privileges unless each container forbids it",
    concern: Concern::Engine,
    severity: Severity::Low,
    why: "With no-new-privileges a set-id program gives its caller nothing, so a broken service stays the account that it \
          was. As the daemon's default it covers the containers that nobody thought about.",
    fix: "\"no-new-privileges\": true in daemon.json, then `systemctl restart docker` (stops every container unless \
          live-restore is on). It holds for containers that start afterwards; those that need sudo or ping as a user take \
          --security-opt no-new-privileges=false.",
    references: &["https://docs.docker.com/reference/cli/dockerd/", "prctl(2) PR_SET_NO_NEW_PRIVS"],
    cis: &["2.15"],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    if let Some(why) = no_docker_daemon(engine)? {
        return not_applicable(why);
    }
    let without: Vec<_> = engine.containers.value().into_iter().flatten().filter(|c| lacks_default(c)).collect();
    let names: Vec<_> = without.iter().take(8).map(|c| c.name.as_str()).collect();
    let shown = format!("{}: {}", without.len(), names.join(" "));
    let seen = Evidence::new("running containers whose first process may gain privileges", shown, "/proc/PID/status NoNewPrivs");
    let option = match in_force(engine, "no-new-privileges") {
        Ok(option) => option,
        // What the daemon loaded is not known, but a container shows that the default was off when it started.
        Err(_) if !without.is_empty() => {
            let message = "containers started without the default that the file asks for";
            return fail(Problem::new(message, vec![seen]).confidence(Confidence::Medium));
        }
        Err(gap) => return Err(gap),
    };
    let evidence = option.evidence().expected("true");
    if option.switch(false)? {
        return pass(evidence);
    }
    fail(Problem::new("containers start without no-new-privileges unless they ask for it", vec![evidence, seen]))
}

/// Whether the container's first process may gain privileges though its own options do not say so.
fn lacks_default(container: &Container) -> bool {
    let Some(effective) = container.effective.value() else { return false };
    let own_option = container
        .declared
        .value()
        .is_some_and(|d| d.host_config.security_opt.iter().any(|o| o.starts_with("no-new-privileges")));
    let processes = effective.processes.value().into_iter().flatten();
    !own_option && processes.into_iter().any(|p| p.pid == effective.init_pid && !p.no_new_privs)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::bare::{ReachEngine, denied, engine, known};
    use crate::testing::{answer, status_of};
    use crate::{Confidence, Status};
    use plimsoll_facts::{Container, Declared, Effective, Engine, EngineKind, Process};

    fn running(e: &mut Engine) {
        let processes = known(vec![Process { pid: 7, ..Process::default() }]);
        let effective = known(Effective { init_pid: 7, processes, ..Effective::default() });
        let declared = known(Declared::default());
        e.containers = known(vec![Container { state: "running".into(), declared, effective, ..Container::default() }]);
    }

    #[test]
    fn case_16_false_is_not_true() {
        assert_eq!(status_of(&RULE, &engine(|e| e.flag("no-new-privileges", false))), Status::Fail);
        assert_eq!(status_of(&RULE, &engine(|e| e.flag("no-new-privileges", true))), Status::Pass);
        assert_eq!(status_of(&RULE, &engine(|_| ())), Status::Fail);
    }

    #[test]
    fn case_23_an_edited_file_and_a_container_that_shows_otherwise() {
        let edited = |e: &mut Engine| {
            e.file("no-new-privileges", true);
            e.config_file.value_mut().unwrap().newer_than_daemon = Some(true);
        };
        assert_eq!(status_of(&RULE, &engine(edited)), Status::Unknown);
        let found = answer(&RULE, &engine(|e| {
            edited(e);
            running(e);
        }));
        assert_eq!((found.status, found.confidence), (Status::Fail, Confidence::Medium));
    }

    #[test]
    fn unread_and_podman() {
        assert_eq!(status_of(&RULE, &engine(|e| e.daemon = denied())), Status::Unknown);
        assert_eq!(status_of(&RULE, &engine(|e| e.kind = EngineKind::Podman)), Status::NotApplicable);
    }
}
