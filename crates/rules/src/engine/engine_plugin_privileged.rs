use plimsoll_facts::{Engine, Facts, Plugin};

use super::settings::no_docker_daemon;
use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "engine-plugin-privileged",
    title: "A plugin of the engine has the host's powers",
    concern: Concern::Engine,
    severity: Severity::Medium,
    why: "Managed plugins are containers that `docker ps` does not list. One with SYS_ADMIN, the host's directories or its \
          network is as good as root, and its image is pulled like any other. Somebody agreed to it once at the prompt.",
    fix: "docker plugin inspect NAME shows what it was granted. docker plugin disable NAME && docker plugin rm NAME where it is \
          not needed: volumes and networks of that driver stop working.",
    references: &["https://docs.docker.com/engine/extend/"],
    cis: &[],
    judge: Judge::Engine(judge),
};

/// What lets a plugin take the host over.
const CAPABILITIES: [&str; 5] = ["SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "DAC_READ_SEARCH"];

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    if let Some(why) = no_docker_daemon(engine)? {
        return not_applicable(why);
    }
    let source = engine.plugins.source();
    let plugins = engine.plugins.get()?.map(Vec::as_slice).unwrap_or_default();
    if plugins.is_empty() {
        return not_applicable("the engine has no managed plugin");
    }
    let powerful: Vec<_> = plugins.iter().filter(|p| p.enabled).map(|p| (p, powers(p))).filter(|(_, list)| !list.is_empty()).collect();
    if powerful.is_empty() {
        return pass(Evidence::new("enabled plugins with the host's powers", "none", source));
    }
    let names: Vec<_> = powerful.iter().map(|(plugin, _)| plugin.name.as_str()).collect();
    let evidence = powerful.iter().map(|(plugin, list)| {
        Evidence::new(format!("powers of the plugin {}", plugin.name), list.join(", "), source).expected("none")
    });
    fail(Problem::new(format!("{} may take the host over", names.join(", ")), evidence.collect()))
}

fn powers(plugin: &Plugin) -> Vec<String> {
    let capabilities = plugin.capabilities.iter().filter(|name| CAPABILITIES.contains(&name.trim_start_matches("CAP_")));
    let sensitive = |path: &&String| {
        matches!(path.as_str(), "/" | "/etc" | "/dev" | "/proc" | "/sys" | "/root" | "/boot") || path.ends_with(".sock")
    };
    let mounts = plugin.mounts.iter().filter(sensitive).map(|path| format!("mount of {path}"));
    let network = plugin.host_network.then(|| "the host's network".to_owned());
    capabilities.cloned().chain(mounts).chain(network).collect()
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{denied, engine, known};
    use crate::testing::status_of;
    use plimsoll_facts::{EngineKind, Facts, Plugin};

    fn plugin(change: impl FnOnce(&mut Plugin)) -> Facts {
        let mut plugin = Plugin { name: "vol:latest".into(), enabled: true, ..Plugin::default() };
        change(&mut plugin);
        engine(|e| e.plugins = known(vec![plugin]))
    }

    #[test]
    fn powers_of_an_enabled_plugin() {
        assert_eq!(status_of(&RULE, &plugin(|p| p.capabilities = vec!["CAP_SYS_ADMIN".into()])), Status::Fail);
        assert_eq!(status_of(&RULE, &plugin(|p| p.mounts = vec!["/".into()])), Status::Fail);
        assert_eq!(status_of(&RULE, &plugin(|p| p.host_network = true)), Status::Fail);
        assert_eq!(status_of(&RULE, &plugin(|p| p.mounts = vec!["/var/lib/x".into()])), Status::Pass);
        let off = plugin(|p| {
            p.enabled = false;
            p.host_network = true;
        });
        assert_eq!(status_of(&RULE, &off), Status::Pass);
    }

    #[test]
    fn none_unread_podman() {
        assert_eq!(status_of(&RULE, &engine(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &engine(|e| e.plugins = denied())), Status::Unknown);
        assert_eq!(status_of(&RULE, &engine(|e| e.kind = EngineKind::Podman)), Status::NotApplicable);
    }
}
