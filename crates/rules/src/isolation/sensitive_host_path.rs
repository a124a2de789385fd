use plimsoll_facts::{Container, Effective, Gap, HostPath};

use super::sensitive_paths;
use crate::answer::{fail, pass};
use crate::paths::{declared_host_path, depth_below, has_component, is_same, is_within};
use crate::processes::{in_host_user_namespace, shortened};
use crate::sides::by_kernel_or_declaration;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "sensitive-host-path",
    title: "Container sees a directory of the host that gives it power over the host",
    concern: Concern::Isolation,
    severity: Severity::High,
    why: "A process that writes to the host's configuration, programs, units, cron jobs or keys has root's next \
          command run on its behalf; one that reads them takes passwords and keys along. Judged by what is really \
          mounted: symbolic links, volumes with a bind option and writable mounts below a read-only one count.",
    fix: "Recreate the container without the mount. Give it the one file that it needs, read-only, or a copy in a \
          volume: --mount type=bind,src=FILE,dst=FILE,readonly. This stops the container.",
    references: &[
        "mount_namespaces(7)",
        "https://docs.docker.com/engine/storage/bind-mounts/",
        "https://docs.docker.com/reference/cli/docker/volume/create/#opt",
    ],
    cis: &["5.6"],
    judge: Judge::Container(judge),
};

/// A mount that matters.
struct Shown<'p> {
    severity: Severity,
    gives: &'static str,
    path: &'p HostPath,
}

impl Shown<'_> {
    fn text(&self) -> String {
        let access = if self.path.writable { "writable" } else { "read-only" };
        format!("{} at {}, {access}", self.path.host, self.path.target)
    }

    /// Whether another mount shows no more than a part of what this one shows, at the same place.
    fn covers(&self, other: &Shown<'_>) -> bool {
        let below = depth_below(&other.path.target, &self.path.target);
        below > Some(0)
            && self.severity >= other.severity
            && below == depth_below(&other.path.host, &self.path.host)
    }
}

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    by_kernel_or_declaration(
        container,
        |effective| {
            let paths = effective.host_paths.require()?;
            let own_user_namespace = in_host_user_namespace(cx, effective) == Ok(false);
            let shown = paths
                .iter()
                .filter(|p| !is_plumbing(container, p) && !is_own_kernel_mount(cx, effective, p))
                .filter_map(|p| weigh(cx, p, own_user_namespace));
            outcome(shown.collect(), effective.host_paths.source())
        },
        |_| {
            let paths = declared_paths(cx, container)?;
            let shown = paths.iter().filter_map(|p| weigh(cx, p, false));
            outcome(shown.collect(), container.declared.source())
        },
    )
}

fn weigh<'p>(cx: &EngineContext<'_>, path: &'p HostPath, own_user_namespace: bool) -> Option<Shown<'p>> {
    let data_root = cx.engine.info.value().map_or("", |info| info.data_root.as_str());
    if is_volume(&path.host, data_root) {
        return None;
    }
    let (severity, gives) = sensitive_paths::judge(&path.host, path.writable, data_root)?;
    let severity = if own_user_namespace { severity.milder() } else { severity };
    Some(Shown { severity, gives, path })
}

fn outcome(shown: Vec<Shown<'_>>, source: &str) -> Judgement {
    let mut shown: Vec<_> = shown.iter().filter(|one| !shown.iter().any(|other| other.covers(one))).collect();
    shown.sort_by_key(|one| std::cmp::Reverse(one.severity));
    let Some(worst) = shown.first() else {
        return pass(Evidence::new("sensitive directories of the host", "none is mounted", source));
    };
    let evidence = shortened(
        &shown,
        |one| Evidence::new(format!("mount that shows {}", one.gives), one.text(), source),
        "mounts",
    );
    let message = format!("sees {}: {}", worst.gives, worst.text());
    fail(Problem::new(message, evidence).severity(worst.severity))
}

/// The engine's own volumes: `DATA-ROOT/volumes/NAME/_data`.
fn is_volume(host: &str, data_root: &str) -> bool {
    !data_root.is_empty() && is_within(host, &format!("{data_root}/volumes")) && has_component(host, "_data")
}

/// The files that an engine binds into a container at their usual places: its own, or those of the container whose
/// network it joined.
fn is_plumbing(container: &Container, path: &HostPath) -> bool {
    let of_engine = has_component(&path.host, "containers") || has_component(&path.host, "overlay-containers");
    let own = !container.id.is_empty() && has_component(&path.host, &container.id);
    let joined = ["hosts", "hostname", "resolv.conf"].iter().any(|name| {
        path.host.ends_with(&format!("/{name}")) && is_same(&path.target, &format!("/etc/{name}"))
    });
    of_engine && (own || joined)
}

/// `/proc` and `/sys` as each container has them. They are the host's own file systems where the container shares
/// the PID or the network namespace, which rules of their own report, and their masks are another rule's matter.
fn is_own_kernel_mount(cx: &EngineContext<'_>, effective: &Effective, path: &HostPath) -> bool {
    let (Some(host), Some(own)) = (cx.facts.host.namespaces.value(), effective.namespaces.value()) else {
        return false;
    };
    let shares = |fs, directory, same| {
        path.fs_type == fs && same && is_within(&path.host, directory) && is_same(&path.host, &path.target)
    };
    shares("proc", "/proc", host.pid == own.pid) || shares("sysfs", "/sys", host.net == own.net && !path.writable)
}

fn declared_paths(cx: &EngineContext<'_>, container: &Container) -> Result<Vec<HostPath>, Gap> {
    let mut paths = Vec::new();
    for mount in &container.declared.require()?.mounts {
        if let Some(host) = declared_host_path(cx, mount)? {
            paths.push(HostPath { host, target: mount.target.clone(), writable: mount.rw, ..HostPath::default() });
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{DeclaredMount, Fact, Facts, HostPath, Volume};

    use super::RULE;
    use crate::testing::{HOST_NAMESPACES, Reach, World, answer, container, status_of, stopped};
    use crate::{Confidence, Severity, Status};

    fn path(host: &str, writable: bool) -> HostPath {
        HostPath { host: host.into(), target: "/m".into(), writable, fs_type: "ext4".into(), ..HostPath::default() }
    }

    fn seeing(path: HostPath) -> Facts {
        container(|c| c.host_paths().push(path))
    }

    #[test]
    fn docker_defaults_pass() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Pass);
    }

    /// Read-only /, single files, /run, a symbolic link and a volume that is a bind mount: by what is mounted.
    #[test]
    fn case_10_real_mounts() {
        for (host, writable, severity) in [
            ("/", false, Severity::High),
            ("/etc/shadow", true, Severity::Critical),
            ("/root", true, Severity::Critical),
            ("/var/lib/docker", true, Severity::Critical),
            ("/run", true, Severity::Critical),
            ("/etc", true, Severity::Critical),
        ] {
            let finding = answer(&RULE, &seeing(path(host, writable)));
            assert_eq!((finding.status, finding.severity), (Status::Fail, severity), "{host}");
        }
    }

    #[test]
    fn case_10_volume_with_bind_option_of_a_stopped_container() {
        let mut it = stopped(|c| {
            c.declared().mounts = vec![DeclaredMount {
                kind: "volume".into(),
                name: "innocent".into(),
                source: "/var/lib/docker/volumes/innocent/_data".into(),
                target: "/data".into(),
                rw: true,
                ..DeclaredMount::default()
            }];
        });
        assert_eq!(status_of(&RULE, &it), Status::Pass);
        it.engine().volumes.value_mut().unwrap().push(Volume {
            name: "innocent".into(),
            options: [("o", "bind"), ("device", "/etc")].map(|(k, v)| (k.into(), v.into())).into(),
            ..Volume::default()
        });
        let finding = answer(&RULE, &it);
        assert_eq!((finding.severity, finding.confidence), (Severity::Critical, Confidence::Medium));
        it.engine().volumes = Fact::unreadable("GET /volumes", "timed out");
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
    }

    /// A volume whose target is /boot, and a read-only /etc beside a writable volume: sources count, one by one.
    #[test]
    fn case_42_targets_do_not_count() {
        let volume = HostPath {
            target: "/boot".into(),
            ..path("/var/lib/docker/volumes/data/_data", true)
        };
        assert_eq!(status_of(&RULE, &seeing(volume)), Status::Pass);
        let it = container(|c| {
            c.host_paths().push(path("/etc/mysql", false));
            c.host_paths().push(path("/var/lib/docker/volumes/data/_data", true));
        });
        assert_eq!(status_of(&RULE, &it), Status::Pass);
    }

    /// A mount of the host below a read-only one is a path of its own.
    #[test]
    fn writable_below_read_only() {
        let it = container(|c| {
            c.host_paths().push(HostPath { writable_below: vec!["/m/cron.d".into()], ..path("/etc", false) });
            c.host_paths().push(HostPath { target: "/m/cron.d".into(), ..path("/etc/cron.d", true) });
        });
        let finding = answer(&RULE, &it);
        assert_eq!(finding.severity, Severity::Critical);
        assert!(finding.message.contains("/m/cron.d"));
    }

    /// With / of the host come all of its mounts: one finding, not a hundred.
    #[test]
    fn mounts_of_the_host_below_one_that_is_shown() {
        let it = container(|c| {
            c.host_paths().push(path("/", true));
            let boot = path("/boot", true);
            c.host_paths().push(HostPath { target: "/m/boot".into(), ..boot.clone() });
            c.host_paths().push(HostPath { target: "/elsewhere".into(), ..boot });
        });
        let shown: Vec<_> = answer(&RULE, &it).evidence.into_iter().map(|e| e.value).collect();
        assert_eq!(shown, ["/ at /m, writable", "/boot at /elsewhere, writable"]);
    }

    /// `--network container:X`: names and resolver are X's.
    #[test]
    fn files_of_the_container_that_was_joined() {
        let of_x = |target: &str| {
            let host = "/var/lib/docker/containers/0ther/resolv.conf";
            HostPath { target: target.into(), ..path(host, true) }
        };
        assert_eq!(status_of(&RULE, &seeing(of_x("/etc/resolv.conf"))), Status::Pass);
        assert_eq!(status_of(&RULE, &seeing(of_x("/m"))), Status::Fail);
    }

    #[test]
    fn a_user_namespace_makes_it_milder() {
        let it = container(|c| {
            c.host_paths().push(path("/etc", true));
            c.namespaces().user += 1;
        });
        assert_eq!(answer(&RULE, &it).severity, Severity::High);
    }

    #[test]
    fn proc_of_a_container_in_the_host_s_pid_namespace() {
        let own = HostPath { host: "/proc".into(), target: "/proc".into(), fs_type: "proc".into(), ..path("", true) };
        let shared = container(|c| {
            c.namespaces().pid = HOST_NAMESPACES.pid;
            c.host_paths().push(own.clone());
        });
        assert_eq!(status_of(&RULE, &shared), Status::Pass);
        assert_eq!(answer(&RULE, &seeing(own)).severity, Severity::Critical, "bound from the host");
    }

    #[test]
    fn unreadable_mounts_are_unknown() {
        assert_eq!(status_of(&RULE, &container(|c| c.effective().host_paths = Fact::default())), Status::Unknown);
        assert_eq!(status_of(&RULE, &container(|c| c.hide())), Status::Unknown);
    }
}
