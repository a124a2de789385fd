//! Entrance for the fuzz target of `/fuzz`: versions that somebody else wrote.

use crate::Order;

/// Name of a fuzz target, and its entrance.
pub type Target = (&'static str, fn(&[u8]));

/// Every entrance.
pub const TARGETS: [Target; 1] = [("versions_order", order)];

const ALL: [Order; 7] =
    [Order::Dpkg, Order::Apk, Order::Rpm, Order::Semver, Order::Go, Order::Pep440, Order::Maven];

/// Three versions, one a line: every order must be one, or refuse them.
///
/// # Panics
/// When an order contradicts itself.
pub fn order(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut lines = text.splitn(3, '\n');
    let (Some(a), Some(b), Some(c)) = (lines.next(), lines.next(), lines.next()) else { return };
    for order in ALL {
        let there = order.compare(a, b);
        let back = order.compare(b, a);
        assert_eq!(there.is_ok(), back.is_ok(), "{} refuses one way only", order.name());
        let (Ok(ab), Ok(ba), Ok(bc), Ok(ac)) = (there, back, order.compare(b, c), order.compare(a, c)) else {
            continue;
        };
        assert_eq!(ab, ba.reverse(), "{} has no direction", order.name());
        // The port of Maven's order is not transitive for lists beside words (`0-b0a.-*1l%+5`).
        if order == Order::Maven {
            continue;
        }
        if ab == bc || bc.is_eq() {
            assert_eq!(ac, ab, "{} is not transitive", order.name());
        } else if ab.is_eq() {
            assert_eq!(ac, bc, "{} is not transitive", order.name());
        }
    }
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod tests;
