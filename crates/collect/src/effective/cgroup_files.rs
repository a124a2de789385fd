//! Files of cgroups, read once each where containers share them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use plimsoll_facts::{CgroupHome, CgroupLayout, CgroupMode};
use plimsoll_probe::device_program;
use plimsoll_probe::devices::Program;
use plimsoll_rootdir::RootDir;

use crate::procs::Cgroups;

/// Longest file of a cgroup that is read.
const LIMIT: u64 = 1024 * 1024;
/// Most directories between a cgroup and the root of its hierarchy (cgroup v2 allows any depth).
const MAX_DEPTH: usize = 64;

/// The cgroup file systems of a host.
pub(super) struct CgroupFiles<'a> {
    root: &'a RootDir,
    layout: CgroupLayout,
    /// Files of ancestors, which many containers have in common.
    shared: RefCell<HashMap<String, Content>>,
    /// What BPF programs allow, by their instructions.
    device_rules: RefCell<HashMap<Vec<Vec<u8>>, Rules>>,
}

/// Rules of devices, or what was not understood of the programs that make them.
type Rules = Result<Vec<String>, String>;
/// The content of a file: `None` where there is none, an error where it could not be read.
type Content = Result<Option<Rc<str>>, String>;

/// One container's cgroup in the hierarchy of one controller.
pub(super) struct Branch<'a> {
    files: &'a CgroupFiles<'a>,
    /// 1 or 2.
    pub(super) version: u8,
    /// Path below the mount point.
    pub(super) path: &'a str,
    /// The cgroup itself.
    own: RootDir,
    /// Directories from the cgroup up to the root of the hierarchy.
    directories: Vec<String>,
}

impl<'a> CgroupFiles<'a> {
    pub(super) fn new(root: &'a RootDir, layout: CgroupLayout) -> Self {
        Self { root, layout, shared: RefCell::default(), device_rules: RefCell::default() }
    }

    /// The cgroup of a process for a controller, by its v1 and its v2 name.
    ///
    /// # Errors
    /// When no hierarchy carries the controller, or the cgroup is not visible.
    pub(super) fn branch(&'a self, cgroups: &'a Cgroups, v1: &str, v2: &str) -> Result<Branch<'a>, Missing> {
        let home = |name: &str| self.layout.controllers.get(name);
        let CgroupHome { version, mount } =
            home(v2).filter(|home| home.version == 2).or_else(|| home(v1)).ok_or_else(|| self.nowhere(v1))?;
        let path = if *version == 2 { cgroups.v2() } else { cgroups.v1(v1) };
        let path = path.ok_or_else(|| Missing::Unreadable(format!("the process has no {v1} cgroup")))?;
        if path.split('/').any(|component| component == "..") {
            return Err(Missing::Unreadable(format!("the cgroup {path} is outside of plimsoll's namespace")));
        }
        let directory = format!("{mount}{}", path.trim_end_matches('/'));
        let own = self.root.open_root(&directory).map_err(|e| Missing::Unreadable(e.to_string()))?;
        Ok(Branch { files: self, version: *version, path, own, directories: upwards(mount, path) })
    }

    /// The cgroup of a process in the v2 hierarchy.
    ///
    /// # Errors
    /// When there is none, or it is not visible.
    pub(super) fn unified(&self, cgroups: &Cgroups) -> Result<RootDir, String> {
        let mount = self.layout.v2_mount.as_ref().ok_or("no v2 hierarchy is mounted")?;
        let path = cgroups.v2().ok_or("the process has no v2 cgroup")?;
        if path.split('/').any(|component| component == "..") {
            return Err(format!("the cgroup {path} is outside of plimsoll's namespace"));
        }
        self.root.open_root(format!("{mount}{path}")).map_err(|error| error.to_string())
    }

    /// What BPF programs allow, worked out once for the same programs.
    ///
    /// # Errors
    /// What was not understood of them.
    pub(super) fn devices_by(&self, programs: Vec<Program>) -> Rules {
        let instructions: Vec<Vec<u8>> = programs.into_iter().map(|program| program.instructions).collect();
        if let Some(known) = self.device_rules.borrow().get(&instructions) {
            return known.clone();
        }
        let rules = device_program::rules(&instructions);
        self.device_rules.borrow_mut().insert(instructions, rules.clone());
        rules
    }

    /// Where there are cgroups, but none with this controller, nothing can be limited.
    fn nowhere(&self, controller: &str) -> Missing {
        match self.layout.mode {
            CgroupMode::None => Missing::Unreadable("no cgroup file system is mounted".to_owned()),
            _ => Missing::NoController(format!("no hierarchy has the {controller} controller")),
        }
    }
}

fn read(directory: &RootDir, path: &str) -> Content {
    match directory.read_text(path, LIMIT) {
        Ok(text) => Ok(Some(Rc::from(text.trim_end()))),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// Why a controller has no cgroup to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// The kernel does not control this at all.
    NoController(String),
    /// It could not be found out.
    Unreadable(String),
}

impl Branch<'_> {
    /// A file of the cgroup itself.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub(super) fn own(&self, file: &str) -> Content {
        read(&self.own, file)
    }

    /// Path of a file of the cgroup itself.
    pub(super) fn file(&self, file: &str) -> String {
        format!("{}/{file}", self.directories.first().map_or("", String::as_str))
    }

    /// A file at each level that has it, from the cgroup itself up to the root: (path, content).
    ///
    /// # Errors
    /// When one is there and cannot be read.
    pub(super) fn levels(&self, file: &str) -> Result<Vec<(String, Rc<str>)>, String> {
        let mut levels = Vec::new();
        for (level, directory) in self.directories.iter().enumerate() {
            let path = format!("{directory}/{file}");
            let content = if level == 0 { read(&self.own, file) } else { self.shared(&path) };
            levels.extend(content?.map(|text| (path, text)));
        }
        Ok(levels)
    }

    /// As [`Self::levels`], of the v1 memory controller: before Linux 5.11 an ancestor counts only where
    /// `memory.use_hierarchy` is set on it.
    ///
    /// # Errors
    /// As [`Self::levels`].
    pub(super) fn memory_levels(&self, file: &str) -> Result<Vec<(String, Rc<str>)>, String> {
        let levels = self.levels(file)?;
        let mut counted = Vec::with_capacity(levels.len());
        for (path, text) in levels {
            let directory = path.strip_suffix(file).unwrap_or_default();
            let own = self.directories.first().is_some_and(|own| directory.strip_suffix('/') == Some(own));
            if own || self.shared(&format!("{directory}memory.use_hierarchy"))?.as_deref() != Some("0") {
                counted.push((path, text));
            }
        }
        Ok(counted)
    }

    fn shared(&self, path: &str) -> Content {
        if let Some(known) = self.files.shared.borrow().get(path) {
            return known.clone();
        }
        let content = read(self.files.root, path);
        self.files.shared.borrow_mut().insert(path.to_owned(), content.clone());
        content
    }
}

/// The directory of a cgroup and of each of its ancestors, up to the mount point.
fn upwards(mount: &str, path: &str) -> Vec<String> {
    let mut directories = Vec::new();
    let mut path = path.trim_end_matches('/');
    for _ in 0..MAX_DEPTH {
        directories.push(format!("{mount}{path}"));
        let Some((parent, _)) = path.rsplit_once('/') else { break };
        path = parent;
    }
    directories
}
