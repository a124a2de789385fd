//! Namespaces, capabilities, seccomp, LSM, mounts, devices: is each container really apart?

mod lsm;
mod namespaces;
mod sensitive_paths;

crate::rules! {
    apparmor_profile_not_in_force,
    apparmor_unconfined,
    capabilities_beyond_default,
    container_privileged,
    engine_socket_mounted,
    entered_from_outside,
    host_cgroup_namespace,
    host_ipc_namespace,
    host_network_namespace,
    host_pid_namespace,
    host_user_namespace,
    host_uts_namespace,
    privileged_exec,
    root_exec,
    seccomp_disabled,
    seccomp_profile_not_in_force,
    selinux_unconfined,
    sensitive_host_path,
}
