use plimsoll_facts::Image;

use crate::answer::{fail, pass};
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "image-volume-on-system-path",
    title: "The image declares a volume over a directory of the system",
    concern: Concern::Isolation,
    severity: Severity::Low,
    why: "The engine copies the directory into a volume at the first start and mounts that from then on: programs and \
          configuration in it stay those of the first image, and what is mended in later ones never arrives. /proc and /sys \
          must not be covered at all, since the kernel's own view and its protections are there.",
    fix: "Take the path out of VOLUME and declare only the directory of the data; build again, and recreate the containers with \
          --renew-anon-volumes, which stops them.",
    references: &["https://docs.docker.com/reference/dockerfile/#volume"],
    cis: &[],
    judge: Judge::Image(judge),
};

/// Directories that belong to the distribution, as a whole.
const WHOLE: [&str; 14] = [
    "/", "/bin", "/boot", "/etc", "/lib", "/lib64", "/run", "/sbin", "/usr", "/usr/bin", "/usr/lib", "/usr/sbin", "/var",
    "/var/lib",
];
/// Directories of the kernel's own file systems, with all below them.
const KERNEL: [&str; 3] = ["/dev", "/proc", "/sys"];

fn judge(_: &EngineContext<'_>, image: &Image) -> Judgement {
    let config = image.config.require()?;
    let source = image.config.source();
    let normal = |path: &str| format!("/{}", path.split('/').filter(|part| !matches!(*part, "" | ".")).collect::<Vec<_>>().join("/"));
    let of_kernel = |path: &str| KERNEL.iter().any(|dir| path == *dir || path.starts_with(&format!("{dir}/")));
    let volumes = config.volumes.iter().map(|path| normal(path));
    let covered: Vec<_> = volumes.filter(|path| WHOLE.contains(&path.as_str()) || of_kernel(path)).collect();
    let Some(first) = covered.first() else {
        let shown = if config.volumes.is_empty() { "none".to_owned() } else { config.volumes.join(", ") };
        return pass(Evidence::new("Volumes", shown, source));
    };
    let evidence = covered.iter().map(|path| Evidence::new("volume", path.clone(), source).expected("a directory of data"));
    let problem = Problem::new(format!("declares a volume at {first}"), evidence.collect());
    fail(if covered.iter().any(|path| of_kernel(path)) { problem.severity(Severity::Medium) } else { problem })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::bare::{ReachImage, denied, image};
    use crate::testing::{answer, status_of};
    use crate::{Severity, Status};
    use plimsoll_facts::Facts;

    fn volume(path: &str) -> Facts {
        image(|i| i.config().volumes = vec![path.into()])
    }

    #[test]
    fn paths() {
        assert_eq!(answer(&RULE, &volume("/proc/")).severity, Severity::Medium);
        assert_eq!(answer(&RULE, &volume("/etc/")).severity, Severity::Low);
        assert_eq!(status_of(&RULE, &volume("//usr/./bin")), Status::Fail);
        for path in ["/var/lib/mysql", "/etc/mysql/conf.d", "/data", "/devices", "/process"] {
            assert_eq!(status_of(&RULE, &volume(path)), Status::Pass, "{path}");
        }
        assert_eq!(status_of(&RULE, &image(|i| i.config = denied())), Status::Unknown);
    }
}
