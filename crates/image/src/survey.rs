//! What one layer holds that somebody asks for. A layer never changes, so it is looked at once for all images.

use std::io;
use std::path::Path;

use plimsoll_facts::{InstalledPackage, PrivilegedFile, WritablePath};

use crate::capabilities;
use crate::entry::{Attributes, Entry, Kind};
use crate::language;
use crate::leftovers::Leftovers;
use crate::secrets;
use crate::tree::{as_path, shown};
use crate::{development, login, paths};

/// Files of one kind that are kept of one layer.
const MAX_HITS: usize = 1_000;
/// Language packages that are kept of one layer.
const MAX_PACKAGES: usize = 200_000;
/// Set-id bits of a mode.
const SET_ID: u32 = 0o6000;

/// What a look at a layer is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Look {
    /// Everything but packages: set-id files, secrets, leftovers …
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
    /// Paths of the system that others than their owner may write; `true`: a directory.
    pub(crate) writable: Vec<Hit<(bool, WritablePath)>>,
    pub(crate) login_keys: Vec<Hit<()>>,
    pub(crate) development: Vec<Hit<()>>,
    pub(crate) leftovers: Leftovers,
    pub(crate) packages: Vec<Hit<Vec<InstalledPackage>>>,
    package_count: usize,
    /// What was left out, and why.
    pub(crate) gaps: Vec<String>,
    /// Packages of programming languages that could not be told, and why.
    pub(crate) language_gaps: Vec<String>,
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
        if look.audit
            && let Err(error) = self.audit(entry)
        {
            note(&mut self.gaps, entry, &error);
        }
        if look.languages
            && let Err(error) = self.languages(published, entry)
        {
            note(&mut self.language_gaps, entry, &error);
        }
    }

    fn audit(&mut self, entry: &mut dyn Entry) -> io::Result<()> {
        let kind = entry.kind();
        if matches!(kind, Kind::File | Kind::Link)
            && is_program_directory(entry.dir())
            && UNNEEDED_PROGRAMS.contains(&entry.name())
        {
            push(&mut self.programs, entry, ());
        }
        if kind == Kind::Directory && paths::is_system(entry.dir(), entry.name()) {
            let attributes = entry.attributes()?;
            self.writable(entry, attributes);
        }
        if kind != Kind::File {
            return Ok(());
        }
        let Some(attributes) = entry.attributes()? else { return Ok(()) };
        self.privileged(entry, attributes)?;
        if paths::is_system(entry.dir(), entry.name()) {
            self.writable(entry, Some(attributes));
        }
        self.leftovers.add(entry.dir(), entry.name(), attributes.size);
        if attributes.size == 0 {
            return Ok(());
        }
        if let Some(suspect) = secrets::suspect(entry.dir(), entry.name())
            && suspect.confirmed(&entry.head(secrets::HEAD)?)
        {
            push(&mut self.secrets, entry, ());
        }
        if login::is_key_list(entry.dir(), entry.name()) && login::has_key(&entry.head(secrets::HEAD)?) {
            push(&mut self.login_keys, entry, ());
        }
        if development::is_named(entry.dir(), entry.name())
            || development::may_be_core(entry.name())
                && development::is_core(&entry.head(development::CORE_HEAD)?)
        {
            push(&mut self.development, entry, ());
        }
        Ok(())
    }

    fn writable(&mut self, entry: &mut dyn Entry, attributes: Option<Attributes>) {
        let is_directory = entry.kind() == Kind::Directory;
        let Some(Attributes { mode, uid, gid, .. }) = attributes else { return };
        if paths::may_be_written(entry.dir(), entry.name(), is_directory, mode) {
            let path = WritablePath { mode, uid, gid, ..WritablePath::default() };
            push(&mut self.writable, entry, (is_directory, path));
        }
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

    /// Cuts what is more than the bounds, and says so.
    pub(crate) fn finish(&mut self) {
        let lists = [
            (self.privileged.len(), MAX_HITS, "set-id files and files with capabilities"),
            (self.secrets.len(), MAX_HITS, "files with secrets"),
            (self.programs.len(), MAX_HITS, "unneeded programs"),
            (self.writable.len(), MAX_HITS, "writable paths of the system"),
            (self.login_keys.len(), MAX_HITS, "files of keys that may log in"),
            (self.development.len(), MAX_HITS, "files of developers"),
        ];
        let more = |bound: usize, what: &str| format!("more than {bound} {what}: the rest is not listed");
        for (length, bound, what) in lists {
            if length > bound {
                self.gaps.push(more(bound, what));
            }
        }
        if self.package_count > MAX_PACKAGES {
            self.language_gaps.push(more(MAX_PACKAGES, "packages of programming languages"));
        }
        self.privileged.truncate(MAX_HITS);
        self.secrets.truncate(MAX_HITS);
        self.programs.truncate(MAX_HITS);
        self.writable.truncate(MAX_HITS);
        self.login_keys.truncate(MAX_HITS);
        self.development.truncate(MAX_HITS);
    }
}

fn note(gaps: &mut Vec<String>, entry: &mut dyn Entry, error: &io::Error) {
    if gaps.len() < MAX_HITS {
        gaps.push(format!("{}: {error}", shown(&entry.path())));
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
