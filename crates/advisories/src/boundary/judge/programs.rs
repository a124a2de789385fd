//! runc, containerd, dockerd and their kin: the file on disk and the processes that still run an older one.

use plimsoll_facts::{
    BoundaryStatus, BoundaryVerdict, Component, ComponentKind, Fact, Facts, OsRelease, RunningBinary,
};

use super::assess::{Assessment, assess};
use super::copy::{Copy, DistributionPackage, Maker, is_projects_own, read};
use super::verdict;
use crate::boundary::BoundaryAdvisory;

/// The project whose version numbers a program bears; nothing for programs that are not judged.
fn project(kind: ComponentKind) -> Option<&'static str> {
    Some(match kind {
        ComponentKind::Runc => "runc",
        ComponentKind::Crun => "crun",
        ComponentKind::Containerd | ComponentKind::ContainerdShim => "containerd",
        ComponentKind::Dockerd => "moby",
        ComponentKind::DockerCli => "docker-cli",
        ComponentKind::Buildkitd => BUILDKIT,
        ComponentKind::Podman => "podman",
        ComponentKind::Other | ComponentKind::DockerProxy | ComponentKind::DockerInit => return None,
    })
}

const BUILDKIT: &str = "buildkit";

/// Whether an advisory counts in versions of BuildKit.
fn is_of_buildkit(advisory: &BoundaryAdvisory) -> bool {
    advisory.component == BUILDKIT && advisory.upstream.project.is_none()
}

/// Whether a program of this kind holds the flaw where its version does.
fn holds(kind: ComponentKind, advisory: &BoundaryAdvisory) -> bool {
    if !advisory.programs.is_empty() {
        return advisory.programs.iter().any(|name| name == kind.name());
    }
    match kind {
        // libnetwork and BuildKit are compiled into the daemon.
        ComponentKind::Dockerd => matches!(advisory.component.as_str(), "moby" | "libnetwork" | "buildkit"),
        ComponentKind::ContainerdShim => false,
        kind => project(kind) == Some(advisory.component.as_str()),
    }
}

/// Every verdict about one program.
pub(super) fn judge(
    facts: &Facts,
    component: &Component,
    known: &[BoundaryAdvisory],
) -> Vec<BoundaryVerdict> {
    let Some(project) = project(component.kind) else { return Vec::new() };
    let on_disk = on_disk(component, &facts.host.os);
    let running = running(component, &on_disk);
    // The daemon's BuildKit has versions of its own; who made the daemon made this one.
    let buildkit = component.buildkit.as_ref().map(|version| Copy { base: read(version), ..on_disk.clone() });
    known
        .iter()
        .filter(|advisory| holds(component.kind, advisory))
        .map(|advisory| {
            let found = match buildkit.as_ref().filter(|_| is_of_buildkit(advisory)) {
                Some(inside) => assess(advisory, BUILDKIT, inside),
                None => assess(advisory, project, &on_disk),
            };
            let (found, other) = running.iter().fold((found, None), |(found, other), old| {
                with_running(found, other, old, |copy| assess(advisory, project, copy))
            });
            let package = match &on_disk.maker {
                Maker::Distribution(package) => Some(package.binary.clone()),
                _ => component.package.value().map(|package| package.name.clone()),
            };
            BoundaryVerdict { other, package, ..verdict(advisory, &component.path, &on_disk.shown, found) }
        })
        .collect()
}

fn on_disk(component: &Component, os: &Fact<OsRelease>) -> Copy {
    let of_file = component.version.value();
    let package = component.package.value();
    let maker = match &component.package {
        Fact::Known { value, .. } if is_projects_own(value) => Maker::Project { sure: true },
        Fact::Known { value, .. } => match DistributionPackage::of(value, os) {
            Some(package) => Maker::Distribution(package),
            None => Maker::Unknown(format!("packages of {} are not judged", value.manager)),
        },
        // A distribution's mark (`+dfsg1`, `~ds1`) on a file that no package owns: taken from a package, of which one
        // cannot tell what it mended.
        Fact::Absent { .. } => {
            Maker::Project { sure: of_file.is_none_or(|version| !version.contains(['+', '~'])) }
        }
        Fact::Unreadable { reason, .. } => {
            Maker::Unknown(format!("the package that owns it is not known: {reason}"))
        }
    };
    match (&maker, package, of_file) {
        (Maker::Distribution(_), Some(package), _) => Copy::of(&package.version, maker),
        // containerd.io's package version is not that of the runc which it holds too.
        (_, _, Some(version)) => Copy::of(version, maker),
        (_, package, None) => {
            let shown = package.map_or("not known", |package| &package.version).to_owned();
            let why = component.version.require().err().map_or_else(String::new, |gap| gap.reason);
            Copy { shown, base: Err(format!("the program's version could not be read: {why}")), maker }
        }
    }
}

/// An older copy that a process still runs: its version, or why it is not known.
struct Old {
    pid: u32,
    copy: Result<Copy, String>,
}

fn running(component: &Component, on_disk: &Copy) -> Vec<Old> {
    let mut old: Vec<Old> = Vec::new();
    for process in &component.running {
        let copy = match (&process.binary, &process.version) {
            (RunningBinary::Current, _) => continue,
            (RunningBinary::Unknown { reason }, _) => Err(reason.clone()),
            (RunningBinary::Replaced { .. }, None) => {
                Err("the file that it runs was replaced, and carries no version".to_owned())
            }
            (RunningBinary::Replaced { .. }, Some(version)) => {
                let maker = match &on_disk.maker {
                    Maker::Distribution(_) => Maker::EarlierPackage,
                    other => other.clone(),
                };
                Ok(Copy::of(version, maker))
            }
        };
        let same = |other: &Old| match (&other.copy, &copy) {
            (Ok(a), Ok(b)) => a.shown == b.shown,
            (Err(a), Err(b)) => a == b,
            _ => false,
        };
        if !old.iter().any(same) {
            old.push(Old { pid: process.pid, copy });
        }
    }
    old
}

/// What the file on disk and one older copy in memory make together: the worse of both.
fn with_running(
    found: Assessment,
    other: Option<String>,
    old: &Old,
    ask: impl Fn(&Copy) -> Assessment,
) -> (Assessment, Option<String>) {
    if !matches!(found.status, BoundaryStatus::Fixed | BoundaryStatus::NotAffected) {
        return (found, other);
    }
    let pid = old.pid;
    let copy = match &old.copy {
        Ok(copy) => copy,
        Err(reason) => {
            let reason =
                format!("the file on disk does not have it, but process {pid} may run another: {reason}");
            return (Assessment { fixed: found.fixed, ..Assessment::unknown(found.source, reason) }, other);
        }
    };
    let in_memory = ask(copy);
    let shown = Some(copy.shown.clone());
    if in_memory.status.is_affected() {
        let reason = format!("process {pid} still runs {}", copy.shown);
        let after = Assessment { status: BoundaryStatus::FixedAfterRestart, ..in_memory };
        return (after.because(reason), shown);
    }
    if in_memory.status == BoundaryStatus::Unknown {
        let why = in_memory.reason.unwrap_or_default();
        let reason =
            format!("the file on disk does not have it, but process {pid} still runs {}: {why}", copy.shown);
        return (Assessment { fixed: found.fixed, ..Assessment::unknown(found.source, reason) }, shown);
    }
    (found, other)
}
