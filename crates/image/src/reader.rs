//! Reads many images whose layers are directories; what they share is read once.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use plimsoll_facts::{ImageContent, InstalledPackage, PackageInventory};

use crate::content;
use crate::inventory;
use crate::overlay::LayeredRoot;
use crate::overlay::union::Union;
use crate::overlay::walk::{Bounds, walk};
use crate::packages::{self, Database};
use crate::parallel;
use crate::survey::{Look, Survey};
use crate::tree::Tree;
use crate::vendor;

/// Reads the content of many images; what they share is read once.
#[derive(Default)]
pub struct Reader {
    bounds: Bounds,
    surveys: HashMap<(PathBuf, Union, Look), Arc<Survey>>,
    databases: HashMap<Identity, Arc<Database>>,
}

/// What tells two package databases apart without reading them: the directories that they consist of.
type Identity = Vec<Vec<(u64, u64)>>;

/// One look at a layer serves everything that an audit asks.
const AUDIT: Look = Look { audit: true, languages: true };

/// Databases that are held in memory at a time; each is some hundred kilobytes.
const MAX_DATABASES: usize = 16;

impl Reader {
    /// A reader that walks layers within these bounds.
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, ..Self::default() }
    }

    /// What an audit asks of one image, and its packages. `source` says how it is read, `user` is the image's `User`.
    pub fn image(
        &mut self,
        root: &LayeredRoot,
        source: &str,
        user: &str,
    ) -> (ImageContent, PackageInventory) {
        let database = self.database(root);
        let surveys = self.surveys(root, AUDIT);
        let content = content::content(root, &database, &surveys, source, user);
        (content, inventory::inventory(root, &database, &surveys, source))
    }

    /// The packages of a container, whose topmost layer is the one that it writes to; `None` where they are those of its
    /// image.
    pub fn changed_inventory(
        &mut self,
        root: &LayeredRoot,
        source: &str,
        image: Option<&PackageInventory>,
    ) -> Option<PackageInventory> {
        let surveys = self.surveys(root, AUDIT);
        let writes_database =
            root.layer(0).is_some_and(|top| packages::directories().any(|dir| top.open_dir(dir).is_ok()));
        let has_languages = surveys.iter().any(|survey| !survey.packages.is_empty());
        if image.is_some() && !writes_database && !has_languages {
            return None;
        }
        let database = self.database(root);
        let found = inventory::inventory(root, &database, &surveys, source);
        image.is_none_or(|image| !same_packages(&found, image)).then_some(found)
    }

    /// The packages of one image. `source` says how it is read.
    pub fn inventory(&mut self, root: &LayeredRoot, source: &str) -> PackageInventory {
        let database = self.database(root);
        let surveys = self.surveys(root, Look { audit: false, languages: true });
        inventory::inventory(root, &database, &surveys, source)
    }

    /// Which package owns each file of an image or a container.
    pub fn owners(&mut self, root: &LayeredRoot) -> FileOwners {
        FileOwners { database: self.database(root), merged_usr: root.is_link(Path::new("bin")) }
    }

    /// What is in each layer, topmost first; those that were not seen yet are looked at, several at a time.
    fn surveys(&mut self, root: &LayeredRoot, look: Look) -> Vec<Arc<Survey>> {
        let layers = root.layers();
        let key = |layer: usize| (layers[layer].path().to_owned(), root.union(), look);
        // What is mounted, such as the root of a process, changes; a layer does not.
        let is_missing =
            |layer: &usize| root.union() == Union::Plain || !self.surveys.contains_key(&key(*layer));
        let missing: Vec<usize> = (0..layers.len()).filter(is_missing).collect();
        let found = parallel::map(&missing, |layer| Arc::new(self.look(root, layer, look)));
        self.surveys.extend(missing.into_iter().map(key).zip(found));
        (0..layers.len()).filter_map(|layer| self.surveys.get(&key(layer)).cloned()).collect()
    }

    fn look(&self, root: &LayeredRoot, layer: usize, look: Look) -> Survey {
        let mut survey = Survey::default();
        let alone = root.layer(layer).filter(|_| look.languages);
        let published = match alone.map(|alone| Published::of(&alone)) {
            None => Published::default(),
            Some(Ok(published)) => published,
            Some(Err(gap)) => {
                survey.language_gaps.push(gap);
                Published::default()
            }
        };
        let is_published = |path: &[u8]| published.has(path);
        let dir = root.layers()[layer].as_fd();
        let left_out =
            walk(dir, root.union(), self.bounds, &mut |entry| survey.visit(look, &is_published, entry));
        survey.gaps.extend(left_out);
        survey.finish();
        survey
    }

    fn database(&mut self, root: &LayeredRoot) -> Arc<Database> {
        let read = || Arc::new(Database::read(root));
        if root.union() == Union::Plain {
            return read();
        }
        let identity = packages::directories().map(|dir| identity(root, Path::new(dir))).collect();
        if self.databases.len() == MAX_DATABASES && !self.databases.contains_key(&identity) {
            self.databases.clear();
        }
        Arc::clone(self.databases.entry(identity).or_insert_with(read))
    }
}

/// Which package owns each file of an image or a container.
pub struct FileOwners {
    database: Arc<Database>,
    merged_usr: bool,
}

impl FileOwners {
    /// The distribution's package that lists a file, by its path inside; no symbolic link is followed.
    pub fn of(&self, path: &str) -> Option<&InstalledPackage> {
        let path = path.trim_start_matches('/').as_bytes();
        let owner = self.database.owners.owner(path, self.merged_usr)?;
        self.database.packages.iter().flatten().find(|package| package.name == owner)
    }
}

/// Whether two inventories list the same packages, wherever these are written down.
fn same_packages(a: &PackageInventory, b: &PackageInventory) -> bool {
    let listed = |it: &PackageInventory| -> BTreeSet<_> {
        let key = |package: &InstalledPackage| {
            (package.ecosystem, package.name.clone(), package.version.clone(), package.architecture.clone())
        };
        it.packages.iter().map(key).collect()
    };
    listed(a) == listed(b)
}

fn identity(root: &LayeredRoot, dir: &Path) -> Vec<(u64, u64)> {
    root.open_dir(dir).and_then(|dir| dir.identity()).unwrap_or_default()
}

/// Files of the packages that the distribution itself publishes, as one layer lists them. Only that layer is asked, so
/// that what was seen in it holds for every image that has it.
#[derive(Default)]
struct Published {
    database: Database,
    packages: HashSet<String>,
    merged_usr: bool,
}

impl Published {
    fn of(layer: &LayeredRoot) -> Result<Self, String> {
        let database = Database::read(layer);
        if let Some(gap) = database.gaps.first() {
            return Err(gap.reason.clone());
        }
        let published = database.packages.iter().flatten().filter(|package| vendor::is_distribution(package));
        let packages = published.map(|package| package.name.clone()).collect();
        // Where the link is in a layer below, more files are looked into than need be.
        let merged_usr = layer.is_link(Path::new("bin"));
        Ok(Self { packages, merged_usr, database })
    }

    fn has(&self, path: &[u8]) -> bool {
        let owner = self.database.owners.owner(path, self.merged_usr);
        owner.is_some_and(|owner| self.packages.contains(owner))
    }
}
