use plimsoll_facts::Image;

use crate::answer::{complete, fail, pass};
use crate::processes::shortened;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "image-sudo-without-password",
    title: "The image lets users become root through sudo without a password",
    concern: Concern::Privilege,
    severity: Severity::Medium,
    why: "USER is undone by one word: whoever breaks the service runs sudo and is root in the container, with every capability \
          that it has. What a build needs as root belongs before USER, what a start needs into setpriv or gosu.",
    fix: "Take the NOPASSWD line out of etc/sudoers or etc/sudoers.d and sudo out of the image; build again, and recreate the \
          containers, which stops them. Until then --security-opt no-new-privileges takes the effect away.",
    references: &["sudoers(5)", "https://docs.docker.com/build/building/best-practices/#user"],
    cis: &["4.8"],
    judge: Judge::Image(judge),
};

fn judge(_: &EngineContext<'_>, image: &Image) -> Judgement {
    let content = image.content.require()?;
    let source = image.content.source();
    let root_only = |who: &&String| who.as_str() == "root";
    let allowed: Vec<_> = content.passwordless_sudo.require()?.iter().filter(|who| !root_only(who)).collect();
    let sudo = content.privileged_files.iter().find(|file| file.path.ends_with("/sudo"));
    match (allowed.first(), sudo) {
        (Some(first), Some(program)) => {
            let mut evidence = shortened(
                &allowed,
                |who| Evidence::new("may run everything without a password", (*who).clone(), source).expected("nobody"),
                "entries",
            );
            evidence.push(Evidence::new("sudo", program.path.clone(), source));
            fail(Problem::new(format!("{first} may become root through sudo without a password"), evidence))
        }
        _ => {
            complete(image)?;
            let shown = if sudo.is_some() { "nobody without a password" } else { "not in the image" };
            pass(Evidence::new("sudo", shown, source))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachImage, denied, image, known};
    use crate::testing::status_of;
    use plimsoll_facts::{Facts, PrivilegedFile};

    fn sudoers(who: &str, installed: bool) -> Facts {
        image(|i| {
            i.content().passwordless_sudo = known(vec![who.into()]);
            if installed {
                let sudo = PrivilegedFile { path: "/usr/bin/sudo".into(), mode: 0o4755, ..Default::default() };
                i.content().privileged_files.push(sudo);
            }
        })
    }

    #[test]
    fn only_where_sudo_is_there() {
        assert_eq!(status_of(&RULE, &sudoers("app", true)), Status::Fail);
        assert_eq!(status_of(&RULE, &sudoers("%wheel", true)), Status::Fail);
        assert_eq!(status_of(&RULE, &sudoers("app", false)), Status::Pass);
        assert_eq!(status_of(&RULE, &sudoers("root", true)), Status::Pass);
    }

    #[test]
    fn unread() {
        assert_eq!(status_of(&RULE, &image(|i| i.content = denied())), Status::Unknown);
    }
}
