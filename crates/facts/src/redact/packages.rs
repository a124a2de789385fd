//! Packages: what somebody installs is telling, what is published about it is not.

use super::names::Names;
use crate::{Fact, PackageFlaws, PackageInventory};

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

#[cfg(test)]
mod tests {
    use super::super::redact;
    use crate::{
        Engine, Fact, Facts, Image, InstalledPackage, InventoryFlaws, NotCovered, PackageFlaws,
        PackageInventory, PackageRepository, Vulnerability,
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
        let engine = Engine { images: Fact::known(vec![image], "x"), ..Engine::default() };
        let found = InventoryFlaws {
            holder: "sha256:1".into(),
            flaws: vec![Vulnerability {
                id: "CVE-2021-44228".into(),
                package: "org.apache.logging.log4j:log4j-core".into(),
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
    }
}
