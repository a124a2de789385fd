//! Lists of keys whose holders may log in (sshd(8), "AUTHORIZED_KEYS FILE FORMAT").

/// Whether a file is such a list, by its name.
pub(crate) fn is_key_list(dir: &[u8], name: &[u8]) -> bool {
    matches!(name, b"authorized_keys" | b"authorized_keys2")
        && (dir.ends_with(b".ssh") || dir.starts_with(b"etc/"))
}

/// Whether its beginning holds a key.
pub(crate) fn has_key(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let kinds =
        ["ssh-rsa ", "ssh-ed25519 ", "ssh-dss ", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-", "cert-authority"];
    text.lines()
        .map(str::trim)
        .any(|line| !line.starts_with('#') && kinds.iter().any(|kind| line.contains(kind)))
}

#[cfg(test)]
mod tests {
    use super::{has_key, is_key_list};

    #[test]
    fn lists_with_keys() {
        assert!(is_key_list(b"home/bob/.ssh", b"authorized_keys"));
        assert!(!is_key_list(b"usr/share/doc", b"authorized_keys"));
        assert!(has_key(b"# mine\nno-pty,command=\"x\" ssh-ed25519 AAAA bob\n"));
        assert!(!has_key(b"# ssh-rsa AAAA\n\n"));
    }
}
