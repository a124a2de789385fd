//! Docker itself: who can use it, how its daemon is configured, which of its files others may change.

mod audit_coverage;
pub(crate) mod files;
mod settings;
pub(crate) mod swarm;

pub(crate) use settings::{has_security_option, is_rootless};

crate::rules! {
    api_without_authorization,
    api_without_client_certificate,
    base_device_size_changed,
    cgroup_parent_changed,
    configuration_changed_since_start,
    configuration_invalid,
    container_logs_stay_on_host,
    container_logs_unrotated,
    daemon_log_level_unsuited,
    data_root_on_root_filesystem,
    default_bridge_connects_containers,
    default_seccomp_profile_weakened,
    default_ulimits_unset,
    docker_group_members,
    engine_api_outdated,
    engine_binary_replaced,
    engine_end_of_life,
    engine_experimental,
    engine_files_unaudited,
    engine_plugin_privileged,
    engine_runs_as_root,
    engine_update_available,
    engine_warnings,
    extra_root_accounts,
    firewall_rules_unmanaged,
    image_without_healthcheck,
    image_command_in_shell_form,
    image_build_steps_unreliable,
    known_engine_flaw,
    live_restore_off,
    metrics_exposed,
    new_privileges_by_default,
    registry_insecure,
    registry_mirror_unencrypted,
    setting_not_in_force,
    storage_driver_abandoned,
    userland_proxy_on,
    userns_remap_off,
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Engine, EngineKind, Facts};

    use crate::testing::bare::{ReachEngine, engine};
    use crate::{Judge, Rule, Status, all, judge};

    fn about_engines() -> impl Iterator<Item = &'static Rule> {
        all().filter(|rule| matches!(rule.judge, Judge::Engine(_)))
    }

    #[test]
    fn an_engine_that_does_not_answer_is_unknown_in_everything() {
        let silent = Facts { engines: vec![Engine::default()], ..Facts::default() };
        for finding in judge(&silent, about_engines()).findings {
            assert_eq!(finding.status, Status::Unknown, "{}", finding.rule);
        }
    }

    #[test]
    fn case_48_podman_is_not_blamed_for_options_that_it_has_not() {
        let podman = engine(|e| {
            e.kind = EngineKind::Podman;
            e.info().security_options =
                vec!["name=seccomp,profile=/usr/share/containers/seccomp.json".into()];
        });
        let of_daemon = |rule: &&Rule| rule.cis.iter().any(|id| id.starts_with("2.") && *id != "2.1");
        for finding in judge(&podman, about_engines().filter(of_daemon)).findings {
            let fine = matches!(finding.status, Status::NotApplicable | Status::Pass);
            assert!(fine, "{}: {}", finding.rule, finding.message);
        }
    }
}
