//! Reads one TOML table: every key known, every value of its type, every mistake with its place.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::did_you_mean;
use crate::keys::Keys;
use crate::{Mistake, MistakeKind, Mistakes, Place};

/// More mistakes than these are not worth naming: the file is something else.
const MOST_MISTAKES: usize = 50;

/// The text of a policy file, and the mistakes found so far.
pub(crate) struct Source<'t> {
    pub(crate) path: &'t str,
    text: &'t str,
    line_starts: Vec<usize>,
    mistakes: Vec<Mistake>,
}

impl<'t> Source<'t> {
    pub(crate) fn new(path: &'t str, text: &'t str) -> Self {
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { path, text, line_starts, mistakes: Vec::new() }
    }

    /// The place of a byte range.
    pub(crate) fn place(&self, span: &Range<usize>) -> Place {
        let line = self.line_starts.partition_point(|start| *start <= span.start);
        let line_start = line.checked_sub(1).and_then(|index| self.line_starts.get(index)).copied();
        let before = self.text.get(line_start.unwrap_or(0)..span.start).unwrap_or_default();
        Place { path: self.path.to_owned(), line, column: before.chars().count() + 1 }
    }

    /// Notes a mistake.
    pub(crate) fn mistake(&mut self, span: &Range<usize>, kind: MistakeKind, hint: Option<String>) {
        if self.mistakes.len() < MOST_MISTAKES {
            self.mistakes.push(Mistake { place: self.place(span), kind, hint });
        }
    }

    /// The mistakes so far in the order of the file, where there are any.
    pub(crate) fn check(&mut self) -> Result<(), Mistakes> {
        if self.mistakes.is_empty() {
            return Ok(());
        }
        self.mistakes.sort_by(|a, b| a.place.cmp(&b.place));
        Err(Mistakes(std::mem::take(&mut self.mistakes)))
    }
}

/// One table, read key by key; what is left over is unknown.
pub(crate) struct Table<'a, 'i> {
    name: String,
    span: Range<usize>,
    table: &'a DeTable<'i>,
    keys: Keys,
}

impl<'a, 'i> Table<'a, 'i> {
    /// A table whose keys must be among `keys`; others become mistakes at once.
    pub(crate) fn new(
        source: &mut Source<'_>,
        name: impl Into<String>,
        span: Range<usize>,
        table: &'a DeTable<'i>,
        keys: Keys,
    ) -> Self {
        let name = name.into();
        let known: Vec<_> = keys.iter().map(|key| key.name).collect();
        for key in table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let hint = did_you_mean(key.get_ref(), known.iter().copied())
                .unwrap_or_else(|| format!("known keys: {}", known.join(", ")));
            let kind = MistakeKind::UnknownKey { key: key.get_ref().to_string(), table: name.clone() };
            source.mistake(&key.span(), kind, Some(hint));
        }
        Self { name, span, table, keys }
    }

    /// The same for a value that must be a table.
    pub(crate) fn of(
        source: &mut Source<'_>,
        name: impl Into<String>,
        value: &'a Spanned<DeValue<'i>>,
        keys: Keys,
    ) -> Option<Self> {
        let name = name.into();
        match value.get_ref().as_table() {
            Some(table) => Some(Self::new(source, name, value.span(), table, keys)),
            None => {
                wrong_type(source, &name, "a table", value);
                None
            }
        }
    }

    /// Where the table begins.
    pub(crate) fn span(&self) -> &Range<usize> {
        &self.span
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'i>>> {
        debug_assert!(self.keys.iter().any(|known| known.name == key), "{key} is read but not announced");
        self.table.get(key)
    }

    /// A text.
    pub(crate) fn text(&self, source: &mut Source<'_>, key: &'static str) -> Option<Spanned<&'a str>> {
        let value = self.get(key)?;
        match value.get_ref().as_str() {
            Some(text) => Some(Spanned::new(value.span(), text)),
            None => {
                wrong_type(source, key, "a string", value);
                None
            }
        }
    }

    /// A yes or no.
    pub(crate) fn bool(&self, source: &mut Source<'_>, key: &'static str) -> Option<bool> {
        let value = self.get(key)?;
        let found = value.get_ref().as_bool();
        if found.is_none() {
            wrong_type(source, key, "true or false", value);
        }
        found
    }

    /// A whole number from 1 to a bound.
    pub(crate) fn number<N: TryFrom<u32> + Into<u32> + Copy>(
        &self,
        source: &mut Source<'_>,
        key: &'static str,
        bound: N,
        expected: &'static str,
    ) -> Option<N> {
        let value = self.get(key)?;
        let integer = value.get_ref().as_integer();
        let number = integer.and_then(|it| u32::from_str_radix(it.as_str(), it.radix()).ok());
        let number = number.filter(|it| (1..=bound.into()).contains(it)).and_then(|it| it.try_into().ok());
        if number.is_none() {
            wrong_type(source, key, expected, value);
        }
        number
    }

    /// One text or several, none of them empty, up to a bound.
    pub(crate) fn texts(
        &self,
        source: &mut Source<'_>,
        key: &'static str,
        bound: usize,
    ) -> Option<Vec<Spanned<&'a str>>> {
        let value = self.get(key)?;
        let all = value.get_ref().as_array().filter(|all| (1..=bound).contains(&all.len()));
        let texts = all.and_then(|all| {
            let text = |value: &'a Spanned<DeValue<'i>>| {
                let text = value.get_ref().as_str().filter(|text| !text.trim().is_empty())?;
                Some(Spanned::new(value.span(), text))
            };
            all.iter().map(text).collect()
        });
        if texts.is_none() {
            wrong_type(source, key, "a list of strings", value);
        }
        texts
    }

    /// One of a few names.
    pub(crate) fn choice<T: Copy>(
        &self,
        source: &mut Source<'_>,
        key: &'static str,
        choices: &[(&'static str, T)],
    ) -> Option<T> {
        let text = self.text(source, key)?;
        let found = choices.iter().find(|(name, _)| name == text.get_ref()).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            let hint = did_you_mean(text.get_ref(), names.iter().copied())
                .unwrap_or_else(|| format!("one of {}", names.join(", ")));
            let kind = MistakeKind::UnknownValue { key, value: (*text.get_ref()).to_owned() };
            source.mistake(&text.span(), kind, Some(hint));
        }
        found
    }

    /// Notes that a mandatory key is missing, unless it is there with another mistake.
    pub(crate) fn missing(&self, source: &mut Source<'_>, key: &'static str, hint: Option<&str>) {
        if self.get(key).is_none() {
            let kind = MistakeKind::Missing { key, table: self.name.clone() };
            source.mistake(&self.span, kind, hint.map(str::to_owned));
        }
    }
}

/// Notes a value of another type.
pub(crate) fn wrong_type(
    source: &mut Source<'_>,
    key: &str,
    expected: &'static str,
    value: &Spanned<DeValue<'_>>,
) {
    let kind = MistakeKind::Type { key: key.to_owned(), expected, found: value.get_ref().type_str() };
    source.mistake(&value.span(), kind, None);
}
