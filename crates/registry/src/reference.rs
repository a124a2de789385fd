//! Image references, as docker takes them (distribution `reference`, grammar and normalisation).

use std::fmt;
use std::str::FromStr;

use crate::digest::Digest;

/// Bound of registry and repository together, in bytes (distribution `NameTotalLengthMax`).
const MAX_NAME: usize = 255;
/// Bound of a tag, in bytes.
const MAX_TAG: usize = 128;
/// Bound of a reference, in bytes: a name, a tag, and a SHA-512 digest.
const MAX_REFERENCE: usize = MAX_NAME + 1 + MAX_TAG + 1 + 135;
/// The registry of names that name none.
const DEFAULT_REGISTRY: &str = "docker.io";

/// Where an image is: `[registry/]repository[:tag][@digest]`, in full.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// Why a text is no reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no image reference: {why}")]
pub struct ReferenceError {
    /// What was given, its beginning.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Reference {
    /// The registry: a host name or address, with a port where it has one; `docker.io` for Docker Hub.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository in the registry, such as `library/mariadb`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag that is written.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest that it is pinned to.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// What it names in its repository: the digest, else the tag, else `latest`.
    pub fn target(&self) -> String {
        match &self.digest {
            Some(digest) => digest.to_string(),
            None => self.tag.clone().unwrap_or_else(|| "latest".to_owned()),
        }
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        parse(text).map_err(|why| ReferenceError { text: text.chars().take(MAX_NAME).collect(), why })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

fn parse(text: &str) -> Result<Reference, &'static str> {
    if text.len() > MAX_REFERENCE {
        return Err("it is longer than any");
    }
    if text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return Err("it is an image's id, which no registry knows");
    }
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => {
            let digest = digest.parse().map_err(|_| "its digest is neither sha256 nor sha512")?;
            (rest, Some(digest))
        }
        None => (text, None),
    };
    let (name, tag) = match rest.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (rest, None),
    };
    if tag.is_some_and(|tag| !is_tag(tag)) {
        return Err("its tag may have letters, digits, `_`, `.`, `-`, and at most 128 of them");
    }
    let (registry, repository) = split_registry(name);
    if registry.len() + 1 + repository.len() > MAX_NAME {
        return Err("its name is longer than 255 characters");
    }
    if !is_registry(&registry) {
        return Err("its registry is no host name or address");
    }
    if !repository.split('/').all(is_component) {
        return Err(
            "its repository may have lower-case letters and digits, joined by `/`, `.`, `_`, `__` or `-`",
        );
    }
    Ok(Reference { registry, repository, tag: tag.map(str::to_owned), digest })
}

/// What stands before the first slash is a registry if it looks like one: a dot, a port, an upper-case letter, or
/// `localhost`. Docker Hub's own images are in `library`.
fn split_registry(name: &str) -> (String, String) {
    let looks_like_one = |first: &str| {
        first.contains(['.', ':']) || first == "localhost" || first.bytes().any(|b| b.is_ascii_uppercase())
    };
    let (registry, repository) = match name.split_once('/') {
        Some((first, rest)) if looks_like_one(first) => (first, rest),
        _ => (DEFAULT_REGISTRY, name),
    };
    let registry = if registry == "index.docker.io" { DEFAULT_REGISTRY } else { registry };
    let is_official = registry == DEFAULT_REGISTRY && !repository.contains('/');
    let repository = if is_official { format!("library/{repository}") } else { repository.to_owned() };
    (registry.to_owned(), repository)
}

fn is_registry(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        // A colon inside the brackets of an IPv6 address begins no port.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_port = |port: &str| {
        (1..=5).contains(&port.len())
            && port.bytes().all(|b| b.is_ascii_digit())
            && port.parse::<u16>().is_ok_and(|port| port != 0)
    };
    let is_label = |label: &str| {
        let is_inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        !label.is_empty() && label.bytes().all(is_inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.split('.').all(is_label),
    };
    is_host && port.is_none_or(is_port)
}

/// Lower-case letters and digits, joined by one dot, one or two underscores, or dashes.
fn is_component(text: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let separators = text.split(|c: char| c.is_ascii() && is_plain(c as u8));
    let is_separator = |s: &str| matches!(s, "" | "." | "_" | "__") || s.bytes().all(|b| b == b'-');
    text.bytes().next().is_some_and(is_plain)
        && text.bytes().last().is_some_and(is_plain)
        && separators.into_iter().all(is_separator)
}

pub(crate) fn is_tag(text: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.len() <= MAX_TAG
        && text.bytes().next().is_some_and(is_word)
        && text.bytes().all(|b| is_word(b) || matches!(b, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUM: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn names_are_completed_as_docker_does() {
        let digest = format!("sha256:{SUM}");
        for (text, full, target) in [
            ("nginx", "docker.io/library/nginx", "latest"),
            ("nginx:1.27", "docker.io/library/nginx:1.27", "1.27"),
            ("user/app", "docker.io/user/app", "latest"),
            ("index.docker.io/nginx", "docker.io/library/nginx", "latest"),
            ("docker.io/nginx:x", "docker.io/library/nginx:x", "x"),
            ("localhost/app", "localhost/app", "latest"),
            ("LOCALHOST/app", "LOCALHOST/app", "latest"),
            ("localhost:5000/app:1", "localhost:5000/app:1", "1"),
            ("r.example:5000/a/b__c/d---e", "r.example:5000/a/b__c/d---e", "latest"),
            ("[::1]:5000/app:1", "[::1]:5000/app:1", "1"),
            ("127.0.0.1/a.b_c", "127.0.0.1/a.b_c", "latest"),
            (&format!("r.example/app:1@{digest}"), &format!("r.example/app:1@{digest}"), &digest),
            (&format!("app@{digest}"), &format!("docker.io/library/app@{digest}"), &digest),
        ] {
            let reference: Reference = text.parse().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!((reference.to_string().as_str(), reference.target().as_str()), (full, target));
            assert_eq!(full.parse::<Reference>().unwrap(), reference, "{text}: its full name is another");
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        let long = "a".repeat(256);
        let tag = format!("app:{}", "t".repeat(129));
        for text in [
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            "App",
            "app:",
            "app:-x",
            "app:a b",
            "app@",
            "app@sha256:00",
            "app@md5:d41d8cd98f00b204e9800998ecf8427e",
            SUM,
            "a..b",
            "a___b",
            "a-",
            "_a",
            "a/../b",
            "a/./b",
            "r.example:0/a",
            "r.example:99999/a",
            "r.example:x/a",
            "-r.example/a",
            "r..example/a",
            "[::1/a",
            "[x]:5/a",
            "r.example/a?x=1",
            "r.example/a%2fb",
            "user@r.example/a",
            "https://r.example/a",
            "é/x",
            "a\n",
            &long,
            &tag,
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text:?}");
        }
    }
}
