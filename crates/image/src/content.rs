//! What an audit asks of an image's files.

use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;

use plimsoll_facts::{ImageContent, OsRelease, PrivilegedFile};
use rustix::fs::FileType;

use crate::accounts;
use crate::error::Result;
use crate::layered::LayeredRoot;
use crate::os_release;
use crate::owners::{self, Identity, Owners};
use crate::survey::{Hit, Survey};
use crate::union::Union;
use crate::walk::Bounds;

/// Bound of a configuration file such as passwd, in bytes.
const MAX_CONFIG: u64 = 1 << 20;
/// Accounts that are kept of one image.
const MAX_ACCOUNTS: usize = 1_000;

/// Reads the content of many images; what they share is read once.
#[derive(Default)]
pub struct Reader {
    bounds: Bounds,
    surveys: HashMap<(PathBuf, Union), Rc<Survey>>,
    owners: HashMap<Identity, Rc<Owners>>,
}

impl Reader {
    /// A reader that walks layers within these bounds.
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, ..Self::default() }
    }

    /// What an audit asks of one image. `source` says how it is read, `user` is the image's `User`.
    pub fn content(&mut self, root: &LayeredRoot, source: &str, user: &str) -> ImageContent {
        let mut content = ImageContent { source: source.to_owned(), ..ImageContent::default() };
        content.os = note(os_release(root), "os-release", &mut content.gaps).flatten();
        resolve_user(root, user, &mut content);
        let owners = self.owners(root);
        content.packages = owners.installed;
        content.packages_changed_at = owners.changed_at;
        content.gaps.extend(owners.gaps.iter().cloned());
        for layer in 0..root.layers().len() {
            let survey = self.survey(root, layer);
            Merge { root, layer, owners: &owners, merged_usr: is_merged_usr(root) }
                .add(&survey, &mut content);
        }
        content.privileged_files.sort_by(|a, b| a.path.cmp(&b.path));
        for list in [
            &mut content.secret_files,
            &mut content.deleted_secret_files,
            &mut content.unneeded_programs,
            &mut content.gaps,
        ] {
            list.sort();
            list.dedup();
        }
        content
    }

    fn survey(&mut self, root: &LayeredRoot, layer: usize) -> Rc<Survey> {
        let dir = &root.layers()[layer];
        let look = || Rc::new(Survey::of(dir, root.union(), self.bounds));
        if root.union() == Union::Plain {
            return look();
        }
        Rc::clone(self.surveys.entry((dir.path().to_owned(), root.union())).or_insert_with(look))
    }

    fn owners(&mut self, root: &LayeredRoot) -> Rc<Owners> {
        if root.union() == Union::Plain {
            return Rc::new(Owners::of(root));
        }
        let identity = owners::identity(root);
        Rc::clone(self.owners.entry(identity).or_insert_with(|| Rc::new(Owners::of(root))))
    }
}

/// Adds what one layer holds, as far as it is visible in the merged view.
struct Merge<'a> {
    root: &'a LayeredRoot,
    layer: usize,
    owners: &'a Owners,
    merged_usr: bool,
}

impl Merge<'_> {
    fn add(&self, survey: &Survey, content: &mut ImageContent) {
        content.gaps.extend(survey.gaps.iter().cloned());
        for hit in &survey.privileged {
            if self.is_visible(hit, content) {
                let packaged = self.is_packaged(&hit.path);
                content.privileged_files.push(PrivilegedFile {
                    path: shown(&hit.path),
                    packaged,
                    ..hit.what.clone()
                });
            }
        }
        for hit in &survey.programs {
            if self.is_visible(hit, content) {
                content.unneeded_programs.push(shown(&hit.path));
            }
        }
        // What a distribution's package contains is published, so it is no secret (test keys of a library).
        for hit in survey.secrets.iter().filter(|hit| self.is_packaged(&hit.path) != Some(true)) {
            if self.is_visible(hit, content) {
                content.secret_files.push(shown(&hit.path));
            } else {
                content.deleted_secret_files.push(shown(&hit.path));
            }
        }
    }

    fn is_visible<T>(&self, hit: &Hit<T>, content: &mut ImageContent) -> bool {
        match self.root.locate(hit.as_path()) {
            Ok(located) => located.layer == self.layer,
            Err(error) => {
                if !error.is_not_found() {
                    content.gaps.push(error.to_string());
                }
                false
            }
        }
    }

    fn is_packaged(&self, path: &[u8]) -> Option<bool> {
        let owned = self.owners.owns(path)?;
        // Packages built before /usr was merged list /bin/su for what is /usr/bin/su.
        let before_merge = path.strip_prefix(b"usr/").filter(|_| self.merged_usr);
        Some(owned || before_merge.is_some_and(|path| self.owners.owns(path) == Some(true)))
    }
}

fn shown(path: &[u8]) -> String {
    format!("/{}", String::from_utf8_lossy(path))
}

fn is_merged_usr(root: &LayeredRoot) -> bool {
    let bin = root.locate("bin");
    bin.is_ok_and(|bin| FileType::from_raw_mode(bin.stat.stx_mode.into()) == FileType::Symlink)
}

fn os_release(root: &LayeredRoot) -> Result<Option<OsRelease>> {
    for path in ["etc/os-release", "usr/lib/os-release"] {
        match root.read_text(path, MAX_CONFIG) {
            Ok(text) => return Ok(Some(os_release::parse(&text))),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn resolve_user(root: &LayeredRoot, user: &str, content: &mut ImageContent) {
    let passwd = match root.read_text("etc/passwd", MAX_CONFIG) {
        Err(error) if error.is_not_found() => Ok(String::new()),
        other => other,
    };
    let Some(passwd) = note(passwd, "accounts", &mut content.gaps) else { return };
    let mut accounts = accounts::parse(&passwd);
    match accounts::resolve(user, &accounts) {
        Ok(uid) => content.uid = Some(uid),
        Err(error) => content.gaps.push(error.to_string()),
    }
    accounts.truncate(MAX_ACCOUNTS);
    content.accounts = accounts;
}

fn note<T>(result: Result<T>, what: &str, gaps: &mut Vec<String>) -> Option<T> {
    result.map_err(|error| gaps.push(format!("{what}: {error}"))).ok()
}
