//! What the world knows to be broken.

mod advisory;
pub mod cvss;
mod import;
pub mod order;
pub mod osv;
mod release;
pub mod store;

pub use advisory::*;
pub use import::{ImportError, Imported, import};
pub use release::Release;
