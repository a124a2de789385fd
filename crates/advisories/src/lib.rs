//! What the world knows to be broken.

pub use plimsoll_versions as order;

mod advisory;
pub mod boundary;
pub mod cvss;
mod database;
mod fetch;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod import;
pub mod inventories;
mod lists;
mod matching;
pub mod osv;
mod red_hat;
mod release;
pub mod store;
mod support;
mod update;
mod vex;

pub use advisory::*;
pub use database::Database;
pub use fetch::FetchError;
pub use import::{ImportError, Imported, import};
pub use lists::{ExploitProbability, Exploited, ListError};
pub use matching::match_packages;
pub use release::Release;
pub use support::{Support, support_of};
pub use update::{DEFAULT_ECOSYSTEMS, OSV_EXPORTS, UpdateError, Updated, download, update};
pub use vex::{LARGEST_VEX, VexError, VexStatement, apply_vex, read_vex};
