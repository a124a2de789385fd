use plimsoll_facts::{Container, Effective, Limits};

use super::in_force::{evidence, limits};
use crate::answer::{fail, pass};
use crate::sides::by_kernel_or_declaration;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "cpu-unlimited",
    title: "Container may use all of the host's processors, at the same priority as every other",
    concern: Concern::Limits,
    severity: Severity::Low,
    why: "One busy loop slows down every container and the host's own services. A quota (--cpus) is a hard bound, a \
          set of processors (--cpuset-cpus) keeps the others free, and a weight (--cpu-shares) decides who waits when \
          all are busy: any of them counts.",
    fix: "docker update --cpus 2 NAME takes effect at once and stops nothing; then write the same where the container \
          is created.",
    references: &[
        "https://docs.docker.com/engine/containers/resource_constraints/#cpu",
        "https://docs.docker.com/reference/cli/docker/container/update/",
    ],
    cis: &["5.12"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    let host = *cx.facts.host.cpus.require()?;
    by_kernel_or_declaration(
        container,
        |effective| by_cgroup(cx, host, effective),
        |declared| {
            let config = &declared.host_config;
            let source = container.declared.source();
            let set = [
                ("NanoCpus", config.nano_cpus > 0, config.nano_cpus.to_string()),
                ("CpuQuota", config.cpu_quota > 0, config.cpu_quota.to_string()),
                ("CpuShares", config.cpu_shares > 0, config.cpu_shares.to_string()),
                ("CpusetCpus", !config.cpuset_cpus.is_empty(), config.cpuset_cpus.clone()),
            ];
            match set.into_iter().find(|(_, is_set, _)| *is_set) {
                Some((name, _, value)) => pass(Evidence::new(name, value, source)),
                None => fail(Problem::new(
                    "is declared with neither a CPU limit nor a priority",
                    vec![Evidence::new("NanoCpus, CpuQuota, CpuShares, CpusetCpus", "not set", source)],
                )),
            }
        },
    )
}

fn by_cgroup(cx: &EngineContext<'_>, host: u32, effective: &Effective) -> Judgement {
    let limits = limits(effective, &["cpu"])?;
    let quota = evidence("CPUs in force", &limits.cpus, |cpus| format!("{cpus:.2}"), effective);
    if limits.cpus.value.is_some_and(|cpus| cpus < f64::from(host)) {
        return pass(quota);
    }
    let source = effective.limits.source();
    let weight = Evidence::new("CPU weight", limits.cpu_weight.map_or("none".into(), |w| w.to_string()), source);
    if weighted(cx, limits)? {
        return pass(weight);
    }
    let set = super::in_force::limits(effective, &["cpuset"])?.cpuset.as_deref();
    let cpus = Evidence::new("usable CPUs", set.unwrap_or("all"), source);
    if set.and_then(count).is_some_and(|count| count < u64::from(host)) {
        return pass(cpus);
    }
    let evidence = vec![
        quota.expected(format!("fewer than the host's {host}")),
        weight.expected("another than the default"),
        cpus.expected("fewer than all"),
    ];
    fail(Problem::new("neither a CPU limit nor a priority is in force", evidence))
}

/// Whether the weight is another than what a cgroup gets by itself: 1024 shares on v1, 100 on v2.
fn weighted(cx: &EngineContext<'_>, limits: &Limits) -> Result<bool, plimsoll_facts::Gap> {
    let Some(weight) = limits.cpu_weight else { return Ok(false) };
    let layout = cx.facts.host.cgroups.require()?;
    let default = match layout.controllers.get("cpu").map(|home| home.version) {
        Some(1) => 1024,
        _ => 100,
    };
    Ok(weight != default)
}

/// How many CPUs a list such as `0-3,8` names (cpuset(7)).
fn count(list: &str) -> Option<u64> {
    list.trim().split(',').filter(|part| !part.is_empty()).try_fold(0_u64, |sum, part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        sum.checked_add(last.checked_sub(first)?.checked_add(1)?)
    })
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::CgroupHome;

    use super::{RULE, count};
    use crate::Status;
    use crate::testing::{Reach, container, status_of, stopped};

    #[test]
    fn docker_defaults_fail() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Fail);
    }

    /// A quota by its parts, and a set of processors: both are limits.
    #[test]
    fn case_43_quota_and_cpuset() {
        assert_eq!(status_of(&RULE, &container(|c| c.limits().cpus.value = Some(1.5))), Status::Pass);
        assert_eq!(status_of(&RULE, &container(|c| c.limits().cpuset = Some("0,2".into()))), Status::Pass);
        assert_eq!(status_of(&RULE, &container(|c| c.limits().cpus.value = Some(64.0))), Status::Fail);
        assert_eq!(status_of(&RULE, &stopped(|c| c.host_config().cpu_quota = 50_000)), Status::Pass);
    }

    #[test]
    fn the_default_weight_depends_on_the_hierarchy() {
        let weight = |weight, version| {
            let mut it = container(|c| c.limits().cpu_weight = Some(weight));
            let home = CgroupHome { version, mount: "/sys/fs/cgroup".into() };
            it.host.cgroups.value_mut().unwrap().controllers.insert("cpu".into(), home);
            status_of(&RULE, &it)
        };
        assert_eq!((weight(100, 2), weight(39, 2)), (Status::Fail, Status::Pass));
        assert_eq!((weight(1024, 1), weight(512, 1)), (Status::Fail, Status::Pass));
    }

    #[test]
    fn lists_of_cpus() {
        assert_eq!(count("0-3,8"), Some(5));
        assert_eq!(count("7"), Some(1));
        assert_eq!(count("3-1"), None);
        assert_eq!(count("0-18446744073709551615,1"), None);
    }

    #[test]
    fn stopped_and_unreadable() {
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::Fail);
        let it = container(|c| {
            c.host_config().nano_cpus = 1_000_000_000;
            c.limits().unreadable.insert("cpu".into(), "permission denied".into());
        });
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
    }
}
