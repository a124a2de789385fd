//! Environment variables of containers, images and services: names only, and which look like secrets.

use plimsoll_facts::is_secret_name;
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use super::json::cut;

/// The most variables that are kept of one environment.
const MAX_NAMES: usize = 4096;
/// The longest name that is kept, in bytes.
const MAX_NAME: usize = 256;

/// Starts by which the makers of tokens mark them.
const TOKEN_PREFIXES: [&str; 16] = [
    "-----BEGIN ",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "sk_live_",
    "sk-ant-",
    "AKIA",
    "ASIA",
    "AIza",
    "npm_",
    "dckr_pat_",
    "hvs.",
];

/// An environment as the engine writes it (`NAME=value` strings), without the values.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Environment {
    /// Names, in order.
    pub(super) names: Vec<String>,
    /// Names of those that look like secrets.
    pub(super) secret_like: Vec<String>,
}

impl<'de> Deserialize<'de> for Environment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Environment;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of NAME=value")
            }

            fn visit_unit<E>(self) -> Result<Environment, E> {
                Ok(Environment::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Environment, A::Error> {
                let mut environment = Environment::default();
                while let Some(Name { name, secret_like }) = list.next_element()? {
                    if environment.names.len() < MAX_NAMES {
                        if secret_like {
                            environment.secret_like.push(name.clone());
                        }
                        environment.names.push(name);
                    }
                }
                Ok(environment)
            }
        }
        deserializer.deserialize_any(Names)
    }
}

/// One variable; the value is looked at where it lies and never copied.
struct Name {
    name: String,
    secret_like: bool,
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Variable;
        impl Visitor<'_> for Variable {
            type Value = Name;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("NAME=value")
            }

            fn visit_str<E>(self, text: &str) -> Result<Name, E> {
                let (name, value) = text.split_once('=').unwrap_or((text, ""));
                Ok(Name { name: cut(name, MAX_NAME).to_owned(), secret_like: looks_like_secret(name, value) })
            }
        }
        deserializer.deserialize_str(Variable)
    }
}

/// Whether a variable looks like a secret, by its name or by the form of its value.
pub(super) fn looks_like_secret(name: &str, value: &str) -> bool {
    let value = value.trim();
    if value.is_empty() || is_switch(value) {
        return false;
    }
    is_token(value) || is_secret_name(name)
}

/// `yes`, `1` and the like: `MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=yes` holds no password.
fn is_switch(value: &str) -> bool {
    ["0", "1", "yes", "no", "true", "false", "on", "off"].iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// A value in the form of a private key, a marked token, a JSON Web Token, or an address with a password.
fn is_token(value: &str) -> bool {
    if TOKEN_PREFIXES.iter().any(|prefix| value.starts_with(prefix)) {
        return value.len() >= 16;
    }
    let is_jwt = value.starts_with("eyJ") && value.bytes().filter(|b| *b == b'.').count() == 2;
    is_jwt || has_password_in_address(value)
}

/// `scheme://user:password@host`.
fn has_password_in_address(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    user.and_then(|user| user.split_once(':')).is_some_and(|(_, password)| !password.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_never_kept() {
        let json = r#"["PATH=/usr/bin", "DB_PASSWORD=hunter2", "EMPTY_PASSWORD=", "BARE", "A=b=\u0063"]"#;
        let environment: Environment = serde_json::from_str(json).unwrap();
        assert_eq!(environment.names, ["PATH", "DB_PASSWORD", "EMPTY_PASSWORD", "BARE", "A"]);
        assert_eq!(environment.secret_like, ["DB_PASSWORD"]);
        assert_eq!(serde_json::from_str::<Environment>("null").unwrap(), Environment::default());
        assert!(serde_json::from_str::<Environment>(r#"{"A": "b"}"#).is_err());
    }

    #[test]
    fn names_and_values_give_secrets_away() {
        let secrets = [
            ("MYSQL_ROOT_PASSWORD", "x"),
            ("client-secret", "x"),
            ("com.example.deploy-token", "x"),
            ("STRIPE_KEY", "x"),
            ("SMTP_PASS", "x"),
            ("X", "-----BEGIN RSA PRIVATE KEY-----"),
            ("X", "ghp_0123456789abcdef0123"),
            ("X", "eyJhbGciOiJIUzI1NiJ9.e30.c2ln"),
            ("DATABASE_URL", "postgres://app:pw@db/app"),
        ];
        for (name, value) in secrets {
            assert!(looks_like_secret(name, value), "{name}");
        }
        let harmless = [
            ("MYSQL_ROOT_PASSWORD_FILE", "/run/secrets/pw"),
            ("MARIADB_ALLOW_EMPTY_ROOT_PASSWORD", "yes"),
            ("GPG_KEY", "A035C8C19219BA821ECEA86B64E628F8D684696D"),
            ("TOKEN", ""),
            ("DATABASE_URL", "postgres://app@db/app"),
            ("KEYBOARD", "us"),
            ("MAX_TOKENS", "4096"),
            ("TOKENIZERS_PARALLELISM", "auto"),
            ("AKIA", "ASIA"),
        ];
        for (name, value) in harmless {
            assert!(!looks_like_secret(name, value), "{name}");
        }
    }

    #[test]
    fn sizes_are_bounded() {
        let many: Vec<String> = (0..MAX_NAMES + 5).map(|n| format!("N{n}=1")).collect();
        let environment: Environment = serde_json::from_str(&serde_json::to_string(&many).unwrap()).unwrap();
        assert_eq!(environment.names.len(), MAX_NAMES);
        let long = serde_json::to_string(&["ä".repeat(MAX_NAME)]).unwrap();
        let environment: Environment = serde_json::from_str(&long).unwrap();
        assert_eq!(environment.names[0].len(), MAX_NAME);
    }
}
