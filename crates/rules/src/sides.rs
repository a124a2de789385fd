//! Which side of a container decides: what the kernel enforces, or what the engine was asked for.

use plimsoll_facts::{Container, Declared, Effective};

use crate::{Confidence, Judgement, Outcome};

/// Judges a container by the kernel's state where it runs, and by what it was created with where it does not.
///
/// Where the kernel's state cannot be read, a declaration that is wrong by itself is still reported; one that is
/// right proves nothing, and the answer stays unknown.
pub(crate) fn by_kernel_or_declaration<'c>(
    container: &'c Container,
    kernel: impl FnOnce(&'c Effective) -> Judgement,
    declaration: impl FnOnce(&'c Declared) -> Judgement,
) -> Judgement {
    let gap = match container.effective.get() {
        Ok(None) => return declaration(container.declared.require()?).map(declared_only),
        Ok(Some(effective)) => match kernel(effective) {
            Ok(outcome) => return Ok(outcome),
            Err(gap) => gap,
        },
        Err(gap) => gap,
    };
    match container.declared.value().map(declaration) {
        Some(Ok(outcome @ Outcome::Fail(_))) => Ok(declared_only(outcome)),
        _ => Err(gap),
    }
}

/// Judges a running container by the kernel's state alone; one that does not run has none.
pub(crate) fn by_kernel<'c>(
    container: &'c Container,
    kernel: impl FnOnce(&'c Effective) -> Judgement,
) -> Judgement {
    match container.effective.get()? {
        Some(effective) => kernel(effective),
        None => Ok(Outcome::NotApplicable("the container does not run".to_owned())),
    }
}

/// Compares both sides of a running container; one that does not run has only one.
pub(crate) fn by_both<'c>(
    container: &'c Container,
    compare: impl FnOnce(&'c Declared, &'c Effective) -> Judgement,
) -> Judgement {
    match container.effective.get()? {
        Some(effective) => compare(container.declared.require()?, effective),
        None => Ok(Outcome::NotApplicable("the container does not run".to_owned())),
    }
}

fn declared_only(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Fail(mut problem) => {
            problem.confidence = problem.confidence.min(Confidence::Medium);
            Outcome::Fail(problem)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Container, Fact, Gap};

    use super::by_kernel_or_declaration;
    use crate::testing::{Reach, container};
    use crate::{Confidence, Evidence, Judgement, Outcome, Problem};

    fn fail() -> Judgement {
        Ok(Outcome::Fail(Problem::new("bad", Vec::new())))
    }

    fn pass() -> Judgement {
        Ok(Outcome::Pass(vec![Evidence::new("fact", "value", "source")]))
    }

    fn sample(change: impl FnOnce(&mut Container)) -> Container {
        let facts = container(change);
        facts.engines[0].containers.value().unwrap()[0].clone()
    }

    #[test]
    fn kernel_beats_declaration() {
        let it = sample(|_| ());
        assert!(matches!(by_kernel_or_declaration(&it, |_| pass(), |_| fail()), Ok(Outcome::Pass(_))));
    }

    #[test]
    fn a_right_declaration_does_not_fill_a_gap() {
        let it = sample(|c| c.hide());
        assert!(by_kernel_or_declaration(&it, |_| pass(), |_| pass()).is_err());
        let gap = || Gap { subject: String::new(), source: "/proc/4711".into(), reason: "gone".into() };
        let it = sample(|_| ());
        assert!(by_kernel_or_declaration(&it, |_| Err(gap()), |_| pass()).is_err());
    }

    #[test]
    fn a_wrong_declaration_is_reported_with_less_confidence() {
        for it in [sample(|c| c.hide()), sample(|c| c.effective = Fact::absent("/proc"))] {
            let Ok(Outcome::Fail(problem)) = by_kernel_or_declaration(&it, |_| pass(), |_| fail()) else {
                panic!("the declaration is wrong");
            };
            assert_eq!(problem.confidence, Confidence::Medium);
        }
    }
}
