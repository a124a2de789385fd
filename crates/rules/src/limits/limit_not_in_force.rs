use plimsoll_facts::{Container, Declared, Limits};

use super::in_force::{bytes, limits};
use crate::answer::{fail, not_applicable};
use crate::sides::by_both;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Outcome, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "limit-not-in-force",
    title: "The kernel enforces another limit than was declared",
    concern: Concern::Limits,
    severity: Severity::Medium,
    why: "docker inspect shows what was asked for. A rootless engine without a cgroup driver, a hand that wrote to the \
          cgroup, or systemd when it reloads its units leaves the container without it; a parent cgroup with less \
          stops the container earlier than anybody expects.",
    fix: "Set it again: docker update --memory 512m --pids-limit 512 --cpus 2 NAME (takes effect at once, stops \
          nothing). Where a parent is tighter, look at --cgroup-parent and the slice's limits: systemctl show SLICE.",
    references: &[
        "cgroups(7)",
        "https://docs.docker.com/engine/security/rootless/tips/#limiting-resources",
        "https://docs.docker.com/reference/cli/docker/container/update/",
    ],
    cis: &["5.11", "5.29"],
    judge: Judge::Container(judge),
};

/// One limit on both sides: what was declared, and what is in force (`None`: unlimited).
struct Pair {
    name: &'static str,
    declared: f64,
    in_force: Option<f64>,
    show: fn(f64) -> String,
    source: String,
}

impl Pair {
    /// Rounding to pages and to whole microseconds is no difference.
    fn differs(&self) -> Option<bool> {
        match self.in_force {
            None => Some(true),
            Some(value) if value > self.declared * 1.01 => Some(true),
            Some(value) if value < self.declared * 0.99 => Some(false),
            Some(_) => None,
        }
    }

    fn evidence(&self) -> Evidence {
        let shown = self.in_force.map_or_else(|| "unlimited".to_owned(), self.show);
        Evidence::new(self.name, shown, self.source.clone()).expected((self.show)(self.declared))
    }
}

fn judge(_: &EngineContext<'_>, container: &Container) -> Judgement {
    by_both(container, |declared, effective| {
        let pairs = pairs(declared, limits(effective, &["memory", "pids", "cpu"])?);
        if pairs.is_empty() {
            return not_applicable("no limit on memory, processes or CPUs is declared");
        }
        let differing: Vec<_> = pairs.iter().filter(|pair| pair.differs().is_some()).collect();
        let looser = differing.iter().find(|pair| pair.differs() == Some(true));
        let Some(pair) = looser.or(differing.first()) else {
            return Ok(Outcome::Pass(pairs.iter().map(Pair::evidence).collect()));
        };
        let declared = (pair.show)(pair.declared);
        let in_force = pair.in_force.map_or_else(|| "nothing".to_owned(), pair.show);
        let message = format!("{}: {declared} is declared, but {in_force} is in force", pair.name);
        let problem = Problem::new(message, differing.iter().map(|pair| pair.evidence()).collect());
        fail(if looser.is_some() { problem } else { problem.severity(Severity::Low) })
    })
}

#[expect(clippy::cast_precision_loss, reason = "compared to a hundredth, shown with one decimal")]
fn pairs(declared: &Declared, limits: &Limits) -> Vec<Pair> {
    let config = &declared.host_config;
    let cpus = match (config.nano_cpus, config.cpu_quota) {
        (nano, _) if nano > 0 => nano as f64 / 1e9,
        (_, quota) if quota > 0 => {
            quota as f64 / if config.cpu_period > 0 { config.cpu_period as f64 } else { 100_000.0 }
        }
        _ => 0.0,
    };
    let pair = |name, declared, in_force, show: fn(f64) -> String, source: &str| Pair {
        name,
        declared,
        in_force,
        show,
        source: source.to_owned(),
    };
    let whole = |value: Option<u64>| value.map(|value| value as f64);
    let (memory, pids) = (&limits.memory, &limits.pids);
    let declared_pids = config.pids_limit.unwrap_or(0) as f64;
    [
        pair("memory", config.memory as f64, whole(memory.value), show_bytes, &memory.source),
        pair("processes", declared_pids, whole(pids.value), |value| format!("{value}"), &pids.source),
        pair("CPUs", cpus, limits.cpus.value, |value| format!("{value:.2}"), &limits.cpus.source),
    ]
    .into_iter()
    .filter(|pair| pair.declared > 0.0)
    .collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size in bytes, to be shown")]
fn show_bytes(value: f64) -> String {
    bytes(value as u64)
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Container, Facts};

    use super::RULE;
    use crate::testing::{Reach, answer, container, status_of, stopped};
    use crate::{Severity, Status};

    fn memory(in_force: Option<u64>) -> Facts {
        container(|c| {
            c.host_config().memory = 512 << 20;
            c.limits().memory.value = in_force;
        })
    }

    /// 64 MiB are declared, and somebody raised the cgroup's limit.
    #[test]
    fn case_17_raised_by_hand() {
        let finding = answer(&RULE, &memory(None));
        assert_eq!((finding.status, finding.severity), (Status::Fail, Severity::Medium));
        assert!(finding.message.contains("512 MiB is declared, but nothing is in force"));
    }

    #[test]
    fn a_tighter_parent_is_milder() {
        assert_eq!(answer(&RULE, &memory(Some(64 << 20))).severity, Severity::Low);
        assert_eq!(status_of(&RULE, &memory(Some((512 << 20) - 4096))), Status::Pass);
    }

    #[test]
    fn case_18_rootless_without_cgroup_driver() {
        let it = container(|c: &mut Container| c.host_config().pids_limit = Some(50));
        assert_eq!(status_of(&RULE, &it), Status::Fail);
    }

    #[test]
    fn processors() {
        let it = |in_force| {
            container(|c| {
                c.host_config().cpu_quota = 50_000;
                c.limits().cpus.value = Some(in_force);
            })
        };
        assert_eq!(status_of(&RULE, &it(0.5)), Status::Pass);
        assert_eq!(status_of(&RULE, &it(2.0)), Status::Fail);
    }

    #[test]
    fn nothing_to_compare() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &container(|c| c.hide())), Status::Unknown);
    }
}
