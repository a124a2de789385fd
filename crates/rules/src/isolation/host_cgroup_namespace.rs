use plimsoll_facts::Container;

use super::namespaces::{self, Kind};
use crate::{Concern, EngineContext, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "host-cgroup-namespace",
    title: "Container sees the host's cgroup tree",
    concern: Concern::Isolation,
    severity: Severity::Low,
    why: "/proc/self/cgroup shows the host's real paths (ids of containers, slices of systemd), and a cgroup file \
          system that is mounted writable reaches beyond the container's own group, as in CVE-2022-0492. It is \
          Docker's default on cgroup v1.",
    fix: "Recreate the container with --cgroupns private, or set \"default-cgroupns-mode\": \"private\" in \
          daemon.json for new containers. Recreating stops the container.",
    references: &[
        "cgroup_namespaces(7)",
        "https://docs.docker.com/reference/cli/docker/container/run/#cgroupns",
        "CVE-2022-0492",
    ],
    cis: &[],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    namespaces::judge(cx, container, Kind::Cgroup, |p| p, "shares the host's cgroup namespace")
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::isolation::namespaces::{Kind, checks};
    use crate::testing::{Reach, World, status_of, stopped};

    #[test]
    fn judged_by_inode_then_by_declaration() {
        checks::all(&RULE, Kind::Cgroup);
    }

    #[test]
    fn default_on_cgroup_v1_is_the_host_s() {
        let mut it = stopped(|c| c.host_config().cgroupns_mode.clear());
        assert_eq!(status_of(&RULE, &it), Status::Pass);
        it.engine().info.value_mut().unwrap().cgroup_version = "1".into();
        assert_eq!(status_of(&RULE, &it), Status::Fail);
    }
}
