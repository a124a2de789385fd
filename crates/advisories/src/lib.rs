//! What the world knows to be broken.

mod advisory;
pub mod cvss;
pub mod order;
pub mod osv;
mod release;
pub mod store;

pub use advisory::*;
pub use release::Release;
