//! What does a container show to others: ports, and secrets?

pub(crate) mod ports;
mod secrets;

crate::rules! {
    port_on_all_interfaces,
    loopback_port_reachable,
    privileged_port_published,
    host_network_listener,
    undeclared_listener,
    container_port_reachable_from_outside,
    host_service_reachable_from_containers,
    published_port_unused,
    secret_in_environment,
    image_secret_in_environment,
    image_secret_file,
    image_secret_in_history,
    image_unneeded_programs,
    boundary_flaw_reachable,
    boundary_flaw_without_escape,
    attack_path,
    image_installs_recommended_packages,
    image_development_files,
    image_login_keys,
}
