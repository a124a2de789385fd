//! Limits as the kernel enforces them, and as people read them.

use plimsoll_facts::{Effective, Gap, Limit, Limits};

use crate::Evidence;
use crate::answer::gap;

/// The limits, where this controller (`memory`, `pids`, `cpu`, `cpuset`, `io`) could be read.
///
/// # Errors
/// The gap where the limits or this controller's part of them could not be read.
pub(super) fn limits<'e>(effective: &'e Effective, controllers: &[&str]) -> Result<&'e Limits, Gap> {
    let limits = effective.limits.require()?;
    for controller in controllers {
        if let Some(reason) = limits.unreadable.get(*controller) {
            return Err(gap(format!("{} ({controller})", effective.limits.source()), reason.clone()));
        }
    }
    Ok(limits)
}

/// A limit as evidence: its value, or that there is none, and the file that says so.
pub(super) fn evidence<T>(
    name: &'static str,
    limit: &Limit<T>,
    show: impl Fn(&T) -> String,
    effective: &Effective,
) -> Evidence {
    let source = if limit.source.is_empty() { effective.limits.source() } else { &limit.source };
    Evidence::new(name, limit.value.as_ref().map_or_else(|| "unlimited".to_owned(), show), source)
}

/// Bytes in the largest binary unit that leaves a short number: `512 MiB`, `1.5 GiB`.
pub(crate) fn bytes(value: u64) -> String {
    let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let Some((unit, shift)) = units.into_iter().find(|(_, shift)| value >> shift > 0) else {
        return format!("{value} bytes");
    };
    let tenths = (u128::from(value) * 10) >> shift;
    match tenths % 10 {
        0 => format!("{} {unit}", tenths / 10),
        rest => format!("{}.{rest} {unit}", tenths / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes() {
        assert_eq!(bytes(0), "0 bytes");
        assert_eq!(bytes(64 << 20), "64 MiB");
        assert_eq!(bytes(3 << 29), "1.5 GiB");
        assert_eq!(bytes(1 << 40), "1 TiB");
        assert_eq!(bytes(u64::MAX), "16777215.9 TiB");
    }
}
