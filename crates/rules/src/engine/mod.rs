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
