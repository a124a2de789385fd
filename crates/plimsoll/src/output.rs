//! Where a report goes: standard output, or a file that is written whole or not at all.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use plimsoll_report::TerminalOptions;

/// Runs `write` on standard output or on a file. A reader that goes away (`| head`) is not an error.
pub(crate) fn with(path: Option<&Path>, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    match path {
        Some(path) => {
            plimsoll_rootdir::replace(path, write).with_context(|| format!("writing {}", path.display()))
        }
        None => to_stdout(write).context("writing to standard output"),
    }
}

fn to_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// How to write for whoever reads standard output: its width, and colours where it is a terminal, unless the
/// environment says otherwise (`NO_COLOR`, `CLICOLOR_FORCE`) or the report goes to the file `output`.
pub(crate) fn terminal_options(full: bool, output: Option<&Path>) -> TerminalOptions {
    let columns = rustix::termios::tcgetwinsize(io::stdout()).map_or(0, |size| usize::from(size.ws_col));
    TerminalOptions {
        width: if columns == 0 { TerminalOptions::default().width } else { columns },
        color: output.is_none()
            && anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never,
        full,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report");
        fs::write(&path, "old").unwrap();
        let failed = with(Some(&path), |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("stopped"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        with(Some(&path), |out| out.write_all(b"new")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }
}
