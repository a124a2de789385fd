//! Kernels that are installed, and what the next boot may start.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::io::Read;

use plimsoll_facts::{Fact, InstalledKernel, Package};
use plimsoll_rootdir::{Error, RootDir};
use plimsoll_versions::Order;

use crate::packages::Packages;
use crate::source::why;

const BOOT: &str = "/boot";
const MODULES: &str = "/lib/modules";

const MAX_ENTRIES: usize = 4096;

/// The version string stands in the first 32 KiB, the real-mode part (its offset has 16 bits).
const MAX_HEADER: u64 = 68 << 10;

/// What is installed, and the package of what runs.
pub(super) struct Kernels {
    /// Newest first.
    pub(super) installed: Fact<Vec<InstalledKernel>>,
    /// The package that owns the image of the running kernel: absent where there is no such image, as on a machine
    /// whose kernel comes from outside.
    pub(super) running_package: Fact<Package>,
}

/// Releases by librpm's rules, which take any text without white space; what is no version comes first.
fn compare(a: &str, b: &str) -> Ordering {
    let is_version = |text| Order::Rpm.compare(text, text).is_ok();
    Order::Rpm.compare(a, b).unwrap_or_else(|_| is_version(a).cmp(&is_version(b)).then_with(|| a.cmp(b)))
}

/// Every kernel with an image below `/boot` or `/lib/modules`, or at least a full set of modules.
pub(super) fn collect(root: &RootDir, packages: &Packages<'_>, running: Option<&str>) -> Kernels {
    let source = "/boot/vmlinuz-*, /lib/modules/*";
    let mut kernels = match images(root).and_then(|kernels| add_modules(root, kernels)) {
        Ok(kernels) => kernels,
        Err(error) => {
            let reason = why(&error);
            let running_package = Fact::unreadable(source, reason.clone());
            return Kernels { installed: Fact::unreadable(source, reason), running_package };
        }
    };
    let owners = packages.owners(&kernels.iter().map(|kernel| kernel.path.clone()).collect());
    for kernel in &mut kernels {
        kernel.package = owners.get(&kernel.path).and_then(Fact::value).map(|owner| owner.package.clone());
    }
    kernels.sort_by(|a, b| compare(&b.release, &a.release).then_with(|| a.path.cmp(&b.path)));
    let owner = kernels
        .iter()
        .find(|kernel| Some(kernel.release.as_str()) == running)
        .and_then(|kernel| owners.get(&kernel.path).cloned());
    Kernels {
        running_package: owner.map_or_else(|| Fact::absent(source), |owner| owner.map(|owner| owner.package)),
        installed: if kernels.is_empty() { Fact::absent(source) } else { Fact::known(kernels, source) },
    }
}

fn images(root: &RootDir) -> Result<Vec<InstalledKernel>, Error> {
    let mut kernels: Vec<InstalledKernel> = Vec::new();
    for name in names(root, BOOT)? {
        let named = ["vmlinuz-", "vmlinux-", "Image-", "image-"].iter().find_map(|p| name.strip_prefix(p));
        // `0-rescue` is a copy that no boot takes by itself; a compressed vmlinux is for debuggers.
        let Some(named) = named.filter(|n| !n.starts_with("0-rescue") && !n.ends_with(".gz")) else {
            continue;
        };
        let kernel = image(root, format!("{BOOT}/{name}"), named);
        // `vmlinuz-lts` without a header says nothing; the modules do.
        let is_release = kernel.release.starts_with(|c: char| c.is_ascii_digit());
        if is_release && kernels.iter().all(|known| known.release != kernel.release) {
            kernels.push(kernel);
        }
    }
    Ok(kernels)
}

/// Distributions with one tree keep the image among the modules; and where `/boot` is not mounted, the modules are
/// all that shows a kernel.
fn add_modules(root: &RootDir, mut kernels: Vec<InstalledKernel>) -> Result<Vec<InstalledKernel>, Error> {
    let known: BTreeSet<String> = kernels.iter().map(|kernel| kernel.release.clone()).collect();
    for release in names(root, MODULES)? {
        if known.contains(&release) {
            continue;
        }
        let [image_path, dependencies] =
            ["vmlinuz", "modules.dep"].map(|f| format!("{MODULES}/{release}/{f}"));
        if root.stat(&image_path, true).is_ok() {
            kernels.push(image(root, image_path, &release));
        } else if root.stat(dependencies, true).is_ok() {
            let path = format!("{MODULES}/{release}");
            kernels.push(InstalledKernel { release, path, ..InstalledKernel::default() });
        }
    }
    Ok(kernels)
}

fn names(root: &RootDir, path: &str) -> Result<Vec<String>, Error> {
    match root.read_dir(path, MAX_ENTRIES) {
        Ok(entries) => Ok(entries.into_iter().filter_map(|entry| entry.name.into_string().ok()).collect()),
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The image's own version string decides; its name where it has none that can be read.
fn image(root: &RootDir, path: String, named: &str) -> InstalledKernel {
    let mut head = Vec::new();
    let version = root
        .open_file(&path)
        .ok()
        .and_then(|file| file.take(MAX_HEADER).read_to_end(&mut head).ok())
        .and_then(|_| version_string(&head));
    let release = version.as_deref().and_then(|version| version.split_whitespace().next()).unwrap_or(named);
    let build = version.as_deref().and_then(|version| Some(version.get(version.find('#')?..)?.to_owned()));
    InstalledKernel { release: release.to_owned(), build, path, package: None }
}

/// The version of a bzImage: `HdrS` at 0x202, and at 0x20e the offset of the string, counted from 0x200
/// (Documentation/arch/x86/boot.rst, "kernel_version").
pub(super) fn version_string(image: &[u8]) -> Option<String> {
    if image.get(0x202..0x206)? != b"HdrS" {
        return None;
    }
    let offset = u16::from_le_bytes(image.get(0x20e..0x210)?.try_into().ok()?);
    if offset == 0 {
        return None;
    }
    let text = image.get(usize::from(offset) + 0x200..)?;
    let text = text.get(..text.iter().position(|b| *b == 0)?)?;
    let is_text = !text.is_empty() && text.iter().all(|b| (b' '..=b'~').contains(b));
    is_text.then(|| String::from_utf8_lossy(text).into_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A header as arch/x86/boot/header.S lays it out, with a string like Debian's.
    fn bzimage(version: &str) -> Vec<u8> {
        let mut image = vec![0; 0x3000];
        image[0x202..0x206].copy_from_slice(b"HdrS");
        image[0x20e..0x210].copy_from_slice(&0x2000_u16.to_le_bytes());
        image[0x2200..0x2200 + version.len()].copy_from_slice(version.as_bytes());
        image
    }

    #[test]
    fn newest_first_whatever_the_name() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path);
        fs::create_dir_all(at("boot")).unwrap();
        for release in ["6.1.0-9-amd64", "6.1.0-18-amd64", "6.1.0-30-amd64"] {
            fs::create_dir_all(at("lib/modules").join(release)).unwrap();
        }
        fs::write(at("lib/modules/6.1.0-30-amd64/modules.dep"), "").unwrap();
        let string = "6.1.0-18-amd64 (debian-kernel@lists.debian.org) #1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)";
        fs::write(at("boot/vmlinuz-6.1.0-18-amd64"), bzimage(string)).unwrap();
        fs::write(at("boot/vmlinuz-6.1.0-9-amd64"), "MZ").unwrap();
        fs::write(at("boot/vmlinuz-0-rescue-0123"), bzimage(string)).unwrap();
        fs::write(at("boot/vmlinuz.old"), "MZ").unwrap();

        let root = RootDir::open(dir.path()).unwrap();
        let kernels = collect(&root, &Packages::open(&root), Some("6.1.0-9-amd64"));
        let shown: Vec<_> = kernels
            .installed
            .value()
            .unwrap()
            .iter()
            .map(|k| (k.path.as_str(), k.build.as_deref()))
            .collect();
        assert_eq!(
            shown,
            [
                ("/lib/modules/6.1.0-30-amd64", None),
                ("/boot/vmlinuz-6.1.0-18-amd64", Some("#1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)")),
                ("/boot/vmlinuz-6.1.0-9-amd64", None),
            ]
        );
        assert!(matches!(kernels.running_package, Fact::Absent { .. }));
    }

    #[test]
    fn headers_that_lie() {
        assert_eq!(version_string(b""), None);
        assert_eq!(version_string(&bzimage("")), None);
        assert_eq!(version_string(&bzimage("6.1\u{7}")), None);
        let mut image = bzimage("6.1");
        image[0x20e..0x210].copy_from_slice(&0xffff_u16.to_le_bytes());
        assert_eq!(version_string(&image), None);
    }
}
