//! Hosts as they are, held against the knowledge of this build.

use std::collections::BTreeMap;

use plimsoll_facts::{
    BoundaryStatus, BoundaryVerdict, Component, ComponentKind, Fact, Facts, InstalledKernel, OsRelease,
    Package, RunningBinary, RunningKernel, RunningProgram,
};

use super::judge;

fn known<T>(value: T) -> Fact<T> {
    Fact::known(value, "test")
}

fn host(id: &str, version: &str) -> Facts {
    let os = OsRelease { id: id.into(), version_id: Some(version.into()), ..OsRelease::default() };
    let mut facts = Facts::default();
    facts.host.os = known(os);
    facts
}

fn package(manager: &str, name: &str, source: &str, version: &str, vendor: &str) -> Package {
    Package {
        manager: manager.into(),
        name: name.into(),
        version: version.into(),
        source: Some(source.into()),
        source_version: None,
        vendor: Some(vendor.into()),
    }
}

fn program(kind: ComponentKind, version: &str, package: Fact<Package>) -> Component {
    let path = format!("/usr/bin/{}", kind.name());
    Component { kind, path, version: known(version.into()), package, ..Component::default() }
}

/// A host of Debian 12 with one program.
fn debian_with(component: Component) -> Facts {
    let mut facts = host("debian", "12");
    facts.components.push(component);
    facts
}

fn verdict(mut facts: Facts, id: &str) -> BoundaryVerdict {
    judge(&mut facts);
    let found: Vec<_> = facts.boundary.value().unwrap().iter().filter(|verdict| verdict.id == id).collect();
    assert_eq!(found.len(), 1, "{id}");
    found[0].clone()
}

const LEAKY_VESSELS: &str = "CVE-2024-21626";

/// The package of Debian 12 (dpkg -s runc), and what the program calls itself.
fn debian_runc(version: &str) -> Component {
    let package = package("dpkg", "runc", "runc", version, "Debian Go Packaging Team <x@tracker.debian.org>");
    program(ComponentKind::Runc, "1.1.5+ds1", known(package))
}

#[test]
fn debians_runc_has_the_fix_that_its_upstream_version_lacks() {
    let mended = verdict(debian_with(debian_runc("1.1.5+ds1-1+deb12u1")), LEAKY_VESSELS);
    assert_eq!((mended.status, mended.certain), (BoundaryStatus::Fixed, true));
    assert_eq!(mended.source, "debian:12 (runc)");
    assert_eq!(mended.fixed.as_deref(), Some("1.1.5+ds1-1+deb12u1"));
    let before = verdict(debian_with(debian_runc("1.1.5+ds1-1+b4")), LEAKY_VESSELS);
    assert_eq!(before.status, BoundaryStatus::FixAvailable);
    assert_eq!(before.package.as_deref(), Some("runc"));
    let own = program(ComponentKind::Runc, "1.1.5", Fact::absent("/var/lib/dpkg"));
    let upstream = verdict(debian_with(own), LEAKY_VESSELS);
    assert_eq!(upstream.status, BoundaryStatus::FixAvailable);
    assert_eq!((upstream.source.as_str(), upstream.fixed.as_deref()), ("versions of runc", Some("1.1.12")));
}

#[test]
fn dockers_own_package_goes_by_the_version_of_the_program() {
    let of_docker =
        package("dpkg", "containerd.io", "containerd.io", "1.7.27-1", "Containerd team <help@containerd.io>");
    let runc = |version| program(ComponentKind::Runc, version, known(of_docker.clone()));
    assert_eq!(verdict(debian_with(runc("1.1.11")), LEAKY_VESSELS).status, BoundaryStatus::FixAvailable);
    assert_eq!(verdict(debian_with(runc("1.2.5")), LEAKY_VESSELS).status, BoundaryStatus::Fixed);
    assert_eq!(verdict(debian_with(runc("1.2.5")), "CVE-2025-31133").fixed.as_deref(), Some("1.2.8"));
}

#[test]
fn a_package_that_could_not_be_read_proves_no_flaw() {
    let runc = |version| {
        program(ComponentKind::Runc, version, Fact::unreadable("/var/lib/dpkg", "permission denied"))
    };
    let old = verdict(debian_with(runc("1.1.5")), LEAKY_VESSELS);
    assert_eq!(old.status, BoundaryStatus::Unknown);
    assert!(old.reason.unwrap().contains("permission denied"));
    assert_eq!(verdict(debian_with(runc("1.1.12")), LEAKY_VESSELS).status, BoundaryStatus::Fixed);
}

#[test]
fn a_file_that_no_package_owns() {
    let own = |version| debian_with(program(ComponentKind::Dockerd, version, Fact::absent("/var/lib/dpkg")));
    let copied = verdict(own("26.1.4+dfsg4"), "CVE-2024-41110");
    assert_eq!((copied.status, copied.certain), (BoundaryStatus::FixAvailable, false));
    let mut unread = program(ComponentKind::Containerd, "", Fact::absent("/var/lib/dpkg"));
    unread.version = Fact::unreadable("/usr/bin/containerd", "it carries no build information");
    let unread = verdict(debian_with(unread), "CVE-2024-40635");
    assert_eq!((unread.status, unread.installed.as_str()), (BoundaryStatus::Unknown, "not known"));
    assert!(unread.reason.unwrap().ends_with("it carries no build information"));
}

#[test]
fn what_the_engine_contains() {
    let docker = package("dpkg", "docker.io", "docker.io", "20.10.24+dfsg1-1+b3", "Debian Go Packaging Team");
    let docker = Package { source_version: Some("20.10.24+dfsg1-1".into()), ..docker };
    let dockerd = || debian_with(program(ComponentKind::Dockerd, "20.10.24+dfsg1", known(docker.clone())));
    assert_eq!(verdict(dockerd(), "CVE-2024-41110").status, BoundaryStatus::FixAvailable);
    assert_eq!(verdict(dockerd(), "CVE-2023-28840").status, BoundaryStatus::Fixed);
    assert_eq!(verdict(dockerd(), "CVE-2024-24557").status, BoundaryStatus::NoFix);
    // Its BuildKit has no version of its own that could be read.
    assert_eq!(verdict(dockerd(), "CVE-2024-23652").status, BoundaryStatus::Unknown);
    let own = |buildkit: &str| {
        let docker_ce = package(
            "dpkg",
            "docker-ce",
            "docker-ce",
            "5:25.0.0-1~debian.12~bookworm",
            "Docker <support@docker.com>",
        );
        let dockerd = program(ComponentKind::Dockerd, "25.0.0", known(docker_ce));
        debian_with(Component { buildkit: Some(buildkit.into()), ..dockerd })
    };
    assert_eq!(verdict(own("0.12.4"), "CVE-2024-23652").status, BoundaryStatus::FixAvailable);
    assert_eq!(verdict(own("0.12.5"), "CVE-2024-23652").status, BoundaryStatus::Fixed);
    let unnamed = verdict(dockerd(), "CVE-2026-41568");
    assert_eq!((unnamed.status, unnamed.certain), (BoundaryStatus::NoFix, false));
}

#[test]
fn a_shim_holds_what_is_in_shims() {
    let shim = program(ComponentKind::ContainerdShim, "1.3.3", Fact::absent("/var/lib/dpkg"));
    let mut facts = debian_with(shim);
    judge(&mut facts);
    let found = facts.boundary.value().unwrap();
    assert_eq!(found.iter().map(|v| v.id.as_str()).collect::<Vec<_>>(), ["CVE-2020-15257"]);
    assert_eq!(found[0].status, BoundaryStatus::FixAvailable);
}

#[test]
fn programs_that_nobody_judges_get_no_verdict() {
    let mut facts = debian_with(program(ComponentKind::DockerInit, "0.19.0", Fact::absent("/var/lib/dpkg")));
    judge(&mut facts);
    assert_eq!(facts.boundary.value().map(Vec::len), Some(0));
}

fn running(version: Option<&str>) -> RunningProgram {
    let binary = RunningBinary::Replaced { path: "/usr/bin/containerd".into() };
    RunningProgram { pid: 42, binary, version: version.map(str::to_owned), ..RunningProgram::default() }
}

#[test]
fn a_process_that_still_runs_the_old_file() {
    let containerd = |package: Fact<Package>, version: &str, old: RunningProgram| {
        let mut containerd = program(ComponentKind::Containerd, version, package);
        containerd.running = vec![RunningProgram::default(), old];
        debian_with(containerd)
    };
    let own = || Fact::absent("/var/lib/dpkg");
    let id = "CVE-2024-40635";
    let pending = verdict(containerd(own(), "1.7.27", running(Some("1.7.20"))), id);
    assert_eq!(pending.status, BoundaryStatus::FixedAfterRestart);
    assert_eq!((pending.installed.as_str(), pending.other.as_deref()), ("1.7.27", Some("1.7.20")));
    assert_eq!(
        verdict(containerd(own(), "1.7.27", running(Some("1.7.28"))), id).status,
        BoundaryStatus::Fixed
    );
    assert_eq!(verdict(containerd(own(), "1.7.27", running(None)), id).status, BoundaryStatus::Unknown);
    // Already broken on disk: that is what counts.
    assert_eq!(verdict(containerd(own(), "1.7.20", running(None)), id).status, BoundaryStatus::FixAvailable);
    // The old file's package version is gone: Debian may have mended it, or not.
    let debian = || {
        known(package("dpkg", "containerd", "containerd", "1.6.20~ds1-1+deb12u2", "Debian Go Packaging Team"))
    };
    let upgraded = verdict(containerd(debian(), "1.6.20~ds1", running(Some("1.6.20~ds1"))), id);
    assert_eq!(upgraded.status, BoundaryStatus::Unknown);
    assert_eq!(
        verdict(containerd(debian(), "1.6.20~ds1", running(Some("1.6.38"))), id).status,
        BoundaryStatus::Fixed
    );
    let unseen = RunningProgram {
        binary: RunningBinary::Unknown { reason: "permission denied".into() },
        ..running(None)
    };
    assert_eq!(verdict(containerd(own(), "1.7.27", unseen), id).status, BoundaryStatus::Unknown);
}

const COPY_FAIL: &str = "CVE-2026-31431";

fn kernel(mut facts: Facts, release: &str, build: &str) -> Facts {
    let kernel = &mut facts.host.kernel;
    kernel.running =
        known(RunningKernel { release: release.into(), build: build.into(), machine: "x86_64".into() });
    kernel.package = Fact::absent("/boot");
    facts
}

fn installed(facts: &mut Facts, release: &str, name: &str, source: &str, version: &str) -> Package {
    let package = package("dpkg", name, source, version, "Debian Kernel Team");
    let image = InstalledKernel {
        release: release.into(),
        package: Some(package.clone()),
        path: format!("/boot/vmlinuz-{release}"),
        build: None,
    };
    facts.host.kernel.installed = known(vec![image]);
    package
}

/// Debian 12: `uname -v` names the package version that runs.
fn bookworm(version: &str) -> Facts {
    let build = format!("#1 SMP PREEMPT_DYNAMIC Debian {version} (2026-05-01)");
    kernel(host("debian", "12"), "6.1.0-45-amd64", &build)
}

#[test]
fn debians_kernel_by_the_version_that_runs() {
    let mended = verdict(bookworm("6.1.170-1"), COPY_FAIL);
    assert_eq!((mended.status, mended.source.as_str()), (BoundaryStatus::Fixed, "debian:12 (linux)"));
    let old = verdict(bookworm("6.1.164-1"), COPY_FAIL);
    assert_eq!((old.status, old.fixed.as_deref()), (BoundaryStatus::FixAvailable, Some("6.1.170-1")));
    assert_eq!(old.exploited.as_deref(), Some("2026-05-01"));
}

#[test]
fn a_fixed_kernel_that_is_not_booted() {
    let mut facts = bookworm("6.1.164-1");
    installed(&mut facts, "6.1.0-46-amd64", "linux-image-6.1.0-46-amd64", "linux-signed-amd64", "6.1.170-1");
    let pending = verdict(facts.clone(), COPY_FAIL);
    assert_eq!(pending.status, BoundaryStatus::FixedAfterRestart);
    assert_eq!((pending.installed.as_str(), pending.other.as_deref()), ("6.1.164-1", Some("6.1.170-1")));
    installed(
        &mut facts,
        "6.1.0-46-cloud-amd64",
        "linux-image-6.1.0-46-cloud-amd64",
        "linux-signed-amd64",
        "6.1.170-1",
    );
    assert_eq!(verdict(facts.clone(), COPY_FAIL).status, BoundaryStatus::FixAvailable);
    installed(&mut facts, "6.1.0-45-amd64", "linux-image-6.1.0-45-amd64", "linux-signed-amd64", "6.1.164-1");
    assert_eq!(verdict(facts, COPY_FAIL).status, BoundaryStatus::FixAvailable);
}

#[test]
fn a_backported_kernel_is_of_another_series() {
    let backport = |version: &str| {
        let build = format!("#1 SMP PREEMPT_DYNAMIC Debian {version} (2026-05-01)");
        kernel(host("debian", "12"), "6.12.74+deb12-amd64", &build)
    };
    assert_eq!(verdict(backport("6.12.74-1~bpo12+1"), COPY_FAIL).status, BoundaryStatus::Unknown);
    assert_eq!(verdict(backport("6.12.85-1~bpo12+1"), COPY_FAIL).status, BoundaryStatus::Fixed);
}

#[test]
fn ubuntus_kernels() {
    let ubuntu = |release: &str, source: &str, version: &str| {
        let mut facts = kernel(host("ubuntu", "22.04"), release, "#194-Ubuntu SMP PREEMPT_DYNAMIC");
        let owner = installed(&mut facts, release, &format!("linux-image-{release}"), source, version);
        facts.host.kernel.package = known(owner);
        facts
    };
    let generic = |version| ubuntu("5.15.0-184-generic", "linux-signed", version);
    assert_eq!(verdict(generic("5.15.0-184.194"), COPY_FAIL).status, BoundaryStatus::Fixed);
    assert_eq!(verdict(generic("5.15.0-170.180"), COPY_FAIL).status, BoundaryStatus::FixAvailable);
    // Another source package, of which nothing is recorded.
    let hwe = || ubuntu("6.8.0-100-generic", "linux-signed-hwe-6.8", "6.8.0-100.100~22.04.1");
    assert_eq!(verdict(hwe(), COPY_FAIL).status, BoundaryStatus::Unknown);
    // Fixed in 6.1 by its project; no stable update brought it back.
    assert_eq!(verdict(hwe(), "CVE-2022-0847").status, BoundaryStatus::Fixed);
    // Came with a stable update of 5.15, which 5.15.0 does not show.
    let aws = ubuntu("5.15.0-1060-aws", "linux-aws", "5.15.0-1060.66");
    assert_eq!(verdict(aws, "CVE-2024-26581").status, BoundaryStatus::Unknown);
}

#[test]
fn red_hats_kernels() {
    let rocky =
        |release: &str| kernel(host("rocky", "9.4"), release, "#1 SMP PREEMPT_DYNAMIC Wed Aug 7 2024");
    let id = "CVE-2024-26925";
    assert_eq!(verdict(rocky("5.14.0-427.33.1.el9_4.x86_64"), id).status, BoundaryStatus::Fixed);
    let old = verdict(rocky("5.14.0-362.8.1.el9_3.x86_64"), id);
    assert_eq!((old.status, old.source.as_str()), (BoundaryStatus::FixAvailable, "rhel:9 (kernel)"));
    // Nothing is recorded: 5.14 proves nothing about a kernel full of backports.
    let silent = verdict(rocky("5.14.0-427.33.1.el9_4.x86_64"), "CVE-2014-3153");
    assert_eq!(silent.status, BoundaryStatus::Unknown);
}

#[test]
fn a_kernel_that_somebody_built() {
    let own = |release: &str| kernel(host("debian", "12"), release, "#1 SMP PREEMPT_DYNAMIC @0");
    for (release, status) in [
        ("6.18.21-fc", BoundaryStatus::FixAvailable),
        ("6.18.22-fc", BoundaryStatus::Fixed),
        ("6.19.0-rc4", BoundaryStatus::FixAvailable),
        ("4.13.2", BoundaryStatus::NotAffected),
        ("5.4.300", BoundaryStatus::FixAvailable),
    ] {
        let found = verdict(own(release), COPY_FAIL);
        assert_eq!((found.status, found.certain), (status, false), "{release}");
    }
    let mut unread = own("6.18.21-fc");
    unread.host.kernel.package = Fact::unreadable("/var/lib/dpkg", "permission denied");
    assert_eq!(verdict(unread, COPY_FAIL).status, BoundaryStatus::Unknown);
}

#[test]
fn what_one_distribution_brought() {
    let own = |id: &str| kernel(host(id, "22.04"), "5.15.7", "#1 SMP PREEMPT_DYNAMIC @0");
    assert_eq!(verdict(own("debian"), "CVE-2023-2640").status, BoundaryStatus::NotAffected);
    assert_eq!(verdict(own("ubuntu"), "CVE-2023-2640").status, BoundaryStatus::Unknown);
}

#[test]
fn what_was_not_built_is_not_there() {
    let with = |lines: &[(&str, &str)]| {
        let mut facts = bookworm("6.1.164-1");
        let config: BTreeMap<_, _> = lines.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        facts.host.kernel.config = Fact::known(config, "/proc/config.gz");
        verdict(facts, COPY_FAIL)
    };
    let off = with(&[("CONFIG_MODULES", "y"), ("CONFIG_CRYPTO_USER_API_AEAD", "n")]);
    assert_eq!((off.status, off.source.as_str()), (BoundaryStatus::NotAffected, "/proc/config.gz"));
    assert_eq!(with(&[("CONFIG_MODULES", "y")]).status, BoundaryStatus::NotAffected);
    assert_eq!(
        with(&[("CONFIG_MODULES", "y"), ("CONFIG_CRYPTO_USER_API_AEAD", "m")]).status,
        BoundaryStatus::FixAvailable
    );
    assert_eq!(with(&[("CONFIG_CRYPTO", "y")]).status, BoundaryStatus::FixAvailable);
}

#[test]
fn a_live_patch_of_unknown_content() {
    let with = |enabled| {
        let mut facts = bookworm("6.1.164-1");
        facts.host.kernel.livepatches = known(BTreeMap::from([("kpatch_6_1_1".to_owned(), enabled)]));
        verdict(facts, COPY_FAIL)
    };
    assert_eq!(with(true).status, BoundaryStatus::Unknown);
    assert_eq!(with(false).status, BoundaryStatus::FixAvailable);
}

#[test]
fn every_unknown_says_why() {
    let mut facts = bookworm("6.1.164-1");
    facts.components.extend([
        debian_runc("1.1.5+ds1-1+deb12u1"),
        program(ComponentKind::Dockerd, "20.10.24+dfsg1", Fact::default()),
        program(ComponentKind::Crun, "unknown", Fact::absent("/var/lib/dpkg")),
    ]);
    judge(&mut facts);
    let found = facts.boundary.value().unwrap();
    assert!(found.len() > 280);
    for verdict in found {
        assert!(verdict.status != BoundaryStatus::Unknown || verdict.reason.is_some(), "{verdict:?}");
    }
}

#[test]
fn a_kernel_of_which_nothing_is_known_gets_no_verdict() {
    let mut facts = host("debian", "12");
    judge(&mut facts);
    assert_eq!(facts.boundary.value().map(Vec::len), Some(0));
}
