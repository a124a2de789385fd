//! Registers of the packet filter, of which each bit is known or not.

use std::cmp::Ordering;

/// Bytes of all registers.
const SIZE: usize = 64;

/// All registers.
#[derive(Clone)]
pub(super) struct Registers {
    value: [u8; SIZE],
    known: [u8; SIZE],
}

/// Bytes of which each bit is known or not.
#[derive(Clone, Debug, Default)]
pub(super) struct Bits {
    value: Vec<u8>,
    known: Vec<u8>,
}

impl Default for Registers {
    fn default() -> Self {
        Self { value: [0; SIZE], known: [0; SIZE] }
    }
}

impl Registers {
    /// Forgets everything.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Writes from a register on; what is left of the last 4 bytes becomes zero, as the kernel does.
    pub(super) fn write(&mut self, register: u8, bits: &Bits) {
        let start = usize::from(register) * 4;
        let padded = bits.value.len().next_multiple_of(4);
        for place in 0..padded {
            let (value, known) = match (bits.value.get(place), bits.known.get(place)) {
                (Some(value), Some(known)) => (*value, *known),
                _ => (0, 0xff),
            };
            if let (Some(to), Some(mask)) =
                (self.value.get_mut(start + place), self.known.get_mut(start + place))
            {
                (*to, *mask) = (value, known);
            }
        }
    }

    /// Reads from a register on.
    pub(super) fn read(&self, register: u8, length: usize) -> Bits {
        let start = usize::from(register) * 4;
        let end = start.saturating_add(length);
        Bits {
            value: self
                .value
                .get(start..end)
                .map(<[u8]>::to_vec)
                .unwrap_or_else(|| vec![0; length.min(SIZE)]),
            known: self
                .known
                .get(start..end)
                .map(<[u8]>::to_vec)
                .unwrap_or_else(|| vec![0; length.min(SIZE)]),
        }
    }
}

impl Bits {
    /// Bytes that are known.
    pub(super) fn known(value: impl Into<Vec<u8>>) -> Self {
        let value = value.into();
        let known = vec![0xff; value.len()];
        Self { value, known }
    }

    /// Bytes of which nothing is known.
    pub(super) fn unknown(length: usize) -> Self {
        let length = length.min(SIZE);
        Self { value: vec![0; length], known: vec![0; length] }
    }

    /// Bytes of which only the bits of `mask` are known.
    pub(super) fn partly(value: impl Into<Vec<u8>>, mask: impl Into<Vec<u8>>) -> Self {
        let mut bits = Self { value: value.into(), known: mask.into() };
        bits.known.resize(bits.value.len(), 0);
        bits
    }

    /// Adds what follows.
    pub(super) fn extend(&mut self, other: &Self) {
        self.value.extend(&other.value);
        self.known.extend(&other.known);
    }

    /// A part of it; nothing is known of what lies beyond its end.
    pub(super) fn part(&self, offset: usize, length: usize) -> Self {
        let at = |bytes: &[u8], place: usize| bytes.get(place).copied().unwrap_or(0);
        let places = offset..offset.saturating_add(length.min(SIZE));
        Self {
            value: places.clone().map(|place| at(&self.value, place)).collect(),
            known: places.map(|place| at(&self.known, place)).collect(),
        }
    }

    /// `(self & mask) ^ xor`: what the mask takes away is known.
    pub(super) fn masked(&self, mask: &[u8], xor: &[u8]) -> Self {
        let at = |bytes: &[u8], place: usize| bytes.get(place).copied().unwrap_or(0);
        let places = 0..self.value.len();
        Self {
            value: places.clone().map(|p| (at(&self.value, p) & at(mask, p)) ^ at(xor, p)).collect(),
            known: places.map(|p| at(&self.known, p) | !at(mask, p)).collect(),
        }
    }

    /// The bytes, where all are known.
    pub(super) fn whole(&self) -> Option<&[u8]> {
        self.known.iter().all(|known| *known == 0xff).then_some(&self.value)
    }

    /// Whether they equal these; `None` where that is not known.
    pub(super) fn equals(&self, other: &[u8]) -> Option<bool> {
        let pairs = self.value.iter().zip(&self.known).zip(other);
        if self.value.len() != other.len()
            || pairs.into_iter().any(|((value, known), other)| (value ^ other) & known != 0)
        {
            return Some(false);
        }
        self.whole().map(|_| true)
    }

    /// How they compare with these in the order of their bytes; `None` where that is not known.
    pub(super) fn compare(&self, other: &[u8]) -> Option<Ordering> {
        let bound = |high: u8| {
            self.value.iter().zip(&self.known).map(move |(value, known)| value & known | high & !known)
        };
        let (lowest, highest) = (bound(0).cmp(other.iter().copied()), bound(0xff).cmp(other.iter().copied()));
        (lowest == highest).then_some(lowest)
    }

    /// Whether they lie in this range, both ends in it.
    pub(super) fn within(&self, low: &[u8], high: &[u8]) -> Option<bool> {
        if low == high {
            return self.equals(low);
        }
        match (self.compare(low), self.compare(high)) {
            (Some(Ordering::Less), _) | (_, Some(Ordering::Greater)) => Some(false),
            (Some(_), Some(_)) => Some(true),
            _ => None,
        }
    }
}

/// Hexadecimal text as bytes; of text that is none, nothing.
pub(super) fn bytes(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.as_bytes()
        .chunks_exact(2)
        .map_while(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?))
        .collect()
}
