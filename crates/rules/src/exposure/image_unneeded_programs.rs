use plimsoll_facts::Image;

use crate::answer::{fail, pass, unknown};
use crate::processes::shortened;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "image-unneeded-programs",
    title: "The image carries programs that serve an intruder more than the service",
    concern: Concern::Exposure,
    severity: Severity::Info,
    why: "Compilers, SSH servers, sudo and network tools let whoever breaks the service go on from there without bringing \
          anything along, and each brings packages whose holes have to be mended.",
    fix: "Build in one stage and COPY --from it into a small last one; apt-get install --no-install-recommends; apt-get purge \
          what only the build needed, in the same RUN. Build anew and recreate the containers, which stops them.",
    references: &["https://docs.docker.com/build/building/multi-stage/"],
    cis: &["4.3"],
    judge: Judge::Image(judge),
};

fn judge(_: &EngineContext<'_>, image: &Image) -> Judgement {
    let content = image.content.require()?;
    let source = content.source.as_str();
    let programs = &content.unneeded_programs;
    let Some(first) = programs.first() else {
        if let Some(gap) = content.gaps.first() {
            return unknown(source, gap.clone());
        }
        return pass(Evidence::new("programs that a service does not need", "none", source));
    };
    let evidence = shortened(programs, |path| Evidence::new("program", path.clone(), source), "programs");
    let message = match programs.len() {
        1 => format!("contains {first}"),
        n => format!("contains {first} and {} more programs that a service does not need", n - 1),
    };
    fail(Problem::new(message, evidence))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachImage, denied, image};
    use crate::testing::status_of;

    #[test]
    fn programs_gaps_none() {
        let with = image(|i| i.content().unneeded_programs = vec!["/usr/sbin/sshd".into()]);
        assert_eq!(status_of(&RULE, &with), Status::Fail);
        assert_eq!(status_of(&RULE, &image(|_| ())), Status::Pass);
        let partial = image(|i| i.content().gaps = vec!["a layer could not be opened".into()]);
        assert_eq!(status_of(&RULE, &partial), Status::Unknown);
        assert_eq!(status_of(&RULE, &image(|i| i.content = denied())), Status::Unknown);
    }
}
