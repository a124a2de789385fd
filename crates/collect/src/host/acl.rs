//! POSIX access ACLs as the extended attribute holds them (acl(5); include/uapi/linux/posix_acl_xattr.h).

/// Name of the attribute.
pub(super) const ATTRIBUTE: &str = "system.posix_acl_access";

/// Larger than any ACL that a file system stores (ext4: one block).
pub(super) const MAX_SIZE: usize = 64 << 10;

const VERSION: u32 = 2;
const USER: u16 = 0x02;
const GROUP: u16 = 0x08;
const MASK: u16 = 0x10;

/// The entries for named users and groups, as `user:UID:rw-`, with what the mask leaves of them. `None` when it is no
/// ACL.
pub(super) fn parse(attribute: &[u8]) -> Option<Vec<String>> {
    let (version, entries) = attribute.split_at_checked(4)?;
    if u32::from_le_bytes(version.try_into().ok()?) != VERSION || entries.len() % 8 != 0 {
        return None;
    }
    let entries: Vec<(u16, u16, u32)> = entries
        .chunks_exact(8)
        .map(|e| {
            (
                u16::from_le_bytes([e[0], e[1]]),
                u16::from_le_bytes([e[2], e[3]]),
                u32::from_le_bytes([e[4], e[5], e[6], e[7]]),
            )
        })
        .collect();
    let mask = entries.iter().find(|entry| entry.0 == MASK).map_or(0o7, |entry| entry.1);
    let named = entries.iter().filter_map(|(tag, permissions, id)| {
        let kind = match *tag {
            USER => "user",
            GROUP => "group",
            _ => return None,
        };
        Some(format!("{kind}:{id}:{}", letters(permissions & mask)))
    });
    Some(named.collect())
}

/// Whether an entry lets somebody other than root write.
pub(super) fn lets_others_write(entry: &str) -> bool {
    entry.contains('w') && !entry.starts_with("user:0:") && !entry.starts_with("group:0:")
}

fn letters(permissions: u16) -> String {
    [(4, 'r'), (2, 'w'), (1, 'x')]
        .iter()
        .map(|(bit, letter)| if permissions & bit != 0 { *letter } else { '-' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `setfacl -m u:1000:rwx,g:998:r-x,m:rw` on a file of mode 0640, read with getxattr(2).
    const REAL: [u8; 52] = [
        2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 7, 0, 232, 3, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255,
        8, 0, 5, 0, 230, 3, 0, 0, 16, 0, 6, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255,
    ];

    #[test]
    fn named_entries_under_the_mask() {
        let entries = parse(&REAL).unwrap();
        assert_eq!(entries, ["user:1000:rw-", "group:998:r--"]);
        assert!(lets_others_write(&entries[0]) && !lets_others_write(&entries[1]));
        assert!(!lets_others_write("user:0:rwx"));
    }

    #[test]
    fn attributes_that_are_no_acl() {
        assert_eq!(parse(&[]), None);
        assert_eq!(parse(&REAL[..51]), None);
        assert_eq!(parse(&[1, 0, 0, 0]), None);
        assert_eq!(parse(&[2, 0, 0, 0]), Some(Vec::new()));
    }
}
