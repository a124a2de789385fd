//! Docker itself: who can use it, how its daemon is configured, which of its files others may change.

mod settings;

pub(crate) use settings::is_rootless;

crate::rules! {
    engine_runs_as_root,
}
