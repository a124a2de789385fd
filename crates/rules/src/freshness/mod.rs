//! How old an image and what is in it is, which published flaws it carries, and whether containers run what their tag
//! means now.

crate::rules! {
    image_old,
    image_packages_stale,
    image_distribution_end_of_life,
    image_update_without_install,
    image_build_leftovers,
    image_tagged_latest,
    container_image_superseded,
    container_image_unpinned,
    container_image_gone,
    unused_images,
    stopped_containers_left,
    package_flaw_exploited,
    package_flaw_fixable,
    package_flaw_unfixed,
    package_updates_waiting,
    packages_not_covered,
    host_package_flaw,
    advisories_outdated,
}

use plimsoll_facts::{Container, Image};

use crate::EngineContext;
pub(crate) use image_tagged_latest::moves;

/// How many containers are made from an image, running or not. `None`: who uses it is not known, so that it may be used.
fn users(cx: &EngineContext<'_>, image: &Image) -> Option<usize> {
    containers_of(cx, image).map(|containers| containers.len())
}

/// The containers that are made from an image, running or not. `None`: who uses it is not known.
pub(crate) fn containers_of<'a>(cx: &EngineContext<'a>, image: &Image) -> Option<Vec<&'a Container>> {
    let made_from = |container: &&Container| {
        container.declared.value().is_some_and(|declared| same_id(&declared.image_id, &image.id))
    };
    Some(cx.engine.containers.value()?.iter().filter(made_from).collect())
}

/// Whether two ids are one: podman leaves the algorithm out.
fn same_id(a: &str, b: &str) -> bool {
    a.trim_start_matches("sha256:") == b.trim_start_matches("sha256:")
}
