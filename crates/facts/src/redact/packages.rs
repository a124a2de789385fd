//! Packages: what somebody installs is telling, what is published about it is not.

use std::collections::BTreeSet;

use super::names::Names;
use crate::{Fact, ListeningProgram, PackageFlaws, PackageInventory, PackageName};

/// Leaves an inventory out.
pub(super) fn leave_out(packages: &mut Fact<PackageInventory>) {
    let tells = |it: &PackageInventory| !it.packages.is_empty() || !it.gaps.is_empty();
    if let Fact::Known { source, value } = packages
        && tells(value)
    {
        *packages = Fact::unreadable(std::mem::take(source), "left out when names were replaced");
    }
}

/// Names that an advisory gives stay, and places where packages are written down become words.
pub(super) fn flaws(names: &mut Names, flaws: &mut PackageFlaws) {
    names.path(&mut flaws.database.folder);
    for gap in &mut flaws.database.damaged {
        names.path(&mut gap.source);
        names.text(&mut gap.reason);
    }
    for inventory in &mut flaws.inventories {
        inventory.not_covered.iter_mut().for_each(|it| it.examples.clear());
        inventory.flaws.iter_mut().for_each(|flaw| names.path(&mut flaw.location));
        for gap in &mut inventory.gaps {
            names.path(&mut gap.source);
            names.text(&mut gap.reason);
        }
    }
}

/// Of what a program consists of, packages stay that flaws name: no other alters an answer.
pub(super) fn program(names: &mut Names, program: &mut ListeningProgram, flawed: &BTreeSet<String>) {
    names.path(&mut program.path);
    let is_named = |package: &PackageName| flawed.contains(&package.name);
    program.package = program.package.take().filter(is_named);
    program.parts.retain(is_named);
    if let Some(gap) = &mut program.gap {
        names.path(&mut gap.source);
        names.text(&mut gap.reason);
    }
}

/// Packages that are installed and have a flaw.
pub(super) fn flawed(flaws: &Fact<PackageFlaws>) -> BTreeSet<String> {
    let inventories = flaws.value().into_iter().flat_map(|flaws| &flaws.inventories);
    inventories.flat_map(|it| &it.flaws).flat_map(|flaw| flaw.installed_as.iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::redact;
    use crate::{
        Engine, Fact, Facts, Gap, Image, InstalledPackage, InventoryFlaws, ListeningProgram, NotCovered,
        PackageFlaws, PackageInventory, PackageName, PackageRepository, Vulnerability,
    };

    #[test]
    fn what_somebody_builds_is_left_out_and_flaws_stay() {
        let inventory = PackageInventory {
            packages: vec![InstalledPackage { name: "acme-billing".into(), ..InstalledPackage::default() }],
            repositories: vec![PackageRepository {
                uri: "https://mirror.acme.example".into(),
                ..PackageRepository::default()
            }],
            ..PackageInventory::default()
        };
        let image = Image {
            id: "sha256:1".into(),
            packages: Fact::known(inventory, "overlay directories"),
            ..Image::default()
        };
        let part = |name: &str| PackageName { name: name.into(), ..PackageName::default() };
        let program = ListeningProgram {
            path: "/srv/acme/server".into(),
            package: Some(part("acme-server")),
            parts: vec![part("acme-billing"), part("libssl3")],
            gap: Some(Gap {
                subject: String::new(),
                source: "/srv/acme/lib.so".into(),
                reason: String::new(),
            }),
            ..ListeningProgram::default()
        };
        let engine =
            Engine { images: Fact::known(vec![image], "x"), programs: vec![program], ..Engine::default() };
        let found = InventoryFlaws {
            holder: "sha256:1".into(),
            flaws: vec![Vulnerability {
                id: "CVE-2021-44228".into(),
                package: "org.apache.logging.log4j:log4j-core".into(),
                installed_as: vec!["libssl3".into()],
                location: "/srv/acme/app.jar".into(),
                ..Vulnerability::default()
            }],
            not_covered: vec![NotCovered { examples: vec!["acme-billing".into()], ..NotCovered::default() }],
            ..InventoryFlaws::default()
        };
        let flaws = PackageFlaws { inventories: vec![found], ..PackageFlaws::default() };
        let mut facts = Facts {
            engines: vec![engine],
            package_flaws: Fact::known(flaws, "advisories"),
            ..Facts::default()
        };
        redact(&mut facts);
        let text = serde_json::to_string(&facts).unwrap();
        assert!(!text.contains("acme"), "{text}");
        assert!(text.contains("CVE-2021-44228") && text.contains("log4j-core"));
        assert_eq!(facts.engines[0].programs[0].parts, [part("libssl3")]);
    }
}
