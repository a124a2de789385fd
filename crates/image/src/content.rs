//! What an audit asks of an image's files.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use plimsoll_facts::{Fact, ImageContent, OsRelease, PrivilegedFile, WritablePath};

use crate::accounts;
use crate::error::Result;
use crate::leftovers::Leftovers;
use crate::os_release;
use crate::packages::Database;
use crate::survey::{Hit, Survey};
use crate::tree::{Tree, first_present, present, shown};
use crate::{development, sudoers};

/// Bound of a configuration file such as passwd, in bytes.
const MAX_CONFIG: u64 = 1 << 20;
/// Accounts that are kept of one image.
const MAX_ACCOUNTS: usize = 1_000;

/// Puts together what an audit asks of one image: from its merged view, its package database, and what was seen in each
/// layer, topmost first. `source` says how it was read, `user` is the image's `User`.
pub(crate) fn content(
    tree: &dyn Tree,
    database: &Database,
    surveys: &[Arc<Survey>],
    source: &str,
    user: &str,
) -> ImageContent {
    let mut content = ImageContent { source: source.to_owned(), ..ImageContent::default() };
    content.os = note(os_release(tree), "os-release", &mut content.gaps).flatten();
    resolve_user(tree, user, &mut content);
    content.groups = fact(groups(tree), "etc/group");
    content.empty_passwords = fact(empty_passwords(tree), "etc/passwd, etc/shadow");
    content.passwordless_sudo = fact(passwordless_sudo(tree), "etc/sudoers");
    content.packages =
        database.packages.as_ref().map(|packages| u32::try_from(packages.len()).unwrap_or(u32::MAX));
    content.packages_changed_at = database.changed_at;
    content.gaps.extend(database.gaps.iter().map(|gap| format!("package database: {}", gap.reason)));
    let merge = Merge { tree, database, merged_usr: tree.is_link(Path::new("bin")) };
    for (layer, survey) in surveys.iter().enumerate() {
        merge.add(survey, layer, &mut content);
    }
    let leftovers = Leftovers::sum(surveys.iter().map(|survey| &survey.leftovers));
    content.leftovers = Fact::known(leftovers, source);
    content.writable_paths = Fact::known(merge.writable_paths(surveys, &mut content), source);
    content.login_keys = Fact::known(merge.login_keys(surveys, &mut content), source);
    content.development_files = Fact::known(merge.development_files(surveys, &mut content), source);
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

/// Adds what a layer holds, as far as it is visible in the merged view.
struct Merge<'a> {
    tree: &'a dyn Tree,
    database: &'a Database,
    merged_usr: bool,
}

impl Merge<'_> {
    fn add(&self, survey: &Survey, layer: usize, content: &mut ImageContent) {
        content.gaps.extend(survey.gaps.iter().cloned());
        for hit in &survey.privileged {
            if self.is_visible(hit, layer, content) {
                let packaged = self.is_packaged(&hit.path);
                let file = PrivilegedFile { path: shown(&hit.path), packaged, ..hit.what.clone() };
                content.privileged_files.push(file);
            }
        }
        for hit in &survey.programs {
            if self.is_visible(hit, layer, content) {
                content.unneeded_programs.push(shown(&hit.path));
            }
        }
        // What a distribution's package contains is published, so it is no secret (test keys of a library).
        for hit in survey.secrets.iter().filter(|hit| self.is_packaged(&hit.path) != Some(true)) {
            if self.is_visible(hit, layer, content) {
                content.secret_files.push(shown(&hit.path));
            } else {
                content.deleted_secret_files.push(shown(&hit.path));
            }
        }
    }

    fn writable_paths(&self, surveys: &[Arc<Survey>], content: &mut ImageContent) -> Vec<WritablePath> {
        let hits = each(surveys, |survey| &survey.writable);
        let visible = hits.filter(|(layer, hit)| {
            let visible = match hit.what.0 {
                true => {
                    present(self.tree.layer_of_directory(hit.as_path())).map(|found| found == Some(*layer))
                }
                false => is_visible(self.tree, hit, *layer),
            };
            Self::noted(visible, content)
        });
        let path =
            |hit: &Hit<(bool, WritablePath)>| WritablePath { path: shown(&hit.path), ..hit.what.1.clone() };
        let mut paths: Vec<_> = visible.map(|(_, hit)| path(hit)).collect();
        paths.sort_by(|a, b| a.path.cmp(&b.path));
        paths
    }

    fn login_keys(&self, surveys: &[Arc<Survey>], content: &mut ImageContent) -> Vec<String> {
        let hits = each(surveys, |survey| &survey.login_keys);
        let visible = hits.filter(|(layer, hit)| self.is_visible(hit, *layer, content));
        let paths: BTreeSet<String> = visible.map(|(_, hit)| shown(&hit.path)).collect();
        paths.into_iter().collect()
    }

    fn development_files(&self, surveys: &[Arc<Survey>], content: &mut ImageContent) -> Vec<String> {
        let hits = each(surveys, |survey| &survey.development);
        let own = hits.filter(|(_, hit)| self.is_packaged(&hit.path) != Some(true));
        let visible = own.filter(|(layer, hit)| self.is_visible(hit, *layer, content));
        let paths: BTreeSet<String> = visible.map(|(_, hit)| shown(development::place(&hit.path))).collect();
        paths.into_iter().collect()
    }

    fn is_visible<T>(&self, hit: &Hit<T>, layer: usize, content: &mut ImageContent) -> bool {
        Self::noted(is_visible(self.tree, hit, layer), content)
    }

    fn noted(visible: Result<bool>, content: &mut ImageContent) -> bool {
        match visible {
            Ok(visible) => visible,
            Err(error) => {
                content.gaps.push(error.to_string());
                false
            }
        }
    }

    fn is_packaged(&self, path: &[u8]) -> Option<bool> {
        let owners = &self.database.owners;
        owners.is_known().then(|| owners.owner(path, self.merged_usr).is_some())
    }
}

/// The hits of every layer, each with the number of its layer.
fn each<'s, T: 's>(
    surveys: &'s [Arc<Survey>],
    of: impl Fn(&'s Survey) -> &'s Vec<Hit<T>>,
) -> impl Iterator<Item = (usize, &'s Hit<T>)> {
    surveys.iter().enumerate().flat_map(move |(layer, survey)| of(survey).iter().map(move |hit| (layer, hit)))
}

/// Whether a file of a layer is what the merged view shows at its path.
pub(crate) fn is_visible<T>(tree: &dyn Tree, hit: &Hit<T>, layer: usize) -> Result<bool> {
    Ok(present(tree.layer_of(hit.as_path()))? == Some(layer))
}

/// The distribution inside an image.
pub(crate) fn os_release(tree: &dyn Tree) -> Result<Option<OsRelease>> {
    let found = first_present(tree, &["etc/os-release", "usr/lib/os-release"], MAX_CONFIG)?;
    Ok(found.map(|(_, text)| os_release::parse(&String::from_utf8_lossy(&text))))
}

fn resolve_user(tree: &dyn Tree, user: &str, content: &mut ImageContent) {
    let passwd = present(tree.read(Path::new("etc/passwd"), MAX_CONFIG));
    let Some(passwd) = note(passwd, "accounts", &mut content.gaps) else { return };
    let mut accounts = accounts::parse(&String::from_utf8_lossy(&passwd.unwrap_or_default()));
    match accounts::resolve(user, &accounts) {
        Ok(uid) => content.uid = Some(uid),
        Err(error) => content.gaps.push(error.to_string()),
    }
    accounts.truncate(MAX_ACCOUNTS);
    content.accounts = accounts;
}

fn groups(tree: &dyn Tree) -> Result<Vec<(String, u32)>> {
    let mut groups = accounts::parse_groups(&text(tree, "etc/group")?);
    groups.truncate(MAX_ACCOUNTS);
    Ok(groups)
}

fn empty_passwords(tree: &dyn Tree) -> Result<Vec<String>> {
    let mut names = accounts::without_password(&text(tree, "etc/passwd")?, &text(tree, "etc/shadow")?);
    names.truncate(MAX_ACCOUNTS);
    Ok(names)
}

fn passwordless_sudo(tree: &dyn Tree) -> Result<Vec<String>> {
    let mut allowed = sudoers::without_password(&text(tree, "etc/sudoers")?);
    // sudo passes over names with a dot or a tilde at the end (sudoers(5), "Including other files").
    let is_read = |name: &[u8]| !name.contains(&b'.') && !name.ends_with(b"~");
    present(tree.read_files(Path::new("etc/sudoers.d"), &is_read, MAX_CONFIG, &mut |_, bytes| {
        allowed.extend(sudoers::without_password(&String::from_utf8_lossy(&bytes)));
        Ok(())
    }))?;
    allowed.sort();
    allowed.dedup();
    allowed.truncate(MAX_ACCOUNTS);
    Ok(allowed)
}

/// A file of text; empty where there is none.
fn text(tree: &dyn Tree, path: &str) -> Result<String> {
    let bytes = present(tree.read(Path::new(path), MAX_CONFIG))?;
    Ok(String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned())
}

fn fact<T>(result: Result<T>, source: &str) -> Fact<T> {
    result
        .map_or_else(|error| Fact::unreadable(source, error.to_string()), |value| Fact::known(value, source))
}

fn note<T>(result: Result<T>, what: &str, gaps: &mut Vec<String>) -> Option<T> {
    result.map_err(|error| gaps.push(format!("{what}: {error}"))).ok()
}
