//! One file as one fact: known, absent, or unreadable with a reason that an administrator understands.

use std::io::ErrorKind;
use std::path::Path;

use plimsoll_facts::Fact;
use plimsoll_rootdir::{Error, RootDir};
use rustix::fs::PROC_SUPER_MAGIC;

/// Most bytes of one small text file of the kernel or of the configuration.
pub(crate) const SMALL: u64 = 1 << 20;

/// A file of at most [`SMALL`] bytes as text, without white space at its end.
pub(crate) fn text(root: &RootDir, path: &str) -> Fact<String> {
    read(path, root.read_text(path, SMALL)).map(|text| text.trim_end().to_owned())
}

/// What was read from `source`, as a fact: absent where there is no such file.
pub(crate) fn read<T>(source: impl Into<String>, result: Result<T, Error>) -> Fact<T> {
    match result {
        Ok(value) => Fact::known(value, source),
        Err(error) if error.is_not_found() => Fact::absent(source),
        Err(error) => Fact::unreadable(source, why(&error)),
    }
}

/// Why something could not be read; the path is left to the fact's source.
pub(crate) fn why(error: &Error) -> String {
    match error {
        Error::Os { source, .. } if source.kind() == ErrorKind::PermissionDenied => {
            "permission denied; run plimsoll as root to read it".to_owned()
        }
        Error::Os { source, .. } => source.to_string(),
        Error::TooLarge { limit, .. } => format!("larger than the {limit} bytes that are read of it"),
        Error::Kind { wanted, .. } => format!("not a {wanted}"),
    }
}

/// Whether the root is that of a running system: only then may the kernel be asked directly, by a system call or a
/// socket, about what the tree shows.
pub(crate) fn is_live(root: &RootDir) -> bool {
    root.open_root("proc").is_ok_and(|proc| is_procfs(&proc))
}

/// Whether a directory is in a file system of type `proc`.
pub(crate) fn is_procfs(dir: &RootDir) -> bool {
    rustix::fs::fstatfs(dir).is_ok_and(|stat| stat.f_type == PROC_SUPER_MAGIC)
}

/// The last name of a path, where it has one that is UTF-8.
pub(crate) fn file_name(path: &str) -> &str {
    Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or_default()
}
