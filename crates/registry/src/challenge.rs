//! How a registry wants to be shown who asks: `WWW-Authenticate` (RFC 9110, section 11; distribution's token
//! specification).

/// The most challenges, and parameters of one, that are read.
const MAX_PARTS: usize = 32;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// A token of a token server.
    Bearer {
        /// Where to get it.
        realm: String,
        /// For whom it is, as the registry calls itself.
        service: Option<String>,
    },
    /// User name and password.
    Basic,
}

impl Challenge {
    /// The challenge that can be met out of one header: a token before a password.
    pub(crate) fn parse(header: &str) -> Option<Self> {
        let challenges = split(header);
        let with_scheme = |scheme: &str| {
            challenges
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(scheme))
                .map(|(_, parameters)| parameters)
        };
        let bearer = with_scheme("Bearer").and_then(|parameters| {
            let get = |name: &str| {
                let found = parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
                found.map(|(_, value)| value.clone())
            };
            Some(Self::Bearer { realm: get("realm")?, service: get("service") })
        });
        bearer.or_else(|| with_scheme("Basic").map(|_| Self::Basic))
    }
}

type Parameters = Vec<(String, String)>;

/// Schemes with their parameters. What follows something that is no challenge is left out.
fn split(header: &str) -> Vec<(String, Parameters)> {
    let mut challenges: Vec<(String, Parameters)> = Vec::new();
    let mut rest = header.trim_start_matches([' ', '\t', ',']);
    for _ in 0..MAX_PARTS * MAX_PARTS {
        let Some((token, after)) = token(rest) else { break };
        let after_blank = after.trim_start_matches([' ', '\t']);
        if let Some(value) = after_blank.strip_prefix('=') {
            let Some((value, after)) = value_of(value.trim_start_matches([' ', '\t'])) else { break };
            let Some((_, parameters)) = challenges.last_mut() else { break };
            if parameters.len() < MAX_PARTS {
                parameters.push((token.to_owned(), value));
            }
            rest = after;
        } else if challenges.len() < MAX_PARTS {
            challenges.push((token.to_owned(), Vec::new()));
            rest = after;
        } else {
            break;
        }
        rest = rest.trim_start_matches([' ', '\t', ',']);
    }
    challenges
}

/// A token, and what follows it.
fn token(text: &str) -> Option<(&str, &str)> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let end = text.find(|c| !is_token(c)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// A token or quoted string, and what follows it.
fn value_of(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        return token(text).map(|(value, rest)| (value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>) -> Option<Challenge> {
        Some(Challenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned) })
    }

    #[test]
    fn challenges_of_real_registries() {
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull""#;
        assert_eq!(Challenge::parse(hub), bearer("https://auth.docker.io/token", Some("registry.docker.io")));
        assert_eq!(Challenge::parse("Basic realm=\"x\""), Some(Challenge::Basic));
        assert_eq!(
            Challenge::parse(
                "basic realm=\"a, b\", bearer realm = \"https://t/\\\"x\" , error=invalid_token"
            ),
            bearer("https://t/\"x", None)
        );
    }

    #[test]
    fn what_cannot_be_met_is_none() {
        for header in
            ["", "Bearer", "Bearer service=x", "Bearer realm=\"x", "Negotiate", "=", ",,,", "Digest realm=x"]
        {
            assert_eq!(Challenge::parse(header), None, "{header}");
        }
    }
}
