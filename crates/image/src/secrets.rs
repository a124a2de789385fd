//! Passwords and keys in files where none should be: known by name, confirmed by content.
//!
//! A name alone is never enough (a `.pem` is mostly a certificate); what cannot be confirmed from the file's first
//! bytes is not reported. Only paths leave this module, never contents.

use serde_json::Value;

/// How much of a file is looked at.
pub(crate) const HEAD: usize = 64 * 1024;

/// What a file of this name must contain to be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suspect {
    /// A PEM or PuTTY private key.
    PrivateKey,
    /// A line that assigns one of these names a literal value.
    Assignment(&'static [&'static str]),
    /// Variables with a telling name and a literal value.
    Environment,
    /// `password WORD` (netrc(5)).
    Netrc,
    /// Docker client configuration with credentials in it.
    DockerConfig,
    /// `host:port:database:user:password` (PostgreSQL, "The Password File").
    Pgpass,
    /// `scheme://user:password@host` (git-credential-store(1)).
    UrlWithPassword,
    /// An account with a password hash (shadow(5)).
    Shadow,
    /// Anything at all.
    NotEmpty,
}

/// Whether a file of this name may hold a secret. `dir` and `name` are raw bytes of a path in the image.
pub(crate) fn suspect(dir: &[u8], name: &[u8]) -> Option<Suspect> {
    let in_dir = |wanted: &[u8]| dir == wanted || dir.ends_with(&[b"/", wanted].concat());
    let suspect = match name {
        b"id_rsa" | b"id_dsa" | b"id_ecdsa" | b"id_ed25519" => Suspect::PrivateKey,
        b"application_default_credentials.json" | b"credentials.json" | b"service-account.json" => {
            Suspect::PrivateKey
        }
        b"credentials" if in_dir(b".aws") => Suspect::Assignment(&["aws_secret_access_key"]),
        b".netrc" | b"_netrc" => Suspect::Netrc,
        b"config.json" if in_dir(b".docker") => Suspect::DockerConfig,
        b".dockercfg" | b".dockerconfigjson" => Suspect::DockerConfig,
        b".npmrc" | b".yarnrc" => Suspect::Assignment(&["_authToken", "_auth", "_password"]),
        b".pypirc" | b".my.cnf" | b".mylogin.cnf" => Suspect::Assignment(&["password"]),
        b".pgpass" => Suspect::Pgpass,
        b".git-credentials" => Suspect::UrlWithPassword,
        b".vault-token" => Suspect::NotEmpty,
        b"config" if in_dir(b".kube") => Suspect::Assignment(&["client-key-data", "token", "password"]),
        b".env" => Suspect::Environment,
        b"shadow" if dir == b"etc" => Suspect::Shadow,
        _ if name.starts_with(b"ssh_host_") && name.ends_with(b"_key") => Suspect::PrivateKey,
        _ if [b".pem".as_slice(), b".key", b".ppk"].iter().any(|end| name.ends_with(end)) => {
            Suspect::PrivateKey
        }
        _ => return None,
    };
    Some(suspect)
}

impl Suspect {
    /// Whether the beginning of the file confirms the suspicion.
    pub(crate) fn confirmed(self, head: &[u8]) -> bool {
        let text = String::from_utf8_lossy(head);
        match self {
            Self::PrivateKey => has_private_key(&text),
            Self::Assignment(names) => text.lines().any(|line| assigns(line, |name| names.contains(&name))),
            Self::Environment => text.lines().any(|line| assigns(line, is_telling)),
            Self::Netrc => {
                let mut words = text.split_whitespace();
                words.any(|word| word == "password") && words.next().is_some()
            }
            Self::DockerConfig => has_registry_credentials(head),
            Self::Pgpass => text.lines().any(|line| {
                !line.starts_with('#')
                    && line.splitn(5, ':').nth(4).is_some_and(|password| !password.is_empty())
            }),
            Self::UrlWithPassword => text.lines().any(|line| {
                let user =
                    line.split_once("://").and_then(|(_, rest)| rest.split_once('@')).map(|(user, _)| user);
                user.and_then(|user| user.split_once(':')).is_some_and(|(_, password)| !password.is_empty())
            }),
            Self::Shadow => text.lines().any(|line| line.split(':').nth(1).is_some_and(is_password_hash)),
            Self::NotEmpty => !text.trim().is_empty(),
        }
    }
}

/// Asks every kind of suspicion.
#[cfg(any(fuzzing, test))]
pub(crate) fn confirm_all(head: &[u8]) {
    for suspect in [
        Suspect::PrivateKey,
        Suspect::Assignment(&["password"]),
        Suspect::Environment,
        Suspect::Netrc,
        Suspect::DockerConfig,
        Suspect::Pgpass,
        Suspect::UrlWithPassword,
        Suspect::Shadow,
        Suspect::NotEmpty,
    ] {
        suspect.confirmed(head);
    }
}

fn has_private_key(text: &str) -> bool {
    text.starts_with("PuTTY-User-Key-File-")
        || text.match_indices("-----BEGIN ").any(|(at, begin)| {
            let rest = &text[at + begin.len()..];
            rest.split_once("-----").is_some_and(|(label, _)| label.ends_with("PRIVATE KEY"))
        })
}

/// Whether a line sets a name that `wanted` accepts to a value that is written out, not taken from elsewhere.
fn assigns(line: &str, wanted: impl Fn(&str) -> bool) -> bool {
    let line = line.trim().trim_start_matches("export ");
    let Some((name, value)) = line.split_once(['=', ':']).filter(|_| !line.starts_with(['#', ';'])) else {
        return false;
    };
    // `//registry.example/:_authToken=…`: the name follows the last colon before the equals sign.
    let (name, value) = match line.split_once('=') {
        Some((left, right)) if line.starts_with("//") => (left.rsplit(':').next().unwrap_or(left), right),
        _ => (name, value),
    };
    let value = value.trim().trim_matches(['"', '\'']);
    wanted(name.trim()) && !value.is_empty() && !value.starts_with(['$', '<', '{'])
}

fn is_telling(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "API_KEY", "APIKEY", "PRIVATE_KEY", "ACCESS_KEY"]
        .iter()
        .any(|part| name.contains(part))
}

fn has_registry_credentials(head: &[u8]) -> bool {
    let Ok(config) = serde_json::from_slice::<Value>(head) else { return false };
    // `.dockercfg` has no `auths` around its registries.
    let registries = config.get("auths").unwrap_or(&config).as_object();
    registries.into_iter().flatten().any(|(_, entry)| {
        ["auth", "password", "identitytoken"]
            .iter()
            .any(|key| entry.get(key).and_then(Value::as_str).is_some_and(|value| !value.is_empty()))
    })
}

fn is_password_hash(field: &str) -> bool {
    field.starts_with('$') && field.len() > 3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_secret(path: &str, content: &str) -> bool {
        let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
        suspect(dir.as_bytes(), name.as_bytes()).is_some_and(|suspect| suspect.confirmed(content.as_bytes()))
    }

    #[test]
    fn confirmed_by_content() {
        for (path, content) in [
            ("root/.ssh/id_rsa", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl"),
            ("etc/nginx/tls/server.pem", "-----BEGIN CERTIFICATE-----\nM\n-----BEGIN RSA PRIVATE KEY-----\n"),
            ("app/server.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"),
            ("app/key.ppk", "PuTTY-User-Key-File-3: ssh-ed25519\n"),
            ("etc/ssh/ssh_host_rsa_key", "-----BEGIN OPENSSH PRIVATE KEY-----\n"),
            ("root/.aws/credentials", "[default]\naws_secret_access_key = abcd\n"),
            ("root/.netrc", "machine h login u\npassword p\n"),
            ("root/.docker/config.json", r#"{"auths":{"registry.example":{"auth":"dTpw"}}}"#),
            ("root/.dockercfg", r#"{"registry.example":{"auth":"dTpw"}}"#),
            ("app/.npmrc", "//registry.example/:_authToken=abc\n"),
            ("root/.my.cnf", "[client]\npassword='hunter2'\n"),
            ("root/.pgpass", "*:*:db:user:secret\n"),
            ("root/.git-credentials", "https://u:p@git.example\n"),
            ("root/.kube/config", "users:\n- user:\n    token: abc\n"),
            ("app/.env", "DEBUG=1\nexport DB_PASSWORD=x\n"),
            ("etc/shadow", "root:$y$j9T$abc$def:19000:0:99999:7:::\n"),
        ] {
            assert!(is_secret(path, content), "{path}");
        }
    }

    #[test]
    fn a_name_alone_is_not_enough() {
        for (path, content) in [
            ("etc/ssl/cert.pem", "-----BEGIN CERTIFICATE-----\nM\n"),
            ("root/.ssh/id_rsa.pub", "ssh-rsa AAAA"),
            ("root/.aws/credentials", "[default]\naws_secret_access_key = $SECRET\n"),
            ("srv/credentials", "aws_secret_access_key = abcd\n"),
            ("root/.docker/config.json", r#"{"auths":{"registry.example":{}},"credsStore":"pass"}"#),
            ("app/config.json", r#"{"auths":{"r":{"auth":"x"}}}"#),
            ("app/.npmrc", "//registry.example/:_authToken=${NPM_TOKEN}\n# _auth=x\n"),
            ("root/.pgpass", "#host:port:db:user:password\n*:*:db:user:\n"),
            ("app/.env", "PASSWORD=\nDB_PASSWORD=${DB_PASSWORD}\nDEBUG=1\n"),
            ("etc/shadow", "root:*:19000:0:99999:7:::\nmysql:!:19000::::::\nu::1::::::\n"),
            ("backup/etc/shadow", "root:$y$j9T$abc$def:19000:0:99999:7:::\n"),
        ] {
            assert!(!is_secret(path, content), "{path}");
        }
    }
}
