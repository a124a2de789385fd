//! The daemon's command line, as the options of daemon.json.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// How an option's value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A switch: `--debug`, `--icc=false`.
    Switch,
    /// A text.
    Text,
    /// A number.
    Number,
    /// May be repeated; daemon.json has a list.
    List,
    /// May be repeated as `KEY=VALUE`; daemon.json has an object.
    Pairs,
    /// `name=path`; daemon.json has `{"name": {"path": …}}`.
    Runtimes,
    /// `name=soft:hard`; daemon.json has `{"name": {"Name": …, "Soft": …, "Hard": …}}`.
    Ulimits,
    /// `base=…,size=…`; daemon.json has `[{"base": …, "size": …}]`.
    Pools,
}

/// Flags whose value is no text under the flag's own name: flag, name in daemon.json, kind.
///
/// Of dockerd(8) from 20.10 to 29.
const FLAGS: [(&str, &str, Kind); 65] = [
    ("add-runtime", "runtimes", Kind::Runtimes),
    ("allow-direct-routing", "allow-direct-routing", Kind::Switch),
    ("allow-nondistributable-artifacts", "allow-nondistributable-artifacts", Kind::List),
    ("authorization-plugin", "authorization-plugins", Kind::List),
    ("bip", "bip", Kind::Text),
    ("bridge", "bridge", Kind::Text),
    ("cdi-spec-dir", "cdi-spec-dirs", Kind::List),
    ("cgroup-parent", "cgroup-parent", Kind::Text),
    ("config-file", "config-file", Kind::Text),
    ("containerd", "containerd", Kind::Text),
    ("data-root", "data-root", Kind::Text),
    ("debug", "debug", Kind::Switch),
    ("default-address-pool", "default-address-pools", Kind::Pools),
    ("default-cgroupns-mode", "default-cgroupns-mode", Kind::Text),
    ("default-ipc-mode", "default-ipc-mode", Kind::Text),
    ("default-runtime", "default-runtime", Kind::Text),
    ("default-ulimit", "default-ulimits", Kind::Ulimits),
    ("dns", "dns", Kind::List),
    ("dns-opt", "dns-opts", Kind::List),
    ("dns-search", "dns-search", Kind::List),
    ("exec-opt", "exec-opts", Kind::List),
    ("exec-root", "exec-root", Kind::Text),
    ("experimental", "experimental", Kind::Switch),
    ("feature", "features", Kind::Pairs),
    ("firewall-backend", "firewall-backend", Kind::Text),
    ("graph", "data-root", Kind::Text),
    ("group", "group", Kind::Text),
    ("host", "hosts", Kind::List),
    ("icc", "icc", Kind::Switch),
    ("init", "init", Kind::Switch),
    ("insecure-registry", "insecure-registries", Kind::List),
    ("ip", "ip", Kind::Text),
    ("ip-forward", "ip-forward", Kind::Switch),
    ("ip-forward-no-drop", "ip-forward-no-drop", Kind::Switch),
    ("ip-masq", "ip-masq", Kind::Switch),
    ("ip6tables", "ip6tables", Kind::Switch),
    ("iptables", "iptables", Kind::Switch),
    ("ipv6", "ipv6", Kind::Switch),
    ("label", "labels", Kind::List),
    ("live-restore", "live-restore", Kind::Switch),
    ("log-driver", "log-driver", Kind::Text),
    ("log-level", "log-level", Kind::Text),
    ("log-opt", "log-opts", Kind::Pairs),
    ("max-concurrent-downloads", "max-concurrent-downloads", Kind::Number),
    ("max-concurrent-uploads", "max-concurrent-uploads", Kind::Number),
    ("max-download-attempts", "max-download-attempts", Kind::Number),
    ("metrics-addr", "metrics-addr", Kind::Text),
    ("mtu", "mtu", Kind::Number),
    ("no-new-privileges", "no-new-privileges", Kind::Switch),
    ("pidfile", "pidfile", Kind::Text),
    ("raw-logs", "raw-logs", Kind::Switch),
    ("registry-mirror", "registry-mirrors", Kind::List),
    ("rootless", "rootless", Kind::Switch),
    ("seccomp-profile", "seccomp-profile", Kind::Text),
    ("selinux-enabled", "selinux-enabled", Kind::Switch),
    ("shutdown-timeout", "shutdown-timeout", Kind::Number),
    ("storage-driver", "storage-driver", Kind::Text),
    ("storage-opt", "storage-opts", Kind::List),
    ("tls", "tls", Kind::Switch),
    ("tlscacert", "tlscacert", Kind::Text),
    ("tlscert", "tlscert", Kind::Text),
    ("tlskey", "tlskey", Kind::Text),
    ("tlsverify", "tlsverify", Kind::Switch),
    ("userland-proxy", "userland-proxy", Kind::Switch),
    ("userns-remap", "userns-remap", Kind::Text),
];

/// Short flags of dockerd(8), and `-g` of old ones.
const SHORT: [(char, &str); 8] = [
    ('D', "debug"),
    ('G', "group"),
    ('H', "host"),
    ('b', "bridge"),
    ('g', "data-root"),
    ('l', "log-level"),
    ('p', "pidfile"),
    ('s', "storage-driver"),
];

/// The options of dockerd(8), by their names in daemon.json.
pub(super) fn options() -> impl Iterator<Item = &'static str> {
    FLAGS.iter().map(|(_, option, _)| *option)
}

/// Options on a command line (its program's name left out), by their names in daemon.json and in its shapes.
///
/// A flag that is not in the table is kept as text where it has a value after `=`, and as a switch otherwise.
pub(super) fn parse(args: &[String]) -> BTreeMap<String, Value> {
    let mut options = BTreeMap::new();
    let mut rest = args.iter().map(String::as_str);
    while let Some(argument) = rest.next() {
        if argument == "--" {
            break;
        }
        if let Some(flag) = argument.strip_prefix("--") {
            let (flag, value) =
                flag.split_once('=').map_or((flag, None), |(flag, value)| (flag, Some(value)));
            long(&mut options, flag, value, &mut rest);
        } else if let Some(letters) = argument.strip_prefix('-') {
            short(&mut options, letters, &mut rest);
        }
    }
    options
}

fn long<'a>(
    options: &mut BTreeMap<String, Value>,
    flag: &str,
    value: Option<&'a str>,
    rest: &mut impl Iterator<Item = &'a str>,
) {
    let known = FLAGS.iter().find(|(name, ..)| *name == flag);
    let (option, kind) = match known {
        Some((_, option, kind)) => (*option, *kind),
        None if value.is_some() => (flag, Kind::Text),
        None => (flag, Kind::Switch),
    };
    let value = match (kind, value) {
        (_, Some(value)) => value,
        (Kind::Switch, None) => "true",
        (_, None) => rest.next().unwrap_or_default(),
    };
    set(options, option, kind, value);
}

/// `-D`, `-H tcp://…`, `-Htcp://…`, `-H=tcp://…`, `-DH tcp://…`.
fn short<'a>(
    options: &mut BTreeMap<String, Value>,
    letters: &'a str,
    rest: &mut impl Iterator<Item = &'a str>,
) {
    for (at, letter) in letters.char_indices() {
        let Some((_, flag)) = SHORT.iter().find(|(short, _)| *short == letter) else { return };
        let tail = letters.get(at + letter.len_utf8()..).unwrap_or_default();
        let is_switch = FLAGS.iter().any(|(name, _, kind)| name == flag && *kind == Kind::Switch);
        if is_switch && !tail.starts_with('=') {
            long(options, flag, Some("true"), rest);
            continue;
        }
        let value = Some(tail.strip_prefix('=').unwrap_or(tail)).filter(|value| !value.is_empty());
        return long(options, flag, value, rest);
    }
}

fn set(options: &mut BTreeMap<String, Value>, option: &str, kind: Kind, text: &str) {
    let slot = options.entry(option.to_owned());
    let text_value = || Value::String(text.to_owned());
    match kind {
        Kind::Switch => *slot.or_default() = switch(text).map_or_else(text_value, Value::Bool),
        Kind::Text => *slot.or_default() = text_value(),
        Kind::Number => *slot.or_default() = text.parse::<i64>().map_or_else(|_| text_value(), Value::from),
        Kind::List => push(slot.or_default(), text_value()),
        Kind::Pools => push(slot.or_default(), pool(text)),
        Kind::Pairs => {
            let (key, value) = text.split_once('=').unwrap_or((text, ""));
            // `features` are switches, `log-opts` are texts.
            let switch = (option == "features").then(|| switch(value)).flatten().map(Value::Bool);
            insert(slot.or_default(), key, switch.unwrap_or_else(|| Value::String(value.to_owned())));
        }
        Kind::Runtimes => {
            let (name, path) = text.split_once('=').unwrap_or((text, ""));
            insert(slot.or_default(), name, serde_json::json!({ "path": path }));
        }
        Kind::Ulimits => {
            let (name, limits) = text.split_once('=').unwrap_or((text, ""));
            let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
            let number = |text: &str| text.parse::<i64>().map_or(Value::Null, Value::from);
            let limit = serde_json::json!({ "Name": name, "Soft": number(soft), "Hard": number(hard) });
            insert(slot.or_default(), name, limit);
        }
    }
}

/// What Go's `strconv.ParseBool` takes.
fn switch(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

fn push(list: &mut Value, item: Value) {
    if let Value::Array(items) = list {
        items.push(item);
    } else {
        *list = Value::Array(vec![item]);
    }
}

fn insert(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(entries) = object {
        entries.insert(key.to_owned(), value);
    } else {
        *object = Value::Object(Map::from_iter([(key.to_owned(), value)]));
    }
}

fn pool(text: &str) -> Value {
    let fields = text.split(',').filter_map(|field| field.split_once('='));
    let entries = fields.map(|(key, value)| {
        let number = value.parse::<i64>().map(Value::from);
        (key.to_owned(), number.unwrap_or_else(|_| Value::String(value.to_owned())))
    });
    Value::Object(entries.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(line: &str) -> Value {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        serde_json::to_value(parse(&args)).unwrap()
    }

    #[test]
    fn repeated_flags_gather() {
        let line = "-H unix:///var/run/docker.sock --storage-driver fuse-overlayfs --mtu=1400 --log-opt max-size=10m \
                    --log-opt max-file=3";
        let options = json!({
            "hosts": ["unix:///var/run/docker.sock"], "storage-driver": "fuse-overlayfs", "mtu": 1400,
            "log-opts": {"max-size": "10m", "max-file": "3"},
        });
        assert_eq!(read(line), options);
    }

    #[test]
    fn values_follow_an_equals_sign_or_come_next() {
        let both = json!({"tlskey": "/k", "tlscert": "/c", "tlsverify": true});
        assert_eq!(read("--tlskey /k --tlscert=/c --tlsverify"), both);
        // A switch takes no value from the next argument.
        assert_eq!(read("--icc false"), json!({"icc": true}));
        assert_eq!(
            read("--icc=false --iptables=0 --debug=maybe"),
            json!({"icc": false, "iptables": false, "debug": "maybe"})
        );
    }

    #[test]
    fn short_flags_cluster_and_carry_values() {
        let options = json!({"debug": true, "hosts": ["tcp://a", "tcp://b", "fd://"], "log-level": "info"});
        assert_eq!(read("-D -H tcp://a -Htcp://b -H=fd:// -l info"), options);
        assert_eq!(read("-DH tcp://a"), json!({"debug": true, "hosts": ["tcp://a"]}));
        assert_eq!(
            read("-D=false -g /data -s vfs -G ops"),
            json!({"debug": false, "data-root": "/data", "storage-driver": "vfs", "group": "ops"})
        );
    }

    #[test]
    fn shapes_are_those_of_daemon_json() {
        let options = json!({
            "default-ulimits": {"nofile": {"Name": "nofile", "Soft": 1024, "Hard": 2048},
                                "nproc": {"Name": "nproc", "Soft": 9, "Hard": 9}},
            "runtimes": {"kata": {"path": "/bin/kata"}},
            "default-address-pools": [{"base": "10.0.0.0/8", "size": 24}],
            "features": {"containerd-snapshotter": true},
            "insecure-registries": ["a:5000", "b:5000"],
        });
        let line = "--default-ulimit nofile=1024:2048 --default-ulimit nproc=9 --add-runtime kata=/bin/kata \
                    --default-address-pool base=10.0.0.0/8,size=24 --feature containerd-snapshotter=true \
                    --insecure-registry a:5000 --insecure-registry=b:5000";
        assert_eq!(read(line), options);
    }

    #[test]
    fn what_is_not_known_does_no_harm() {
        let line = "--future=x --toggle --host --icc --x y -Z stray -- --debug";
        assert_eq!(read(line), json!({"future": "x", "toggle": true, "hosts": ["--icc"], "x": true}));
        assert_eq!(read("--host"), json!({"hosts": [""]}));
        assert_eq!(read("-H"), json!({"hosts": [""]}));
        assert_eq!(read("--log-opt"), json!({"log-opts": {"": ""}}));
    }

    #[test]
    fn the_table_is_sorted() {
        assert!(FLAGS.is_sorted_by_key(|(flag, ..)| flag));
    }
}
