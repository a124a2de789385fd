use plimsoll_facts::Container;

use crate::answer::{fail, not_applicable, pass};
use crate::processes::shortened;
use crate::sides::by_both;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "undeclared-device-access",
    title: "The cgroup allows devices that nobody declared",
    concern: Concern::Isolation,
    severity: Severity::Medium,
    why: "docker inspect shows no device, but the kernel lets the container use one. Somebody wrote to the device \
          cgroup by hand, a runtime hook did (GPU runtimes do), or systemd reset the rules when it reloaded its units.",
    fix: "Find out who added the rule, and restart the container: docker restart NAME sets the declared rules again. \
          Declare what is needed with --device, so that it can be reviewed.",
    references: &[
        "https://docs.kernel.org/admin-guide/cgroup-v1/devices.html",
        "https://docs.docker.com/reference/cli/docker/container/run/#device",
    ],
    cis: &["5.18"],
    judge: Judge::Container(judge),
};

fn judge(_: &EngineContext<'_>, container: &Container) -> Judgement {
    by_both(container, |declared, effective| {
        let config = &declared.host_config;
        let devices = effective.devices.require()?;
        let source = effective.devices.source();
        if config.privileged {
            return not_applicable("every device is declared: --privileged");
        }
        if !config.devices.is_empty() || !config.device_requests.is_empty() {
            return not_applicable(
                "devices are declared by path or by driver, and the kernel's rules have numbers; \
                 host-devices-exposed judges them all",
            );
        }
        let mut extra: Vec<_> =
            devices.extra.iter().filter(|rule| !config.device_cgroup_rules.contains(rule)).cloned().collect();
        if devices.all && !config.device_cgroup_rules.iter().any(|rule| rule.starts_with("a ")) {
            extra.insert(0, "a *:* rwm".to_owned());
        }
        if extra.is_empty() {
            return pass(Evidence::new("devices beyond the declared ones", "none", source));
        }
        let evidence = shortened(
            &extra,
            |rule| Evidence::new("allowed, but not declared", rule.clone(), source).expected("no such rule"),
            "rules",
        );
        fail(Problem::new(format!("the kernel allows {}, which nobody declared", extra[0]), evidence))
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::{Reach, container, status_of, stopped};

    #[test]
    fn an_added_rule() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Pass);
        let added = container(|c| c.devices().extra.push("b 254:0 rwm".into()));
        assert_eq!(status_of(&RULE, &added), Status::Fail);
        let declared = container(|c| {
            c.devices().extra.push("b 254:0 rwm".into());
            c.host_config().device_cgroup_rules.push("b 254:0 rwm".into());
        });
        assert_eq!(status_of(&RULE, &declared), Status::Pass);
        assert_eq!(status_of(&RULE, &container(|c| c.devices().all = true)), Status::Fail);
    }

    #[test]
    fn not_comparable() {
        let it = container(|c| {
            c.host_config().devices.insert("/dev/fuse".into(), "rwm".into());
            c.devices().extra.push("c 10:229 rwm".into());
        });
        assert_eq!(status_of(&RULE, &it), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &container(|c| c.hide())), Status::Unknown);
    }
}
