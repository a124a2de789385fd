//! Writes a file whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Writes beside `path`, syncs, renames over it, and syncs the folder: a crash leaves the old file or the new one. What is
/// no file (`/dev/null`, `/dev/stdout`, a pipe) is written to as it is: taking its place would break it for all others.
///
/// # Errors
/// What `write` answers, or the system; the old file is then as it was.
pub fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    replace_as(path, 0o666, write)
}

/// The same for a file that nobody but its owner may read.
///
/// # Errors
/// As [`replace`].
pub fn replace_private(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    replace_as(path, 0o600, write)
}

/// `mode` is that of a file that is made, before the process's umask.
fn replace_as(
    path: &Path,
    mode: u32,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        let mut out = BufWriter::new(File::options().write(true).open(path)?);
        write(&mut out)?;
        return out.flush();
    }
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = folder.join(name);
    // What a crash of a process with the same number left; whatever else it is shows when the file is created.
    let _ = fs::remove_file(&temporary);
    let result = (|| {
        let mut out =
            BufWriter::new(File::options().write(true).create_new(true).mode(mode).open(&temporary)?);
        write(&mut out)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&temporary, path)?;
        File::open(folder)?.sync_all()
    })();
    if result.is_err() {
        // The first error is the one to tell; the temporary file may not even exist.
        let _ = fs::remove_file(&temporary);
    }
    result
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileTypeExt;

    use super::*;

    #[test]
    fn a_device_is_written_to_and_stays_one() {
        let null = Path::new("/dev/null");
        replace(null, |out| out.write_all(b"report")).unwrap();
        assert!(fs::metadata(null).unwrap().file_type().is_char_device());
    }
}
