//! What the owner decided: which rules, which severities, which exceptions, until when.
//!
//! [`parse`] reads the text of one file strictly: a key that means nothing is a mistake with its place and a hint.
//! [`Policy::open`] follows what it extends; [`FlawExceptions`] puts its exceptions on published flaws before rules are
//! asked, [`apply`] its decisions on the report.

mod apply;
mod error;
mod expect;
mod flaws;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod keys;
mod load;
mod parse;
mod policy;
mod schema;
mod subject;
mod table;
mod trust;

pub use apply::{RULES, apply};
pub use error::{LoadError, Mistake, MistakeKind, Mistakes, Place};
pub use expect::expect;
pub use flaws::{FlawExceptions, FlawPattern};
pub use load::READY_MADE;
pub use parse::{Draft, parse};
pub use policy::{Controls, Covers, Exception, ExpectedConnection, Policy, RuleSetting};
pub use schema::schema_json;
pub use subject::SubjectPattern;
pub use trust::{Method, RepositoryPattern, Require, TrustRule};
