use plimsoll_facts::Image;

use crate::answer::{complete, fail, pass};
use crate::processes::shortened;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "image-login-keys",
    title: "The image lets the holder of an SSH key in",
    concern: Concern::Exposure,
    severity: Severity::Low,
    why: "Every container of the image, wherever it runs, opens to whoever holds that key; it cannot be withdrawn from images \
          that were handed out. Left there by a break-in it is a way back. With an SSH server in the image it is one today.",
    fix: "Remove the authorized_keys file from the image and its build context; mount keys when running, or use docker exec \
          instead of SSH. Build again, and recreate the containers, which stops them.",
    references: &["sshd(8)"],
    cis: &["4.10"],
    judge: Judge::Image(judge),
};

fn judge(_: &EngineContext<'_>, image: &Image) -> Judgement {
    let content = image.content.require()?;
    let source = image.content.source();
    let keys = content.login_keys.require()?;
    let Some(first) = keys.first() else {
        complete(image)?;
        return pass(Evidence::new("files of keys that may log in", "none", source));
    };
    let mut evidence = shortened(
        keys,
        |path| Evidence::new("keys that may log in", path.clone(), source).expected("none"),
        "files",
    );
    let is_server = |path: &&String| path.ends_with("/sshd") || path.ends_with("/dropbear");
    let server = content.unneeded_programs.iter().find(is_server);
    evidence.extend(server.map(|path| Evidence::new("SSH server", path.clone(), source)));
    let problem = Problem::new(format!("{first} lets the holders of keys in"), evidence);
    fail(if server.is_some() { problem.severity(Severity::High) } else { problem })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::bare::{ReachImage, denied, image, known};
    use crate::testing::{answer, status_of};
    use crate::{Severity, Status};
    use plimsoll_facts::Facts;

    fn keys(programs: &[&str]) -> Facts {
        image(|i| {
            i.content().login_keys = known(vec!["/root/.ssh/authorized_keys".into()]);
            i.content().unneeded_programs = programs.iter().map(|path| (*path).into()).collect();
        })
    }

    #[test]
    fn with_a_server_it_is_open() {
        assert_eq!(answer(&RULE, &keys(&["/usr/sbin/sshd"])).severity, Severity::High);
        assert_eq!(answer(&RULE, &keys(&["/usr/bin/nc"])).severity, Severity::Low);
        assert_eq!(status_of(&RULE, &image(|_| ())), Status::Pass);
        assert_eq!(status_of(&RULE, &image(|i| i.content = denied())), Status::Unknown);
    }
}
