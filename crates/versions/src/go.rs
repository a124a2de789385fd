//! Go modules: Semantic Versioning, pseudo-versions included (they are pre-releases by design), and the
//! toolchain's own `go1.22rc1`.

use super::semver;

pub(crate) fn parse(text: &str) -> Result<semver::Version<'_>, &'static str> {
    if text == "(devel)" {
        return Err("a build from a working tree has no version");
    }
    let text = text.strip_prefix("go").unwrap_or(text);
    let text = text.split_once(' ').map_or(text, |(version, _)| version);
    match text.find("rc").or_else(|| text.find("beta")) {
        // `1.22rc1`: no hyphen before the pre-release, so it is set apart here.
        Some(at) if !text.contains('-') => semver::with_pre(text, at),
        _ => semver::parse(text),
    }
}

#[cfg(test)]
mod tests {
    use crate::Order;
    use crate::tests::{assert_equal, assert_rising};

    #[test]
    fn order() {
        assert_rising(
            Order::Go,
            &[
                "v1.2.3-0.20240101000000-abcdefabcdef",
                "v1.2.3-rc1",
                "v1.2.3",
                "v1.2.4-0.20250101000000-abcdefabcdef",
                "v1.2.4",
            ],
        );
        assert_rising(Order::Go, &["go1.21.9", "go1.22beta1", "go1.22rc1", "go1.22", "1.22.1"]);
        assert_equal(Order::Go, &["v1.2.3", "1.2.3+incompatible", "go1.2.3", "go1.2.3 X:nocoverageredesign"]);
    }

    #[test]
    fn refused() {
        assert!(Order::Go.compare("(devel)", "v1.0.0").is_err());
        assert!(Order::Go.compare("latest", "v1.0.0").is_err());
    }
}
