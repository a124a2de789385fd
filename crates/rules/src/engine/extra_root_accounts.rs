use plimsoll_facts::Facts;

use crate::answer::{fail, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "extra-root-accounts",
    title: "Accounts other than root have user id 0",
    concern: Concern::Engine,
    severity: Severity::High,
    why: "The kernel knows root by its number alone. Such an account owns the engine and every container, and it is a usual \
          way to keep a door open after a break-in.",
    fix: "Find out who made it (grep NAME /var/log/auth.log*, lastlog), then userdel NAME, or usermod -u with a number of its \
          own. No container stops; sessions of that account do.",
    references: &["passwd(5)"],
    cis: &["1.1.2"],
    judge: Judge::Host(judge),
};

fn judge(facts: &Facts) -> Judgement {
    let accounts = &facts.host.accounts;
    let extra = &accounts.require()?.extra_roots;
    if extra.is_empty() {
        return pass(Evidence::new("accounts with uid 0 other than root", "none", accounts.source()));
    }
    let evidence = Evidence::new("accounts with uid 0 other than root", extra.join(" "), accounts.source());
    fail(Problem::new(format!("{} is root by its number", extra.join(", ")), vec![evidence.expected("none")]))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{denied, host, known};
    use crate::testing::status_of;
    use plimsoll_facts::Accounts;

    #[test]
    fn by_number() {
        let with = |names: &[&str]| {
            let extra_roots = names.iter().map(|name| (*name).to_owned()).collect();
            status_of(&RULE, &host(|h| h.accounts = known(Accounts { extra_roots, ..Accounts::default() })))
        };
        assert_eq!(with(&["toor"]), Status::Fail);
        assert_eq!(with(&[]), Status::Pass);
        assert_eq!(status_of(&RULE, &host(|h| h.accounts = denied())), Status::Unknown);
    }
}
