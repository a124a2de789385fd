//! Host paths that are visible in a container: mounts whose device and root correspond to a mount of the host.

use std::collections::BTreeMap;

use plimsoll_facts::{Declared, DeclaredMount, HostPath, Mount};

use super::mount_tree::below;
use super::mounts::HostView;

/// Most writable mounts that are listed below a read-only one.
const MAX_BELOW: usize = 64;

/// Finds what a container sees of the host, without what the engine made for this container alone: its root file
/// system, `/etc/hosts` and the like, and its named volumes.
pub(super) fn find(
    id: &str,
    declared: Option<&Declared>,
    mounts: &[Mount],
    host: &HostView<'_>,
) -> Vec<HostPath> {
    let all = || declared.into_iter().flat_map(|d| &d.mounts);
    let asked: BTreeMap<&str, &DeclaredMount> = all().map(|m| (m.target.as_str(), m)).collect();
    let volumes: Vec<&DeclaredMount> = all().filter(|m| m.kind == "volume").collect();
    let writable: BTreeMap<&str, &Mount> =
        mounts.iter().filter(|m| !m.is_read_only()).map(|m| (m.target.as_str(), m)).collect();
    let mut found = Vec::new();
    for mount in mounts {
        let asked = asked.get(mount.target.as_str()).copied();
        let on_host = host.path_of(&mount.device, &mount.root).or_else(|| {
            // Mounted in the engine's own mount namespace, not in the host's.
            asked.filter(|asked| asked.kind == "bind").map(|asked| asked.source.clone())
        });
        let Some(on_host) = on_host else { continue };
        if of_this_container(id, mount, asked, &on_host) || volumes.iter().any(|v| is_volume(v, &on_host)) {
            continue;
        }
        let read_only = mount.is_read_only();
        found.push(HostPath {
            writable: !read_only,
            writable_below: if read_only { writable_below(&writable, &mount.target) } else { Vec::new() },
            propagation: propagation(mount).to_owned(),
            nosuid: mount.has_option("nosuid"),
            fs_type: mount.fs_type.clone(),
            target: mount.target.clone(),
            host: on_host,
        });
    }
    found
}

/// Whether a mount shows nothing that the host or another container uses.
fn of_this_container(id: &str, mount: &Mount, asked: Option<&DeclaredMount>, on_host: &str) -> bool {
    if mount.target == "/" {
        // A root file system can be the host's own (`podman run --rootfs /`).
        return on_host != "/";
    }
    if asked.is_some_and(|asked| asked.kind == "bind") {
        return false;
    }
    // Files and directories that the engine keeps for each container are named after it.
    on_host.split('/').any(|component| !id.is_empty() && component == id)
        || is_init_program(mount)
        || is_kernel_default(mount)
}

/// Whether a path is where the engine keeps a volume. With `o=bind,device=/etc` the kernel shows that directory.
fn is_volume(volume: &DeclaredMount, on_host: &str) -> bool {
    let at_source = !volume.source.is_empty() && below(on_host, &volume.source).is_some();
    at_source || (!volume.name.is_empty() && on_host.contains(&format!("/volumes/{}/_data", volume.name)))
}

/// What `--init` puts there.
fn is_init_program(mount: &Mount) -> bool {
    let names = ["/docker-init", "/podman-init", "/dev/init"];
    mount.is_read_only() && names.iter().any(|name| mount.target.ends_with(name))
}

/// The kernel's file systems where every container has them. They are the host's own where the namespace is shared,
/// which is told by the namespace; a writable `/sys` or whole cgroup tree is more than that.
fn is_kernel_default(mount: &Mount) -> bool {
    let at = |directory| below(&mount.target, directory).is_some();
    match mount.fs_type.as_str() {
        "proc" => at("/proc"),
        "sysfs" => at("/sys") && mount.is_read_only(),
        "cgroup" | "cgroup2" => at("/sys/fs/cgroup") && (mount.is_read_only() || mount.root != "/"),
        "mqueue" => at("/dev/mqueue"),
        "devpts" => at("/dev/pts") || at("/dev/console"),
        _ => false,
    }
}

fn writable_below(writable: &BTreeMap<&str, &Mount>, target: &str) -> Vec<String> {
    let prefix = format!("{}/", target.trim_end_matches('/'));
    let near = writable.range(prefix.as_str()..).take_while(|(target, _)| target.starts_with(&prefix));
    near.map(|(target, _)| (*target).to_owned()).take(MAX_BELOW).collect()
}

fn propagation(mount: &Mount) -> &'static str {
    match (mount.shared, mount.master) {
        (Some(_), _) => "shared",
        (None, Some(_)) => "slave",
        (None, None) => "",
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::Fact;

    use super::*;
    use crate::mountinfo;

    const ID: &str = "60b69a1376926a5d9394290b47ebab4842efd13ee563face76983ee88fcc669f";
    /// From a Debian 12 host with Docker 20.10.
    const HOST: &str = "27 1 254:0 / / rw - ext4 /dev/vda rw\n\
        22 27 0:21 / /proc rw - proc proc rw\n\
        24 27 0:6 / /dev rw - devtmpfs devtmpfs rw\n\
        23 27 0:22 / /sys rw - sysfs sysfs rw\n\
        32 23 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
        42 27 254:0 /var/lib/docker /var/lib/docker rw shared:1 - ext4 /dev/vda rw\n\
        43 42 254:0 /etc /var/lib/docker/volumes/v/_data rw shared:9 - ext4 /dev/vda rw\n\
        65 42 0:78 / /var/lib/docker/fuse-overlayfs/e4/merged rw - fuse.fuse-overlayfs fuse-overlayfs rw\n";
    /// What every container on it has.
    const USUAL: &str = "254 132 0:78 / / rw master:6 - fuse.fuse-overlayfs fuse-overlayfs rw\n\
        255 254 0:80 / /proc rw,nosuid - proc proc rw\n\
        256 254 0:81 / /dev rw,nosuid - tmpfs tmpfs rw\n\
        260 259 0:29 /docker/60b6 /sys/fs/cgroup/cpu ro,nosuid - cgroup cgroup rw,cpu\n\
        270 256 0:85 / /dev/shm rw,nosuid - tmpfs shm rw\n\
        273 254 254:0 /var/lib/docker/containers/ID/hosts /etc/hosts rw - ext4 /dev/vda rw\n\
        274 254 254:0 /usr/bin/tini-static /usr/sbin/docker-init ro - ext4 /dev/vda rw\n";

    fn paths(more: &str, asked: &[(&str, &str, &str, &str)]) -> Vec<HostPath> {
        let mounts = mountinfo::parse(format!("{USUAL}{more}").replace("ID", ID).as_bytes()).unwrap();
        let on_host = Fact::known(mountinfo::parse(HOST.as_bytes()).unwrap(), "mountinfo");
        let asked = asked.iter().map(|(kind, name, source, target)| DeclaredMount {
            kind: (*kind).into(),
            name: (*name).into(),
            source: (*source).into(),
            target: (*target).into(),
            ..DeclaredMount::default()
        });
        let declared = Declared { mounts: asked.collect(), ..Declared::default() };
        find(ID, Some(&declared), &mounts, &HostView::new(&on_host, None))
    }

    #[test]
    fn a_default_container_sees_nothing_of_the_host() {
        assert_eq!(paths("", &[]), []);
        let volume = "300 254 254:0 /var/lib/docker/volumes/db/_data /db rw - ext4 /dev/vda rw\n";
        assert_eq!(paths(volume, &[("volume", "db", "/var/lib/docker/volumes/db/_data", "/db")]), []);
    }

    #[test]
    fn binds_under_any_name_are_found() {
        let found = paths(
            "300 254 254:0 /etc /conf rw,nosuid - ext4 /dev/vda rw\n\
             301 254 254:0 /srv /m ro master:3 - ext4 /dev/vda rw\n\
             302 301 0:90 / /m/sub rw - tmpfs tmpfs rw\n\
             303 254 0:21 / /hostproc rw - proc proc rw\n\
             304 254 0:22 / /sys rw - sysfs sysfs rw\n\
             305 254 0:6 /vda /disk rw - devtmpfs devtmpfs rw\n",
            &[("volume", "v", "/var/lib/docker/volumes/v/_data", "/conf")],
        );
        let short: Vec<_> = found.iter().map(|p| (p.host.as_str(), p.target.as_str(), p.writable)).collect();
        let expected = [
            ("/etc", "/conf", true),
            ("/srv", "/m", false),
            ("/proc", "/hostproc", true),
            ("/sys", "/sys", true),
            ("/dev/vda", "/disk", true),
        ];
        assert_eq!(short, expected);
        assert!(found[0].nosuid);
        assert_eq!(
            (found[1].propagation.as_str(), &found[1].writable_below[..]),
            ("slave", &["/m/sub".to_owned()][..])
        );
    }

    #[test]
    fn the_hosts_own_files_are_not_the_engines() {
        let more = "300 254 254:0 /etc/resolv.conf /etc/resolv.conf rw - ext4 /dev/vda rw\n\
             301 254 254:0 / / rw - ext4 /dev/vda rw\n\
             302 254 0:99 / /far ro - nfs4 server:/x rw\n";
        let found = paths(
            more,
            &[("bind", "", "/mnt/x", "/far"), ("bind", "", "/etc/resolv.conf", "/etc/resolv.conf")],
        );
        let short: Vec<_> = found.iter().map(|p| (p.host.as_str(), p.target.as_str())).collect();
        assert_eq!(short, [("/etc/resolv.conf", "/etc/resolv.conf"), ("/", "/"), ("/mnt/x", "/far")]);
    }
}
