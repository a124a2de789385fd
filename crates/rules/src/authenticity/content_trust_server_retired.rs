use plimsoll_facts::{Facts, Gap};

use super::signing::{FIRST_WITHOUT, files, major, switched_on};
use crate::age::{DAY, Day, epoch, show_day};
use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "content-trust-server-retired",
    title: "Content trust is switched on for a server of signatures that is given up",
    concern: Concern::Authenticity,
    severity: Severity::Medium,
    why: "Docker closes notary.docker.io on 2026-12-08, and Azure Container Registry ends content trust on 2028-03-31. From then \
          on a client that has DOCKER_CONTENT_TRUST set cannot pull from there, and whoever unsets it pulls without any check. \
          Docker's official images have no other signature of their publisher.",
    fix: "Before that day, let what you run be signed in another way (cosign or Notation, by your own pipeline), or pin it by \
          digest; verify that by plimsoll verify --policy, and take DOCKER_CONTENT_TRUST out of the file. Nothing stops.",
    references: &[
        "https://www.docker.com/blog/docker-content-trust-retirement-and-migration-guidance/",
        "https://www.docker.com/blog/retiring-docker-content-trust/",
        "https://learn.microsoft.com/azure/container-registry/container-registry-content-trust-deprecation",
    ],
    cis: &[],
    judge: Judge::Host(judge),
};

/// Whose signatures are given up: the registry, the server, and the first day without it.
const RETIRED: [(&str, &str, Day); 2] =
    [("docker.io", "notary.docker.io", (2026, 12, 8)), (".azurecr.io", "Azure Container Registry", (2028, 3, 31))];
/// Names the server that is asked instead of the registry's own.
const SERVER: &str = "DOCKER_CONTENT_TRUST_SERVER";

fn judge(facts: &Facts) -> Judgement {
    let settings = switched_on(facts)?;
    if settings.is_empty() {
        return not_applicable("no file that a login reads switches DOCKER_CONTENT_TRUST on");
    }
    if !has_verifying_client(facts)? {
        return not_applicable("no docker client here verifies signatures");
    }
    let all = facts.host.signing.content_trust.require()?;
    let server = all.iter().find(|setting| setting.variable == SERVER).map(|setting| setting.value.as_str());
    let mut problem: Option<Problem> = None;
    for (registry, name, day) in RETIRED {
        let is_asked = match server {
            Some(server) => server.contains(name),
            None => registry == "docker.io" || images_of(facts, registry)?,
        };
        if !is_asked {
            continue;
        }
        let has_ended = epoch(day) <= facts.collected_at;
        let days = (epoch(day) - facts.collected_at) / DAY;
        let when = if has_ended { "is closed since".to_owned() } else { format!("closes in {days} days, on") };
        let message = format!("{name} {when} {}: content trust is on in {}", show_day(day), files(&settings));
        let evidence = Evidence::new(name, show_day(day), "announced by its owner").expected("not given up");
        let found = Problem::new(message, vec![evidence]);
        let found = if has_ended { found.severity(Severity::High) } else { found };
        problem.get_or_insert(found);
    }
    match problem {
        Some(problem) => fail(problem),
        None => pass(Evidence::new("servers of signatures that are given up", "none is asked", files(&settings))),
    }
}

fn has_verifying_client(facts: &Facts) -> Result<bool, Gap> {
    let clients = facts.components.iter().filter(|it| it.kind == plimsoll_facts::ComponentKind::DockerCli);
    let mut majors = Vec::new();
    for client in clients {
        majors.push(major(client)?);
    }
    Ok(majors.iter().any(|major| *major < FIRST_WITHOUT))
}

/// Whether an engine has images of such a registry.
fn images_of(facts: &Facts, registry: &str) -> Result<bool, Gap> {
    for engine in &facts.engines {
        let names = engine.images.get()?.into_iter().flatten().flat_map(|it| it.tags.iter().chain(&it.digests));
        let host = |name: &String| name.split_once('/').is_some_and(|(host, _)| host.ends_with(registry));
        if names.clone().any(host) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Engine, Image};

    use super::RULE;
    use crate::age::epoch;
    use crate::authenticity::signing::testing::client;
    use crate::testing::bare::known;
    use crate::testing::{answer, status_of};
    use crate::{Severity, Status};

    const ON: (&str, &str) = ("DOCKER_CONTENT_TRUST", "1");

    #[test]
    fn before_and_after_the_day() {
        let mut facts = client("28.2.2", &[ON]);
        let found = answer(&RULE, &facts);
        assert_eq!((found.status, found.severity), (Status::Fail, Severity::Medium));
        assert!(found.message.contains("closes in 15 days, on 2026-12-08"), "{}", found.message);
        facts.collected_at = epoch((2026, 12, 8));
        let found = answer(&RULE, &facts);
        assert_eq!((found.status, found.severity), (Status::Fail, Severity::High));
        assert!(found.message.contains("closed since 2026-12-08"), "{}", found.message);
    }

    #[test]
    fn other_servers_and_clients_that_ask_none() {
        let own = client("28.2.2", &[ON, ("DOCKER_CONTENT_TRUST_SERVER", "https://notary.example")]);
        assert_eq!(status_of(&RULE, &own), Status::Pass);
        assert_eq!(status_of(&RULE, &client("29.0.0", &[ON])), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &client("28.2.2", &[])), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &client("", &[ON])), Status::Unknown);
    }

    #[test]
    fn registries_count_where_images_come_from_them() {
        let mut facts = client("28.2.2", &[ON]);
        let image = Image { tags: vec!["shop.azurecr.io/db:1".into()], ..Image::default() };
        facts.engines = vec![Engine { images: known(vec![image]), ..Engine::default() }];
        facts.collected_at = epoch((2028, 4, 1));
        assert_eq!(status_of(&RULE, &facts), Status::Fail);
    }
}
