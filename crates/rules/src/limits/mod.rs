//! Are CPU, memory, IO and process limits really in force, and does anybody notice when a container fails?

mod health;
mod in_force;

crate::rules! {
    memory_unlimited,
    swap_unlimited,
    memory_overcommitted,
    oom_kill_disabled,
    oom_score_lowered,
    cpu_unlimited,
    pids_unlimited,
    io_unlimited,
    buffered_writes_unthrottled,
    ulimits_unbounded,
    limit_not_in_force,
    cgroup_parent_set,
    restart_unbounded,
    service_restart_unbounded,
    crash_loop,
    health_check_absent,
    container_unhealthy,
}
