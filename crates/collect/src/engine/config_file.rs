//! The daemon's configuration file, as it is on disk now (dockerd(8), daemon.json).

use plimsoll_facts::{ConfigFile, Fact};
use plimsoll_rootdir::RootDir;
use serde_json::{Map, Value};

use super::daemon::Found;
use super::withheld;

/// Where it is unless `--config-file` says otherwise.
const DEFAULT_PATH: &str = "/etc/docker/daemon.json";
/// The largest file that is read.
const MAX_FILE: u64 = 4 << 20;
/// The most keys that are kept.
const MAX_KEYS: usize = 1024;
/// The kernel counts a process's start in ticks of 10 ms.
const TICK_NS: i128 = 10_000_000;

/// The file and its options. `named` is the daemon's `--config-file`.
pub(super) fn read(
    root: &RootDir,
    daemon: Option<&Found>,
    named: Option<&str>,
) -> (Fact<ConfigFile>, Map<String, Value>) {
    let of_user =
        daemon.and_then(|found| found.user_config.as_ref()).map(|dir| format!("{dir}/docker/daemon.json"));
    let path = named.map(str::to_owned).or(of_user).unwrap_or_else(|| DEFAULT_PATH.to_owned());
    let (stat, bytes) = match root.stat(&path, true).and_then(|stat| Ok((stat, root.read(&path, MAX_FILE)?)))
    {
        Ok(both) => both,
        Err(error) if error.is_not_found() => return (Fact::absent(path), Map::new()),
        Err(error) => return (Fact::unreadable(path, error.to_string()), Map::new()),
    };
    let modified_ns = i128::from(stat.stx_mtime.tv_sec) * 1_000_000_000 + i128::from(stat.stx_mtime.tv_nsec);
    let (options, error) = parse(&bytes);
    let file = ConfigFile {
        error,
        modified_at: stat.stx_mtime.tv_sec,
        newer_than_daemon: daemon
            .and_then(|found| found.started_ns)
            .map(|started| modified_ns > started + TICK_NS),
        keys: options.keys().take(MAX_KEYS).cloned().collect(),
        path: path.clone(),
    };
    (Fact::known(file, path), options)
}

/// The options, or why the file holds none.
pub(super) fn parse(bytes: &[u8]) -> (Map<String, Value>, Option<String>) {
    // dockerd takes an empty file for one without options, and passes over a byte order mark.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.trim_ascii().is_empty() {
        return (Map::new(), None);
    }
    match serde_json::from_slice::<Map<String, Value>>(bytes) {
        Ok(mut options) => {
            options.iter_mut().for_each(|(name, value)| withheld::in_json(name, value));
            (options, None)
        }
        Err(error) => (Map::new(), Some(format!("not a JSON object: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(json: Option<&str>) -> (tempfile::TempDir, RootDir) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("etc/docker")).unwrap();
        if let Some(json) = json {
            std::fs::write(dir.path().join("etc/docker/daemon.json"), json).unwrap();
        }
        let root = RootDir::open(dir.path()).unwrap();
        (dir, root)
    }

    fn started(ns: i128) -> Found {
        Found { daemon: plimsoll_facts::Daemon::default(), started_ns: Some(ns), user_config: None }
    }

    #[test]
    fn options_are_read_and_dated() {
        let (_dir, root) = tree(Some(r#"{"icc": false, "log-opts": {"splunk-token": "abc"}}"#));
        let (file, options) = read(&root, Some(&started(0)), None);
        let file = file.value().unwrap();
        assert_eq!(file.keys, ["icc", "log-opts"]);
        assert_eq!((file.error.as_deref(), file.newer_than_daemon), (None, Some(true)));
        assert_eq!(options["icc"], Value::Bool(false));
        assert!(!options["log-opts"].to_string().contains("abc"));
        let (file, _) = read(&root, Some(&started(i128::MAX - TICK_NS)), None);
        assert_eq!(file.value().unwrap().newer_than_daemon, Some(false));
    }

    #[test]
    fn a_malformed_file_is_told_and_goes_on() {
        for json in ["{\"icc\": false,}", "[]", "{\"a\": ", "\u{0}"] {
            let (_dir, root) = tree(Some(json));
            let (file, options) = read(&root, None, None);
            assert!(file.value().unwrap().error.as_ref().unwrap().starts_with("not a JSON object"), "{json}");
            assert!(options.is_empty());
        }
        for json in ["", " \n", "{}", "\u{feff}{}"] {
            let (_dir, root) = tree(Some(json));
            assert_eq!(read(&root, None, None).0.value().unwrap().error, None, "{json:?}");
        }
    }

    #[test]
    fn the_path_is_the_daemons() {
        let (dir, root) = tree(None);
        assert!(matches!(read(&root, None, None).0, Fact::Absent { source } if source == DEFAULT_PATH));
        std::fs::write(dir.path().join("x.json"), "{}").unwrap();
        assert_eq!(read(&root, None, Some("/x.json")).0.source(), "/x.json");
        let user = Found { user_config: Some("/home/ops/.config".into()), ..started(0) };
        assert_eq!(read(&root, Some(&user), None).0.source(), "/home/ops/.config/docker/daemon.json");
        assert!(matches!(read(&root, None, Some("/etc")).0, Fact::Unreadable { .. }));
    }
}
