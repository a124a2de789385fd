//! What one layer holds that somebody asks for. A layer never changes, so it is looked at once for all images.

use std::io;
use std::path::Path;

use plimsoll_facts::{InstalledPackage, PrivilegedFile};

use crate::capabilities;
use crate::entry::{Attributes, Entry, Kind};
use crate::language;
use crate::secrets;
use crate::tree::{as_path, shown};

/// Files of one kind that are kept of one layer.
const MAX_HITS: usize = 1_000;
/// Language packages that are kept of one layer.
const MAX_PACKAGES: usize = 200_000;
/// Set-id bits of a mode.
const SET_ID: u32 = 0o6000;

/// What a look at a layer is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Look {
    /// Set-id files, secrets, unneeded programs.
    pub(crate) audit: bool,
    /// Packages of programming languages.
    pub(crate) languages: bool,
}

/// What one layer holds. Paths are from the layer's root, without a leading slash.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) privileged: Vec<Hit<PrivilegedFile>>,
    pub(crate) secrets: Vec<Hit<()>>,
    pub(crate) programs: Vec<Hit<()>>,
    pub(crate) packages: Vec<Hit<Vec<InstalledPackage>>>,
    package_count: usize,
    /// What was left out, and why.
    pub(crate) gaps: Vec<String>,
}

/// A file that somebody asks for.
#[derive(Debug)]
pub(crate) struct Hit<T> {
    pub(crate) path: Vec<u8>,
    pub(crate) what: T,
}

impl<T> Hit<T> {
    pub(crate) fn as_path(&self) -> &Path {
        as_path(&self.path)
    }
}

impl Survey {
    /// Looks at one entry. `published` tells of a file whether a package of the distribution itself owns it.
    pub(crate) fn visit(&mut self, look: Look, published: &dyn Fn(&[u8]) -> bool, entry: &mut dyn Entry) {
        let result = if look.audit { self.audit(entry) } else { Ok(()) };
        let result =
            result.and_then(|()| if look.languages { self.languages(published, entry) } else { Ok(()) });
        if let Err(error) = result {
            self.gap(entry, &error);
        }
    }

    fn audit(&mut self, entry: &mut dyn Entry) -> io::Result<()> {
        if entry.kind() != Kind::Other
            && is_program_directory(entry.dir())
            && UNNEEDED_PROGRAMS.contains(&entry.name())
        {
            push(&mut self.programs, entry, ());
        }
        if entry.kind() != Kind::File {
            return Ok(());
        }
        let Some(attributes) = entry.attributes()? else { return Ok(()) };
        self.privileged(entry, attributes)?;
        if let Some(suspect) = secrets::suspect(entry.dir(), entry.name())
            && attributes.size > 0
            && suspect.confirmed(&entry.head(secrets::HEAD)?)
        {
            push(&mut self.secrets, entry, ());
        }
        Ok(())
    }

    fn privileged(&mut self, entry: &mut dyn Entry, attributes: Attributes) -> io::Result<()> {
        let Attributes { mode, uid, gid, .. } = attributes;
        // Only files that can be executed are asked for capabilities: on others they have no effect.
        let capabilities = match mode & 0o111 {
            0 => None,
            _ => entry.capability()?.and_then(|value| capabilities::permitted(&value)),
        };
        if mode & SET_ID != 0 || capabilities.is_some() {
            push(
                &mut self.privileged,
                entry,
                PrivilegedFile { mode, uid, gid, capabilities, ..Default::default() },
            );
        }
        Ok(())
    }

    fn languages(&mut self, published: &dyn Fn(&[u8]) -> bool, entry: &mut dyn Entry) -> io::Result<()> {
        if entry.kind() != Kind::File {
            return Ok(());
        }
        let mut packages = Vec::new();
        let result = language::add(published, entry, &mut packages);
        self.package_count += packages.len();
        if !packages.is_empty() && self.package_count <= MAX_PACKAGES {
            self.packages.push(Hit { path: entry.path(), what: packages });
        }
        result
    }

    fn gap(&mut self, entry: &mut dyn Entry, error: &io::Error) {
        if self.gaps.len() < MAX_HITS {
            self.gaps.push(format!("{}: {error}", shown(&entry.path())));
        }
    }

    /// Cuts what is more than the bounds, and says so.
    pub(crate) fn finish(&mut self) {
        let lists = [
            (self.privileged.len(), MAX_HITS, "set-id files and files with capabilities"),
            (self.secrets.len(), MAX_HITS, "files with secrets"),
            (self.programs.len(), MAX_HITS, "unneeded programs"),
            (self.package_count, MAX_PACKAGES, "packages of programming languages"),
        ];
        for (length, bound, what) in lists {
            if length > bound {
                self.gaps.push(format!("more than {bound} {what}: the rest is not listed"));
            }
        }
        self.privileged.truncate(MAX_HITS);
        self.secrets.truncate(MAX_HITS);
        self.programs.truncate(MAX_HITS);
    }
}

/// Keeps one more than the bound, so that an overflow shows.
fn push<T>(hits: &mut Vec<Hit<T>>, entry: &mut dyn Entry, what: T) {
    if hits.len() <= MAX_HITS {
        hits.push(Hit { path: entry.path(), what });
    }
}

fn is_program_directory(dir: &[u8]) -> bool {
    let dir = dir.strip_prefix(b"usr/").unwrap_or(dir);
    let dir = dir.strip_prefix(b"local/").unwrap_or(dir);
    matches!(dir, b"bin" | b"sbin")
}

/// Programs that a service in a container does not need and that help whoever got into it: remote logins, ways to
/// become another user, compilers and debuggers, tools to look around the network.
const UNNEEDED_PROGRAMS: [&[u8]; 24] = [
    b"sshd",
    b"dropbear",
    b"telnetd",
    b"in.telnetd",
    b"in.rshd",
    b"in.rlogind",
    b"inetd",
    b"xinetd",
    b"vsftpd",
    b"in.ftpd",
    b"sudo",
    b"doas",
    b"gcc",
    b"g++",
    b"clang",
    b"tcc",
    b"gdb",
    b"strace",
    b"tcpdump",
    b"nmap",
    b"nc",
    b"ncat",
    b"socat",
    b"docker",
];
