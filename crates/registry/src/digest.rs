//! Digests of content (OCI image specification, "Digests").

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256, Sha512};

/// A digest: an algorithm that is registered, and its sum in lower-case hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    sum: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Algorithm {
    Sha256,
    Sha512,
}

/// Why a text is no digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no digest: sha256 and sha512 are covered, in lower-case hexadecimal")]
pub struct DigestError(String);

/// The longest text that an error repeats, in characters.
const SHOWN: usize = 160;

impl Digest {
    /// The SHA-256 of bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self { algorithm: Algorithm::Sha256, sum: hexadecimal(&Sha256::digest(bytes)) }
    }

    /// `sha256` or `sha512`.
    pub fn algorithm(&self) -> &'static str {
        match self.algorithm {
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha512 => "sha512",
        }
    }

    /// The sum in lower-case hexadecimal.
    pub fn sum(&self) -> &str {
        &self.sum
    }

    /// Whether these bytes have this digest.
    pub fn is_of(&self, bytes: &[u8]) -> bool {
        let mut hasher = self.hasher();
        hasher.update(bytes);
        hasher.finish() == self.sum
    }

    /// Takes the digest of what comes by, in this one's algorithm.
    pub(crate) fn hasher(&self) -> Hasher {
        match self.algorithm {
            Algorithm::Sha256 => Hasher::Sha256(Sha256::new()),
            Algorithm::Sha512 => Hasher::Sha512(Box::new(Sha512::new())),
        }
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let (algorithm, sum) = match text.split_once(':') {
            Some(("sha256", sum)) if sum.len() == 64 => (Algorithm::Sha256, sum),
            Some(("sha512", sum)) if sum.len() == 128 => (Algorithm::Sha512, sum),
            _ => return Err(DigestError(text.chars().take(SHOWN).collect())),
        };
        if !sum.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(DigestError(text.chars().take(SHOWN).collect()));
        }
        Ok(Self { algorithm, sum: sum.to_owned() })
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm(), self.sum)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A digest that is being taken.
pub(crate) enum Hasher {
    Sha256(Sha256),
    Sha512(Box<Sha512>),
}

impl Hasher {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// The sum in lower-case hexadecimal.
    pub(crate) fn finish(self) -> String {
        match self {
            Self::Sha256(hasher) => hexadecimal(&hasher.finalize()),
            Self::Sha512(hasher) => hexadecimal(&hasher.finalize()),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_strict() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").to_string(), format!("sha256:{empty}"));
        assert!(format!("sha256:{empty}").parse::<Digest>().unwrap().is_of(b""));
        let long = format!("sha512:{}", hexadecimal(&Sha512::digest(b"x")));
        assert!(long.parse::<Digest>().unwrap().is_of(b"x"));
        assert!(!long.parse::<Digest>().unwrap().is_of(b"y"));
        for wrong in [
            "",
            "sha256:",
            empty,
            &format!("sha256:{}", empty.to_uppercase()),
            &format!("sha512:{empty}"),
            &format!("md5:{empty}"),
            &format!("sha256:{}", &empty[1..]),
            &format!("sha256:../{}", &empty[3..]),
        ] {
            assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
        }
    }
}
