//! Names of environment variables that hold secrets.

/// The variables that hold a secret itself: not the path of a file that holds it, and not a public key by which
/// packages are checked.
pub(super) fn secrets(names: &[String]) -> Vec<&str> {
    let harmless = |name: &str| {
        let upper = name.to_ascii_uppercase();
        upper.ends_with("_FILE") || upper.ends_with("_PATH") || upper.contains("GPG_KEY")
    };
    names.iter().map(String::as_str).filter(|name| !harmless(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::secrets;

    #[test]
    fn paths_and_public_keys_are_none() {
        let names = ["MARIADB_ROOT_PASSWORD", "MARIADB_ROOT_PASSWORD_FILE", "GPG_KEYS", "SSL_KEY_PATH"]
            .map(String::from);
        assert_eq!(secrets(&names), ["MARIADB_ROOT_PASSWORD"]);
    }
}
