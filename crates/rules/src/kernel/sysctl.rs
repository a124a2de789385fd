//! Kernel settings (sysctl(8)) as rules read them.

use plimsoll_facts::{Facts, Gap};

use crate::answer::{fail, gap, not_applicable, pass};
use crate::{Evidence, Judgement, Problem};

/// A setting's text and where it was read; `None` where this kernel has no such setting.
pub(crate) fn text<'a>(facts: &'a Facts, name: &str) -> Result<Option<(&'a str, &'a str)>, Gap> {
    match facts.host.kernel.sysctls.get(name) {
        None => Err(gap(name, "this kernel setting was not collected")),
        Some(fact) => Ok(fact.get()?.map(|value| (value.trim(), fact.source()))),
    }
}

/// A setting that is one number.
pub(crate) fn number<'a>(facts: &'a Facts, name: &str) -> Result<Option<(i64, &'a str)>, Gap> {
    let Some((text, source)) = text(facts, name)? else { return Ok(None) };
    match text.parse() {
        Ok(number) => Ok(Some((number, source))),
        Err(_) => Err(gap(source, format!("holds {text:?}, which is not a number"))),
    }
}

/// One number against one bound.
pub(crate) struct Bound {
    /// The setting's name.
    pub(crate) name: &'static str,
    /// The bound in words.
    pub(crate) expected: &'static str,
    /// The bound.
    pub(crate) fits: fn(i64) -> bool,
    /// What is wrong outside of the bound.
    pub(crate) wrong: &'static str,
    /// Why the question does not arise where the kernel has no such setting.
    pub(crate) absent: &'static str,
}

impl Bound {
    /// Holds the setting against the bound.
    pub(crate) fn judge(&self, facts: &Facts) -> Judgement {
        let Some((value, source)) = number(facts, self.name)? else {
            return not_applicable(self.absent);
        };
        let evidence = Evidence::new(self.name, value.to_string(), source).expected(self.expected);
        if (self.fits)(value) { pass(evidence) } else { fail(Problem::new(self.wrong, vec![evidence])) }
    }
}
