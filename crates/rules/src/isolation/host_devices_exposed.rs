use plimsoll_facts::{Container, Declared, Effective};

use super::devices::{of_path, of_rule};
use crate::answer::{fail, pass};
use crate::processes::{SHOWN, in_host_user_namespace};
use crate::sides::by_kernel_or_declaration;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "host-devices-exposed",
    title: "Container may use devices of the host",
    concern: Concern::Isolation,
    severity: Severity::Medium,
    why: "A device is an entrance that no namespace closes: a disk is read and written below every permission of its \
          file system, /dev/mem is the kernel itself, and drivers have bugs. MKNOD is among Docker's default \
          capabilities, so root in the container makes the node for whatever the cgroup allows.",
    fix: "Recreate the container with the single device that it needs, and without m: --device /dev/X:/dev/X:rw. \
          Replace --privileged and --device-cgroup-rule with wildcards. This stops the container.",
    references: &[
        "https://docs.docker.com/reference/cli/docker/container/run/#device",
        "https://docs.kernel.org/admin-guide/cgroup-v1/devices.html",
        "https://docs.kernel.org/admin-guide/devices.html",
    ],
    cis: &["5.18"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    by_kernel_or_declaration(
        container,
        |effective| effective_devices(cx, effective),
        |declared| declared_devices(declared, container.declared.source()),
    )
}

/// A device that is within reach: how bad, what it gives, and how it is written.
type Found = (Severity, &'static str, String);

fn effective_devices(cx: &EngineContext<'_>, effective: &Effective) -> Judgement {
    let devices = effective.devices.require()?;
    let mounts = cx.facts.host.mounts.value().map_or(&[][..], Vec::as_slice);
    let mounted: Vec<_> = mounts.iter().map(|m| m.device.as_str()).collect();
    let own_user_namespace = in_host_user_namespace(cx, effective) == Ok(false);
    let mut found: Vec<Found> = match devices.all {
        true => vec![(Severity::Critical, "every device", "a *:* rwm".to_owned())],
        false => devices
            .extra
            .iter()
            .filter_map(|rule| of_rule(rule, &mounted).map(|(severity, gives)| (severity, gives, rule.clone())))
            .collect(),
    };
    if own_user_namespace {
        found.iter_mut().for_each(|one| one.0 = one.0.milder());
    }
    let nodes = Evidence::new(
        "device nodes of the host inside",
        if devices.nodes.is_empty() { "none".to_owned() } else { shown(&devices.nodes) },
        effective.devices.source(),
    );
    outcome(found, effective.devices.source(), vec![nodes])
}

fn declared_devices(declared: &Declared, source: &str) -> Judgement {
    let config = &declared.host_config;
    let mut found: Vec<Found> = Vec::new();
    if config.privileged {
        found.push((Severity::Critical, "every device", "Privileged".to_owned()));
    }
    for (path, access) in &config.devices {
        let (severity, gives) = of_path(path, access);
        found.push((severity, gives, format!("{path} {access}")));
    }
    for rule in &config.device_cgroup_rules {
        found.extend(of_rule(rule, &[]).map(|(severity, gives)| (severity, gives, rule.clone())));
    }
    outcome(found, source, Vec::new())
}

fn outcome(mut found: Vec<Found>, source: &str, further: Vec<Evidence>) -> Judgement {
    found.sort_by_key(|(severity, ..)| std::cmp::Reverse(*severity));
    let Some((severity, gives, rule)) = found.first().cloned() else {
        return pass(Evidence::new("devices beyond those of every container", "none", source));
    };
    let rules: Vec<_> = found.into_iter().map(|(_, _, rule)| rule).collect();
    let mut evidence =
        vec![Evidence::new("devices beyond those of every container", shown(&rules), source).expected("none")];
    evidence.extend(further);
    fail(Problem::new(format!("may use {gives} ({rule})"), evidence).severity(severity))
}

fn shown(list: &[String]) -> String {
    let mut text = list.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if list.len() > SHOWN {
        text.push_str(&format!(" and {} more", list.len() - SHOWN));
    }
    text
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Fact, Facts, Mount};

    use super::RULE;
    use crate::testing::{Reach, answer, container, status_of, stopped};
    use crate::{Severity, Status};

    fn allowed(rule: &str) -> Facts {
        container(|c| c.devices().extra.push(rule.into()))
    }

    #[test]
    fn docker_defaults_pass() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Pass);
    }

    /// `--privileged` and `--device-cgroup-rule 'b *:* rwm'` have an empty Devices.
    #[test]
    fn case_09_by_the_cgroup() {
        let all = container(|c| c.devices().all = true);
        assert_eq!(answer(&RULE, &all).severity, Severity::Critical);
        assert_eq!(answer(&RULE, &allowed("b *:* rwm")).severity, Severity::Critical);
    }

    #[test]
    fn the_host_s_own_disk_is_worse_than_another() {
        let mut it = allowed("b 254:0 rwm");
        it.host.mounts = Fact::known(vec![Mount::default()], "/proc/self/mountinfo");
        assert_eq!(answer(&RULE, &it).severity, Severity::High);
        it.host.mounts.value_mut().unwrap()[0].device = "254:0".into();
        assert_eq!(answer(&RULE, &it).severity, Severity::Critical);
    }

    #[test]
    fn stopped_by_declaration() {
        let it = stopped(|c| {
            c.host_config().devices.insert("/dev/fuse".into(), "rwm".into());
        });
        assert_eq!(answer(&RULE, &it).severity, Severity::Medium);
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::Pass);
    }

    #[test]
    fn unreadable_is_unknown() {
        let it = container(|c| c.effective().devices = Fact::unreadable("BPF_PROG_QUERY", "permission denied"));
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
    }
}
