//! The kernel that every container shares: what runs, what it offers to unprivileged processes, how it is built.

pub(crate) mod sysctl;

crate::rules! {
    known_kernel_flaw,
    booted_kernel_outdated,
    reboot_pending,
    host_distribution_end_of_life,
    host_hardening_unreviewed,
    host_without_lsm,
    cgroup_v1_in_use,
    kernel_lacks_container_feature,
    cpu_vulnerability_unmitigated,
    unprivileged_user_namespaces,
    unprivileged_bpf,
    unprivileged_userfaultfd,
    unprivileged_perf_events,
    io_uring_for_everybody,
    kernel_addresses_readable,
    kernel_log_readable,
    kernel_address_space_fixed,
    address_space_layout_predictable,
    kernel_lockdown_off,
    kernel_modules_loadable,
    links_unprotected,
    core_dumps_piped_to_host,
}
