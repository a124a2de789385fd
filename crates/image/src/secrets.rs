//! Passwords and keys in files where none should be: known by name, confirmed by content.
//!
//! A name alone is never enough (a `.pem` is mostly a certificate); what cannot be confirmed from the file's first
//! bytes is not reported. Only paths leave this module, never contents.

use plimsoll_facts::is_secret_name;
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
    /// Source code that gives a telling name a quoted value.
    Code,
    /// A Java key store whose first entry is a private key.
    JavaKeyStore,
    /// A PKCS #12 file with a private key.
    Pkcs12,
    /// A password database by its first bytes.
    Vault(&'static [u8]),
    /// One word, and nothing else.
    OneWord,
    /// Anything at all.
    NotEmpty,
}

/// Whether a file of this name may hold a secret. `dir` and `name` are raw bytes of a path in the image.
pub(crate) fn suspect(dir: &[u8], name: &[u8]) -> Option<Suspect> {
    let in_dir = |wanted: &[u8]| dir == wanted || dir.ends_with(&[b"/", wanted].concat());
    let suspect = match name {
        b"id_rsa" | b"id_dsa" | b"id_ecdsa" | b"id_ed25519" => Suspect::PrivateKey,
        b"application_default_credentials.json"
        | b"credentials.json"
        | b"credential.json"
        | b"service-account.json" => Suspect::PrivateKey,
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
        b".env" | b"credentials" | b"credential" => Suspect::Environment,
        b"credentials.tfrc.json" => Suspect::Assignment(&["token"]),
        b"database.yml" if in_dir(b"config") => Suspect::Assignment(&["password"]),
        b"password.txt" | b"passwords.txt" => Suspect::OneWord,
        b"settings.py" | b"secret_token.rb" | b"secrets.yml" | b"wp-config.php" if !is_of_library(dir) => {
            Suspect::Code
        }
        b"shadow" if dir == b"etc" => Suspect::Shadow,
        _ if name.starts_with(b"ssh_host_") && name.ends_with(b"_key") => Suspect::PrivateKey,
        _ if [b".jks".as_slice(), b".keystore"].iter().any(|end| name.ends_with(end)) => {
            Suspect::JavaKeyStore
        }
        _ if [b".p12".as_slice(), b".pfx", b".pkcs12"].iter().any(|end| name.ends_with(end)) => {
            Suspect::Pkcs12
        }
        _ if name.ends_with(b".kdbx") => Suspect::Vault(b"\x03\xd9\xa2\x9a"),
        _ if name.ends_with(b".psafe3") => Suspect::Vault(b"PWS3"),
        _ if name.ends_with(b".keychain") => Suspect::Vault(b"kych"),
        _ if [b".pem".as_slice(), b".key", b".ppk", b".ovpn", b".private_key"]
            .iter()
            .any(|end| name.ends_with(end)) =>
        {
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
            Self::Environment => text.lines().any(|line| assigns(line, is_secret_name)),
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
            Self::Code => text.lines().any(gives_quoted_value),
            Self::JavaKeyStore => is_java_private_key(head),
            Self::Pkcs12 => {
                head.first() == Some(&0x30) && head.windows(SHROUDED_KEY.len()).any(|it| it == SHROUDED_KEY)
            }
            Self::Vault(magic) => head.starts_with(magic),
            Self::OneWord => {
                let mut words = text.split_whitespace();
                words.next().is_some_and(|word| word.len() >= 4) && words.next().is_none()
            }
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
        Suspect::Code,
        Suspect::JavaKeyStore,
        Suspect::Pkcs12,
        Suspect::OneWord,
        Suspect::NotEmpty,
    ] {
        suspect.confirmed(head);
    }
}

/// Libraries name things like secrets in their own settings.
fn is_of_library(dir: &[u8]) -> bool {
    let libraries: [&[u8]; 4] = [b"site-packages", b"dist-packages", b"node_modules", b"vendor"];
    dir.split(|byte| *byte == b'/').any(|part| libraries.contains(&part))
}

/// The object identifier of a shrouded key bag, 1.2.840.113549.1.12.10.1.2 (RFC 7292), in DER.
const SHROUDED_KEY: [u8; 13] = [0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x02];

/// Magic, version, count, and tag 1 of the first entry (Java's `JavaKeyStore`): a trust store's entries have tag 2.
fn is_java_private_key(head: &[u8]) -> bool {
    head.starts_with(&[0xfe, 0xed, 0xfe, 0xed]) && head.get(12..16) == Some(&[0, 0, 0, 1])
}

/// `SECRET_KEY = 'x'`, `'PASSWORD': 'x',`, `define('DB_PASSWORD', 'x');`
fn gives_quoted_value(line: &str) -> bool {
    let line = line.trim();
    let line = line.strip_prefix("define").map_or(line, |rest| rest.trim_start_matches([' ', '(']));
    let Some((name, value)) = line.split_once(['=', ':', ',']).filter(|_| !line.starts_with(['#', '/', '*']))
    else {
        return false;
    };
    let name = name.trim().trim_matches(['"', '\'']).to_ascii_uppercase();
    let telling =
        ["PASSWORD", "PASSWD", "SECRET", "SECRET_KEY", "SECRET_KEY_BASE", "SECRET_TOKEN", "API_KEY"];
    let value = value.trim_start();
    let quoted = value.strip_prefix(['"', '\'']).and_then(|rest| rest.split(['"', '\'']).next());
    telling.iter().any(|end| name.ends_with(end))
        && quoted.is_some_and(|text| text.len() >= 4 && !text.contains(['$', '{', '<', '%', ' ']))
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
    let name = name.trim().trim_matches(['"', '\'']);
    wanted(name) && !value.is_empty() && !value.starts_with(['$', '<', '{'])
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
            ("srv/credentials", "API_TOKEN=abcdef\n"),
            ("app/config/database.yml", "production:\n  password: hunter2\n"),
            ("app/settings.py", "DEBUG = True\nSECRET_KEY = 'django-insecure-1'\n"),
            ("app/settings.py", "        'PASSWORD': 'hunter2',\n"),
            ("var/www/wp-config.php", "define( 'DB_PASSWORD', 'hunter2' );\n"),
            ("app/password.txt", "hunter2\n"),
        ] {
            assert!(is_secret(path, content), "{path}");
        }
    }

    #[test]
    fn key_stores() {
        let suspect = |name: &str| suspect(b"app", name.as_bytes()).unwrap();
        let java =
            |tag: u8| [&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0][..], &[tag]].concat();
        assert!(suspect("store.jks").confirmed(&java(1)) && !suspect("trust.jks").confirmed(&java(2)));
        let pkcs12 = [&[0x30, 0x82, 9, 9][..], &SHROUDED_KEY].concat();
        assert!(suspect("a.p12").confirmed(&pkcs12) && !suspect("a.p12").confirmed(&pkcs12[..16]));
        assert!(suspect("a.kdbx").confirmed(b"\x03\xd9\xa2\x9a") && !suspect("a.kdbx").confirmed(b""));
    }

    #[test]
    fn a_name_alone_is_not_enough() {
        for (path, content) in [
            ("etc/ssl/cert.pem", "-----BEGIN CERTIFICATE-----\nM\n"),
            ("root/.ssh/id_rsa.pub", "ssh-rsa AAAA"),
            ("root/.aws/credentials", "[default]\naws_secret_access_key = $SECRET\n"),
            ("root/.docker/config.json", r#"{"auths":{"registry.example":{}},"credsStore":"pass"}"#),
            ("app/config.json", r#"{"auths":{"r":{"auth":"x"}}}"#),
            ("app/.npmrc", "//registry.example/:_authToken=${NPM_TOKEN}\n# _auth=x\n"),
            ("root/.pgpass", "#host:port:db:user:password\n*:*:db:user:\n"),
            // Names alone, for which dockle was reported (issue 159).
            ("srv/credentials.json", r#"{"type": "authorized_user"}"#),
            ("app/settings.py", "SECRET_KEY = os.environ['KEY']\nPASSWORD_HASHERS = ['x.y']\n"),
            ("usr/lib/python3/site-packages/x/settings.py", "SECRET_KEY = 'default'\n"),
            ("app/config/database.yml", "password: <%= ENV['DB_PASSWORD'] %>\n"),
            ("usr/share/wordlists/password.txt", "123456\nqwerty\n"),
            ("app/.env", "PASSWORD=\nDB_PASSWORD=${DB_PASSWORD}\nDEBUG=1\n"),
            ("etc/shadow", "root:*:19000:0:99999:7:::\nmysql:!:19000::::::\nu::1::::::\n"),
            ("backup/etc/shadow", "root:$y$j9T$abc$def:19000:0:99999:7:::\n"),
        ] {
            assert!(!is_secret(path, content), "{path}");
        }
    }
}
