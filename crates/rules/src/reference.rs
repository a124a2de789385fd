//! Image references (distribution reference grammar): `[registry/]name[:tag][@digest]`.

/// A reference as a user wrote it, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference<'a> {
    /// Registry and name, in full.
    name: String,
    /// The tag; `latest` where none is written.
    pub(crate) tag: &'a str,
    /// The digest that it is pinned to.
    pub(crate) digest: Option<&'a str>,
}

impl<'a> Reference<'a> {
    /// Takes a reference apart; `None` where it is an image's id, which has no name.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        if is_id(rest) || rest.is_empty() {
            return None;
        }
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (rest, "latest"),
        };
        Some(Self { name: full_name(name), tag, digest })
    }

    /// Whether both mean the same tag of the same name.
    pub(crate) fn same_tag(&self, other: &str) -> bool {
        Reference::parse(other).is_some_and(|other| other.name == self.name && other.tag == self.tag)
    }
}

/// `sha256:…`, or twelve and more hexadecimal digits.
fn is_id(text: &str) -> bool {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    (12..=64).contains(&hex.len()) && hex.chars().all(|c| c.is_ascii_hexdigit())
}

/// The name with its registry: what has none is Docker Hub's, and without a user `library/`.
fn full_name(name: &str) -> String {
    let (first, rest) = name.split_once('/').unwrap_or(("", name));
    let has_registry = first.contains(['.', ':']) || first == "localhost";
    match (has_registry, first) {
        (true, "docker.io" | "index.docker.io") if !rest.contains('/') => format!("docker.io/library/{rest}"),
        (true, "index.docker.io") => format!("docker.io/{rest}"),
        (true, _) => name.to_owned(),
        (false, "") => format!("docker.io/library/{rest}"),
        (false, _) => format!("docker.io/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::Reference;

    #[test]
    fn parts() {
        let part = |text| {
            let reference = Reference::parse(text).unwrap();
            (reference.name, reference.tag.to_owned(), reference.digest.map(str::to_owned))
        };
        assert_eq!(part("nginx"), ("docker.io/library/nginx".into(), "latest".into(), None));
        assert_eq!(part("r.example:5000/a/b:1.2"), ("r.example:5000/a/b".into(), "1.2".into(), None));
        assert_eq!(part("r.example:5000/a"), ("r.example:5000/a".into(), "latest".into(), None));
        assert_eq!(
            part("a/b@sha256:1f"),
            ("docker.io/a/b".into(), "latest".into(), Some("sha256:1f".into()))
        );
        assert_eq!(Reference::parse("5b86d92fb66d"), None);
        assert_eq!(
            Reference::parse("sha256:5b86d92fb66df998f12f1d9530937cf77c49d496393573bddca2311748244904"),
            None
        );
    }

    #[test]
    fn one_tag_in_several_words() {
        let nginx = Reference::parse("nginx").unwrap();
        assert!(nginx.same_tag("nginx:latest") && nginx.same_tag("docker.io/library/nginx:latest"));
        assert!(!nginx.same_tag("nginx:1.27") && !nginx.same_tag("other/nginx:latest"));
    }
}
