use plimsoll_facts::{Engine, Facts};

use super::settings::{has_security_option, no_docker_daemon};
use super::is_rootless;
use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "userns-remap-off",
    title: "Root in a container is root on the host",
    concern: Concern::Engine,
    severity: Severity::Medium,
    why: "Without a user namespace the uid 0 of a container is the host's uid 0: a file that it writes through a mount, and \
          most bugs of runC, act as root outside. With remapping they act as an account that owns nothing.",
    fix: "\"userns-remap\": \"default\" in daemon.json, ranges in /etc/subuid and /etc/subgid, `systemctl restart docker`. \
          That stops every container, and images and containers have to be made anew below a data directory of their own; \
          a container that needs the host's ids takes --userns host.",
    references: &["https://docs.docker.com/engine/security/userns-remap/", "user_namespaces(7)"],
    cis: &["2.10"],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    if let Some(why) = no_docker_daemon(engine)? {
        return not_applicable(why);
    }
    let info = engine.info.require()?;
    if is_rootless(engine) || has_security_option(&info.security_options, "userns") {
        return pass(Evidence::new("security options", info.security_options.join(" "), engine.info.source()));
    }
    let running = engine.containers.value().into_iter().flatten().filter(|c| c.is_running());
    let maps = running.filter_map(|c| c.effective.value()?.uid_map.value());
    let unmapped = maps.filter(|map| map.iter().any(|(inside, outside, _)| (*inside, *outside) == (0, 0))).count();
    let evidence = vec![
        Evidence::new("security options", info.security_options.join(" "), engine.info.source())
            .expected("name=userns or name=rootless"),
        Evidence::new("running containers whose root is the host's", unmapped.to_string(), "/proc/PID/uid_map"),
    ];
    fail(Problem::new("user ids of containers are those of the host", evidence))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::bare::{ReachEngine, denied, engine, known};
    use crate::testing::{answer, status_of};
    use crate::Status;
    use plimsoll_facts::{Container, Effective, EngineKind};

    #[test]
    fn case_05_the_containers_are_counted() {
        let facts = engine(|e| {
            let uid_map = known(vec![(0, 0, u32::MAX)]);
            let effective = known(Effective { uid_map, ..Effective::default() });
            e.containers = known(vec![Container { state: "running".into(), effective, ..Container::default() }]);
        });
        let found = answer(&RULE, &facts);
        assert_eq!(found.status, Status::Fail);
        assert_eq!(found.evidence[1].value, "1");
    }

    #[test]
    fn case_23_an_edited_file_does_not_count() {
        let edited = engine(|e| e.file("userns-remap", "default"));
        assert_eq!(status_of(&RULE, &edited), Status::Fail);
    }

    #[test]
    fn case_48_rootless_maps_and_podman_has_no_such_option() {
        let with = |name: &str| status_of(&RULE, &engine(|e| e.info().security_options.push(name.into())));
        assert_eq!(with("name=rootless"), Status::Pass);
        assert_eq!(with("name=userns"), Status::Pass);
        assert_eq!(status_of(&RULE, &engine(|e| e.kind = EngineKind::Podman)), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &engine(|e| e.info = denied())), Status::Unknown);
    }
}
