//! Namespaces, capabilities, seccomp, LSM, mounts, devices: is each container really apart?

crate::rules! {
    container_privileged,
}
