use plimsoll_facts::{Container, Declared, Effective, Gap, MaskState};

use super::root_filesystem_writable::root_mount;
use crate::answer::{fail, pass};
use crate::paths::{depth_below, is_same};
use crate::processes::shortened;
use crate::sides::by_both;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "read-only-not-in-force",
    title: "What was declared read-only or masked can be written or read",
    concern: Concern::Isolation,
    severity: Severity::Medium,
    why: "A read-only bind mount of an engine before 25 leaves file systems below it writable, and a process with \
          SYS_ADMIN, or somebody on the host, can mount /, /proc/sys or a volume again as writable. docker inspect \
          shows the declaration all the same.",
    fix: "Mount the lower file system on its own, read-only, or update to an engine from 25 on (kernel 5.12 or later), \
          where read-only is recursive; take SYS_ADMIN away. Recreating the container sets everything as declared, \
          and stops it.",
    references: &[
        "mount_setattr(2)",
        "https://docs.docker.com/engine/storage/bind-mounts/#recursive-mounts",
    ],
    cis: &["5.13"],
    judge: Judge::Container(judge),
};

fn judge(_: &EngineContext<'_>, container: &Container) -> Judgement {
    by_both(container, |declared, effective| {
        let open = open(declared, effective)?;
        let Some((path, state)) = open.first() else {
            return pass(Evidence::new("declared read-only or masked, and open", "nothing", effective.mounts.source()));
        };
        let message = format!("{path} was declared read-only or masked, but is {state}");
        let evidence = shortened(
            &open,
            |(path, state)| {
                Evidence::new(path.clone(), state.clone(), effective.mounts.source()).expected("as declared")
            },
            "paths",
        );
        fail(Problem::new(message, evidence))
    })
}

/// The declared protections that the kernel does not show, and what it shows.
fn open(declared: &Declared, effective: &Effective) -> Result<Vec<(String, String)>, Gap> {
    let config = &declared.host_config;
    let mut open = Vec::new();
    if config.readonly_rootfs && !root_mount(effective)?.is_read_only() {
        open.push(("/".to_owned(), "writable".to_owned()));
    }
    let lists = [&config.masked_paths, &config.readonly_paths];
    let listed = |path: &String| lists.iter().any(|list| list.as_ref().is_some_and(|l| l.contains(path)));
    for mask in effective.masks.require()? {
        if mask.found == MaskState::Open && !config.privileged && listed(&mask.path) {
            open.push((mask.path.clone(), "open".to_owned()));
        }
    }
    let mounts = effective.mounts.require()?;
    let declared_at = |target: &str| declared.mounts.iter().any(|mount| is_same(&mount.target, target));
    for mount in declared.mounts.iter().filter(|mount| !mount.rw) {
        let Some(top) = mounts.iter().rev().find(|m| is_same(&m.target, &mount.target)) else { continue };
        let below = mounts.iter().find(|m| {
            !m.is_read_only() && depth_below(&m.target, &mount.target) > Some(0) && !declared_at(&m.target)
        });
        if !top.is_read_only() {
            open.push((mount.target.clone(), "writable".to_owned()));
        } else if let Some(below) = below {
            open.push((mount.target.clone(), format!("writable at {}", below.target)));
        }
    }
    Ok(open)
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Container, DeclaredMount, Fact, MaskState, Mount};

    use super::RULE;
    use crate::Status;
    use crate::testing::{Reach, container, status_of, stopped};

    fn with_mounts(c: &mut Container, mounts: &[(&str, &str)]) {
        c.declared().mounts =
            vec![DeclaredMount { kind: "bind".into(), target: "/m".into(), ..DeclaredMount::default() }];
        let mounts = mounts.iter().map(|(target, options)| Mount {
            target: (*target).into(),
            options: (*options).into(),
            ..Mount::default()
        });
        c.effective().mounts.value_mut().unwrap().extend(mounts);
    }

    #[test]
    fn as_declared() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Pass);
        assert_eq!(status_of(&RULE, &container(|c| with_mounts(c, &[("/m", "ro")]))), Status::Pass);
        let declared_below = container(|c| {
            with_mounts(c, &[("/m", "ro"), ("/m/data", "rw")]);
            let data = DeclaredMount { target: "/m/data".into(), rw: true, ..DeclaredMount::default() };
            c.declared().mounts.push(data);
        });
        assert_eq!(status_of(&RULE, &declared_below), Status::Pass);
    }

    #[test]
    fn each_kind_of_drift() {
        let below = container(|c| with_mounts(c, &[("/m", "ro"), ("/m/sub", "rw")]));
        assert_eq!(status_of(&RULE, &below), Status::Fail);
        assert_eq!(status_of(&RULE, &container(|c| with_mounts(c, &[("/m", "rw")]))), Status::Fail);
        assert_eq!(status_of(&RULE, &container(|c| c.host_config().readonly_rootfs = true)), Status::Fail);
        let remounted = container(|c| {
            let masks = c.effective().masks.value_mut().unwrap();
            masks.iter_mut().find(|m| m.path == "/proc/sys").unwrap().found = MaskState::Open;
        });
        assert_eq!(status_of(&RULE, &remounted), Status::Fail);
    }

    #[test]
    fn stopped_and_unreadable() {
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &container(|c| c.effective().masks = Fact::default())), Status::Unknown);
    }
}
