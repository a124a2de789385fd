use plimsoll_facts::{Container, HostPath};

use crate::answer::{fail, pass};
use crate::paths::{declared_host_path, depth_below};
use crate::processes::{holds_over_host, shortened};
use crate::sides::by_kernel_or_declaration;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "shared-mount-propagation",
    title: "Mounts travel between the host and the container",
    concern: Concern::Isolation,
    severity: Severity::Low,
    why: "With shared propagation a mount that the container makes appears on the host, over whatever is there. With \
          slave propagation a file system that the host mounts later below the directory appears in the container, \
          writable, although nobody mounted it there.",
    fix: "Recreate the container with private propagation, which is the default: --mount \
          type=bind,src=DIR,dst=DIR,bind-propagation=rprivate. Storage plugins need shared: keep it for them alone. \
          This stops the container.",
    references: &["mount_namespaces(7)", "https://docs.docker.com/engine/storage/bind-mounts/#configure-bind-propagation"],
    cis: &["5.20"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    by_kernel_or_declaration(
        container,
        |effective| {
            let paths = effective.host_paths.require()?;
            let open: Vec<_> = paths.iter().filter(|path| !path.propagation.is_empty()).collect();
            outcome(cx, container, &open, effective.host_paths.source())
        },
        |declared| {
            let mut open = Vec::new();
            for mount in &declared.mounts {
                let propagation = mount.propagation.trim_start_matches('r');
                if let ("shared" | "slave", Some(host)) = (propagation, declared_host_path(cx, mount)?) {
                    let (target, propagation) = (mount.target.clone(), propagation.to_owned());
                    open.push(HostPath { host, target, propagation, ..HostPath::default() });
                }
            }
            outcome(cx, container, &open.iter().collect::<Vec<_>>(), container.declared.source())
        },
    )
}

fn outcome(cx: &EngineContext<'_>, container: &Container, all: &[&HostPath], source: &str) -> Judgement {
    // Mounts that came along below another one say the same again.
    let came_along = |path: &HostPath| {
        all.iter().any(|other| {
            other.propagation == path.propagation && depth_below(&path.target, &other.target) > Some(0)
        })
    };
    let open: Vec<_> = all.iter().copied().filter(|path| !came_along(path)).collect();
    let Some(first) = open.iter().find(|p| p.propagation == "shared").or(open.first()) else {
        return pass(Evidence::new("mounts that propagate", "none", source));
    };
    let severity = match (first.propagation.as_str(), holds_over_host(cx, container, "SYS_ADMIN")) {
        ("shared", true) => Severity::High,
        ("shared", false) => Severity::Medium,
        _ => Severity::Low,
    };
    let message = match first.propagation.as_str() {
        "shared" => format!("mounts made at {} appear on the host at {}", first.target, first.host),
        _ => format!("later mounts of the host below {} appear in the container at {}", first.host, first.target),
    };
    let evidence = shortened(
        &open,
        |p| {
            Evidence::new(format!("propagation of {} at {}", p.host, p.target), p.propagation.clone(), source)
                .expected("private")
        },
        "mounts",
    );
    fail(Problem::new(message, evidence).severity(severity))
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{DeclaredMount, Fact, Facts, HostPath};

    use super::RULE;
    use crate::testing::{Reach, answer, container, status_of, stopped};
    use crate::{Severity, Status};

    fn propagating(propagation: &str, capabilities: u64) -> Facts {
        container(|c| {
            let path = HostPath { host: "/srv".into(), propagation: propagation.into(), ..HostPath::default() };
            c.host_paths().push(path);
            c.processes()[0].cap_permitted.0 = capabilities;
        })
    }

    #[test]
    fn shared_is_worse_than_slave_and_worst_with_sys_admin() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Pass);
        assert_eq!(answer(&RULE, &propagating("slave", 0)).severity, Severity::Low);
        assert_eq!(answer(&RULE, &propagating("shared", 0)).severity, Severity::Medium);
        assert_eq!(answer(&RULE, &propagating("shared", 1 << 21)).severity, Severity::High);
    }

    #[test]
    fn stopped_by_declaration() {
        let with = |propagation: &str| {
            let mount = DeclaredMount {
                kind: "bind".into(),
                source: "/srv".into(),
                propagation: propagation.into(),
                ..DeclaredMount::default()
            };
            status_of(&RULE, &stopped(|c| c.declared().mounts = vec![mount]))
        };
        assert_eq!(with("rshared"), Status::Fail);
        assert_eq!(with("slave"), Status::Fail);
        assert_eq!(with("rprivate"), Status::Pass);
        assert_eq!(with(""), Status::Pass);
    }

    #[test]
    fn unreadable_mounts_are_unknown() {
        assert_eq!(status_of(&RULE, &container(|c| c.effective().host_paths = Fact::default())), Status::Unknown);
    }
}
