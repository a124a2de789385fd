//! Files that raise privileges when they are run.

use plimsoll_facts::{Gap, Image, ImageContent, PrivilegedFile};

use crate::answer::gap;
use crate::{Evidence, Severity};

/// The files of an image that raise privileges, those that no package owns first.
///
/// # Errors
/// The gap where the image's files could not be read, or only in part and none was found.
pub(super) fn of_image(image: &Image) -> Result<Vec<&PrivilegedFile>, Gap> {
    let content: &ImageContent = image.content.require()?;
    let mut files: Vec<_> = content.privileged_files.iter().collect();
    files.sort_by_key(|file| file.packaged == Some(true));
    match content.gaps.first() {
        Some(reason) if files.is_empty() => Err(gap(image.content.source(), reason.clone())),
        _ => Ok(files),
    }
}

/// The worst of these files: one that makes root and that no package owns was put there by whoever built the image.
pub(super) fn severity(files: &[&PrivilegedFile]) -> Severity {
    match files.iter().any(|file| makes_root(file) && file.packaged == Some(false)) {
        true => Severity::Medium,
        false => Severity::Low,
    }
}

fn makes_root(file: &PrivilegedFile) -> bool {
    (file.uid == 0 && file.mode & 0o4000 != 0) || file.capabilities.is_some()
}

/// How a file raises privileges, and who owns it.
pub(super) fn evidence(file: &PrivilegedFile, source: &str) -> Evidence {
    let mut ways = Vec::new();
    if file.mode & 0o4000 != 0 {
        ways.push(format!("set-user-id {}", file.uid));
    }
    if file.mode & 0o2000 != 0 {
        ways.push(format!("set-group-id {}", file.gid));
    }
    if let Some(capabilities) = file.capabilities {
        ways.push(format!("capabilities {}", capabilities.names().join(" ")));
    }
    let owner = match file.packaged {
        Some(true) => "from a package",
        Some(false) => "from no package",
        None => "origin not determined",
    };
    Evidence::new(file.path.clone(), format!("{}, {owner}", ways.join(", ")), source)
}
