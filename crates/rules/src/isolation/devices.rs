//! What a device gives to a container that may use it.

use crate::Severity::{self, Critical, High, Low, Medium};

/// A device, or a family of them, by the numbers of the kernel (Documentation/admin-guide/devices.txt) and by the
/// names below `/dev`.
struct Family {
    kind: char,
    major: u32,
    minor: Option<u32>,
    names: &'static [&'static str],
    severity: Severity,
    gives: &'static str,
}

const fn family(
    kind: char,
    major: u32,
    minor: Option<u32>,
    names: &'static [&'static str],
    severity: Severity,
    gives: &'static str,
) -> Family {
    Family { kind, major, minor, names, severity, gives }
}

const FAMILIES: [Family; 21] = [
    family('c', 1, Some(1), &["mem"], Critical, "the host's memory"),
    family('c', 1, Some(2), &["kmem"], Critical, "the kernel's memory"),
    family('c', 1, Some(4), &["port"], Critical, "every I/O port"),
    family('c', 202, None, &["cpu/"], Critical, "the processors' registers"),
    family('c', 21, None, &["sg"], High, "raw access to disks"),
    family('c', 10, Some(196), &["vfio/"], High, "devices with direct access to memory"),
    family(
        'c',
        10,
        Some(229),
        &["fuse"],
        Medium,
        "own file systems, which some kernel bugs start from (CVE-2023-0386)",
    ),
    family('c', 10, Some(223), &["uinput"], Medium, "typing on the host's console"),
    family('c', 10, Some(237), &["loop-control"], Medium, "block devices from files"),
    family('c', 13, None, &["input/"], Medium, "what is typed on the host"),
    family('c', 4, None, &["tty"], Medium, "the host's consoles"),
    family('c', 5, Some(1), &["console"], Medium, "the host's console"),
    family('c', 7, None, &["vcs"], Medium, "what the host's consoles show"),
    family('c', 189, None, &["bus/usb/"], Medium, "USB devices without their drivers"),
    family('c', 29, None, &["fb"], Low, "the host's screen"),
    family('c', 81, None, &["video"], Low, "the host's cameras"),
    family('c', 116, None, &["snd/"], Low, "the host's sound"),
    family('c', 226, None, &["dri/"], Low, "the host's graphics hardware"),
    family('c', 195, None, &["nvidia"], Low, "the host's graphics hardware"),
    family('c', 10, Some(200), &["net/tun"], Low, "own network interfaces"),
    family('c', 10, Some(232), &["kvm"], Low, "virtual machines"),
];

/// Names of block devices; the kernel numbers many of them dynamically.
const DISKS: [&str; 14] = [
    "block/", "disk/", "dm-", "drbd", "hd", "loop", "mapper/", "md", "mmcblk", "nbd", "nvme", "sd", "vd",
    "xvd",
];

/// How bad it is that the cgroup allows this rule (`c 10:229 rwm`), and what it gives; `None` where it gives nothing
/// (making a node without opening it). `mounted` are the devices that the host has mounted.
pub(super) fn of_rule(rule: &str, mounted: &[&str]) -> Option<(Severity, &'static str)> {
    let mut words = rule.split_ascii_whitespace();
    let (kind, numbers, access) = (words.next()?, words.next()?, words.next().unwrap_or("rwm"));
    if !access.contains(['r', 'w']) {
        return None;
    }
    let (major, minor) = numbers.split_once(':')?;
    match kind {
        "a" => Some((Critical, "every device")),
        "b" if major == "*" => Some((Critical, "every disk")),
        "b" if mounted.contains(&numbers) || minor == "*" => {
            Some((disk(access, Critical), "a disk of the host"))
        }
        "b" => Some((disk(access, High), "a block device")),
        "c" if major == "*" => Some((Critical, "every character device")),
        _ => {
            let numbered = |f: &&Family| {
                Some(f.major) == major.parse().ok()
                    && kind.starts_with(f.kind)
                    && (minor == "*" || f.minor.is_none() || f.minor == minor.parse().ok())
            };
            let worst = FAMILIES.iter().filter(numbered).max_by_key(|f| f.severity);
            Some(worst.map_or((Low, "a character device"), |f| (f.severity, f.gives)))
        }
    }
}

fn disk(access: &str, written: Severity) -> Severity {
    if access.contains('w') { written } else { written.milder() }
}

/// The same for a device that is declared by its path.
pub(super) fn of_path(path: &str, access: &str) -> (Severity, &'static str) {
    let name = path.trim_start_matches("/dev/").trim_start_matches('/');
    let begins =
        |names: &[&str]| names.iter().any(|n| name.starts_with(n) || name == n.trim_end_matches('/'));
    if name.is_empty() || path == "/dev" {
        return (Critical, "every device");
    }
    let numbered = |f: &&Family| begins(f.names);
    if let Some(known) = FAMILIES.iter().filter(numbered).max_by_key(|f| f.severity) {
        return (known.severity, known.gives);
    }
    if begins(&DISKS) {
        return (disk(access, High), "a block device");
    }
    (Low, "a device")
}

#[cfg(test)]
mod tests {
    use super::{of_path, of_rule};
    use crate::Severity::{self, Critical, High, Low, Medium};

    #[test]
    fn rules_of_the_kernel() {
        let grade = |rule| of_rule(rule, &["254:0"]).map(|(severity, _)| severity);
        for (rule, severity) in [
            ("a *:* rwm", Some(Critical)),
            ("b *:* rwm", Some(Critical)),
            ("b *:* m", None),
            ("c *:* m", None),
            ("b 254:0 rwm", Some(Critical)),
            ("b 254:0 r", Some(High)),
            ("b 8:16 rwm", Some(High)),
            ("c 1:1 r", Some(Critical)),
            ("c 1:* rw", Some(Critical)),
            ("c 10:229 rwm", Some(Medium)),
            ("c 10:200 rwm", Some(Low)),
            ("c 240:7 rwm", Some(Low)),
            ("nonsense", None),
        ] {
            assert_eq!(grade(rule), severity, "{rule}");
        }
    }

    #[test]
    fn declared_paths() {
        let grade = |path: &str| -> Severity { of_path(path, "rwm").0 };
        assert_eq!(grade("/dev/sda1"), High);
        assert_eq!(grade("/dev/mem"), Critical);
        assert_eq!(grade("/dev/fuse"), Medium);
        assert_eq!(grade("/dev/snd"), Low);
        assert_eq!(grade("/dev/net/tun"), Low);
        assert_eq!(grade("/dev"), Critical);
        assert_eq!(of_path("/dev/sda", "r").0, Medium);
    }
}
