//! As whom do the processes really run, and could they become root?

mod privileged_files;
mod user;

crate::rules! {
    root_process,
    user_not_in_force,
    privileged_groups,
    new_privileges_allowed,
    setid_files_effective,
    image_user_root,
    image_setid_files,
    image_sudo_without_password,
    image_account_without_password,
    image_accounts_share_id,
    image_system_paths_writable,
}
