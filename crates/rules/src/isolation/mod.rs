//! Namespaces, capabilities, seccomp, LSM, mounts, devices: is each container really apart?

mod devices;
mod lsm;
mod namespaces;
mod sensitive_paths;

crate::rules! {
    apparmor_profile_not_in_force,
    apparmor_unconfined,
    capabilities_beyond_default,
    connection_model_disagrees,
    container_privileged,
    default_bridge_used,
    device_driver_request,
    engine_socket_mounted,
    entered_from_outside,
    host_cgroup_namespace,
    host_descriptor_open,
    host_devices_exposed,
    host_ipc_namespace,
    host_network_namespace,
    host_pid_namespace,
    host_user_namespace,
    host_uts_namespace,
    image_volume_on_system_path,
    joined_namespace_orphaned,
    kernel_paths_unmasked,
    namespace_not_as_declared,
    network_isolation_not_in_force,
    overlay_network_unencrypted,
    privileged_exec,
    raw_sockets_allowed,
    read_only_not_in_force,
    remote_shell_server,
    root_exec,
    root_filesystem_writable,
    seccomp_disabled,
    seccomp_filter_lost,
    seccomp_profile_not_in_force,
    selinux_unconfined,
    sensitive_host_path,
    shared_mount_propagation,
    unauthorised_connection,
    undeclared_device_access,
}
