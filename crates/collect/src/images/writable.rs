//! The packages of a running container, where its writable layer changed what its image brought: `apt-get upgrade` in a
//! container, a module that was installed at its start.

use plimsoll_facts::{Container, Fact, PackageInventory};
use plimsoll_image::{LayeredRoot, Reader, Union};

use super::{Host, lower_dirs, overlay_root, union_of};

const WRITABLE: &str = "writable layer";

/// The packages of a container that runs, by its layers; absent where they are its image's.
pub(super) fn packages(
    root: &Result<LayeredRoot, String>,
    of_image: Option<&PackageInventory>,
    reader: &mut Reader,
) -> Fact<PackageInventory> {
    let changed = root.as_ref().map(|root| reader.changed_inventory(root, WRITABLE, of_image));
    match changed {
        Ok(Some(changed)) => Fact::known(changed, WRITABLE),
        Ok(None) => Fact::absent(WRITABLE),
        Err(reason) => Fact::unreadable(WRITABLE, reason.as_str()),
    }
}

/// The layers of a container, the one that it writes to first: as the engine names them, else as its root is mounted.
pub(super) fn layers(host: &Host<'_>, container: &Container) -> Result<LayeredRoot, String> {
    if !host.local {
        return Err("the engine is on another host".to_owned());
    }
    let declared = container.declared.value();
    let named = declared.map_or(&[][..], |declared| &declared.layer_dirs);
    let opened = if let (Some(declared), false) = (declared, named.is_empty()) {
        let driver = &declared.storage_driver;
        let union = Union::of_driver(driver, host.rootless)
            .ok_or_else(|| format!("layers of storage driver {driver:?} are not directories"))?;
        LayeredRoot::open(host.root, named, union)
    } else {
        let mount = overlay_root(container)
            .ok_or("the engine names no layer directories, and its root is no overlay")?;
        let upper = mount.super_options.split(',').find_map(|option| option.strip_prefix("upperdir="));
        let dirs: Vec<&str> = upper.into_iter().chain(lower_dirs(&mount.super_options)).collect();
        if upper.is_none() || dirs.iter().any(|dir| !dir.starts_with('/') || dir.contains('\\')) {
            return Err("the directories of its root are not named in full".to_owned());
        }
        LayeredRoot::open(host.root, &dirs, union_of(mount))
    };
    opened.map_err(|error| error.to_string())
}
