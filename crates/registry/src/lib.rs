//! A client of registries (OCI distribution specification 1.1, docker's registry API v2): resolves tags, and gets
//! manifests, blobs and referrers, each verified by its digest.
//!
//! A registry is not trusted, nor is the way to it: TLS is always verified, every size, count, depth and time is bounded,
//! a redirect leads to nothing but another registry, and credentials go to nobody but the registry's own token server.
//! What failed is told apart, because it means different things: not there, not allowed, not reached, not what it
//! should be.

mod auth;
mod blob;
mod challenge;
mod connections;
mod credentials;
mod digest;
mod documents;
mod error;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod http;
mod image;
mod notary;
mod reference;
mod referrers;
mod repository;
mod revocation;
mod tls;

pub use blob::Blob;
pub use connections::Connections;
pub use digest::{Digest, DigestError};
pub use documents::{Descriptor, INDEX_TYPES, Index, MANIFEST_TYPES, Manifest, Platform};
pub use error::{Error, Result};
pub use http::Limits;
pub use image::Image;
pub use notary::Notary;
pub use reference::{Reference, ReferenceError};
pub use referrers::MAX_REFERRERS;
pub use repository::{Document, MAX_DOCUMENT, Options, Repository};
pub use revocation::revocation_list;
