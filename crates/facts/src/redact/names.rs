//! Pseudonyms: the same name becomes the same word everywhere in one document.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// Trees that look alike on every host: their paths tell nothing about whose host it is.
const SYSTEM_TREES: [&str; 16] = [
    "/etc",
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/boot",
    "/proc",
    "/sys",
    "/dev",
    "/run",
    "/var/run",
    "/var/lib/docker",
    "/var/lib/containerd",
    "/snap",
];
/// Words that stand for something in a path, a network or an account list, and are kept.
const KEPT_WORDS: [&str; 13] =
    ["root", "home", "var", "lib", "srv", "opt", "mnt", "media", "tmp", "log", "data", "_data", "docker"];
const BUILT_IN_NETWORKS: [&str; 6] = ["bridge", "host", "none", "default", "ingress", "docker_gwbridge"];
/// A value beside a name that contains one of these is a secret.
const SECRET_WORDS: [&str; 7] = ["PASS", "SECRET", "TOKEN", "KEY", "CREDENTIAL", "AUTH", "PWD"];

/// Kinds of names that messages mention; parts of paths and values are too often words of the language.
const NAMED_IN_TEXTS: [&str; 6] = ["address", "container", "host", "image", "network", "service"];
/// Options of the kernel's command line whose values name hosts and disks.
const TELLING_OPTIONS: [&str; 8] =
    ["root", "resume", "ip", "nfsroot", "nfsaddrs", "BOOT_IMAGE", "cryptdevice", "systemd.hostname"];

/// What stands for a text that is dropped.
pub(super) const DROPPED: &str = "(redacted)";

#[derive(Default)]
pub(super) struct Names {
    known: BTreeMap<(&'static str, String), String>,
    counts: BTreeMap<&'static str, u32>,
}

impl Names {
    /// The pseudonym of a name of this kind; nothing stays nothing.
    pub(super) fn name(&mut self, kind: &'static str, original: &str) -> String {
        if original.is_empty() {
            return String::new();
        }
        if let Some(known) = self.known.get(&(kind, original.to_owned())) {
            return known.clone();
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        let pseudonym = format!("{kind}-{count}");
        self.known.insert((kind, original.to_owned()), pseudonym.clone());
        pseudonym
    }

    /// Replaces a name in place.
    pub(super) fn hide(&mut self, kind: &'static str, text: &mut String) {
        *text = self.name(kind, text);
    }

    /// A network's name; Docker's own are kept.
    pub(super) fn network(&mut self, name: &str) -> String {
        if BUILT_IN_NETWORKS.contains(&name) { name.to_owned() } else { self.name("network", name) }
    }

    /// `container:NAME` and network names as modes; every other mode is kept.
    pub(super) fn mode(&mut self, mode: &mut String) {
        if let Some(other) = mode.strip_prefix("container:") {
            *mode = format!("container:{}", self.container(other));
        } else if !matches!(mode.as_str(), "" | "private" | "shareable") {
            *mode = self.network(mode);
        }
    }

    /// A container's name; ids are kept.
    pub(super) fn container(&mut self, name: &str) -> String {
        if is_id(name) { name.to_owned() } else { self.name("container", name) }
    }

    /// A path: system trees are kept, elsewhere each component that could be telling becomes a word. Paths
    /// that contain each other still do.
    pub(super) fn path(&mut self, path: &mut String) {
        let volumes = path.starts_with("/var/lib/docker/volumes/");
        if !path.starts_with('/') || (is_system(path) && !volumes) {
            return;
        }
        let components: Vec<String> = path.split('/').map(|part| self.component(part)).collect();
        *path = components.join("/");
    }

    fn component(&mut self, part: &str) -> String {
        let kept = part.is_empty()
            || KEPT_WORDS.contains(&part)
            || part.rsplit_once('.').is_some_and(|(_, extension)| extension == "sock")
            || part == "volumes"
            || is_id(part);
        if kept { part.to_owned() } else { self.name("dir", part) }
    }

    /// An image reference: the repository becomes a word, tag and digest are kept.
    pub(super) fn image(&mut self, reference: &mut String) {
        let (name, digest) = match reference.split_once('@') {
            Some((name, digest)) => (name, format!("@{digest}")),
            None => (reference.as_str(), String::new()),
        };
        if name.starts_with("sha256:") || is_id(name) {
            return;
        }
        let (repository, tag) = match name.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, format!(":{tag}")),
            _ => (name, String::new()),
        };
        *reference = format!("{}{tag}{digest}", self.name("image", repository));
    }

    /// An address: loopback, private and unspecified ones are kept, public ones become a word.
    pub(super) fn address(&mut self, address: &mut String) {
        if address.starts_with('/') || address.starts_with('@') {
            self.path(address);
            return;
        }
        let keep = match address.parse::<IpAddr>() {
            Ok(IpAddr::V4(ip)) => {
                ip.is_loopback() || ip.is_private() || ip.is_unspecified() || ip.is_link_local()
            }
            Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local(),
            Err(_) => address.is_empty(),
        };
        if !keep {
            self.hide("address", address);
        }
    }

    /// A host as written in a configuration: loopback networks and unix sockets are kept, with scheme and port.
    pub(super) fn host(&mut self, text: &mut String) {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (format!("{scheme}://"), rest),
            None => (String::new(), text.as_str()),
        };
        if matches!(scheme.as_str(), "unix://" | "fd://")
            || rest.starts_with("127.")
            || rest.starts_with("::1")
        {
            return;
        }
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, format!(":{port}")),
            _ => (rest, String::new()),
        };
        let any = matches!(host, "" | "0.0.0.0" | "[::]" | "localhost");
        let host = if any { host.to_owned() } else { self.name("host", host) };
        *text = format!("{scheme}{host}{port}");
    }

    /// A command: the program and the names of options are kept.
    pub(super) fn command(&mut self, words: &mut [String]) {
        for word in words.iter_mut().skip(1) {
            *word = match word.split_once('=') {
                Some((option, _)) if option.starts_with('-') => format!("{option}={DROPPED}"),
                _ if word.starts_with('-') => word.clone(),
                _ => DROPPED.to_owned(),
            };
        }
    }

    /// The kernel's command line: what names hosts and disks is dropped.
    pub(super) fn kernel_command_line(&self, text: &mut String) {
        let word = |word: &str| match word.split_once('=') {
            Some((option, _)) if TELLING_OPTIONS.contains(&option) || option.starts_with("rd.") => {
                format!("{option}={DROPPED}")
            }
            _ => word.to_owned(),
        };
        *text = text.split(' ').map(word).collect::<Vec<_>>().join(" ");
    }

    /// A free text: values beside secret-like names, hosts of URLs, and every name that is known by now.
    pub(super) fn text(&mut self, text: &mut String) {
        let words: Vec<String> = text.split(' ').map(|word| self.word(word)).collect();
        *text = words.join(" ");
    }

    fn word(&mut self, word: &str) -> String {
        if let Some((name, _)) = word.split_once('=') {
            let upper = name.to_ascii_uppercase();
            if SECRET_WORDS.iter().any(|secret| upper.contains(secret)) {
                return format!("{name}={DROPPED}");
            }
        }
        if let Some((scheme, rest)) = word.split_once("://") {
            let end = rest.find(['/', ')', ';', '"', '\'']).unwrap_or(rest.len());
            let (host, path) = rest.split_at(end);
            return format!("{scheme}://{}{path}", self.name("host", host));
        }
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let known =
            self.known.iter().find(|((kind, original), _)| NAMED_IN_TEXTS.contains(kind) && original == bare);
        match known {
            Some((_, pseudonym)) => word.replace(bare, pseudonym),
            None => word.to_owned(),
        }
    }
}

fn is_system(path: &str) -> bool {
    SYSTEM_TREES
        .iter()
        .any(|tree| path.strip_prefix(tree).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// Ids tell nothing.
fn is_id(text: &str) -> bool {
    matches!(text.len(), 12 | 32 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}
