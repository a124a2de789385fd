//! Who vouches for an image and for what was put into it.

crate::rules! {
    image_adds_unverified_download,
    image_adds_where_copy_suffices,
    image_skips_package_verification,
    image_installs_unpinned_packages,
    image_base_unpinned,
    base_image_unvouched,
    content_trust_unchecked,
    artifact_signatures_unchecked,
}
