use plimsoll_facts::{Engine, Facts};

use super::settings::no_docker_daemon;
use crate::answer::{fail, not_applicable, pass, unknown};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "configuration-changed-since-start",
    title: "daemon.json was changed after the daemon started",
    concern: Concern::Engine,
    severity: Severity::Low,
    why: "Most options are read at the start only, so the file no longer tells how the daemon runs: an audit of the file is \
          about another daemon. The change also takes effect at a time that nobody chose, with the next crash or reboot.",
    fix: "dockerd --validate --config-file FILE, then `systemctl restart docker` in a maintenance window, which stops every \
          container unless live-restore is on. Where only reloadable options changed, `systemctl reload docker` puts them in \
          force without a stop; this note stays until the next restart.",
    references: &["https://docs.docker.com/reference/cli/dockerd/#configuration-reload-behavior"],
    cis: &[],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    if let Some(why) = no_docker_daemon(engine)? {
        return not_applicable(why);
    }
    let Some(file) = engine.config_file.get()? else {
        return not_applicable(format!("there is no {}", engine.config_file.source()));
    };
    let started = engine.daemon.require()?.started_at;
    let evidence = vec![
        Evidence::new("last change of the file, in seconds since 1970", file.modified_at.to_string(), file.path.clone()),
        Evidence::new(
            "start of the daemon, in seconds since 1970",
            started.map_or_else(|| "not known".to_owned(), |at| at.to_string()),
            engine.daemon.source(),
        ),
    ];
    match file.newer_than_daemon {
        Some(true) => fail(Problem::new("what the daemon loaded is older than the file", evidence)),
        Some(false) => evidence.into_iter().next().map_or_else(|| unknown("", ""), pass),
        None => unknown(file.path.clone(), "it is not known whether the file was changed after the daemon started"),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachEngine, denied, engine};
    use crate::testing::status_of;
    use plimsoll_facts::{EngineKind, Facts};

    fn changed(newer: Option<bool>) -> Facts {
        engine(|e| {
            e.file("icc", false);
            e.config_file.value_mut().unwrap().newer_than_daemon = newer;
        })
    }

    #[test]
    fn times_decide() {
        assert_eq!(status_of(&RULE, &changed(Some(true))), Status::Fail);
        assert_eq!(status_of(&RULE, &changed(Some(false))), Status::Pass);
        assert_eq!(status_of(&RULE, &changed(None)), Status::Unknown);
    }

    #[test]
    fn no_file_unread_podman() {
        assert_eq!(status_of(&RULE, &engine(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &engine(|e| e.config_file = denied())), Status::Unknown);
        assert_eq!(status_of(&RULE, &engine(|e| e.kind = EngineKind::Podman)), Status::NotApplicable);
    }
}
