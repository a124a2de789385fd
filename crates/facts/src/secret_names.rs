//! Which names of variables, options and labels tell of a secret.

/// Parts of a name that suggest a secret.
const PARTS: [&str; 8] =
    ["PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "CREDENTIAL", "APIKEY", "ACCESS_KEY", "PRIVATE_KEY"];
/// Ends that do.
const ENDS: [&str; 2] = ["_KEY", "_PASS"];
/// The same as a word of its own.
const TOKEN: &str = "TOKEN";
/// Ends of a name that say that the value is something about a secret, not the secret.
const ABOUT: [&str; 10] =
    ["_FILE", "_PATH", "_DIR", "_URL", "_URI", "_NAME", "_ID", "_TTL", "_LENGTH", "_EXPIRY"];
/// Keys that are meant to be public.
const PUBLIC: [&str; 3] = ["GPG_KEY", "PUBLIC_KEY", "PUBLISHABLE_KEY"];

/// Whether the value beside this name is a secret: `NPM_TOKEN`, `client-secret` and `com.example.deploy-token` say so.
pub fn is_secret_name(name: &str) -> bool {
    // Options are parted by hyphens, labels by dots.
    let name = name.to_ascii_uppercase().replace(['-', '.'], "_");
    let ends_with = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    if ends_with(&ABOUT) || ends_with(&PUBLIC) {
        return false;
    }
    let is_token = |(at, word): (usize, &str)| {
        // `MAX_TOKENS` and `TOKENIZER` hold none.
        !name.get(at + word.len()..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()))
    };
    ends_with(&ENDS)
        || PARTS.iter().any(|part| name.contains(part))
        || name.match_indices(TOKEN).any(is_token)
}

#[cfg(test)]
mod tests {
    use super::is_secret_name;

    #[test]
    fn secrets_and_what_is_about_them() {
        for name in
            ["MYSQL_ROOT_PASSWORD", "client-secret", "com.example.deploy-token", "STRIPE_KEY", "SMTP_PASS"]
        {
            assert!(is_secret_name(name), "{name}");
        }
        for name in
            ["MYSQL_ROOT_PASSWORD_FILE", "GPG_KEY", "KEYBOARD", "MAX_TOKENS", "TOKENIZERS_PARALLELISM", ""]
        {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
