//! One advisory held against one copy: the distribution's word first, then the project's own versions.

use std::cmp::Ordering;

use plimsoll_facts::BoundaryStatus;

use super::copy::{Base, Copy, DistributionPackage, Maker};
use crate::boundary::upstream::Standing;
use crate::boundary::{
    BoundaryAdvisory, DistributionNote, DistributionStatus, UpstreamRange, UpstreamVersion,
};

/// What was found about one copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Assessment {
    pub(super) status: BoundaryStatus,
    pub(super) reason: Option<String>,
    pub(super) certain: bool,
    pub(super) fixed: Option<String>,
    pub(super) source: String,
}

impl Assessment {
    pub(super) fn new(status: BoundaryStatus, source: impl Into<String>) -> Self {
        Self { status, reason: None, certain: true, fixed: None, source: source.into() }
    }

    pub(super) fn unknown(source: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { certain: false, ..Self::new(BoundaryStatus::Unknown, source) }.because(reason)
    }

    pub(super) fn because(self, reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..self }
    }

    fn fixed_in(self, version: Option<String>) -> Self {
        Self { fixed: version, ..self }
    }

    pub(super) fn guess(self) -> Self {
        Self { certain: false, ..self }
    }
}

/// Holds an advisory against a copy of a program whose versions are `project`'s.
pub(super) fn assess(advisory: &BoundaryAdvisory, project: &str, copy: &Copy) -> Assessment {
    let question = Question { advisory, project, copy };
    match &copy.maker {
        Maker::Project { sure } => question.by_project(*sure),
        Maker::Distribution(package) => {
            let speaks =
                |note: &&DistributionNote| note.release == package.release && note.package == package.name;
            match advisory.distributions.iter().find(speaks) {
                Some(note) => question.by_note(note, package),
                None => question.without_note(Some(package), "its distribution says nothing about it here"),
            }
        }
        Maker::EarlierPackage => question.without_note(None, "its exact package version is not known"),
        Maker::Unknown(why) => question.without_note(None, why),
    }
}

struct Question<'q> {
    advisory: &'q BoundaryAdvisory,
    project: &'q str,
    copy: &'q Copy,
}

impl Question<'_> {
    fn project_source(&self) -> String {
        format!("versions of {}", self.project_of_ranges())
    }

    fn project_of_ranges(&self) -> &str {
        self.advisory.upstream.project.as_deref().unwrap_or(&self.advisory.component)
    }

    /// Where the copy's own version stands.
    fn standing(&self) -> Standing {
        if let Some(only) = &self.advisory.upstream.only {
            // Their own changes brought the flaw: what they say about their packages decides.
            return match &self.copy.maker {
                Maker::Project { sure: true } => Standing::NotAffected,
                Maker::Distribution(package) if !package.release.starts_with(only.as_str()) => {
                    Standing::NotAffected
                }
                _ => Standing::Unknown { reason: format!("only {only}'s own changes have it") },
            };
        }
        let of_ranges = self.project_of_ranges();
        if of_ranges != self.project {
            let reason = format!("which version of {of_ranges} it contains is not known");
            return Standing::Unknown { reason };
        }
        match &self.copy.base {
            Ok(base) => self.advisory.upstream.standing(base),
            Err(reason) => Standing::Unknown { reason: reason.clone() },
        }
    }

    /// The project's own copy: its versions decide.
    fn by_project(&self, sure: bool) -> Assessment {
        let source = self.project_source();
        let found = match self.standing() {
            Standing::Affected { fixed, since_known } => {
                let status =
                    if fixed.is_some() { BoundaryStatus::FixAvailable } else { BoundaryStatus::NoFix };
                let found = Assessment::new(status, source).fixed_in(fixed);
                if since_known {
                    found
                } else {
                    found.guess().because("nobody says since which version it is there")
                }
            }
            Standing::Fixed { fixed } => Assessment::new(BoundaryStatus::Fixed, source).fixed_in(Some(fixed)),
            Standing::NotAffected => Assessment::new(BoundaryStatus::NotAffected, source),
            Standing::Unknown { reason } => return Assessment::unknown(source, reason),
        };
        if sure { found } else { found.guess() }
    }

    /// Nothing is recorded about the package: only what the project's version proves counts. It proves a fix, for
    /// nobody takes fixes out; it does not prove a flaw, for distributions mend without changing it.
    fn without_note(&self, package: Option<&DistributionPackage>, why: &str) -> Assessment {
        let source = self.project_source();
        if package.is_some_and(|package| package.base == Base::Nothing || self.may_have_come_later(package)) {
            return Assessment::unknown(
                source,
                format!("{why}, and its version does not show what was backported"),
            );
        }
        match self.standing() {
            Standing::Fixed { fixed } => Assessment::new(BoundaryStatus::Fixed, source)
                .fixed_in(Some(fixed))
                .because("by the project's version"),
            Standing::NotAffected => {
                Assessment::new(BoundaryStatus::NotAffected, source).because("by the project's version")
            }
            Standing::Affected { .. } => {
                Assessment::unknown(source, format!("{why}; by the project's version alone it has the flaw"))
            }
            Standing::Unknown { reason } => Assessment::unknown(source, format!("{why}; {reason}")),
        }
    }

    /// Whether the flaw came into the package's branch after the version that the package bears.
    fn may_have_come_later(&self, package: &DistributionPackage) -> bool {
        let branch = self.copy.base.as_ref().ok().map(UpstreamVersion::branch);
        let begins = |range: &UpstreamRange| {
            let introduced = range.introduced.as_deref().and_then(UpstreamVersion::parse);
            introduced.is_some_and(|introduced| Some(introduced.branch()) == branch)
        };
        package.base == Base::Branch && self.advisory.upstream.ranges.iter().any(begins)
    }

    /// What the distribution says about the package.
    fn by_note(&self, note: &DistributionNote, package: &DistributionPackage) -> Assessment {
        let source = format!("{} ({})", note.release, note.package);
        let basis = note.basis.clone();
        let order = match &note.version {
            None => None,
            Some(version) => match package.order.compare(&package.version, version) {
                Ok(order) => Some(order),
                Err(error) => return Assessment::unknown(source, error.to_string()),
            },
        };
        let mut found = match note.status {
            DistributionStatus::Fixed => self.by_fix(note, package, order, &source),
            DistributionStatus::FixedAtOrBefore if order.is_some_and(Ordering::is_ge) => {
                Assessment::new(BoundaryStatus::Fixed, &source).fixed_in(note.version.clone())
            }
            DistributionStatus::FixedAtOrBefore => {
                self.without_note(Some(package), "fixed at a version that is not recorded exactly")
            }
            DistributionStatus::NotAffected if self.is_of_other_series(None, package) => {
                self.without_note(Some(package), "it is of another series than its distribution's own")
            }
            DistributionStatus::NotAffected => Assessment::new(BoundaryStatus::NotAffected, &source),
            DistributionStatus::Unfixed if order.is_some_and(Ordering::is_le) => {
                let found = Assessment::new(BoundaryStatus::NoFix, &source);
                match self.standing() {
                    Standing::NotAffected => {
                        found.guess().because("its distribution calls it open; the project's versions do not")
                    }
                    _ => found,
                }
            }
            DistributionStatus::NoFixNamed if order.is_some_and(Ordering::is_le) => {
                self.without_named_fix(&source)
            }
            DistributionStatus::Unfixed | DistributionStatus::NoFixNamed => {
                self.without_note(Some(package), "it is newer than what is recorded")
            }
            DistributionStatus::Open => {
                let why = note.basis.as_deref().unwrap_or("open when it was recorded");
                self.without_note(Some(package), why)
            }
            DistributionStatus::WillNotFix => Assessment::new(BoundaryStatus::NoFix, &source),
        };
        found.reason = found.reason.or(basis);
        found
    }

    fn by_fix(
        &self,
        note: &DistributionNote,
        package: &DistributionPackage,
        order: Option<Ordering>,
        source: &str,
    ) -> Assessment {
        let Some(order) = order else {
            return self.without_note(Some(package), "fixed at a version that is not recorded");
        };
        let other_series = self.is_of_other_series(note.version.as_deref(), package);
        if order.is_ge() && other_series {
            return self.without_note(Some(package), "it is of another series than its distribution's fix");
        }
        if order.is_ge() {
            return Assessment::new(BoundaryStatus::Fixed, source).fixed_in(note.version.clone());
        }
        // An older series that never had the flaw, or had it mended by its project.
        let by_base = self.standing();
        if package.base == Base::Version && matches!(by_base, Standing::Fixed { .. } | Standing::NotAffected)
        {
            return self.without_note(Some(package), "");
        }
        Assessment::new(BoundaryStatus::FixAvailable, source).fixed_in(note.version.clone())
    }

    /// No changelog names the fix: whether the flaw is there is a conclusion from the project's versions.
    fn without_named_fix(&self, source: &str) -> Assessment {
        match self.standing() {
            Standing::Affected { .. } => Assessment::new(BoundaryStatus::NoFix, source)
                .guess()
                .because("no changelog entry of the package names the fix"),
            _ => self.without_note(None, "no changelog entry of the package names the fix"),
        }
    }

    /// Whether a Debian package is of another branch than the fix, and of one that has the flaw by its project's
    /// versions: a backported kernel, say. (An Ubuntu kernel's version is always the branch's first.)
    fn is_of_other_series(&self, fixed: Option<&str>, package: &DistributionPackage) -> bool {
        let branch = |version: Option<&UpstreamVersion>| version.map(UpstreamVersion::branch);
        let of_fix = fixed.and_then(UpstreamVersion::parse);
        package.release.starts_with("debian:")
            && (fixed.is_none() || branch(of_fix.as_ref()) != branch(self.copy.base.as_ref().ok()))
            && matches!(self.standing(), Standing::Affected { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boundary::Upstream;
    use crate::order::Order;

    fn note(status: DistributionStatus, version: Option<&str>) -> DistributionNote {
        DistributionNote {
            release: "debian:12".into(),
            package: "runc".into(),
            status,
            version: version.map(str::to_owned),
            basis: None,
        }
    }

    /// Upstream: 1.1.0 up to 1.1.12 have it.
    fn advisory(notes: Vec<DistributionNote>) -> BoundaryAdvisory {
        let range =
            UpstreamRange { introduced: Some("1.1.0".into()), fixed: Some("1.1.12".into()), before: None };
        BoundaryAdvisory {
            distributions: notes,
            upstream: Upstream { ranges: vec![range], ..Upstream::default() },
            ..BoundaryAdvisory::named("CVE-0", "runc")
        }
    }

    fn debian(version: &str) -> Copy {
        let package = DistributionPackage {
            release: "debian:12".into(),
            name: "runc".into(),
            binary: "runc".into(),
            version: version.into(),
            order: Order::Dpkg,
            base: Base::Version,
        };
        Copy::of(version, Maker::Distribution(package))
    }

    fn own(version: &str, sure: bool) -> Copy {
        Copy::of(version, Maker::Project { sure })
    }

    fn status(notes: Vec<DistributionNote>, copy: &Copy) -> (BoundaryStatus, bool) {
        let found = assess(&advisory(notes), "runc", copy);
        assert!(found.status != BoundaryStatus::Unknown || found.reason.is_some());
        (found.status, found.certain)
    }

    #[test]
    fn a_distributions_fix_counts_before_the_projects() {
        let notes = || vec![note(DistributionStatus::Fixed, Some("1.1.5+ds1-1+deb12u1"))];
        assert_eq!(status(notes(), &debian("1.1.5+ds1-1+deb12u1")), (BoundaryStatus::Fixed, true));
        assert_eq!(status(notes(), &debian("1.1.5+ds1-1")), (BoundaryStatus::FixAvailable, true));
        assert_eq!(status(notes(), &own("1.1.5", true)), (BoundaryStatus::FixAvailable, true));
        assert_eq!(status(notes(), &own("1.1.12", false)), (BoundaryStatus::Fixed, false));
        assert_eq!(status(notes(), &debian("1.0.0~rc93+ds1-5")), (BoundaryStatus::NotAffected, true));
    }

    #[test]
    fn another_series_is_held_against_the_projects_versions() {
        let mut advisory = advisory(vec![note(DistributionStatus::Fixed, Some("0.9.3-1"))]);
        assert_eq!(assess(&advisory, "runc", &debian("1.1.5-1")).status, BoundaryStatus::Unknown);
        assert_eq!(assess(&advisory, "runc", &debian("1.1.12-1")).status, BoundaryStatus::Fixed);
        advisory.distributions = vec![note(DistributionStatus::NotAffected, None)];
        assert_eq!(assess(&advisory, "runc", &debian("1.1.5-1")).status, BoundaryStatus::Unknown);
        assert_eq!(assess(&advisory, "runc", &debian("1.0.5-1")).status, BoundaryStatus::NotAffected);
    }

    #[test]
    fn what_is_said_about_open_flaws() {
        let at = |status| vec![note(status, Some("1.1.5+ds1-1+deb12u1"))];
        let here = debian("1.1.5+ds1-1+deb12u1");
        let newer = debian("1.1.5+ds1-1+deb12u2");
        assert_eq!(status(at(DistributionStatus::Unfixed), &here), (BoundaryStatus::NoFix, true));
        assert_eq!(status(at(DistributionStatus::Unfixed), &newer), (BoundaryStatus::Unknown, false));
        assert_eq!(
            status(at(DistributionStatus::Unfixed), &debian("1.0.0-1")),
            (BoundaryStatus::NoFix, false)
        );
        assert_eq!(status(at(DistributionStatus::NoFixNamed), &here), (BoundaryStatus::NoFix, false));
        assert_eq!(status(at(DistributionStatus::NoFixNamed), &newer), (BoundaryStatus::Unknown, false));
        assert_eq!(
            status(at(DistributionStatus::NoFixNamed), &debian("1.0.0-1")),
            (BoundaryStatus::NotAffected, true)
        );
        assert_eq!(status(at(DistributionStatus::FixedAtOrBefore), &newer), (BoundaryStatus::Fixed, true));
        assert_eq!(
            status(at(DistributionStatus::FixedAtOrBefore), &debian("1.1.5+ds1-1")),
            (BoundaryStatus::Unknown, false)
        );
        for (said, expected) in [
            (DistributionStatus::Open, BoundaryStatus::Unknown),
            (DistributionStatus::Fixed, BoundaryStatus::Unknown),
            (DistributionStatus::WillNotFix, BoundaryStatus::NoFix),
        ] {
            assert_eq!(status(vec![note(said, None)], &here).0, expected, "{said:?}");
        }
    }

    #[test]
    fn without_the_distributions_word_a_flaw_is_not_proven() {
        assert_eq!(status(Vec::new(), &debian("1.1.5+ds1-1")), (BoundaryStatus::Unknown, false));
        assert_eq!(status(Vec::new(), &debian("1.1.15+ds1-2")), (BoundaryStatus::Fixed, true));
        let mut red_hat = debian("1.1.15-1");
        if let Maker::Distribution(package) = &mut red_hat.maker {
            package.base = Base::Nothing;
        }
        assert_eq!(status(Vec::new(), &red_hat).0, BoundaryStatus::Unknown);
        let earlier = Copy { maker: Maker::EarlierPackage, ..own("1.1.5", true) };
        assert_eq!(status(Vec::new(), &earlier).0, BoundaryStatus::Unknown);
        let unread = Copy {
            maker: Maker::Unknown("the list of packages could not be read".into()),
            ..own("1.1.12", true)
        };
        assert_eq!(status(Vec::new(), &unread).0, BoundaryStatus::Fixed);
    }

    #[test]
    fn what_no_version_can_decide() {
        let mut one = advisory(Vec::new());
        assert_eq!(assess(&one, "moby", &own("1.1.5", true)).status, BoundaryStatus::Unknown);
        assert_eq!(assess(&one, "runc", &own("(devel)", true)).status, BoundaryStatus::Unknown);
        one.upstream.unstructured = Some("words".into());
        assert_eq!(assess(&one, "runc", &own("1.1.5", true)).status, BoundaryStatus::Unknown);
        one.upstream = Upstream { only: Some("ubuntu".into()), ..Upstream::default() };
        assert_eq!(assess(&one, "runc", &own("1.1.5", true)).status, BoundaryStatus::NotAffected);
        assert_eq!(assess(&one, "runc", &own("1.1.5", false)).status, BoundaryStatus::Unknown);
        assert_eq!(assess(&one, "runc", &debian("1.1.5-1")).status, BoundaryStatus::NotAffected);
        one.upstream = Upstream {
            ranges: vec![UpstreamRange { introduced: None, fixed: Some("2.0.0".into()), before: None }],
            ..Upstream::default()
        };
        let found = assess(&one, "runc", &own("1.1.5", true));
        assert_eq!((found.status, found.certain), (BoundaryStatus::FixAvailable, false));
    }

    #[test]
    fn a_version_that_its_order_refuses_is_unknown() {
        let notes = vec![note(DistributionStatus::Fixed, Some("1.1.5-1"))];
        let found = assess(&advisory(notes), "runc", &debian("1.1 5"));
        assert_eq!(found.status, BoundaryStatus::Unknown);
        assert!(found.reason.unwrap().contains("dpkg"));
    }
}
