//! Which packages the programs consist of that listen on a network in a container.

use std::collections::{BTreeSet, HashMap};

use plimsoll_facts::{
    Belongs, Container, Ecosystem, Gap, InstalledPackage, ListeningProgram, Mount, PackageInventory,
    PackageName, Process,
};
use plimsoll_image::FileOwners;

use super::interpreters;
use crate::procs::{self, Processes};

/// Most processes that are looked at of one container; what a further one consists of is not known.
const MAX_PROCESSES: usize = 64;
/// Most packages that are kept of one program.
const MAX_PARTS: usize = 2000;
const DELETED: &str = " (deleted)";

/// Programs that listen in the containers of an engine, each once.
#[derive(Default)]
pub(super) struct Programs {
    list: Vec<ListeningProgram>,
    places: HashMap<String, Vec<u32>>,
}

impl Programs {
    /// Every program, in the order of the places that processes name.
    pub(super) fn into_list(self) -> Vec<ListeningProgram> {
        self.list
    }

    /// The place of a program, which is added where it is new.
    fn place(&mut self, program: ListeningProgram) -> u32 {
        let known = self.places.entry(program.path.clone()).or_default();
        let is_same = |place: &u32| self.list.get(*place as usize) == Some(&program);
        if let Some(place) = known.iter().copied().find(is_same) {
            return place;
        }
        let place = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        known.push(place);
        self.list.push(program);
        place
    }
}

/// Notes what the processes consist of that listen in a container. Its files are asked for only where there is one.
pub(super) fn note(
    processes: &Processes,
    container: &mut Container,
    of_image: Option<&PackageInventory>,
    owners: impl FnOnce() -> Result<FileOwners, String>,
    programs: &mut Programs,
) {
    let listening = listening(container);
    if listening.is_empty() {
        return;
    }
    let owners = owners();
    let mounts = container.effective.value().and_then(|effective| effective.mounts.value());
    let inside = Inside {
        owner: &|path| owners.as_ref().map(|owners| owners.of(path)).map_err(String::clone),
        packages: container.packages.value().or(of_image).map_or(&[], |inventory| &inventory.packages),
        mounts: mounts.map_or(&[], Vec::as_slice),
    };
    let mut found: HashMap<u32, ListeningProgram> = listening
        .iter()
        .filter_map(|process| {
            let row = processes.get(process.pid).filter(|row| row.start_ticks == process.start_ticks)?;
            let mapped = match process.belongs {
                Belongs::Cgroup => processes.open_live(row).and_then(|dir| dir.mapped_code()),
                Belongs::NamespaceOnly => return None,
            };
            Some((process.pid, inside.program(process.exe.as_deref()?, mapped)))
        })
        .collect();
    let all = container.effective.value_mut().and_then(|effective| effective.processes.value_mut());
    for process in all.into_iter().flatten().filter(|process| process.thread.is_none()) {
        process.program = found.remove(&process.pid).map(|program| programs.place(program));
    }
}

/// Processes of a container that hold a socket of a network.
fn listening(container: &Container) -> Vec<Process> {
    let Some(effective) = container.effective.value() else { return Vec::new() };
    let sockets = effective.listeners.value().into_iter().flatten().filter(|socket| socket.port != 0);
    let pids: BTreeSet<u32> = sockets.filter_map(|socket| socket.pid).collect();
    let processes = effective.processes.value().into_iter().flatten();
    let own = processes.filter(|process| process.thread.is_none() && pids.contains(&process.pid));
    own.take(MAX_PROCESSES).cloned().collect()
}

/// The files of a container.
struct Inside<'a> {
    /// The package that lists a file, or why that is not known.
    owner: &'a dyn Fn(&str) -> Result<Option<&'a InstalledPackage>, String>,
    packages: &'a [InstalledPackage],
    mounts: &'a [Mount],
}

impl Inside<'_> {
    /// What a program consists of that has these files mapped.
    fn program(&self, path: &str, mapped: Result<BTreeSet<String>, procs::Error>) -> ListeningProgram {
        let (mapped, unread) = match mapped {
            Ok(mapped) => (mapped, None),
            Err(error) => {
                (BTreeSet::new(), Some(gap(path, format!("what it has mapped is not known: {error}"))))
            }
        };
        let languages = interpreters::of([path].into_iter().chain(mapped.iter().map(String::as_str)));
        let mut parts: BTreeSet<PackageName> = BTreeSet::new();
        let mut gaps: Vec<Gap> = Vec::new();
        let package = self.file(path, &languages.listed, &mut parts, &mut gaps);
        for file in mapped.iter().filter(|file| *file != path) {
            let owner = self.file(file, &languages.listed, &mut parts, &mut gaps);
            parts.extend(owner);
        }
        parts.extend(self.may_run(&languages.listed));
        package.iter().for_each(|own| _ = parts.remove(own));
        gaps.extend(unread);
        let unlisted =
            languages.unlisted.map(|language| format!("it runs {language}, whose packages are not listed"));
        gaps.extend(unlisted.map(|reason| gap(path, reason)));
        if parts.len() > MAX_PARTS {
            gaps.push(gap(path, format!("it consists of more than {MAX_PARTS} packages")));
        }
        ListeningProgram {
            path: path.to_owned(),
            package,
            parts: parts.into_iter().take(MAX_PARTS).collect(),
            runs: languages.listed,
            gap: first(gaps),
        }
    }

    /// The package that a file belongs to; adds the modules that it is built from, and why there may be more in it.
    fn file(
        &self,
        path: &str,
        languages: &[Ecosystem],
        parts: &mut BTreeSet<PackageName>,
        gaps: &mut Vec<Gap>,
    ) -> Option<PackageName> {
        if path.ends_with(DELETED) {
            gaps.push(gap(path, "it was deleted or replaced since it was started".to_owned()));
            return None;
        }
        if let Some(mount) = Mount::holding(self.mounts, path).filter(|mount| mount.target != "/") {
            gaps.push(gap(
                path,
                format!("it is not the image's, but on what is mounted at {}", mount.target),
            ));
            return None;
        }
        let modules = self.packages.iter().filter(|package| {
            package.location.path == path && matches!(package.ecosystem, Ecosystem::Go | Ecosystem::Cargo)
        });
        let mut modules = modules.map(PackageName::from).peekable();
        let is_told = modules.peek().is_some() || interpreters::is_in_package(path, languages);
        parts.extend(modules);
        match (self.owner)(path) {
            Ok(Some(owner)) => return Some(owner.into()),
            Ok(None) if is_told => {}
            Ok(None) => gaps.push(gap(path, "it belongs to no known package".to_owned())),
            Err(why) => gaps.push(gap(path, format!("the package that it belongs to is not known: {why}"))),
        }
        None
    }

    /// Packages of the distribution in which packages of a language are.
    fn may_run(&self, languages: &[Ecosystem]) -> impl Iterator<Item = PackageName> {
        let of_language = self.packages.iter().filter(|package| languages.contains(&package.ecosystem));
        let owners: BTreeSet<&str> = of_language.filter_map(|package| package.owned_by.as_deref()).collect();
        let is_owner = move |package: &&InstalledPackage| {
            matches!(package.ecosystem, Ecosystem::Dpkg | Ecosystem::Apk | Ecosystem::Rpm)
                && owners.contains(package.name.as_str())
        };
        self.packages.iter().filter(is_owner).map(PackageName::from)
    }
}

fn gap(file: &str, reason: String) -> Gap {
    Gap { subject: String::new(), source: file.trim_end_matches(DELETED).to_owned(), reason }
}

/// The first gap, which tells how many more there are.
fn first(gaps: Vec<Gap>) -> Option<Gap> {
    let more = gaps.len().saturating_sub(1);
    let first = gaps.into_iter().next()?;
    let reason = if more == 0 { first.reason } else { format!("{} (and {more} more like it)", first.reason) };
    Some(Gap { reason, ..first })
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::PackageLocation;

    use super::*;

    fn package(name: &str) -> InstalledPackage {
        InstalledPackage { name: name.into(), version: "1".into(), ..InstalledPackage::default() }
    }

    /// A package of a language, in a file, and of a package of the distribution.
    fn of_language(ecosystem: Ecosystem, name: &str, path: &str, owner: Option<&str>) -> InstalledPackage {
        InstalledPackage {
            ecosystem,
            location: PackageLocation { path: path.into(), stanza: None },
            owned_by: owner.map(str::to_owned),
            ..package(name)
        }
    }

    /// What a process consists of, in a container where the distribution's packages list files by their own names.
    fn program(path: &str, mapped: &[&str], more: &[InstalledPackage]) -> ListeningProgram {
        let packages = [&["server", "libssl3", "python3", "python3-six"].map(package)[..], more].concat();
        let mount = |target: &str| Mount { target: target.into(), ..Mount::default() };
        let owner = |path: &str| {
            let name = path.strip_prefix("/usr/")?;
            packages.iter().find(|package| package.name == name && package.owned_by.is_none())
        };
        let inside = Inside {
            owner: &|path| Ok(owner(path)),
            packages: &packages,
            mounts: &[mount("/"), mount("/data")],
        };
        inside.program(path, Ok(mapped.iter().map(|path| (*path).to_owned()).collect()))
    }

    fn parts(program: &ListeningProgram) -> Vec<&str> {
        program.parts.iter().map(|part| part.name.as_str()).collect()
    }

    fn gap_of(program: &ListeningProgram) -> (&str, &str) {
        program.gap.as_ref().map_or(("", ""), |gap| (&gap.source, &gap.reason))
    }

    #[test]
    fn a_program_and_its_libraries() {
        let found = program("/usr/server", &["/usr/server", "/usr/libssl3"], &[]);
        assert_eq!(found.package.as_ref().unwrap().name, "server");
        assert_eq!((parts(&found), &found.gap), (vec!["libssl3"], &None));
    }

    #[test]
    fn what_else_may_be_in_it_is_told() {
        let unowned = program("/opt/server", &["/opt/lib.so", "/usr/libssl3"], &[]);
        assert_eq!(gap_of(&unowned), ("/opt/server", "it belongs to no known package (and 1 more like it)"));
        assert_eq!(parts(&unowned), ["libssl3"]);
        let replaced = program("/usr/server", &["/usr/libssl3 (deleted)"], &[]);
        assert_eq!(gap_of(&replaced).0, "/usr/libssl3");
        let mounted = program("/data/server", &[], &[package("server")]);
        assert!(gap_of(&mounted).1.contains("mounted at /data"));
    }

    #[test]
    fn modules_of_a_program_are_its_packages() {
        let of_program = of_language(Ecosystem::Go, "golang.org/x/net", "/opt/server", None);
        let of_other = of_language(Ecosystem::Go, "golang.org/x/text", "/opt/other", None);
        let found = program("/opt/server", &["/opt/server"], &[of_program, of_other]);
        assert_eq!((parts(&found), &found.package, &found.gap), (vec!["golang.org/x/net"], &None, &None));
    }

    #[test]
    fn an_interpreter_may_run_what_is_installed_for_it() {
        let six = of_language(Ecosystem::Python, "six", "/usr/lib/python3/six", Some("python3-six"));
        let addon = "/app/site-packages/x.so";
        let found = program("/usr/python3", &["/usr/python3", addon], &[six]);
        assert_eq!(
            (parts(&found), &found.runs[..], &found.gap),
            (vec!["python3-six"], &[Ecosystem::Python][..], &None)
        );
        let unlisted = program("/usr/perl", &[], &[package("perl")]);
        assert_eq!(gap_of(&unlisted).1, "it runs Perl, whose packages are not listed");
    }

    #[test]
    fn what_could_not_be_read_is_told() {
        let inside = Inside { owner: &|_| Err("on another host".to_owned()), packages: &[], mounts: &[] };
        let found = inside.program("/usr/server", Err(procs::Error::Denied));
        assert_eq!(
            found.gap.unwrap().reason,
            "the package that it belongs to is not known: on another host (and 1 more like it)"
        );
    }

    #[test]
    fn the_same_program_is_kept_once() {
        let mut programs = Programs::default();
        let server = program("/usr/server", &[], &[]);
        let other =
            ListeningProgram { parts: Vec::new(), gap: None, path: "/usr/other".into(), ..server.clone() };
        let places = [server.clone(), other, server].map(|program| programs.place(program));
        assert_eq!((places, programs.into_list().len()), ([0, 1, 0], 2));
    }
}
