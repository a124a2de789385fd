//! The folder of advisory files.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::Release;
use crate::lists::{ExploitProbability, Exploited};
use crate::store::{ReleaseFile, StoreError};

/// The local database: a folder with one file a release. Files are opened when they are first asked for, and once.
#[derive(Debug)]
pub struct Database {
    folder: PathBuf,
    open: RefCell<HashMap<Release, Option<Rc<ReleaseFile>>>>,
    exploited: OnceCell<Rc<Exploited>>,
    probability: OnceCell<Rc<ExploitProbability>>,
}

impl Database {
    /// A database in this folder, which may be missing: then nothing is covered.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        let (exploited, probability) = (OnceCell::new(), OnceCell::new());
        Self { folder: folder.into(), open: RefCell::default(), exploited, probability }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The advisories of a release; `None` where they were never imported.
    ///
    /// # Errors
    /// When the file is there and cannot be used.
    pub fn release(&self, release: &Release) -> Result<Option<Rc<ReleaseFile>>, StoreError> {
        if let Some(known) = self.open.borrow().get(release) {
            return Ok(known.clone());
        }
        let file = match ReleaseFile::open(&self.folder.join(release.file_name())) {
            Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => None,
            other => Some(Rc::new(other?)),
        };
        self.open.borrow_mut().insert(release.clone(), file.clone());
        Ok(file)
    }

    /// Every file, opened, or why it cannot be; sorted by name.
    ///
    /// # Errors
    /// When the folder is there and cannot be read.
    pub fn files(&self) -> io::Result<Vec<Result<ReleaseFile, StoreError>>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "advisories") {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths.iter().map(|path| ReleaseFile::open(path)).collect())
    }

    /// The catalogue of flaws that are known to be exploited; empty where it was never imported.
    ///
    /// # Errors
    /// When the file is there and cannot be used.
    pub fn exploited(&self) -> Result<Rc<Exploited>, StoreError> {
        once(&self.exploited, || Exploited::open(&self.folder))
    }

    /// The probabilities of exploitation; empty where they were never imported.
    ///
    /// # Errors
    /// When the file is there and cannot be used.
    pub fn exploit_probability(&self) -> Result<Rc<ExploitProbability>, StoreError> {
        once(&self.probability, || ExploitProbability::open(&self.folder))
    }
}

fn once<T>(
    cell: &OnceCell<Rc<T>>,
    open: impl FnOnce() -> Result<T, StoreError>,
) -> Result<Rc<T>, StoreError> {
    if let Some(known) = cell.get() {
        return Ok(Rc::clone(known));
    }
    let opened = Rc::new(open()?);
    Ok(Rc::clone(cell.get_or_init(|| opened)))
}
