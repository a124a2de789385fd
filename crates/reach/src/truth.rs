//! Three-valued answers that carry their reasons.

/// Whether something holds, and why: what shows it, what stops it, or what would have to be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds, as these show.
    Yes(Vec<String>),
    /// It does not: each of these stops it.
    No(Vec<String>),
    /// It cannot be told without these.
    Unknown(Vec<String>),
}

impl Truth {
    /// It holds.
    pub(crate) fn yes(shown_by: impl Into<String>) -> Self {
        Self::Yes(vec![shown_by.into()])
    }

    /// It does not hold.
    pub(crate) fn no(stopped_by: impl Into<String>) -> Self {
        Self::No(vec![stopped_by.into()])
    }

    /// It cannot be told.
    pub(crate) fn unknown(missing: impl Into<String>) -> Self {
        Self::Unknown(vec![missing.into()])
    }

    /// It holds where `holds` does.
    pub(crate) fn of(holds: bool, shown_by: impl Into<String>, stopped_by: impl Into<String>) -> Self {
        if holds { Self::yes(shown_by) } else { Self::no(stopped_by) }
    }

    /// The same, where what shows it goes without saying.
    pub(crate) fn quietly(self) -> Self {
        match self {
            Self::Yes(_) => Self::Yes(Vec::new()),
            decided => decided,
        }
    }

    /// Both have to hold: one that does not decides, then one that is unknown.
    pub(crate) fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::No(why) => Self::No(why),
            Self::Yes(mut shown) => match other() {
                Self::Yes(more) => {
                    add(&mut shown, more);
                    Self::Yes(shown)
                }
                decided => decided,
            },
            Self::Unknown(mut missing) => match other() {
                Self::No(why) => Self::No(why),
                Self::Yes(_) => Self::Unknown(missing),
                Self::Unknown(more) => {
                    add(&mut missing, more);
                    Self::Unknown(missing)
                }
            },
        }
    }

    /// One has to hold: one that does decides, then one that is unknown. What stops both is named.
    pub(crate) fn or(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Yes(shown) => Self::Yes(shown),
            Self::No(mut why) => match other() {
                Self::No(more) => {
                    add(&mut why, more);
                    Self::No(why)
                }
                decided => decided,
            },
            Self::Unknown(mut missing) => match other() {
                Self::Yes(shown) => Self::Yes(shown),
                Self::No(_) => Self::Unknown(missing),
                Self::Unknown(more) => {
                    add(&mut missing, more);
                    Self::Unknown(missing)
                }
            },
        }
    }

    /// What shows it, stops it, or is missing.
    pub fn reasons(&self) -> &[String] {
        match self {
            Self::Yes(reasons) | Self::No(reasons) | Self::Unknown(reasons) => reasons,
        }
    }
}

fn add(reasons: &mut Vec<String>, more: Vec<String>) {
    for reason in more {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Truth;

    #[test]
    fn what_does_not_hold_decides_all_and_what_holds_decides_any() {
        let three = [Truth::yes("y"), Truth::no("n"), Truth::unknown("u")];
        let word = |truth: &Truth| match truth {
            Truth::Yes(_) => 'y',
            Truth::No(_) => 'n',
            Truth::Unknown(_) => 'u',
        };
        let mut table = String::new();
        for a in &three {
            for b in &three {
                table.push(word(&a.clone().and(|| b.clone())));
                table.push(word(&a.clone().or(|| b.clone())));
                table.push(' ');
            }
        }
        assert_eq!(table, "yy ny uy ny nn nu uy nu uu ");
    }

    #[test]
    fn every_reason_is_kept_once() {
        let blocked = Truth::no("a").or(|| Truth::no("b")).or(|| Truth::no("a"));
        assert_eq!(blocked, Truth::No(vec!["a".into(), "b".into()]));
        let unknown = Truth::unknown("a").and(|| Truth::unknown("b"));
        assert_eq!(unknown.reasons(), ["a", "b"]);
        assert_eq!(Truth::unknown("a").or(|| Truth::no("b")), Truth::unknown("a"));
    }
}
