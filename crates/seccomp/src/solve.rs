//! Finds a word that meets all conditions, bit by bit from the highest.

use crate::condition::{Condition, Test};

/// What is known about words that meet all conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Solution {
    /// This one does.
    Word(u32),
    /// None does.
    None,
    /// The search was given up: conditions on overlapping bits can be as hard as any puzzle.
    TooHard,
}

/// How many bits a search may try; one that never has to turn back tries 32.
const BUDGET: u32 = 8192;

/// How far a condition is decided by the bits that are chosen so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// All bits so far are those of the constant (for `AnyBit`: none is shared).
    Open,
    Met,
    Broken,
}

/// How many words are tried before a search.
const GUESSES: usize = 8;

/// Searches for a word that meets all conditions.
pub(crate) fn solve(conditions: &[Condition]) -> Solution {
    let meets = |word: u32| conditions.iter().all(|condition| condition.is_met(word));
    if let Some(only) = conditions.iter().find_map(Condition::only_word) {
        return if meets(only) { Solution::Word(only) } else { Solution::None };
    }
    // What filters ask of an argument is mostly met by nothing, or by what they name.
    let named = conditions.iter().rev().map(|condition| condition.constant);
    if let Some(word) = std::iter::once(0).chain(named).take(GUESSES).find(|word| meets(*word)) {
        return Solution::Word(word);
    }
    let mut search = Search { conditions, budget: BUDGET };
    let open = vec![State::Open; conditions.len()];
    if !search.possible(&open, u32::MAX) {
        return Solution::None;
    }
    match search.choose(31, 0, &open) {
        Ok(Some(word)) => Solution::Word(word),
        Ok(None) => Solution::None,
        Err(GaveUp) => Solution::TooHard,
    }
}

struct GaveUp;

struct Search<'c> {
    conditions: &'c [Condition],
    budget: u32,
}

impl Search<'_> {
    /// Chooses this bit and all lower ones.
    fn choose(&mut self, bit: u32, word: u32, states: &[State]) -> Result<Option<u32>, GaveUp> {
        let looked_at = self.conditions.iter().zip(states);
        let matters = looked_at.clone().any(|(c, s)| *s == State::Open && c.mask >> bit & 1 == 1);
        for value in 0..=u32::from(matters) {
            self.budget = self.budget.checked_sub(1).ok_or(GaveUp)?;
            let next: Vec<State> = looked_at.clone().map(|(c, s)| advance(c, *s, bit, value)).collect();
            let rest = (1 << bit) - 1;
            if next.contains(&State::Broken) || !self.possible(&next, rest) {
                continue;
            }
            let word = word | value << bit;
            let Some(lower) = bit.checked_sub(1) else { return Ok(Some(word)) };
            if let Some(word) = self.choose(lower, word, &next)? {
                return Ok(Some(word));
            }
        }
        Ok(None)
    }

    /// Whether each open condition by itself can still be met by the bits of `rest`.
    fn possible(&self, states: &[State], rest: u32) -> bool {
        self.conditions.iter().zip(states).filter(|(_, s)| **s == State::Open).all(|(condition, _)| {
            let (mask, constant) = (condition.mask & rest, condition.constant & rest);
            match (condition.test, condition.holds) {
                (Test::Equal, true) => constant & !mask == 0,
                (Test::Equal, false) => mask | constant != 0,
                (Test::Greater, true) => mask > constant,
                (Test::AtLeast, true) => mask >= constant,
                (Test::AtLeast, false) => constant > 0,
                (Test::AnyBit, true) => mask & constant != 0,
                (Test::Greater | Test::AnyBit, false) => true,
            }
        })
    }
}

/// What a condition becomes when a bit is chosen.
fn advance(condition: &Condition, state: State, bit: u32, value: u32) -> State {
    if state != State::Open {
        return state;
    }
    let ours = value & condition.mask >> bit;
    let theirs = condition.constant >> bit & 1;
    let decided = match condition.test {
        Test::Equal => (ours != theirs).then_some(false),
        Test::Greater | Test::AtLeast => (ours != theirs).then_some(ours > theirs),
        Test::AnyBit => (ours & theirs == 1).then_some(true),
    };
    match decided {
        None => State::Open,
        Some(outcome) if outcome == condition.holds => State::Met,
        Some(_) => State::Broken,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn condition(mask: u32, test: Test, constant: u32, holds: bool) -> Condition {
        Condition { word: 4, mask, test, constant, holds }
    }

    fn met(conditions: &[Condition], word: u32) -> bool {
        conditions.iter().all(|condition| condition.is_met(word))
    }

    #[test]
    fn one_of_many_is_left() {
        let mut conditions: Vec<_> = (0..=254).map(|k| condition(0xff, Test::Equal, k, false)).collect();
        conditions.push(condition(u32::MAX, Test::Greater, 0xffff_fffe, true));
        assert_eq!(solve(&conditions), Solution::Word(u32::MAX));
        conditions.push(condition(0x80, Test::AnyBit, 0xff, false));
        assert_eq!(solve(&conditions), Solution::None);
    }

    fn any_condition(bits: u32) -> impl Strategy<Value = Condition> {
        let test =
            prop_oneof![Just(Test::Equal), Just(Test::Greater), Just(Test::AtLeast), Just(Test::AnyBit)];
        (0..1_u32 << bits, test, 0..1_u32 << bits, any::<bool>())
            .prop_map(|(mask, test, constant, holds)| condition(mask, test, constant, holds))
    }

    proptest! {
        /// Against trying all words of few bits.
        #[test]
        fn the_search_misses_nothing(conditions in prop::collection::vec(any_condition(6), 0..7)) {
            let exists = (0..64).any(|word| met(&conditions, word));
            match solve(&conditions) {
                Solution::Word(word) => prop_assert!(met(&conditions, word)),
                Solution::None => prop_assert!(!exists),
                Solution::TooHard => prop_assert!(false, "a search of six bits has at most 127 steps and their zeros"),
            }
        }

        #[test]
        fn a_word_that_exists_is_found_or_the_search_says_it_gave_up(
            word: u32,
            mut conditions in prop::collection::vec(any_condition(31), 0..20),
        ) {
            for c in &mut conditions {
                c.holds = c.test.holds(word & c.mask, c.constant);
            }
            match solve(&conditions) {
                Solution::Word(word) => prop_assert!(met(&conditions, word)),
                Solution::None => prop_assert!(false, "{word:#x} meets them"),
                Solution::TooHard => {}
            }
        }
    }
}
