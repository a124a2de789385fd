//! Processes: one pass over `/proc` (proc(5)).

mod maps;
mod pid_dir;

use std::collections::HashSet;
use std::sync::Arc;

use plimsoll_facts::Namespaces;
use plimsoll_rootdir::RootDir;

pub(crate) use pid_dir::{Error, PidDir, Proc};

/// Most hierarchies that a process is in (Linux has 15 controllers; v1 may mount each, and named ones, apart).
const MAX_HIERARCHIES: usize = 64;
/// Longest `/proc/PID/cgroup`: a path may be 4 KiB long in each hierarchy.
const CGROUP_LIMIT: usize = 256 * 1024;
/// Longest `/proc/PID/stat`.
const STAT_LIMIT: usize = 4096;
/// Longest `/proc/stat`: a line a CPU, and one number an interrupt.
const SYSTEM_STAT_LIMIT: usize = 8 * 1024 * 1024;
/// `PF_KTHREAD` of `linux/sched.h`, in the flags of `/proc/PID/stat`.
const PF_KTHREAD: u64 = 0x0020_0000;

/// Every process of a host (threads of the kernel left out), as one pass over `/proc` saw it.
#[derive(Debug)]
pub(crate) struct Processes {
    /// The `/proc` that was read.
    pub(crate) proc: Proc,
    rows: Vec<Row>,
    unread: Vec<(u32, Error)>,
    sees_kernel: bool,
    kernel_namespaces: Option<Namespaces>,
    boot_time: Option<i64>,
    ticks_per_second: u64,
}

/// What one pass keeps of a process.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Process id.
    pub(crate) pid: u32,
    /// Parent.
    pub(crate) ppid: u32,
    /// Name (`comm`): whatever the process calls itself.
    pub(crate) name: String,
    /// When it started, in clock ticks since boot: with the pid it names one process for ever.
    pub(crate) start_ticks: u64,
    /// Number of threads.
    pub(crate) threads: u32,
    /// Whether all of it has ended, and it only waits for its parent: such a process has no program and no namespaces.
    pub(crate) zombie: bool,
    /// Whether its first thread has ended while others go on: then only [`PidDir::live_thread`] shows what it has open.
    pub(crate) headless: bool,
    /// Target of `/proc/PID/exe`, ` (deleted)` included, in the mount namespace of the process.
    pub(crate) exe: Result<String, Error>,
    /// Namespaces.
    pub(crate) namespaces: Result<Namespaces, Error>,
    /// Cgroups; processes in the same ones share the value.
    pub(crate) cgroups: Result<Arc<Cgroups>, Error>,
}

/// The cgroup of a process in each hierarchy (`/proc/PID/cgroup`, cgroups(7)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Cgroups(pub(crate) Vec<CgroupLine>);

/// One line of `/proc/PID/cgroup`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct CgroupLine {
    /// Number of the hierarchy; 0 is v2.
    pub(crate) hierarchy: u32,
    /// Controllers, comma separated; empty for v2, `name=…` for a named hierarchy.
    pub(crate) controllers: String,
    /// Path below the hierarchy's root (or below the root of the reader's cgroup namespace).
    pub(crate) path: String,
}

impl Processes {
    /// Reads every process once. What cannot be read of one process is kept with the reason.
    ///
    /// # Errors
    /// When there is no `/proc`, or it cannot be listed.
    pub(crate) fn scan(root: &RootDir) -> Result<Self, Error> {
        let proc = Proc::open(root)?;
        let mut scan = Scan::default();
        let (mut rows, mut unread) = (Vec::new(), Vec::new());
        for pid in proc.pids()? {
            match proc.pid(pid).and_then(|dir| scan.row(&dir)) {
                Ok(row) => rows.extend(row),
                // A process that ends while we look was not there.
                Err(Error::Gone) => {}
                Err(error) => unread.push((pid, error)),
            }
        }
        Ok(Self {
            rows,
            unread,
            sees_kernel: scan.sees_kernel,
            kernel_namespaces: scan.kernel_namespaces,
            boot_time: proc.boot_time(),
            ticks_per_second: rustix::param::clock_ticks_per_second().max(1),
            proc,
        })
    }

    /// All processes, by ascending pid.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The process with this id.
    pub(crate) fn get(&self, pid: u32) -> Option<&Row> {
        let index = self.rows.binary_search_by_key(&pid, |row| row.pid).ok()?;
        self.rows.get(index)
    }

    /// Processes of which nothing could be read (`hidepid=1`, proc(5)).
    pub(crate) fn unread(&self) -> &[(u32, Error)] {
        &self.unread
    }

    /// Whether this `/proc` shows all processes of the host, as threads of the kernel among them tell. In a PID
    /// namespace of its own, or with `hidepid=2`, it does not.
    pub(crate) fn sees_all(&self) -> bool {
        self.sees_kernel
    }

    /// Namespaces of a thread of the kernel: the host's own, which nobody can change. `None` where no such thread
    /// is visible (the reader is in another PID namespace) or its namespaces may not be read.
    pub(crate) fn kernel_namespaces(&self) -> Option<Namespaces> {
        self.kernel_namespaces
    }

    /// When a process started, in seconds since the Unix epoch by today's clock.
    pub(crate) fn started_at(&self, row: &Row) -> Option<i64> {
        let since_boot = i64::try_from(row.start_ticks / self.ticks_per_second).ok()?;
        self.boot_time?.checked_add(since_boot)
    }

    /// Opens the directory of a process that this pass saw.
    ///
    /// # Errors
    /// When it has ended, even where its number now names another process.
    pub(crate) fn open(&self, row: &Row) -> Result<PidDir, Error> {
        let dir = self.proc.pid(row.pid)?;
        let stat = Stat::parse(&dir.read("stat", STAT_LIMIT)?).ok_or(Error::Malformed)?;
        if stat.start_ticks == row.start_ticks { Ok(dir) } else { Err(Error::Gone) }
    }

    /// As [`Self::open`], of a thread that still runs where the first one has ended.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(crate) fn open_live(&self, row: &Row) -> Result<PidDir, Error> {
        let dir = self.open(row)?;
        if row.headless { dir.live_thread().ok_or(Error::Gone) } else { Ok(dir) }
    }
}

impl Proc {
    /// When the kernel started, in seconds since the Unix epoch by today's clock (`btime` of `/proc/stat`).
    fn boot_time(&self) -> Option<i64> {
        let stat = self.read("stat", SYSTEM_STAT_LIMIT).ok()?;
        let line = stat.split(|b| *b == b'\n').find_map(|line| line.strip_prefix(b"btime "))?;
        std::str::from_utf8(line).ok()?.trim().parse().ok()
    }

    /// Reads one process; `None` for a thread of the kernel.
    ///
    /// # Errors
    /// When there is no such process.
    pub(crate) fn row(&self, pid: u32) -> Result<Option<Row>, Error> {
        Scan::default().row(&self.pid(pid)?)
    }
}

/// What is shared between the rows of one pass.
#[derive(Default)]
struct Scan {
    cgroups: HashSet<Arc<Cgroups>>,
    last: Option<(Vec<u8>, Arc<Cgroups>)>,
    sees_kernel: bool,
    kernel_namespaces: Option<Namespaces>,
}

impl Scan {
    fn row(&mut self, dir: &PidDir) -> Result<Option<Row>, Error> {
        let stat = Stat::parse(&dir.read("stat", STAT_LIMIT)?).ok_or(Error::Malformed)?;
        if stat.flags & PF_KTHREAD != 0 {
            self.sees_kernel = true;
            if self.kernel_namespaces.is_none() {
                self.kernel_namespaces = dir.namespaces().ok();
            }
            return Ok(None);
        }
        let ended = matches!(stat.state, b'Z' | b'X');
        // A process goes on in its other threads when its first one has ended; only they show what it is.
        let thread = if ended { dir.live_thread() } else { None };
        let live = thread.as_ref().unwrap_or(dir);
        Ok(Some(Row {
            pid: stat.pid,
            ppid: stat.ppid,
            start_ticks: stat.start_ticks,
            threads: stat.threads,
            zombie: ended && thread.is_none(),
            headless: thread.is_some(),
            name: stat.name,
            exe: live.link("exe"),
            namespaces: live.namespaces(),
            cgroups: self.cgroups(live),
        }))
    }

    fn cgroups(&mut self, dir: &PidDir) -> Result<Arc<Cgroups>, Error> {
        let bytes = dir.read("cgroup", CGROUP_LIMIT)?;
        // Processes of one container mostly follow each other.
        if let Some((last, shared)) = &self.last
            && *last == bytes
        {
            return Ok(Arc::clone(shared));
        }
        let parsed = Cgroups::parse(&bytes).ok_or(Error::Malformed)?;
        let shared = match self.cgroups.get(&parsed) {
            Some(known) => Arc::clone(known),
            None => {
                let new = Arc::new(parsed);
                self.cgroups.insert(Arc::clone(&new));
                new
            }
        };
        self.last = Some((bytes, Arc::clone(&shared)));
        Ok(shared)
    }
}

impl Cgroups {
    /// Takes `/proc/PID/cgroup` apart; `None` where it is not in the kernel's form.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut lines = Vec::new();
        for line in bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            let text = String::from_utf8_lossy(line);
            let mut fields = text.splitn(3, ':');
            lines.push(CgroupLine {
                hierarchy: fields.next()?.parse().ok()?,
                controllers: fields.next()?.to_owned(),
                path: fields.next()?.to_owned(),
            });
            if lines.len() > MAX_HIERARCHIES {
                return None;
            }
        }
        Some(Self(lines))
    }

    /// The path in the hierarchy of a v1 controller.
    pub(crate) fn v1(&self, controller: &str) -> Option<&str> {
        let line = self.0.iter().find(|line| line.controllers.split(',').any(|c| c == controller))?;
        Some(&line.path)
    }

    /// The path in the v2 hierarchy.
    pub(crate) fn v2(&self) -> Option<&str> {
        self.0.iter().find(|line| line.hierarchy == 0).map(|line| line.path.as_str())
    }
}

/// Reads a text as `cgroup`, as `maps` and as `stat`.
#[cfg(any(fuzzing, test))]
pub(crate) fn parse_all(bytes: &[u8]) {
    let _ = maps::parse(bytes);
    if let Some(cgroups) = Cgroups::parse(bytes) {
        let _ = (cgroups.v1("memory"), cgroups.v2());
    }
    let _ = Stat::parse(bytes);
}

/// What is used of `/proc/PID/stat` (proc_pid_stat(5)).
struct Stat {
    pid: u32,
    name: String,
    state: u8,
    ppid: u32,
    flags: u64,
    threads: u32,
    start_ticks: u64,
}

impl Stat {
    /// The name is what the process likes, parentheses and spaces included: it ends at the last `)`.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let open = bytes.iter().position(|b| *b == b'(')?;
        let close = bytes.iter().rposition(|b| *b == b')')?;
        let pid = std::str::from_utf8(bytes.get(..open)?).ok()?.trim().parse().ok()?;
        let name = String::from_utf8_lossy(bytes.get(open + 1..close)?).into_owned();
        let rest = std::str::from_utf8(bytes.get(close + 1..)?).ok()?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().take(20).collect();
        // Field 3 of proc_pid_stat(5) is the first here.
        let field = |number: usize| fields.get(number - 3).copied();
        Some(Self {
            pid,
            name,
            state: *field(3)?.as_bytes().first()?,
            ppid: field(4)?.parse().ok()?,
            flags: field(9)?.parse().ok()?,
            threads: field(20)?.parse().ok()?,
            start_ticks: field(22)?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_with_a_hostile_name() {
        // From a Debian 12 host; the name is changed.
        let line =
            b"1467 (a) S 1 (b) S 1452 1467 1467 0 -1 1077936384 5083 0 103 0 210 207 0 0 20 0 10 0 1039 \
            1385832448 9617 18446744073709551615 1 1 0 0 0 0 1002060288 0 2143420159 0 0 0 17 1 0 0 0 0 0\n";
        let stat = Stat::parse(line).unwrap();
        assert_eq!((stat.pid, stat.name.as_str(), stat.state), (1467, "a) S 1 (b", b'S'));
        assert_eq!((stat.ppid, stat.threads, stat.start_ticks), (1452, 10, 1039));
        assert_eq!(stat.flags & PF_KTHREAD, 0);
        for cut in 0..line.len() - 100 {
            let _ = Stat::parse(&line[..cut]);
        }
    }

    #[test]
    fn cgroups_of_both_versions() {
        let v1 =
            Cgroups::parse(b"9:name=systemd:/docker/x\n3:cpuset:/a:b\n2:cpu,cpuacct:/c\n0::/\n").unwrap();
        assert_eq!((v1.v1("cpuset"), v1.v1("cpuacct"), v1.v1("memory")), (Some("/a:b"), Some("/c"), None));
        assert_eq!(v1.v2(), Some("/"));
        let v2 = Cgroups::parse(b"0::/system.slice/docker-x.scope\n").unwrap();
        assert_eq!((v2.v2(), v2.v1("memory")), (Some("/system.slice/docker-x.scope"), None));
        assert_eq!(Cgroups::parse(b"nonsense"), None);
    }

    #[test]
    fn this_process_is_in_the_table() {
        let processes = Processes::scan(&RootDir::open("/").unwrap()).unwrap();
        let me = processes.get(std::process::id()).unwrap();
        let exe = std::env::current_exe().unwrap();
        assert_eq!(me.exe.as_ref().unwrap(), exe.to_str().unwrap());
        assert!(me.namespaces.as_ref().unwrap().mnt != 0);
        assert!(me.ppid != 0 && !me.zombie && me.threads > 0);
        let age = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
            as i64
            - processes.started_at(me).unwrap();
        assert!((-2..3600).contains(&age), "{age}");
        let dir = processes.open(me).unwrap();
        assert!(dir.read("stat", 3).is_err_and(|e| e == Error::TooLarge(3)));
        assert!(dir.thread(me.pid).unwrap().read_text("comm", 100).is_ok());

        let reused = Row { start_ticks: me.start_ticks + 1, ..me.clone() };
        assert_eq!(processes.open(&reused).unwrap_err(), Error::Gone);
    }

    /// Linux 6.18, after the first thread of a process called `pthread_exit`.
    #[test]
    fn a_process_whose_first_thread_has_ended() {
        let tree = tempfile::tempdir().unwrap();
        let dir = tree.path().join("proc/7");
        for thread in ["", "task/7", "task/8"] {
            let dir = dir.join(thread);
            std::fs::create_dir_all(dir.join("ns")).unwrap();
            let stat = "7 (a) Z 1 7 7 0 -1 4227084 0 0 0 0 0 0 0 0 20 0 2 0 300 0 0 0\n";
            std::fs::write(dir.join("stat"), stat).unwrap();
            std::fs::write(
                dir.join("cgroup"),
                if thread == "task/8" { "4:memory:/docker/x\n" } else { "4:memory:/\n" },
            )
            .unwrap();
        }
        let rows = || Processes::scan(&RootDir::open(tree.path()).unwrap()).unwrap().rows().to_vec();
        assert!(rows()[0].zombie);
        std::os::unix::fs::symlink("mnt:[4026532177]", dir.join("task/8/ns/mnt")).unwrap();
        let row = &rows()[0];
        assert!(!row.zombie && row.headless);
        assert_eq!(row.namespaces.unwrap().mnt, 4_026_532_177);
        assert_eq!(row.cgroups.as_ref().unwrap().v1("memory"), Some("/docker/x"));
    }

    #[test]
    fn a_captured_tree_is_read_like_a_live_one() {
        let tree = tempfile::tempdir().unwrap();
        let dir = tree.path().join("proc/7");
        std::fs::create_dir_all(dir.join("ns")).unwrap();
        std::fs::write(
            dir.join("stat"),
            "7 (init) S 1 7 7 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 300 0 0 0\n",
        )
        .unwrap();
        std::fs::write(dir.join("cgroup"), "0::/docker/x\n").unwrap();
        std::os::unix::fs::symlink("mnt:[4026532177]", dir.join("ns/mnt")).unwrap();
        std::os::unix::fs::symlink("/usr/bin/sleep", dir.join("exe")).unwrap();
        let processes = Processes::scan(&RootDir::open(tree.path()).unwrap()).unwrap();
        let row = processes.get(7).unwrap();
        assert_eq!(row.exe.as_deref(), Ok("/usr/bin/sleep"));
        assert_eq!(row.namespaces.unwrap(), Namespaces { mnt: 4_026_532_177, ..Namespaces::default() });
        assert_eq!(row.cgroups.as_ref().unwrap().v2(), Some("/docker/x"));
        let dir = processes.open(row).unwrap();
        assert_eq!(dir.stat("exe").unwrap_err(), Error::Captured);
    }
}
