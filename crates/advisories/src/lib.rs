//! What the world knows to be broken.

pub mod order;
