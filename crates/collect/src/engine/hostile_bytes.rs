//! Whatever the bytes, the parsers of this module answer, and never panic.

use proptest::prelude::*;

use super::declared::WireContainer;
use super::endpoint::Endpoint;
use super::hosts::Host;
use super::image::WireInspect;
use super::info::WireInfo;
use super::{certificate, flags, withheld};

proptest! {
    #[test]
    fn addresses(text in "[a-z@:/\\[\\].0-9-]{0,40}|\\PC{0,40}") {
        if let Ok(endpoint) = Endpoint::parse(&text, None) {
            // What is shown leads to the same place again.
            prop_assert_eq!(Endpoint::parse(&endpoint.to_string(), None), Ok(endpoint));
        }
        let _ = Host::of_address(&text);
    }

    #[test]
    fn command_lines(mut args in proptest::collection::vec("-{0,2}[a-zA-Z-]{0,12}=?\\PC{0,12}", 0..8)) {
        let options = flags::parse(&args);
        let _ = Host::all(options.get("hosts"), false);
        withheld::in_arguments(&mut args);
    }

    #[test]
    fn certificates(der in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = certificate::not_before(&der);
    }

    #[test]
    fn documents(text in "[{}\\[\\]\":,a-zA-Z0-9 .-]{0,200}") {
        let _ = serde_json::from_str::<WireContainer>(&text);
        let _ = serde_json::from_str::<WireInspect>(&text);
        let _ = serde_json::from_str::<WireInfo>(&text);
    }
}
