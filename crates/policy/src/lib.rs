//! What the owner decided: which rules, which severities, which exceptions, until when.
//!
//! [`parse`] reads the text of one file strictly: a key that means nothing is a mistake with its place and a hint.
//! [`Policy::open`] follows what it extends; [`apply`] puts the decisions on a report.

mod apply;
mod error;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod load;
mod parse;
mod policy;
mod subject;
mod table;

pub use apply::{Applied, RULES, apply};
pub use error::{LoadError, Mistake, MistakeKind, Mistakes, Place};
pub use load::READY_MADE;
pub use parse::{Draft, parse};
pub use policy::{Controls, Exception, Policy, RuleSetting};
pub use subject::SubjectPattern;
