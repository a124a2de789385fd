//! Limits in force: the lowest value over a cgroup and its ancestors (cgroups(7), and the kernel's
//! admin-guide/cgroup-v1 and cgroup-v2).

use std::rc::Rc;

use plimsoll_facts::{Limit, Limits};

use super::cgroup_files::{Branch, CgroupFiles, Missing};
use crate::procs::Cgroups;

/// v1 writes "no limit" as the largest number of pages; nobody has an exbibyte.
const UNLIMITED: u64 = 1 << 60;
/// Throttles of the v1 block controller.
const V1_THROTTLES: [&str; 4] = [
    "blkio.throttle.read_bps_device",
    "blkio.throttle.write_bps_device",
    "blkio.throttle.read_iops_device",
    "blkio.throttle.write_iops_device",
];
/// Most throttle lines that are kept.
const MAX_IO_LINES: usize = 256;

/// Reads the limits that hold for a process in these cgroups.
pub(super) fn read(files: &CgroupFiles<'_>, cgroups: &Cgroups) -> Limits {
    let mut reader = Reader { files, cgroups, limits: Limits::default() };
    reader.controller("memory", "memory", memory, |limits, why| {
        limits.memory.source.clone_from(why);
        limits.swap.source.clone_from(why);
    });
    reader.controller("pids", "pids", pids, |limits, why| limits.pids.source.clone_from(why));
    reader.controller("cpu", "cpu", cpu, |limits, why| limits.cpus.source.clone_from(why));
    reader.controller("cpuset", "cpuset", cpuset, |_, _| {});
    reader.controller("blkio", "io", io, |_, _| {});
    reader.limits
}

struct Reader<'a> {
    files: &'a CgroupFiles<'a>,
    cgroups: &'a Cgroups,
    limits: Limits,
}

impl Reader<'_> {
    fn controller(
        &mut self,
        v1: &str,
        v2: &str,
        read: impl Fn(&Branch<'_>, &mut Limits) -> Result<(), String>,
        unlimited: impl Fn(&mut Limits, &String),
    ) {
        let failed = match self.files.branch(self.cgroups, v1, v2) {
            Ok(branch) => {
                if self.limits.cgroup.is_empty() {
                    branch.path.clone_into(&mut self.limits.cgroup);
                }
                read(&branch, &mut self.limits)
            }
            Err(Missing::NoController(why)) => {
                unlimited(&mut self.limits, &why);
                Ok(())
            }
            Err(Missing::Unreadable(why)) => Err(why),
        };
        if let Err(why) = failed {
            self.limits.unreadable.insert(v2.to_owned(), why);
        }
    }
}

fn memory(branch: &Branch<'_>, limits: &mut Limits) -> Result<(), String> {
    if branch.version == 2 {
        limits.memory = lowest(branch, "memory.max", branch.levels("memory.max")?, bytes)?;
        limits.swap = lowest(branch, "memory.swap.max", branch.levels("memory.swap.max")?, bytes)?;
        return Ok(());
    }
    for (limit, file) in [
        (&mut limits.memory, "memory.limit_in_bytes"),
        // Absent where the kernel does not account for swap: then nothing limits it.
        (&mut limits.swap, "memory.memsw.limit_in_bytes"),
    ] {
        *limit = lowest(branch, file, branch.memory_levels(file)?, bytes)?;
    }
    Ok(())
}

fn pids(branch: &Branch<'_>, limits: &mut Limits) -> Result<(), String> {
    limits.pids = lowest(branch, "pids.max", branch.levels("pids.max")?, bytes)?;
    Ok(())
}

fn cpu(branch: &Branch<'_>, limits: &mut Limits) -> Result<(), String> {
    if branch.version == 2 {
        limits.cpus = lowest(branch, "cpu.max", branch.levels("cpu.max")?, |text| {
            let (quota, period) = text.split_once(' ')?;
            if quota == "max" { Some(None) } else { ratio(quota, period).map(Some) }
        })?;
        limits.cpu_weight = branch.own("cpu.weight")?.and_then(|text| text.parse().ok());
        return Ok(());
    }
    let mut levels = Vec::new();
    let periods = branch.levels("cpu.cfs_period_us")?;
    for ((path, quota), (_, period)) in branch.levels("cpu.cfs_quota_us")?.into_iter().zip(periods) {
        levels.push((path, Rc::from(format!("{quota} {period}"))));
    }
    limits.cpus = lowest(branch, "cpu.cfs_quota_us", levels, |text| {
        let (quota, period) = text.split_once(' ')?;
        if quota == "-1" { Some(None) } else { ratio(quota, period).map(Some) }
    })?;
    limits.cpu_weight = branch.own("cpu.shares")?.and_then(|text| text.parse().ok());
    Ok(())
}

/// The nearest level that tells which CPUs are usable: it already takes the ancestors into account.
fn cpuset(branch: &Branch<'_>, limits: &mut Limits) -> Result<(), String> {
    let file = if branch.version == 2 { "cpuset.cpus.effective" } else { "cpuset.effective_cpus" };
    let levels = branch.levels(file)?;
    limits.cpuset = levels.into_iter().next().map(|(_, cpus)| cpus.to_string());
    Ok(())
}

fn io(branch: &Branch<'_>, limits: &mut Limits) -> Result<(), String> {
    let files: &[&str] = if branch.version == 2 { &["io.max"] } else { &V1_THROTTLES };
    for file in files {
        for (_, text) in branch.levels(file)? {
            for line in text.lines().filter(|line| !line.is_empty()) {
                if limits.io.len() < MAX_IO_LINES {
                    limits.io.push(format!("{file} {line}"));
                }
            }
        }
    }
    Ok(())
}

/// The lowest of some levels; the cgroup's own file is the source where none limits.
fn lowest<T: PartialOrd>(
    branch: &Branch<'_>,
    file: &str,
    levels: Vec<(String, Rc<str>)>,
    parse: impl Fn(&str) -> Option<Option<T>>,
) -> Result<Limit<T>, String> {
    let mut lowest = Limit { value: None, source: branch.file(file) };
    for (path, text) in levels {
        let value = parse(&text).ok_or_else(|| format!("{path} holds {text:?}"))?;
        if let Some(value) = value
            && lowest.value.as_ref().is_none_or(|known| value < *known)
        {
            lowest = Limit { value: Some(value), source: path };
        }
    }
    Ok(lowest)
}

/// A number, or `max`.
pub(super) fn bytes(text: &str) -> Option<Option<u64>> {
    match text {
        "max" => Some(None),
        number => number.parse().ok().map(|value| Some(value).filter(|value| *value < UNLIMITED)),
    }
}

pub(super) fn ratio(quota: &str, period: &str) -> Option<f64> {
    let period = period.parse::<u32>().ok().filter(|period| *period > 0)?;
    Some(f64::from(quota.parse::<u32>().ok()?) / f64::from(period))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use plimsoll_facts::{CgroupHome, CgroupLayout, CgroupMode};
    use plimsoll_rootdir::RootDir;

    use super::*;

    fn write(root: &Path, files: &[(&str, &str)]) {
        for (path, content) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
    }

    fn layout(mode: CgroupMode, homes: &[(&str, u8, &str)]) -> CgroupLayout {
        let home = |(name, version, mount): &(&str, u8, &str)| {
            ((*name).to_owned(), CgroupHome { version: *version, mount: (*mount).to_owned() })
        };
        CgroupLayout { mode, controllers: homes.iter().map(home).collect(), v2_mount: None }
    }

    fn limits(root: &Path, layout: CgroupLayout, cgroup: &str) -> Limits {
        let root = RootDir::open(root).unwrap();
        read(&CgroupFiles::new(&root, layout), &Cgroups::parse(cgroup.as_bytes()).unwrap())
    }

    /// Docker with the systemd driver: the slice of a tenant is lower than what the container was given.
    #[test]
    fn v2_with_slices() {
        let dir = tempfile::tempdir().unwrap();
        let mount = "/sys/fs/cgroup";
        let slice = "sys/fs/cgroup/tenant.slice";
        write(
            dir.path(),
            &[
                ("sys/fs/cgroup/cpuset.cpus.effective", "0-3\n"),
                (&format!("{slice}/memory.max"), "67108864\n"),
                (&format!("{slice}/pids.max"), "max\n"),
                (&format!("{slice}/io.max"), "254:0 rbps=max wbps=1048576 riops=max wiops=max\n"),
                (&format!("{slice}/docker-x.scope/memory.max"), "536870912\n"),
                (&format!("{slice}/docker-x.scope/memory.swap.max"), "max\n"),
                (&format!("{slice}/docker-x.scope/pids.max"), "100\n"),
                (&format!("{slice}/docker-x.scope/cpu.max"), "150000 100000\n"),
                (&format!("{slice}/docker-x.scope/cpu.weight"), "100\n"),
            ],
        );
        let homes: Vec<_> = ["memory", "pids", "cpu", "cpuset", "io"].map(|c| (c, 2, mount)).into();
        let limits = limits(dir.path(), layout(CgroupMode::V2, &homes), "0::/tenant.slice/docker-x.scope\n");
        assert_eq!(limits.cgroup, "/tenant.slice/docker-x.scope");
        assert_eq!(limits.memory.value, Some(64 << 20));
        assert_eq!(limits.memory.source, "/sys/fs/cgroup/tenant.slice/memory.max");
        assert_eq!((limits.swap.value, limits.pids.value), (None, Some(100)));
        assert_eq!((limits.cpus.value, limits.cpu_weight), (Some(1.5), Some(100)));
        // The controller is not enabled below the root: the root's CPUs are what counts.
        assert_eq!(limits.cpuset.as_deref(), Some("0-3"));
        assert_eq!(limits.io, ["io.max 254:0 rbps=max wbps=1048576 riops=max wiops=max"]);
        assert!(limits.unreadable.is_empty(), "{:?}", limits.unreadable);
    }

    /// Numbers of a Debian 12 host with Docker 20.10.
    #[test]
    fn v1_with_a_parent() {
        let dir = tempfile::tempdir().unwrap();
        let none = "9223372036854771712\n";
        write(
            dir.path(),
            &[
                ("m/memory.limit_in_bytes", none),
                ("m/p/memory.limit_in_bytes", "67108864\n"),
                ("m/p/memory.use_hierarchy", "1\n"),
                ("m/p/x/memory.limit_in_bytes", "536870912\n"),
                ("m/p/x/memory.memsw.limit_in_bytes", none),
                ("pids/p/pids.max", "20\n"),
                ("pids/p/x/pids.max", "max\n"),
                ("c/cpu.shares", "1024\n"),
                ("c/p/cpu.cfs_quota_us", "50000\n"),
                ("c/p/cpu.cfs_period_us", "100000\n"),
                ("c/p/x/cpu.cfs_quota_us", "-1\n"),
                ("c/p/x/cpu.cfs_period_us", "100000\n"),
                ("c/p/x/cpu.shares", "512\n"),
            ],
        );
        let homes = [("memory", 1, "/m"), ("pids", 1, "/pids"), ("cpu", 1, "/c"), ("blkio", 1, "/gone")];
        let cgroup = "4:blkio:/p/x\n3:cpu,cpuacct:/p/x\n2:pids:/p/x\n1:memory:/p/x\n";
        let read = || limits(dir.path(), layout(CgroupMode::V1, &homes), cgroup);
        let limits = read();
        assert_eq!((limits.memory.value, limits.swap.value), (Some(64 << 20), None));
        assert_eq!((limits.pids.value, limits.pids.source.as_str()), (Some(20), "/pids/p/pids.max"));
        assert_eq!((limits.cpus.value, limits.cpu_weight), (Some(0.5), Some(512)));
        assert_eq!(limits.cpuset, None);
        assert_eq!(limits.unreadable.keys().collect::<Vec<_>>(), ["io"]);

        // Without the hierarchy flag, old kernels do not count the parent.
        write(dir.path(), &[("m/p/memory.use_hierarchy", "0\n")]);
        assert_eq!(read().memory.value, Some(512 << 20));

        write(dir.path(), &[("pids/p/pids.max", "many\n")]);
        assert_eq!(read().unreadable["pids"], "/pids/p/pids.max holds \"many\"");
    }

    #[test]
    fn without_the_controller_nothing_is_limited() {
        let dir = tempfile::tempdir().unwrap();
        let none = limits(dir.path(), layout(CgroupMode::V1, &[]), "1:name=systemd:/x\n");
        assert_eq!((none.memory.value, none.unreadable.len()), (None, 0));
        assert_eq!(none.memory.source, "no hierarchy has the memory controller");
        let unknown = limits(dir.path(), layout(CgroupMode::None, &[]), "0::/x\n");
        assert_eq!(unknown.unreadable.len(), 5);
    }
}
