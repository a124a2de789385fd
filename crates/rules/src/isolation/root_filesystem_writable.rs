use plimsoll_facts::{Container, Effective, Mount};

use crate::answer::{fail, gap, pass};
use crate::sides::by_kernel_or_declaration;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "root-filesystem-writable",
    title: "The container's root file system is writable",
    concern: Concern::Isolation,
    severity: Severity::Low,
    why: "Who breaks into a process can change the programs and libraries that run next, and leave tools behind that \
          outlive a restart. What is written there also fills the engine's disk, without a limit.",
    fix: "Recreate the container with --read-only, and give it what it must write: --tmpfs /run --tmpfs /tmp, and a \
          volume for its data (MariaDB: --read-only --tmpfs /run/mysqld --tmpfs /tmp -v data:/var/lib/mysql). This \
          stops the container.",
    references: &["https://docs.docker.com/reference/cli/docker/container/run/#read-only"],
    cis: &["5.13"],
    judge: Judge::Container(judge),
};

fn judge(_: &EngineContext<'_>, container: &Container) -> Judgement {
    by_kernel_or_declaration(
        container,
        |effective| {
            let root = root_mount(effective)?;
            let evidence = Evidence::new("options of the mount at /", root.options.clone(), effective.mounts.source());
            match root.is_read_only() {
                true => pass(evidence),
                false => fail(Problem::new("its root file system is mounted writable", vec![evidence.expected("ro")])),
            }
        },
        |declared| {
            let read_only = declared.host_config.readonly_rootfs;
            let evidence = Evidence::new("ReadonlyRootfs", read_only.to_string(), container.declared.source());
            match read_only {
                true => pass(evidence),
                false => fail(Problem::new(
                    "its root file system is declared writable",
                    vec![evidence.expected("true")],
                )),
            }
        },
    )
}

/// The uppermost mount at `/`.
pub(super) fn root_mount(effective: &Effective) -> Result<&Mount, plimsoll_facts::Gap> {
    let mounts = effective.mounts.require()?;
    let root = mounts.iter().rev().find(|mount| mount.target == "/");
    root.ok_or_else(|| gap(effective.mounts.source(), "no mount at / is shown"))
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::Fact;

    use super::RULE;
    use crate::Status;
    use crate::testing::{Reach, container, status_of, stopped};

    #[test]
    fn the_mount_decides() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Fail);
        let it = container(|c| c.effective().mounts.value_mut().unwrap()[0].options = "ro,relatime".into());
        assert_eq!(status_of(&RULE, &it), Status::Pass);
        let declared = container(|c| c.host_config().readonly_rootfs = true);
        assert_eq!(status_of(&RULE, &declared), Status::Fail, "declared read-only, but mounted writable");
    }

    #[test]
    fn stopped_and_unreadable() {
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::Fail);
        assert_eq!(status_of(&RULE, &stopped(|c| c.host_config().readonly_rootfs = true)), Status::Pass);
        let unreadable = container(|c| {
            c.effective().mounts = Fact::default();
            c.host_config().readonly_rootfs = true;
        });
        assert_eq!(status_of(&RULE, &unreadable), Status::Unknown);
    }
}
