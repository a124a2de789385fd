//! How old an image and what is in it is, and whether containers run what their tag means now.

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
}

use plimsoll_facts::Image;

use crate::EngineContext;
pub(crate) use image_tagged_latest::moves;

/// How many containers are made from an image, running or not. `None`: who uses it is not known, so that it may be used.
fn users(cx: &EngineContext<'_>, image: &Image) -> Option<usize> {
    let declared = cx.engine.containers.value()?.iter().filter_map(|c| c.declared.value());
    Some(declared.filter(|declared| same_id(&declared.image_id, &image.id)).count())
}

/// Whether two ids are one: podman leaves the algorithm out.
fn same_id(a: &str, b: &str) -> bool {
    a.trim_start_matches("sha256:") == b.trim_start_matches("sha256:")
}
