//! Packs `knowledge/` and the ends of distributions into blobs: the binary judges them without a download.

#[expect(unreachable_pub, reason = "the same file is public in the library")]
#[path = "src/boundary/entry.rs"]
mod entry;

#[expect(unreachable_pub, reason = "the same file is part of the library")]
#[path = "src/support/table.rs"]
mod table;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use entry::BoundaryAdvisory;
use table::Table;

fn main() -> Result<(), Box<dyn Error>> {
    pack_boundary()?;
    pack_ends()
}

fn pack_ends() -> Result<(), Box<dyn Error>> {
    let file = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("data/end-of-life.toml");
    println!("cargo::rerun-if-changed={}", file.display());
    println!("cargo::rerun-if-changed=src/support/table.rs");
    let table: Table = toml::from_str(&fs::read_to_string(&file)?)
        .map_err(|error| format!("{}: {error}", file.display()))?;
    let blob = Path::new(&env::var("OUT_DIR")?).join("end-of-life.postcard");
    fs::write(blob, postcard::to_stdvec(&table)?)?;
    Ok(())
}

fn pack_boundary() -> Result<(), Box<dyn Error>> {
    let knowledge = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../knowledge");
    println!("cargo::rerun-if-changed={}", knowledge.display());
    println!("cargo::rerun-if-changed=src/boundary/entry.rs");
    let mut advisories = Vec::new();
    for folder in sorted(&knowledge)?.into_iter().filter(|path| path.is_dir()) {
        for file in sorted(&folder)? {
            let text = fs::read_to_string(&file)?;
            let advisory: BoundaryAdvisory =
                toml::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
            advisories.push(advisory);
        }
    }
    let blob = Path::new(&env::var("OUT_DIR")?).join("boundary.postcard");
    fs::write(blob, postcard::to_stdvec(&advisories)?)?;
    Ok(())
}

/// What is in a folder, in the order of names: the same tree makes the same blob.
fn sorted(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut paths =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
    paths.sort();
    Ok(paths)
}
