//! File capabilities: the extended attribute `security.capability` (capabilities(7), linux/capability.h
//! `struct vfs_cap_data` and `vfs_ns_cap_data`).

use plimsoll_facts::Capabilities;

/// Longest value: revision 3.
pub(crate) const MAX_SIZE: usize = 24;

const REVISION_MASK: u32 = 0xff00_0000;

/// The permitted set of a `security.capability` value. `None`: not a value that Linux knows.
pub(crate) fn permitted(value: &[u8]) -> Option<Capabilities> {
    let word = |index: usize| {
        let bytes = value.get(index * 4..index * 4 + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    let low = word(1)?;
    let high = match (word(0)? & REVISION_MASK, value.len()) {
        (0x0100_0000, 12) => 0,
        (0x0200_0000, 20) | (0x0300_0000, 24) => word(3)?,
        _ => return None,
    };
    Some(Capabilities(u64::from(high) << 32 | u64::from(low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    // `getfattr -n security.capability -e hex` of Debian 12's /usr/bin/ping (cap_net_raw=ep).
    const PING: [u8; 20] = [0x01, 0, 0, 0x02, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    #[test]
    fn the_three_revisions() {
        assert_eq!(permitted(&PING).unwrap().names(), ["NET_RAW"]);
        let mut v1 = PING[..12].to_vec();
        v1[3] = 1;
        assert_eq!(permitted(&v1).unwrap().names(), ["NET_RAW"]);
        let mut v3 = [PING.as_slice(), &1000_u32.to_le_bytes()].concat();
        v3[3] = 3;
        v3[12] = 1;
        assert_eq!(permitted(&v3).unwrap().names(), ["NET_RAW", "MAC_OVERRIDE"]);
    }

    #[test]
    fn anything_else_is_not_a_set() {
        for length in 0..PING.len() {
            assert_eq!(permitted(&PING[..length]), None);
        }
        assert_eq!(permitted(&[0xff; 20]), None);
    }
}
