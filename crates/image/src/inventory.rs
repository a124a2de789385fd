//! The packages of an image, put together from its databases and from what was found in its layers.

use std::path::Path;
use std::sync::Arc;

use plimsoll_facts::{Gap, PackageInventory};
use serde::Deserialize;

use crate::content::{is_visible, os_release};
use crate::error::Result;
use crate::packages::Database;
use crate::repositories;
use crate::survey::Survey;
use crate::tree::{Tree, present};

/// Red Hat's build information.
const BUILD_INFORMATION: [&str; 2] = ["root/buildinfo/content_manifests", "usr/share/buildinfo"];
/// Bound of one file of it, in bytes.
const MAX_MANIFEST: u64 = 16 << 20;

/// Puts an inventory together; `surveys` are topmost first, `source` says how the image was read.
pub(crate) fn inventory(
    tree: &dyn Tree,
    database: &Database,
    surveys: &[Arc<Survey>],
    source: &str,
) -> PackageInventory {
    let mut inventory = PackageInventory { source: source.to_owned(), ..PackageInventory::default() };
    inventory.os = noted(os_release(tree), "/etc/os-release", &mut inventory.gaps).flatten();
    inventory.packages.extend(database.packages.iter().flatten().cloned());
    inventory.gaps.extend(database.gaps.iter().cloned());
    if let (Some(os), None) = (&inventory.os, &database.packages)
        && database.gaps.is_empty()
    {
        let reason = format!("no package database was found in an image of {}", os.id);
        inventory.gaps.push(gap("/", reason));
    }
    add_languages(tree, database, surveys, &mut inventory);
    repositories::add(tree, &mut inventory);
    let sets = content_sets(tree);
    inventory.content_sets = noted(sets, "/root/buildinfo", &mut inventory.gaps).unwrap_or_default();
    inventory.packages.sort();
    inventory.packages.dedup();
    inventory.repositories.sort();
    inventory.gaps.sort();
    inventory.gaps.dedup();
    inventory
}

fn add_languages(
    tree: &dyn Tree,
    database: &Database,
    surveys: &[Arc<Survey>],
    inventory: &mut PackageInventory,
) {
    let merged_usr = tree.is_link(Path::new("bin"));
    for (layer, survey) in surveys.iter().enumerate() {
        let gaps = survey.gaps.iter().chain(&survey.language_gaps);
        inventory.gaps.extend(gaps.map(|reason| gap(&format!("layer {layer} from the top"), reason)));
        for hit in &survey.packages {
            match is_visible(tree, hit, layer) {
                Ok(false) => {}
                Ok(true) => {
                    let owner = database.owners.owner(&hit.path, merged_usr).map(str::to_owned);
                    inventory.packages.extend(hit.what.iter().cloned().map(|mut package| {
                        package.owned_by.clone_from(&owner);
                        package
                    }));
                }
                Err(error) => inventory.gaps.push(gap(&crate::tree::shown(&hit.path), error)),
            }
        }
    }
}

#[derive(Deserialize)]
struct BuildInformation {
    #[serde(default)]
    content_sets: Vec<String>,
}

fn content_sets(tree: &dyn Tree) -> Result<Vec<String>> {
    let mut sets = Vec::new();
    let is_json = |name: &[u8]| name.ends_with(b".json");
    for dir in BUILD_INFORMATION {
        let read = tree.read_files(Path::new(dir), &is_json, MAX_MANIFEST, &mut |_, bytes| {
            // Other files of Red Hat's are there as well, and say nothing about repositories.
            if let Ok(information) = serde_json::from_slice::<BuildInformation>(&bytes) {
                sets.extend(information.content_sets);
            }
            Ok(())
        });
        present(read)?;
    }
    sets.sort();
    sets.dedup();
    Ok(sets)
}

pub(crate) fn gap(source: &str, reason: impl std::fmt::Display) -> Gap {
    Gap { subject: String::new(), source: source.to_owned(), reason: reason.to_string() }
}

pub(crate) fn noted<T>(result: Result<T>, source: &str, gaps: &mut Vec<Gap>) -> Option<T> {
    result.map_err(|error| gaps.push(gap(source, error))).ok()
}
