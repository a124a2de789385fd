use std::collections::BTreeMap;

use plimsoll_facts::Image;

use crate::answer::{complete, fail, pass};
use crate::processes::shortened;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "image-accounts-share-id",
    title: "Two accounts or groups of the image have the same number",
    concern: Concern::Privilege,
    severity: Severity::Low,
    why: "The kernel knows numbers only: two names with one number are one user, who owns what either of them owns. A second \
          name for 0 is root under a name that nobody looks for.",
    fix: "useradd and groupadd without --non-unique, or another --uid in the Dockerfile; build again, and recreate the \
          containers, which stops them.",
    references: &["passwd(5)", "group(5)", "useradd(8)"],
    cis: &[],
    judge: Judge::Image(judge),
};

fn judge(_: &EngineContext<'_>, image: &Image) -> Judgement {
    let content = image.content.require()?;
    let source = image.content.source();
    let users = shared(content.accounts.iter().map(|(name, uid, _)| (name.as_str(), *uid)));
    let groups = shared(content.groups.require()?.iter().map(|(name, gid)| (name.as_str(), *gid)));
    let evidence: Vec<_> = [("user", &users), ("group", &groups)]
        .into_iter()
        .flat_map(|(kind, shared)| shared.iter().map(move |(id, names)| (kind, id, names)))
        .map(|(kind, id, names)| {
            Evidence::new(format!("{kind} id {id}"), names.join(", "), source).expected("one name")
        })
        .collect();
    let Some(first) = evidence.first() else {
        complete(image)?;
        return pass(Evidence::new("numbers with several names", "none", source));
    };
    let message = format!("{} has several names: {}", first.fact, first.value);
    let problem = Problem::new(message, shortened(&evidence, Clone::clone, "numbers"));
    fail(if users.contains_key(&0) { problem.severity(Severity::High) } else { problem })
}

/// The numbers that have more than one name.
fn shared<'a>(named: impl Iterator<Item = (&'a str, u32)>) -> BTreeMap<u32, Vec<&'a str>> {
    let mut names: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for (name, id) in named {
        let of_id = names.entry(id).or_default();
        // Who stands twice with one number is one account, however the file came about.
        if !of_id.contains(&name) {
            of_id.push(name);
        }
    }
    names.retain(|_, names| names.len() > 1);
    names
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::bare::{ReachImage, denied, image, known};
    use crate::testing::{answer, status_of};
    use crate::{Severity, Status};
    use plimsoll_facts::Facts;

    fn accounts(of: &[(&str, u32)], groups: &[(&str, u32)]) -> Facts {
        image(|i| {
            i.content().accounts = of.iter().map(|(name, uid)| ((*name).into(), *uid, 0)).collect();
            i.content().groups = known(groups.iter().map(|(name, gid)| ((*name).into(), *gid)).collect());
        })
    }

    #[test]
    fn users_and_groups() {
        let toor = answer(&RULE, &accounts(&[("root", 0), ("toor", 0)], &[]));
        assert_eq!((toor.status, toor.severity), (Status::Fail, Severity::High));
        assert_eq!(answer(&RULE, &accounts(&[("a", 5), ("b", 5)], &[])).severity, Severity::Low);
        assert_eq!(status_of(&RULE, &accounts(&[("a", 5)], &[("a", 5), ("b", 5)])), Status::Fail);
        // A user and a group of one number, several users of one group, and one name twice are no problem.
        let fine = accounts(&[("root", 0), ("a", 5), ("b", 6), ("b", 6)], &[("a", 5), ("b", 6)]);
        assert_eq!(status_of(&RULE, &fine), Status::Pass);
    }

    #[test]
    fn unread() {
        assert_eq!(status_of(&RULE, &image(|i| i.content = denied())), Status::Unknown);
    }
}
