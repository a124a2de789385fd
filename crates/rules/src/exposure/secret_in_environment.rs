use plimsoll_facts::Container;

use super::secrets::secrets;
use crate::answer::{fail, pass};
use crate::processes::shortened;
use crate::{Concern, Confidence, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "secret-in-environment",
    title: "A password or key is in the container's environment",
    concern: Concern::Exposure,
    severity: Severity::Medium,
    why: "Every process of the container inherits it and shows it to others of the same user under /proc/PID/environ; it \
          is in docker inspect, in crash reports, and often in logs. Values are never read here: names and shapes are \
          a guess, which a person confirms.",
    fix: "Give it in a file: most official images take NAME_FILE (MARIADB_ROOT_PASSWORD_FILE=/run/secrets/root) with a \
          secret of compose or swarm, or a read-only bind mount on a tmpfs. Recreate the container (this stops it), and \
          change the password: it has been seen.",
    references: &[
        "https://docs.docker.com/engine/swarm/secrets/",
        "https://docs.docker.com/compose/how-tos/use-secrets/",
    ],
    cis: &["7.4"],
    judge: Judge::Container(judge),
};

fn judge(_: &EngineContext<'_>, container: &Container) -> Judgement {
    let declared = container.declared.require()?;
    let source = container.declared.source();
    let names = secrets(&declared.secret_like_environment);
    let Some(first) = names.first() else {
        let shown = format!("none of {} looks like a secret", declared.environment.len());
        return pass(Evidence::new("variables", shown, source));
    };
    let evidence = shortened(
        &names,
        |name| Evidence::new("variable that looks like a secret", *name, source).expected("a file instead"),
        "variables",
    );
    let message = format!("{first} in its environment looks like a secret");
    fail(Problem::new(message, evidence).confidence(Confidence::Low))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::{Reach, answer, container, status_of};
    use crate::{Confidence, Status};

    #[test]
    fn by_name() {
        let with = |name: &str| container(|c| c.declared().secret_like_environment = vec![name.into()]);
        let finding = answer(&RULE, &with("MARIADB_ROOT_PASSWORD"));
        assert_eq!((finding.status, finding.confidence), (Status::Fail, Confidence::Low));
        assert_eq!(status_of(&RULE, &with("MARIADB_ROOT_PASSWORD_FILE")), Status::Pass);
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Pass);
        assert_eq!(status_of(&RULE, &container(|c| c.declared = Default::default())), Status::Unknown);
    }
}
