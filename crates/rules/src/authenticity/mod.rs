//! Who vouches for an image and for what was put into it.

mod notation;
mod signing;

crate::rules! {
    image_adds_unverified_download,
    image_adds_where_copy_suffices,
    image_skips_package_verification,
    image_installs_unpinned_packages,
    image_base_unpinned,
    base_image_unvouched,
    container_image_unvouched,
    image_differs_from_signed,
    docker_client_ignores_content_trust,
    docker_client_without_content_trust,
    content_trust_server_retired,
    content_trust_server_unverified,
    notation_policy_lenient,
    notation_policy_trusts_anyone,
    content_trust_unchecked,
    artifact_signatures_unchecked,
}
