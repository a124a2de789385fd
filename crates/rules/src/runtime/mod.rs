//! What makes and holds containers below the engine: runc, containerd, its shims.

pub(crate) mod binary;
pub(crate) mod life;
pub(crate) mod update;

crate::rules! {
    known_runtime_flaw,
    runtime_binary_replaced,
    runtime_update_available,
    runtime_end_of_life,
    runtime_versions_mixed,
    container_running_unmanaged,
    shim_orphaned,
}
