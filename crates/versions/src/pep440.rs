//! Python's PEP 440, normalised as its appendix says.

use std::cmp::Ordering;

use super::Compare;

pub(crate) struct Version {
    epoch: u64,
    release: Vec<u64>,
    /// Development releases first, then alpha, beta, candidate, the release, then post-releases.
    pre: Phase,
    post: Option<u64>,
    dev: Option<u64>,
    local: Vec<Local>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// Only a development release: before every pre-release.
    Dev,
    Alpha(u64),
    Beta(u64),
    Candidate(u64),
    Final,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Local {
    Word(String),
    Number(u64),
}

pub(crate) fn parse(text: &str) -> Result<Version, &'static str> {
    let lower = text.trim().to_ascii_lowercase();
    let text = lower.strip_prefix('v').unwrap_or(&lower);
    let (public, local) = match text.split_once('+') {
        Some((public, local)) => (public, parse_local(local)?),
        None => (text, Vec::new()),
    };
    let (epoch, rest) = match public.split_once('!') {
        Some((epoch, rest)) => (number(epoch)?, rest),
        None => (0, public),
    };
    let mut scan = Scan { rest };
    let release = scan.release()?;
    let phase = scan.phase()?;
    let post = scan.post()?;
    let dev = scan.marked(&["dev"])?;
    if !scan.rest.is_empty() {
        return Err("something follows that no version has");
    }
    let pre = match (phase, post, dev) {
        (Some(phase), _, _) => phase,
        (None, None, Some(_)) => Phase::Dev,
        _ => Phase::Final,
    };
    Ok(Version { epoch, release, pre, post, dev, local })
}

struct Scan<'v> {
    rest: &'v str,
}

impl Scan<'_> {
    fn release(&mut self) -> Result<Vec<u64>, &'static str> {
        let mut release = vec![self.digits().ok_or("it does not begin with a number")??];
        while let Some(after) = self.rest.strip_prefix('.') {
            if !after.starts_with(|c: char| c.is_ascii_digit()) {
                break;
            }
            self.rest = after;
            release.extend(self.digits().transpose()?);
        }
        while release.len() > 1 && release.last() == Some(&0) {
            release.pop();
        }
        Ok(release)
    }

    fn phase(&mut self) -> Result<Option<Phase>, &'static str> {
        if let Some(n) = self.marked(&["alpha", "a"])? {
            return Ok(Some(Phase::Alpha(n)));
        }
        if let Some(n) = self.marked(&["beta", "b"])? {
            return Ok(Some(Phase::Beta(n)));
        }
        Ok(self.marked(&["rc", "preview", "pre", "c"])?.map(Phase::Candidate))
    }

    /// `.post1`, `-r1`, or the implicit `-1`.
    fn post(&mut self) -> Result<Option<u64>, &'static str> {
        if let Some(after) = self.rest.strip_prefix('-')
            && after.starts_with(|c: char| c.is_ascii_digit())
        {
            self.rest = after;
            return self.digits().transpose();
        }
        self.marked(&["post", "rev", "r"])
    }

    /// A word with optional separators before it and before its number; no number is 0.
    fn marked(&mut self, words: &[&str]) -> Result<Option<u64>, &'static str> {
        let bare = self.rest.strip_prefix(['.', '-', '_']).unwrap_or(self.rest);
        let Some(after) = words.iter().find_map(|word| bare.strip_prefix(word)) else { return Ok(None) };
        let numbered = after.strip_prefix(['.', '-', '_']).unwrap_or(after);
        if numbered.starts_with(|c: char| c.is_ascii_digit()) {
            self.rest = numbered;
            return self.digits().transpose();
        }
        self.rest = after;
        Ok(Some(0))
    }

    fn digits(&mut self) -> Option<Result<u64, &'static str>> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!digits.is_empty()).then(|| number(digits))
    }
}

fn number(digits: &str) -> Result<u64, &'static str> {
    digits.parse().map_err(|_| "a part that is no number, or too large")
}

fn parse_local(text: &str) -> Result<Vec<Local>, &'static str> {
    text.split(['.', '-', '_'])
        .map(|part| match part {
            "" => Err("an empty local part"),
            _ if part.bytes().all(|b| b.is_ascii_digit()) => number(part).map(Local::Number),
            _ if part.bytes().all(|b| b.is_ascii_alphanumeric()) => Ok(Local::Word(part.to_owned())),
            _ => Err("a character that no local part has"),
        })
        .collect()
}

impl Compare for Version {
    fn compare(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| self.release.cmp(&other.release))
            .then_with(|| self.pre.cmp(&other.pre))
            .then_with(|| self.post.cmp(&other.post))
            // A development release comes before what it develops.
            .then_with(|| self.dev.unwrap_or(u64::MAX).cmp(&other.dev.unwrap_or(u64::MAX)))
            .then_with(|| self.local.cmp(&other.local))
    }
}

#[cfg(test)]
mod tests {
    use crate::Order;
    use crate::tests::{assert_equal, assert_rising};

    #[test]
    fn order() {
        assert_rising(
            Order::Pep440,
            &[
                "1.0.dev456",
                "1.0a1",
                "1.0a2.dev456",
                "1.0a12.dev456",
                "1.0a12",
                "1.0b1.dev456",
                "1.0b2",
                "1.0b2.post345.dev456",
                "1.0b2.post345",
                "1.0rc1.dev456",
                "1.0rc1",
                "1.0",
                "1.0+abc.5",
                "1.0+abc.7",
                "1.0+5",
                "1.0.post456.dev34",
                "1.0.post456",
                "1.0.15",
                "1.1.dev1",
                "1!0.1",
            ],
        );
        assert_equal(Order::Pep440, &["1.0", "1", "v1.0.0", " 1.0 "]);
        assert_equal(Order::Pep440, &["1.0rc1", "1.0-c.1", "1.0_pre1", "1.0.RC1"]);
        assert_equal(Order::Pep440, &["1.0-1", "1.0.post1", "1.0-r1"]);
    }

    #[test]
    fn refused() {
        for version in ["", "abc", "1.0.x", "1.0+", "1.0+a..b", "99999999999999999999"] {
            assert!(Order::Pep440.compare(version, "1.0").is_err(), "{version:?}");
        }
    }
}
