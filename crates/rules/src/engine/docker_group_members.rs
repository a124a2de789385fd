use plimsoll_facts::Facts;

use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "docker-group-members",
    title: "Accounts are root through the docker group",
    concern: Concern::Engine,
    severity: Severity::Medium,
    why: "A member of the group starts a container with the host's disk in it and needs no password for that; sudo's log never \
          sees it. Whether each of them should have root only a person knows, so they are listed: also those who have the \
          group as their primary one, whom the group file does not name.",
    fix: "gpasswd -d NAME docker for those who need not be root (usermod -g where it is the primary group); they keep the \
          right until they log out. Nothing stops. Record an exception for those who should.",
    references: &["https://docs.docker.com/engine/security/#docker-daemon-attack-surface", "group(5)"],
    cis: &["1.1.2"],
    judge: Judge::Host(judge),
};

fn judge(facts: &Facts) -> Judgement {
    let accounts = &facts.host.accounts;
    let known = accounts.require()?;
    if known.docker_gid.is_none() {
        return not_applicable("this host has no docker group");
    }
    let members: Vec<_> = known.docker_group.iter().filter(|member| member.user != "root").collect();
    if members.is_empty() {
        return pass(Evidence::new("members of the docker group", "none", accounts.source()));
    }
    let evidence = members.iter().map(|member| {
        let how = if member.primary { "as the primary group" } else { "as a member" };
        let uid = member.uid.map_or_else(|| "no such account".to_owned(), |uid| format!("uid {uid}"));
        Evidence::new(member.user.clone(), format!("{uid}, {how}"), accounts.source())
    });
    let names: Vec<_> = members.iter().map(|member| member.user.as_str()).collect();
    fail(Problem::new(format!("root through the docker group: {}", names.join(", ")), evidence.collect()))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::bare::{denied, host, known};
    use crate::testing::{answer, status_of};
    use crate::Status;
    use plimsoll_facts::{Accounts, Facts, GroupMember};

    fn group(members: &[(&str, bool)]) -> Facts {
        let docker_group = members.iter().map(|(user, primary)| GroupMember {
            user: (*user).into(),
            uid: Some(1000),
            primary: *primary,
        });
        let accounts =
            Accounts { docker_group: docker_group.collect(), docker_gid: Some(998), ..Accounts::default() };
        host(|h| h.accounts = known(accounts))
    }

    #[test]
    fn case_27_primary_members_and_whole_names() {
        let found = answer(&RULE, &group(&[("bob", false), ("dora", true)]));
        assert_eq!(found.status, Status::Fail);
        assert_eq!(found.message, "root through the docker group: bob, dora");
    }

    #[test]
    fn nobody_no_group_unread() {
        assert_eq!(status_of(&RULE, &group(&[])), Status::Pass);
        assert_eq!(status_of(&RULE, &group(&[("root", true)])), Status::Pass);
        let without = host(|h| h.accounts = known(Accounts::default()));
        assert_eq!(status_of(&RULE, &without), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &host(|h| h.accounts = denied())), Status::Unknown);
    }
}
