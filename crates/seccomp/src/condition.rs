//! A condition on one word of a system call.

/// How an instruction compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    Equal,
    Greater,
    AtLeast,
    AnyBit,
}

impl Test {
    /// The outcome for two known values.
    pub(crate) fn holds(self, left: u32, right: u32) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Greater => left > right,
            Self::AtLeast => left >= right,
            Self::AnyBit => left & right != 0,
        }
    }
}

/// `(word & mask) test constant` is what `holds` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) word: u8,
    pub(crate) mask: u32,
    pub(crate) test: Test,
    pub(crate) constant: u32,
    pub(crate) holds: bool,
}

impl Condition {
    /// Whether a word is as it says.
    pub(crate) fn is_met(&self, word: u32) -> bool {
        self.test.holds(word & self.mask, self.constant) == self.holds
    }

    /// The word that alone meets it, where it leaves one.
    pub(crate) fn only_word(&self) -> Option<u32> {
        (self.test == Test::Equal && self.holds && self.mask == u32::MAX).then_some(self.constant)
    }

    /// The same condition, turned round.
    pub(crate) fn negated(self) -> Self {
        Self { holds: !self.holds, ..self }
    }
}
