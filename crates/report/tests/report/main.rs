//! Every format, written from a sample audit with hostile names.

mod expected;
mod hostile;
mod html;
mod json;
mod junit;
mod markdown;
mod sample;
mod sarif;
mod scan;
mod terminal;
