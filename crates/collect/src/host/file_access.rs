//! Who can change a file: owner, mode, ACL, and the directories on the way to it.

use std::collections::{HashMap, VecDeque};
use std::ffi::OsString;
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Component, Path, PathBuf};

use plimsoll_facts::{Fact, FileFact, FileKind, FileRole, FileStat};
use plimsoll_rootdir::{Error, RootDir};
use rustix::fs::{AtFlags, FileType, OFlags, Statx, StatxFlags, getxattr, statx};
use rustix::io::Errno;

use super::acl;
use crate::source::{self, why};

/// As many links as the kernel follows (path_resolution(7)).
const MAX_LINKS: usize = 40;

/// Where a path leads below the root, after symbolic links.
///
/// # Errors
/// When there is nothing, or too many links.
pub(crate) fn resolve(root: &RootDir, path: &Path) -> Result<PathBuf, Error> {
    Way::walk(root, path).map(|way| way.resolved)
}

/// Describes files, directories and sockets below one root by the part that they play.
pub(crate) struct Describer<'a> {
    root: &'a RootDir,
    users: HashMap<u32, String>,
    groups: HashMap<u32, String>,
}

impl<'a> Describer<'a> {
    /// Reads the names of accounts and groups.
    pub(crate) fn new(root: &'a RootDir) -> Self {
        let names = |path| names_by_id(source::text(root, path).value().map_or("", String::as_str));
        Self { root, users: names("/etc/passwd"), groups: names("/etc/group") }
    }

    /// What is at `path`, after symbolic links; absent where there is nothing.
    pub(crate) fn describe(&self, path: &str, role: FileRole) -> FileFact {
        let stat = match self.stat(Path::new(path)) {
            Ok(stat) => Fact::known(stat, path),
            Err(error) if error.is_not_found() => Fact::absent(path),
            Err(error) => Fact::unreadable(path, why(&error)),
        };
        FileFact { role, path: path.to_owned(), stat }
    }

    fn stat(&self, path: &Path) -> Result<FileStat, Error> {
        let way = Way::walk(self.root, path)?;
        let opened = self.root.open_at(&way.resolved, OFlags::PATH | OFlags::NOFOLLOW)?;
        let os = |errno: Errno| Error::Os { path: way.resolved.clone(), source: errno.into() };
        let stat = statx(&opened, "", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS).map_err(os)?;
        let kind = kind(&stat);
        let acl = if kind == FileKind::Symlink { Vec::new() } else { read_acl(&opened).map_err(os)? };
        Ok(FileStat {
            resolved: way.resolved.to_string_lossy().into_owned(),
            kind,
            uid: stat.stx_uid,
            gid: stat.stx_gid,
            user: self.users.get(&stat.stx_uid).cloned(),
            group: self.groups.get(&stat.stx_gid).cloned(),
            mode: u32::from(stat.stx_mode) & 0o7777,
            device: format!("{}:{}", stat.stx_dev_major, stat.stx_dev_minor),
            inode: stat.stx_ino,
            acl,
            replaceable_through: way.writable,
        })
    }
}

/// The way to a file: where it leads, and which of the directories on it others may change.
struct Way {
    resolved: PathBuf,
    writable: Vec<String>,
}

impl Way {
    /// Follows symbolic links one by one, below the root as if it were `/`, for each directory that a name is looked
    /// up in counts: also those that hold the links.
    fn walk(root: &RootDir, path: &Path) -> Result<Self, Error> {
        let mut way = Self { resolved: PathBuf::from("/"), writable: Vec::new() };
        let mut ahead: VecDeque<OsString> = VecDeque::new();
        push_front(&mut ahead, path);
        let mut links = 0;
        while let Some(name) = ahead.pop_front() {
            if name == ".." {
                way.resolved.pop();
                continue;
            }
            way.note_directory(root)?;
            let next = way.resolved.join(&name);
            let is_link = file_type(&root.stat(&next, false)?) == FileType::Symlink;
            if !is_link {
                way.resolved = next;
                continue;
            }
            links += 1;
            if links > MAX_LINKS {
                return Err(Error::Os { path: path.to_owned(), source: Errno::LOOP.into() });
            }
            let target = root.read_link(&next)?;
            if target.is_absolute() {
                way.resolved = PathBuf::from("/");
            }
            if ahead.is_empty() && is_dangling(root, &next) {
                way.resolved = next;
                break;
            }
            push_front(&mut ahead, &target);
        }
        Ok(way)
    }

    /// Notes the directory in which a name is looked up now, when somebody other than root can replace entries.
    fn note_directory(&mut self, root: &RootDir) -> Result<(), Error> {
        let opened = root.open_at(&self.resolved, OFlags::PATH | OFlags::NOFOLLOW)?;
        let os = |errno: Errno| Error::Os { path: self.resolved.clone(), source: errno.into() };
        let stat = statx(&opened, "", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS).map_err(os)?;
        let mode = u32::from(stat.stx_mode);
        // The owner of a directory may replace what is in it even if it is sticky.
        let by_owner = stat.stx_uid != 0;
        let by_others = mode & 0o002 != 0 || (mode & 0o020 != 0 && stat.stx_gid != 0);
        let sticky = mode & 0o1000 != 0;
        // The mask of an ACL shows as the group's bits: without them no entry grants writing.
        let by_acl = || {
            Ok::<_, Error>(
                mode & 0o020 != 0 && read_acl(&opened).map_err(os)?.iter().any(|e| acl::lets_others_write(e)),
            )
        };
        if by_owner || (!sticky && (by_others || by_acl()?)) {
            let path = self.resolved.to_string_lossy().into_owned();
            if !self.writable.contains(&path) {
                self.writable.push(path);
            }
        }
        Ok(())
    }
}

fn push_front(ahead: &mut VecDeque<OsString>, path: &Path) {
    for component in path.components().rev() {
        match component {
            Component::Normal(name) => ahead.push_front(name.to_owned()),
            Component::ParentDir => ahead.push_front("..".into()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
}

/// Whether a link leads nowhere.
fn is_dangling(root: &RootDir, path: &Path) -> bool {
    root.stat(path, true).is_err_and(|error| error.is_not_found())
}

/// The ACL of an opened file. An `O_PATH` descriptor has to be taken through `/proc/self/fd` (open(2)).
fn read_acl(opened: &impl AsFd) -> Result<Vec<String>, Errno> {
    let path = format!("/proc/self/fd/{}", opened.as_fd().as_raw_fd());
    let mut buffer = vec![0_u8; acl::MAX_SIZE];
    match getxattr(path, acl::ATTRIBUTE, &mut buffer[..]) {
        Ok(length) => acl::parse(buffer.get(..length).unwrap_or_default()).ok_or(Errno::INVAL),
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(Vec::new()),
        Err(errno) => Err(errno),
    }
}

fn kind(stat: &Statx) -> FileKind {
    match file_type(stat) {
        FileType::Directory => FileKind::Directory,
        FileType::Socket => FileKind::Socket,
        FileType::Symlink => FileKind::Symlink,
        FileType::BlockDevice => FileKind::BlockDevice,
        FileType::CharacterDevice => FileKind::CharDevice,
        FileType::Fifo => FileKind::Fifo,
        _ => FileKind::Regular,
    }
}

fn file_type(stat: &Statx) -> FileType {
    FileType::from_raw_mode(stat.stx_mode.into())
}

/// Names by number, of passwd or group: the first and third field of each line.
pub(super) fn names_by_id(text: &str) -> HashMap<u32, String> {
    let mut names = HashMap::new();
    for line in text.lines() {
        let mut fields = line.split(':');
        if let (Some(name), Some(Ok(id))) = (fields.next(), fields.nth(1).map(str::parse)) {
            names.entry(id).or_insert_with(|| name.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

    use super::*;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// A tree whose directories belong to whoever runs the test.
    fn tree() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("etc/docker")).unwrap();
        fs::write(dir.path().join("etc/passwd"), "root:x:0:0::/:\nmax:x:4242:4242::/:\n").unwrap();
        fs::write(dir.path().join("etc/group"), "root:x:0:\ndocker:x:998:\n").unwrap();
        for directory in ["", "etc", "etc/docker"] {
            mode(&dir.path().join(directory), 0o755);
        }
        dir
    }

    #[test]
    fn links_are_followed_to_the_file_that_counts() {
        let dir = tree();
        let real = dir.path().join("etc/docker/real.json");
        fs::write(&real, "{}").unwrap();
        mode(&real, 0o606);
        symlink("/etc/docker/real.json", dir.path().join("etc/docker/daemon.json")).unwrap();
        symlink("nowhere", dir.path().join("etc/docker/dangling")).unwrap();
        symlink("loop", dir.path().join("etc/docker/loop")).unwrap();

        let root = RootDir::open(dir.path()).unwrap();
        let fact = Describer::new(&root).describe("/etc/docker/daemon.json", FileRole::EngineConfig);
        let stat = fact.stat.value().unwrap();
        assert_eq!(
            (stat.resolved.as_str(), stat.mode, stat.kind),
            ("/etc/docker/real.json", 0o606, FileKind::Regular)
        );
        assert_eq!(stat.inode, fs::metadata(&real).unwrap().ino());
        let kind = |path: &str| {
            Describer::new(&root).describe(path, FileRole::Other).stat.value().map(|stat| stat.kind)
        };
        assert_eq!(kind("/etc/docker/dangling"), Some(FileKind::Symlink));
        assert_eq!(kind("/etc/docker/../docker"), Some(FileKind::Directory));
        assert!(matches!(
            Describer::new(&root).describe("/etc/docker/none", FileRole::Other).stat,
            Fact::Absent { .. }
        ));
        assert!(matches!(
            Describer::new(&root).describe("/etc/docker/loop", FileRole::Other).stat,
            Fact::Unreadable { .. }
        ));
    }

    #[test]
    fn directories_through_which_it_can_be_replaced() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let dir = tree();
        let at = |path: &str| dir.path().join(path);
        for directory in ["srv", "srv/team", "srv/tmp", "srv/max"] {
            fs::create_dir(at(directory)).unwrap();
            mode(&at(directory), 0o755);
        }
        chown(at("srv/team"), None, Some(50)).unwrap();
        mode(&at("srv/team"), 0o775);
        mode(&at("srv/tmp"), 0o1777);
        chown(at("srv/max"), Some(4242), None).unwrap();
        fs::write(at("etc/docker/file"), "").unwrap();
        symlink("/etc/docker/file", at("srv/team/a")).unwrap();
        symlink("../team/a", at("srv/tmp/b")).unwrap();
        symlink("../tmp/b", at("srv/max/c")).unwrap();
        let root = RootDir::open(dir.path()).unwrap();
        let stat = Describer::new(&root).describe("/srv/max/c", FileRole::Other).stat;
        let stat = stat.value().unwrap();
        assert_eq!(stat.replaceable_through, ["/srv/max", "/srv/team"]);
        assert_eq!((stat.resolved.as_str(), stat.user.as_deref()), ("/etc/docker/file", Some("root")));
        let direct = Describer::new(&root).describe("/etc/docker/file", FileRole::Other).stat;
        assert!(direct.value().unwrap().replaceable_through.is_empty());
    }
}
