use plimsoll_facts::{Image, WritablePath};

use crate::answer::{complete, fail, pass};
use crate::processes::shortened;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "image-system-paths-writable",
    title: "Every user of the image may write programs or configuration of the system",
    concern: Concern::Privilege,
    severity: Severity::Medium,
    why: "A service that is broken into replaces a program or adds an account, and waits for the next process of root: an \
          administrator's docker exec, a cron job, the next start. Mostly it is a chmod -R 777 against some error message. A \
          passwd file that group 0 may write makes root of every container that runs with an arbitrary user id.",
    fix: "Take the chmod out of the Dockerfile and give the service's user the one directory that it writes (install -d -o USER); \
          build again, and recreate the containers, which stops them. --read-only holds until then.",
    references: &["path_resolution(7)", "https://nvd.nist.gov/vuln/detail/CVE-2020-1709"],
    cis: &[],
    judge: Judge::Image(judge),
};

fn judge(_: &EngineContext<'_>, image: &Image) -> Judgement {
    let content = image.content.require()?;
    let source = image.content.source();
    let paths = content.writable_paths.require()?;
    let Some(first) = paths.first() else {
        complete(image)?;
        return pass(Evidence::new("system paths that everybody may write", "none", source));
    };
    let evidence = shortened(paths, |path| evidence(path, source), "paths");
    let message = match paths.len() {
        1 => format!("{} is writable by {}", first.path, writers(first)),
        n => format!("{} and {} more system paths are writable by {}", first.path, n - 1, writers(first)),
    };
    fail(Problem::new(message, evidence))
}

fn evidence(path: &WritablePath, source: &str) -> Evidence {
    let value = format!("mode {:04o}, user {}, group {}", path.mode, path.uid, path.gid);
    Evidence::new(path.path.clone(), value, source).expected("writable by its owner alone")
}

fn writers(path: &WritablePath) -> String {
    if path.mode & 0o002 == 0 { format!("group {}", path.gid) } else { "everybody".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachImage, denied, image, known};
    use crate::testing::{answer, status_of};
    use plimsoll_facts::WritablePath;

    #[test]
    fn by_mode() {
        let path = |path: &str, mode| WritablePath { path: path.into(), mode, ..WritablePath::default() };
        let found =
            answer(&RULE, &image(|i| i.content().writable_paths = known(vec![path("/etc", 0o777), path("/usr/bin", 0o777)])));
        assert_eq!(found.message, "/etc and 1 more system paths are writable by everybody");
        let found = answer(&RULE, &image(|i| i.content().writable_paths = known(vec![path("/etc/passwd", 0o664)])));
        assert_eq!(found.message, "/etc/passwd is writable by group 0");
        assert_eq!(status_of(&RULE, &image(|_| ())), Status::Pass);
    }

    #[test]
    fn unread() {
        assert_eq!(status_of(&RULE, &image(|i| i.content = denied())), Status::Unknown);
        let partly = image(|i| i.content().gaps = vec!["a layer could not be opened".into()]);
        assert_eq!(status_of(&RULE, &partly), Status::Unknown);
    }
}
