//! The daemon's options three ways: on disk, on the command line, in force.

use std::collections::BTreeMap;
use std::path::Path;

use plimsoll_facts::Setting;
use plimsoll_rootdir::RootDir;
use serde_json::{Map, Value};

use super::loaded::Told;
use super::{flags, hosts};

/// Puts the three together, with an entry for every option of dockerd(8).
///
/// An engine writes some options in another way than they were given (a list in another order, an address with a slash
/// at its end). Where both mean the same, what was given stands for what is in force.
pub(super) fn merge(
    root: &RootDir,
    flags: BTreeMap<String, Value>,
    file: Map<String, Value>,
    told: Vec<Told>,
) -> BTreeMap<String, Setting> {
    let mut settings: BTreeMap<String, Setting> =
        flags::options().map(|option| (option.to_owned(), Setting::default())).collect();
    for (option, value) in file {
        settings.entry(option).or_default().file = Some(value);
    }
    for (option, value) in flags {
        settings.entry(option).or_default().flag = Some(value);
    }
    for Told { option, value, source } in told {
        let setting = settings.entry(option.to_owned()).or_default();
        let given = setting.flag.as_ref().or(setting.file.as_ref());
        let means_the_same = given.filter(|given| is_same(root, option, given, &value));
        setting.loaded = Some(means_the_same.cloned().unwrap_or(value));
        source.clone_into(&mut setting.loaded_source);
    }
    settings
}

fn is_same(root: &RootDir, option: &str, given: &Value, told: &Value) -> bool {
    if given == told {
        return true;
    }
    match option {
        "hosts" => hosts::same(given, told),
        "data-root" => is_same_file(root, given, told),
        "runtimes" => is_contained(given, told),
        "exec-opts" => texts(given).iter().any(|option| texts(told).contains(option)),
        "insecure-registries" | "registry-mirrors" | "authorization-plugins" => set(given) == set(told),
        // The name of the built-in profile changed with Docker 23; a file is told by its path or as `custom`.
        "seccomp-profile" => match (given.as_str(), told.as_str()) {
            (Some("" | "default" | "builtin"), Some("default" | "builtin")) => true,
            (Some(given), Some("custom")) => given.starts_with('/'),
            _ => false,
        },
        // containerd's snapshotter goes by the kernel's name.
        "storage-driver" => given == "overlay2" && told == "overlayfs",
        // Only that a mapping is in force is told, not whose.
        "userns-remap" => told == "default" && given.as_str().is_some_and(|user| !user.is_empty()),
        "metrics-addr" => same_address(given, told),
        _ => false,
    }
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().map_or(&[][..], Vec::as_slice).iter().filter_map(Value::as_str).collect()
}

/// A list without order, letter case, scheme and final slash.
fn set(value: &Value) -> std::collections::BTreeSet<String> {
    let plain = |text: &str| {
        let text = text.trim_end_matches('/').to_lowercase();
        text.strip_prefix("http://").map_or(text.clone(), str::to_owned)
    };
    texts(value).into_iter().map(plain).collect()
}

/// An engine adds its own runtimes, and a wrapper around one that has arguments.
fn is_contained(given: &Value, told: &Value) -> bool {
    let (Value::Object(given), Value::Object(told)) = (given, told) else { return false };
    given.keys().all(|name| told.contains_key(name))
}

fn is_same_file(root: &RootDir, given: &Value, told: &Value) -> bool {
    let file = |value: &Value| {
        let stat = root.stat(Path::new(value.as_str()?), true).ok()?;
        Some((stat.stx_dev_major, stat.stx_dev_minor, stat.stx_ino))
    };
    file(given).is_some_and(|id| file(told) == Some(id))
}

fn same_address(given: &Value, told: &Value) -> bool {
    let host = |value: &Value| hosts::Host::of_address(value.as_str()?);
    match (host(given), host(told)) {
        (Some(given), Some(hosts::Host::Tcp(Some(ip), port))) => given.is_tcp(&ip.to_string(), port),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn merged(option: &'static str, given: Value, told: Value) -> Setting {
        let root = RootDir::open("/").unwrap();
        let file = Map::from_iter([(option.to_owned(), given)]);
        let told = vec![Told { option, value: told, source: "GET /info" }];
        merge(&root, BTreeMap::new(), file, told).remove(option).unwrap()
    }

    #[test]
    fn every_option_has_an_entry() {
        let root = RootDir::open("/").unwrap();
        let settings = merge(&root, BTreeMap::new(), Map::new(), Vec::new());
        for option in ["icc", "tlskey", "default-ulimits", "insecure-registries", "runtimes", "userns-remap"]
        {
            assert_eq!(settings[option], Setting::default(), "{option}");
        }
    }

    #[test]
    fn the_same_in_other_words_is_no_difference() {
        let same = [
            ("registry-mirrors", json!(["https://mirror"]), json!(["https://mirror/"])),
            ("insecure-registries", json!(["http://A:5000", "10.0.0.0/8"]), json!(["10.0.0.0/8", "a:5000"])),
            (
                "runtimes",
                json!({"kata": {"path": "/x", "runtimeArgs": ["y"]}}),
                json!({"kata": {"path": "/w"}, "runc": {}}),
            ),
            ("seccomp-profile", json!("default"), json!("builtin")),
            ("data-root", json!("/proc/../usr"), json!("/usr")),
            ("userns-remap", json!("ops"), json!("default")),
            (
                "exec-opts",
                json!(["native.cgroupdriver=systemd", "x=y"]),
                json!(["native.cgroupdriver=systemd"]),
            ),
            ("hosts", json!(["fd://"]), json!(["unix:///run/docker.sock"])),
            ("metrics-addr", json!("127.0.0.1:9323"), json!("127.0.0.1:9323")),
        ];
        for (option, given, told) in same {
            let setting = merged(option, given.clone(), told);
            assert_eq!(setting.loaded, Some(given), "{option}");
        }
    }

    #[test]
    fn a_difference_stays_one() {
        let different = [
            ("icc", json!(false), json!(true)),
            ("userns-remap", json!("default"), json!("")),
            ("userns-remap", json!(""), json!("default")),
            ("data-root", json!("/etc"), json!("/usr")),
            ("data-root", json!("/no-such-a"), json!("/no-such-b")),
            ("seccomp-profile", json!("/p.json"), json!("builtin")),
            ("authorization-plugins", json!(["opa"]), json!([])),
        ];
        for (option, given, told) in different {
            let setting = merged(option, given.clone(), told.clone());
            assert_eq!((setting.file, setting.loaded), (Some(given), Some(told)), "{option}");
            assert_eq!(setting.loaded_source, "GET /info");
        }
    }

    #[test]
    fn flags_are_kept_apart_from_the_file() {
        let root = RootDir::open("/").unwrap();
        let flags = BTreeMap::from([("debug".to_owned(), json!(true))]);
        let file = Map::from_iter([("debug".to_owned(), json!(false)), ("future".to_owned(), json!(1))]);
        let settings = merge(&root, flags, file, Vec::new());
        assert_eq!(
            (&settings["debug"].flag, &settings["debug"].file),
            (&Some(json!(true)), &Some(json!(false)))
        );
        assert_eq!(settings["future"].file, Some(json!(1)));
    }
}
