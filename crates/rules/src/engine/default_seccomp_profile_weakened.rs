use plimsoll_facts::{Engine, Facts};

use crate::answer::{fail, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "default-seccomp-profile-weakened",
    title: "The engine's default seccomp profile is off or replaced",
    concern: Concern::Engine,
    severity: Severity::High,
    why: "The built-in profile closes about fifty system calls that break out of containers (mounts, kernel modules, BPF, \
          keyrings). Without it every container without a profile of its own has them all. A profile of one's own may be \
          stricter, but it also misses what newer engines close.",
    fix: "Take \"seccomp-profile\" out of daemon.json or --seccomp-profile off the command line, then `systemctl restart \
          docker` (stops every container unless live-restore is on) and recreate the containers: a filter is loaded at \
          their start.",
    references: &["https://docs.docker.com/engine/security/seccomp/"],
    cis: &["2.18"],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    let options = &engine.info.require()?.security_options;
    let source = engine.info.source();
    let wanted = "profile=builtin or profile=default";
    let Some(option) = options.iter().find(|o| o.split(',').any(|part| part == "name=seccomp")) else {
        let evidence = Evidence::new("security options", options.join(" "), source).expected("name=seccomp");
        return fail(Problem::new("the engine filters no system calls", vec![evidence]));
    };
    let profile = option.split(',').find_map(|part| part.strip_prefix("profile=")).unwrap_or("default");
    let evidence = Evidence::new("default seccomp profile", profile, source);
    match profile {
        // podman names the file of its own default.
        "builtin" | "default" | "/usr/share/containers/seccomp.json" => pass(evidence),
        "unconfined" => {
            let message = "containers without a profile of their own have no filter";
            fail(Problem::new(message, vec![evidence.expected(wanted)]))
        }
        path => {
            let message = format!("{path} replaces the built-in profile: compare the two");
            fail(Problem::new(message, vec![evidence.expected(wanted)]).severity(Severity::Info))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::bare::{ReachEngine, denied, engine};
    use crate::testing::{answer, status_of};
    use crate::{Severity, Status};
    use plimsoll_facts::Facts;

    fn with(option: &str) -> Facts {
        engine(|e| e.info().security_options = vec![option.into()])
    }

    #[test]
    fn case_45_builtin_is_the_new_name_of_default() {
        assert_eq!(status_of(&RULE, &with("name=seccomp,profile=builtin")), Status::Pass);
        assert_eq!(status_of(&RULE, &with("name=seccomp,profile=default")), Status::Pass);
    }

    #[test]
    fn off_absent_custom_unread() {
        assert_eq!(answer(&RULE, &with("name=seccomp,profile=unconfined")).severity, Severity::High);
        assert_eq!(answer(&RULE, &with("name=cgroupns")).severity, Severity::High);
        assert_eq!(answer(&RULE, &with("name=seccomp,profile=/etc/docker/own.json")).severity, Severity::Info);
        assert_eq!(status_of(&RULE, &engine(|e| e.info = denied())), Status::Unknown);
    }
}
