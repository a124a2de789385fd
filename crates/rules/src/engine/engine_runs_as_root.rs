use plimsoll_facts::{Engine, Facts};

use super::is_rootless;
use crate::answer::{fail, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "engine-runs-as-root",
    title: "The engine's daemon runs as root",
    concern: Concern::Engine,
    severity: Severity::Low,
    why: "A bug in the daemon, and each request that reaches its socket, acts with all rights on the host. A rootless \
          daemon acts with those of one ordinary account.",
    fix: "Where published ports above 1023, cgroup v2 limits and slirp-like networking suffice: dockerd-rootless-setuptool.sh \
          install, as an account of its own. Images, volumes and containers have to be made anew there, so each stops once.",
    references: &["https://docs.docker.com/engine/security/rootless/"],
    cis: &["2.1"],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    if is_rootless(engine) {
        return pass(Evidence::new("user namespace of the daemon", "its own (rootless)", engine.endpoint.clone()));
    }
    let daemon = engine.daemon.require()?;
    let evidence = Evidence::new("uid of the daemon", daemon.uid.to_string(), format!("/proc/{}/status", daemon.pid))
        .expected("not 0");
    if daemon.uid != 0 {
        return pass(evidence);
    }
    fail(Problem::new(format!("{} (process {}) runs as root", daemon.exe, daemon.pid), vec![evidence]))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachEngine, denied, engine};
    use crate::testing::status_of;

    #[test]
    fn root_and_rootless() {
        assert_eq!(status_of(&RULE, &engine(|_| ())), Status::Fail);
        let own_namespace = engine(|e| e.daemon().in_user_namespace = Some(true));
        assert_eq!(status_of(&RULE, &own_namespace), Status::Pass);
        assert_eq!(status_of(&RULE, &engine(|e| e.daemon().uid = 1000)), Status::Pass);
        assert_eq!(status_of(&RULE, &engine(|e| e.daemon = denied())), Status::Unknown);
    }
}
