//! The programs that make and run containers: what is on disk, and what runs.

#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod go_build;
mod kinds;
mod programs;
mod running;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_facts::{
    Component, ComponentKind, Engine, Fact, FileFact, FileRole, Package, RunningBinary, RunningProgram,
};
use plimsoll_rootdir::RootDir;

use crate::gaps::Gaps;
use crate::host::Describer;
use crate::packages::{Owner, Packages};
use crate::procs::{self, Processes};
use go_build::Program;
use programs::OnDisk;
use running::Running;

/// Finds the programs on disk and in memory.
pub(crate) fn collect(
    root: &RootDir,
    packages: &Packages<'_>,
    processes: Result<&Processes, &procs::Error>,
    engines: &[Engine],
    gaps: &mut Gaps,
) -> Vec<Component> {
    // An engine elsewhere names programs elsewhere.
    let local: Vec<&Engine> = engines.iter().filter(|engine| engine.daemon.value().is_some()).collect();
    let mut components = BTreeMap::new();
    for program in programs::usual(root, gaps).into_iter().chain(programs::runtimes(root, &local)) {
        components.entry(program.path.clone()).or_insert_with(|| from_disk(&program, &program.path));
    }
    match processes {
        Ok(processes) => {
            for running in running::find(root, processes, engines) {
                add_running(&mut components, running);
            }
            add_hidden(&mut components, processes, gaps);
        }
        Err(error) => {
            let _: Fact<()> = gaps.unreadable("host", "/proc", error);
        }
    }
    let mut components: Vec<Component> = components.into_values().collect();
    add_packages(packages, &mut components);
    add_reported_versions(&local, &mut components);
    for component in &mut components {
        finish(component, gaps);
    }
    components.sort_by(|a, b| (a.kind, &a.path).cmp(&(b.kind, &b.path)));
    components
}

/// Owner and mode of each program that is on disk.
pub(crate) fn files(root: &RootDir, components: &[Component]) -> Vec<FileFact> {
    let describer = Describer::new(root);
    let files = components.iter().map(|component| describer.describe(&component.path, FileRole::Program));
    files.filter(|file| !matches!(file.stat, Fact::Absent { .. })).collect()
}

fn from_disk(program: &OnDisk, path: &str) -> Component {
    let version = match &program.program {
        Ok(Program::Go(build)) => match build.version() {
            Some(version) => Fact::known(version, path),
            None => Fact::unreadable(path, "its Go build information names no version"),
        },
        Ok(Program::Native) => {
            Fact::unreadable(path, "it carries no version that can be read without running it")
        }
        Ok(Program::NotElf) => {
            Fact::unreadable(path, "it is a script; what it starts cannot be told without running it")
        }
        Err(reason) => Fact::unreadable(path, reason.clone()),
    };
    let buildkit = match &program.program {
        Ok(Program::Go(build)) => build.buildkit.clone(),
        _ => None,
    };
    Component { kind: program.kind, path: path.to_owned(), version, buildkit, ..Component::default() }
}

fn add_running(components: &mut BTreeMap<String, Component>, running: Running) {
    let Running { path, on_disk, bytes, mut process } = running;
    let component = components.entry(path.clone()).or_insert_with(|| match &on_disk {
        Some(program) => from_disk(program, &path),
        None => gone_from_disk(&path, bytes.as_ref()),
    });
    process.version = match (&process.binary, &bytes) {
        (RunningBinary::Current, _) => component.version.value().cloned(),
        (_, Some(Program::Go(build))) => build.version(),
        _ => None,
    };
    component.running.push(process);
}

/// A program that runs, but is no longer at its path.
fn gone_from_disk(path: &str, bytes: Option<&Program>) -> Component {
    let by_name = || kinds::by_name(crate::source::file_name(path));
    let kind = bytes.and_then(kinds::by_content).or_else(by_name).unwrap_or_default();
    Component { kind, path: path.to_owned(), version: Fact::absent(path), ..Component::default() }
}

/// Owner, candidate, and where the file itself names no version, the package's.
fn add_packages(packages: &Packages<'_>, components: &mut [Component]) {
    let paths: BTreeSet<String> = components.iter().map(|component| component.path.clone()).collect();
    let owners = packages.owners(&paths);
    let known: Vec<&Owner> = owners.values().filter_map(Fact::value).collect();
    let candidates = packages.candidates(&known);
    for component in components {
        let Some(owner) = owners.get(&component.path) else { continue };
        component.package = owner.clone().map(|owner| owner.package);
        component.candidate = match owner.value() {
            Some(owner) => candidates.get(&owner.package.name).cloned().unwrap_or_default(),
            None => owner.clone().map(|_| String::new()),
        };
        if let (Fact::Unreadable { .. }, Some(package)) = (&component.version, component.package.value()) {
            component.version = Fact::known(package.version.clone(), source_of(package));
        }
    }
}

fn source_of(package: &Package) -> String {
    format!("{} package {}", package.manager, package.name)
}

/// Where neither file nor package names a version, what a local engine reports: for its own daemon, and for the only
/// program of a kind that it reports. Of programs that run, it reports what runs, even where the file was replaced.
fn add_reported_versions(engines: &[&Engine], components: &mut [Component]) {
    for engine in engines {
        let Some(reported) = engine.version.value() else { continue };
        let source = format!("GET /version of {}", engine.endpoint);
        for kind in
            [ComponentKind::Containerd, ComponentKind::Runc, ComponentKind::Crun, ComponentKind::DockerInit]
        {
            let mut of_kind = components.iter_mut().filter(|component| component.kind == kind);
            let (Some(only), None) = (of_kind.next(), of_kind.next()) else { continue };
            let Some(version) = reported.components.get(kind.name()) else { continue };
            match &mut only.running[..] {
                [] => set_version(&mut only.version, version, &source),
                [process] => set_running_version(process, &mut only.version, version, &source),
                _ => {}
            }
        }
        let daemon = engine.daemon.value().map(|daemon| daemon.pid);
        for component in components.iter_mut() {
            if let Some(process) = component.running.iter_mut().find(|process| Some(process.pid) == daemon) {
                set_running_version(process, &mut component.version, &reported.version, &source);
            }
        }
    }
}

/// What runs is what is on disk only where the file was not replaced.
fn set_running_version(
    process: &mut RunningProgram,
    on_disk: &mut Fact<String>,
    reported: &str,
    source: &str,
) {
    if process.binary == RunningBinary::Current {
        set_version(on_disk, reported, source);
    } else if process.version.is_none() && !reported.is_empty() {
        process.version = Some(reported.trim_start_matches('v').to_owned());
    }
}

fn set_version(version: &mut Fact<String>, reported: &str, source: &str) {
    if matches!(version, Fact::Unreadable { .. }) && !reported.is_empty() {
        *version = Fact::known(reported.trim_start_matches('v').to_owned(), source);
    }
}

/// Processes of the current file run its version; what is still not known is a gap.
fn finish(component: &mut Component, gaps: &mut Gaps) {
    let version = component.version.value().cloned();
    for process in component.running.iter_mut().filter(|p| p.binary == RunningBinary::Current) {
        process.version.clone_from(&version);
    }
    component.running.sort_by_key(|process| process.pid);
    let subject = format!("component {}", component.path);
    component.version = gaps.keep(&subject, std::mem::take(&mut component.version));
    component.package = gaps.keep(&subject, std::mem::take(&mut component.package));
    // One list answers for all of them: one gap.
    component.candidate = gaps.keep("host", std::mem::take(&mut component.candidate));
}

/// As an ordinary user we see that something runs, not what.
fn add_hidden(components: &mut BTreeMap<String, Component>, processes: &Processes, gaps: &mut Gaps) {
    let hidden = running::hidden(processes);
    if hidden.is_empty() {
        return;
    }
    let why = format!(
        "permission denied for {} processes that look like an engine's or a runtime's; run plimsoll as root to see what they run",
        hidden.len()
    );
    let _: Fact<()> = gaps.unreadable("host", "/proc/PID/exe", why);
    for (kind, process) in hidden {
        if let Some(component) = components.values_mut().find(|component| component.kind == kind) {
            component.running.push(process);
        }
    }
}
