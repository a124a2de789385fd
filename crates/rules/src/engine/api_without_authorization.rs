use plimsoll_facts::{Engine, Facts};

use super::settings::no_docker_daemon;
use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "api-without-authorization",
    title: "Whoever reaches the engine's API may do everything",
    concern: Concern::Engine,
    severity: Severity::Low,
    why: "The engine knows no roles: a monitoring agent with the socket can start a privileged container as well as read \
          counters. Only an authorization plugin looks at each request.",
    fix: "Install a plugin, name it in \"authorization-plugins\" of daemon.json, `systemctl reload docker`. Nothing stops, \
          but from then on the engine refuses every request while the plugin does not answer. For readers a proxy that \
          passes only GET requests is the smaller step.",
    references: &["https://docs.docker.com/engine/extend/plugins_authorization/"],
    cis: &["2.13"],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    if let Some(why) = no_docker_daemon(engine)? {
        return not_applicable(why);
    }
    let loaded = &engine.info.require()?.authorization_plugins;
    let shown = if loaded.is_empty() { "none".to_owned() } else { loaded.join(" ") };
    let evidence = Evidence::new("authorization plugins in force", shown, engine.info.source());
    if loaded.is_empty() {
        let message = "no plugin decides on requests to the engine";
        return fail(Problem::new(message, vec![evidence.expected("at least one")]));
    }
    let managed = engine.plugins.value().into_iter().flatten();
    let off: Vec<_> = managed.filter(|plugin| !plugin.enabled && loaded.iter().any(|name| same(name, &plugin.name))).collect();
    let Some(plugin) = off.first() else { return pass(evidence) };
    let state = Evidence::new(plugin.name.clone(), "disabled", engine.plugins.source()).expected("enabled");
    fail(Problem::new(format!("{} is asked about each request but is disabled", plugin.name), vec![evidence, state])
        .severity(Severity::Medium))
}

/// Whether two names mean one plugin: the tag `latest` may be left out.
fn same(a: &str, b: &str) -> bool {
    a.trim_end_matches(":latest") == b.trim_end_matches(":latest")
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachEngine, denied, engine, known};
    use crate::testing::status_of;
    use plimsoll_facts::{EngineKind, Plugin};

    #[test]
    fn case_23_only_loaded_plugins_count() {
        assert_eq!(status_of(&RULE, &engine(|e| e.file("authorization-plugins", vec!["opa"]))), Status::Fail);
        let loaded = engine(|e| e.info().authorization_plugins = vec!["opa".into()]);
        assert_eq!(status_of(&RULE, &loaded), Status::Pass);
    }

    #[test]
    fn a_disabled_plugin_decides_nothing() {
        let off = engine(|e| {
            e.info().authorization_plugins = vec!["opa".into()];
            e.plugins = known(vec![Plugin { name: "opa:latest".into(), ..Plugin::default() }]);
        });
        assert_eq!(status_of(&RULE, &off), Status::Fail);
    }

    #[test]
    fn unread_and_podman() {
        assert_eq!(status_of(&RULE, &engine(|e| e.info = denied())), Status::Unknown);
        assert_eq!(status_of(&RULE, &engine(|e| e.kind = EngineKind::Podman)), Status::NotApplicable);
    }
}
