use plimsoll_facts::Image;

use crate::answer::{fail, pass};
use crate::processes::shortened;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "image-account-without-password",
    title: "An account of the image has an empty password",
    concern: Concern::Privilege,
    severity: Severity::Medium,
    why: "Whoever runs a process in the container becomes that user with su and no password, where su or a login service is \
          there. For root that undoes USER. Alpine images had it for years (CVE-2019-5021).",
    fix: "RUN passwd -l NAME in the Dockerfile (in shadow(5) an exclamation mark or an asterisk locks an account, an empty field \
          opens it), build again, and recreate the containers, which stops them.",
    references: &["shadow(5)", "https://nvd.nist.gov/vuln/detail/CVE-2019-5021"],
    cis: &[],
    judge: Judge::Image(judge),
};

fn judge(_: &EngineContext<'_>, image: &Image) -> Judgement {
    let content = image.content.require()?;
    let accounts = content.empty_passwords.require()?;
    let source = content.empty_passwords.source();
    let Some(first) = accounts.first() else {
        return pass(Evidence::new("accounts with an empty password", "none", source));
    };
    let is_root = |name: &String| content.accounts.iter().any(|(account, uid, _)| account == name && *uid == 0);
    let evidence = shortened(
        accounts,
        |name| Evidence::new("account", name.clone(), source).expected("a password, or none that fits"),
        "accounts",
    );
    let problem = Problem::new(format!("account {first} has an empty password"), evidence);
    fail(if accounts.iter().any(is_root) { problem.severity(Severity::High) } else { problem })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::bare::{ReachImage, denied, image, known};
    use crate::testing::{answer, status_of};
    use crate::{Severity, Status};
    use plimsoll_facts::Facts;

    fn empty(names: &[&str]) -> Facts {
        image(|i| {
            i.content().accounts = vec![("root".into(), 0, 0), ("app".into(), 1000, 1000)];
            i.content().empty_passwords = known(names.iter().map(|name| (*name).into()).collect());
        })
    }

    #[test]
    fn root_is_worse() {
        assert_eq!(answer(&RULE, &empty(&["app", "root"])).severity, Severity::High);
        assert_eq!(answer(&RULE, &empty(&["app"])).severity, Severity::Medium);
        assert_eq!(status_of(&RULE, &empty(&[])), Status::Pass);
    }

    #[test]
    fn unread() {
        assert_eq!(status_of(&RULE, &image(|i| i.content = denied())), Status::Unknown);
        let partly = image(|i| i.content().empty_passwords = denied());
        assert_eq!(status_of(&RULE, &partly), Status::Unknown);
    }
}
