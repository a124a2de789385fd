//! The kernel: what runs, what the next boot starts, and what was not built.

use std::collections::BTreeMap;

use plimsoll_facts::{BoundaryStatus, BoundaryVerdict, Fact, Facts, Host, InstalledKernel, Package};

use super::assess::{Assessment, assess};
use super::copy::{Base, Copy, DistributionPackage, Maker, release};
use super::verdict;
use crate::boundary::BoundaryAdvisory;
use crate::order::Order;

/// By which facts and findings call it.
pub(super) const KERNEL: &str = "kernel";

/// Every verdict about the kernel; none where it is not known what runs.
pub(super) fn judge(facts: &Facts, known: &[BoundaryAdvisory]) -> Vec<BoundaryVerdict> {
    let host = &facts.host;
    let Some(running) = running(host) else { return Vec::new() };
    let next = next(host);
    let live_patch = host
        .kernel
        .livepatches
        .value()
        .and_then(|patches| patches.iter().find(|(_, enabled)| **enabled).map(|(name, _)| name.clone()));
    known
        .iter()
        .filter(|advisory| advisory.component == KERNEL)
        .map(|advisory| {
            let (found, other) = match of_another_distribution(advisory, host) {
                Some(found) => (found, None),
                None => one(advisory, &running, next.as_ref(), &host.kernel.config),
            };
            let found = match &live_patch {
                Some(patch) if found.status.is_affected() => Assessment::unknown(
                    found.source,
                    format!("the live patch {patch} is in force, and what it mends is not known"),
                ),
                _ => found,
            };
            let package = match &running.maker {
                Maker::Distribution(package) => Some(package.binary.clone()),
                _ => None,
            };
            BoundaryVerdict { other, package, ..verdict(advisory, KERNEL, &running.shown, found) }
        })
        .collect()
}

fn one(
    advisory: &BoundaryAdvisory,
    running: &Copy,
    next: Option<&Copy>,
    config: &Fact<BTreeMap<String, String>>,
) -> (Assessment, Option<String>) {
    let found = assess(advisory, KERNEL, running);
    if !matches!(found.status, BoundaryStatus::Fixed | BoundaryStatus::NotAffected)
        && let Some(option) = not_built(advisory, config)
    {
        let found = Assessment::new(BoundaryStatus::NotAffected, config.source());
        return (found.because(format!("this kernel is built without {option}")), None);
    }
    let Some(next) = next.filter(|_| found.status.is_affected()) else { return (found, None) };
    let after_boot = assess(advisory, KERNEL, next);
    if !matches!(after_boot.status, BoundaryStatus::Fixed | BoundaryStatus::NotAffected) {
        return (found, None);
    }
    let found = Assessment { status: BoundaryStatus::FixedAfterRestart, ..found };
    (found.because(format!("{} is installed and not booted", next.shown)), Some(next.shown.clone()))
}

/// What one distribution's own changes brought is not in the kernel of another, whoever built that.
fn of_another_distribution(advisory: &BoundaryAdvisory, host: &Host) -> Option<Assessment> {
    let only = advisory.upstream.only.as_deref()?;
    let id = &host.os.value()?.id;
    let found = Assessment::new(BoundaryStatus::NotAffected, host.os.source());
    (id != only)
        .then(|| found.guess().because(format!("only {only}'s own kernels have it, and this host is {id}")))
}

/// The options that the flaw needs, where none of them is built. A whole configuration leaves out only what cannot be
/// switched on.
fn not_built(advisory: &BoundaryAdvisory, config: &Fact<BTreeMap<String, String>>) -> Option<String> {
    let config = config.value().filter(|config| config.contains_key("CONFIG_MODULES"))?;
    let names: Vec<_> = advisory.kconfig.iter().map(|name| format!("CONFIG_{name}")).collect();
    let off = |name: &String| config.get(name).is_none_or(|value| value == "n");
    (!names.is_empty() && names.iter().all(off)).then(|| names.join(", "))
}

/// The kernel that runs.
fn running(host: &Host) -> Option<Copy> {
    let kernel = &host.kernel;
    let running = kernel.running.value()?;
    let maker = match running_package(host, &running.release, &running.build) {
        Some(package) => Maker::Distribution(package),
        None => match &kernel.package {
            // No package owns it: somebody built it, from what sources nobody can tell.
            Fact::Absent { .. } => Maker::Project { sure: false },
            Fact::Known { value, .. } => Maker::Distribution(kernel_package(value, host)?),
            Fact::Unreadable { reason, .. } => {
                Maker::Unknown(format!("the package that owns it is not known: {reason}"))
            }
        },
    };
    Some(copy(maker, &running.release))
}

/// The package of the running kernel as the kernel itself proves it. uname(2): Debian writes the package's version into
/// the build string, Red Hat's release is the package's version.
fn running_package(host: &Host, uname_release: &str, build: &str) -> Option<DistributionPackage> {
    let os = host.os.value()?;
    let owner = host.kernel.package.value();
    let package = |name: &str, version: &str, order| DistributionPackage {
        release: release(os),
        name: name.to_owned(),
        binary: owner.map_or_else(|| format!("linux-image-{uname_release}"), |owner| owner.name.clone()),
        version: version.to_owned(),
        order,
        base: if order == Order::Dpkg { Base::Version } else { Base::Nothing },
    };
    if let Some((_, version)) = build.split_once(" Debian ") {
        let version = version.split_whitespace().next()?;
        return (os.id == "debian").then(|| package("linux", version, Order::Dpkg));
    }
    let (version, machine) = uname_release.rsplit_once('.')?;
    let of_red_hat = release(os).starts_with("rhel:") && version.contains(".el") && !machine.is_empty();
    of_red_hat.then(|| package("kernel", version, Order::Rpm))
}

/// The package of a kernel as the package manager tells it. Signed images are built from a source package of their own;
/// the version of the image is that of the kernel's sources.
fn kernel_package(package: &Package, host: &Host) -> Option<DistributionPackage> {
    let mut of = DistributionPackage::of(package, &host.os)?;
    of.version.clone_from(&package.version);
    of.name = match of.order {
        Order::Dpkg => ["-amd64", "-arm64", "-i386"]
            .iter()
            .fold(of.name.replacen("-signed", "", 1), |name, arch| name.trim_end_matches(arch).to_owned()),
        _ if of.release.starts_with("rhel:") => "kernel".to_owned(),
        _ => of.name,
    };
    of.base = match of.order {
        Order::Dpkg if of.release.starts_with("debian:") => Base::Version,
        Order::Dpkg => Base::Branch,
        _ => Base::Nothing,
    };
    Some(of)
}

/// The newest installed kernel of the running one's kind, where a package owns it.
fn next(host: &Host) -> Option<Copy> {
    let running = host.kernel.running.value()?;
    let alike = |kernel: &&InstalledKernel| flavour(&kernel.release).eq(flavour(&running.release));
    let newest = host.kernel.installed.value()?.iter().find(alike)?;
    let package = kernel_package(newest.package.as_ref()?, host)?;
    Some(copy(Maker::Distribution(package), &newest.release))
}

fn copy(maker: Maker, uname_release: &str) -> Copy {
    let shown = match &maker {
        Maker::Distribution(package) => package.version.clone(),
        _ => uname_release.to_owned(),
    };
    Copy::of(&shown, maker)
}

/// The words of a release that are no part of its version: `cloud`, `amd`, `generic`.
fn flavour(release: &str) -> impl Iterator<Item = &str> {
    const OF_VERSIONS: [&str; 5] = ["deb", "bpo", "el", "fc", "rc"];
    release
        .split(|c: char| !c.is_ascii_alphabetic())
        .filter(|word| !word.is_empty() && !OF_VERSIONS.contains(word))
}
