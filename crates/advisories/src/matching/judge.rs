//! One question: a package of a version, asked of the releases that speak about it.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::rc::Rc;

use plimsoll_facts::{Ecosystem, InstalledPackage, Verdict, Vulnerability};

use super::{BITNAMI, names, publisher};
use crate::order::{Order, VersionError};
use crate::release::RpmNames;
use crate::store::ReleaseFile;
use crate::{Advisory, Affected, Range, RangeEnd, Release, Severity};

/// A package as advisories name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Question {
    pub(super) ecosystem: Ecosystem,
    pub(super) name: String,
    pub(super) version: String,
    /// For an rpm: source package and its version, which has no epoch.
    source: Option<(String, String)>,
    /// Whether an rpm comes from a module: advisories of modules are about modular builds alone.
    modular: bool,
    /// That module, as `name:stream`, where it is known.
    module: Option<String>,
    pub(super) releases: Vec<Release>,
}

impl Question {
    pub(super) fn of(package: &InstalledPackage, releases: Vec<Release>) -> Self {
        let upstream = publisher::upstream(package)
            .filter(|_| releases.first().is_some_and(|release| release.ecosystem() == BITNAMI));
        let by_project = upstream.is_some();
        let (name, version) = match upstream {
            Some((program, version)) => (program.to_owned(), version),
            None => names::as_published(package),
        };
        let modular = package.module.is_some() || is_modular(&version);
        let module =
            package.module.as_deref().map(|label| label.splitn(3, ':').take(2).collect::<Vec<_>>().join(":"));
        let source = package.source_name.clone().zip(package.source_version.clone());
        let source = source.filter(|_| package.ecosystem == Ecosystem::Rpm && !by_project);
        Self { ecosystem: package.ecosystem, name, version, source, modular, module, releases }
    }

    /// What a release's records may be asked for.
    fn asked(&self, release: &Release) -> Vec<Asked<'_>> {
        let name = Cow::Borrowed(self.name.as_str());
        let own = Asked { name, version: &self.version, without_epoch: false };
        let source = self.source.as_ref().map(|(name, version)| Asked {
            name: Cow::Borrowed(name),
            version,
            without_epoch: true,
        });
        match (release.rpm_names(), source) {
            (RpmNames::Sources, Some(source)) => vec![source],
            (RpmNames::Both, Some(source)) => {
                vec![own, Asked { name: format!("{}.src", source.name).into(), ..source }]
            }
            _ => vec![own],
        }
    }
}

/// A name under which records may speak about a package.
struct Asked<'a> {
    name: Cow<'a, str>,
    version: &'a str,
    /// The version is one of a source rpm's name, in which no epoch stands.
    without_epoch: bool,
}

/// What the releases say.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    /// Flaws that the version has; what the package does not decide is left empty.
    pub(super) flaws: Vec<Vulnerability>,
    /// Advisories whose fix the version has.
    pub(super) fixed: u32,
    /// What advisories say that cannot be told of the version, and why.
    pub(super) untold: BTreeSet<String>,
}

impl Answer {
    pub(super) fn verdict(&self) -> Verdict {
        if self.flaws.iter().any(|flaw| flaw.status == Verdict::FixAvailable) {
            Verdict::FixAvailable
        } else if !self.flaws.is_empty() {
            Verdict::NoFix
        } else if self.fixed > 0 {
            Verdict::Fixed
        } else {
            Verdict::NotAffected
        }
    }
}

/// Where Red Hat's word about a flaw without a fix stands for those who rebuild its packages.
const HINT: &str = "what Red Hat says of its own build: a hint here";

/// Where the package is a third party's, and the record is about the program in it.
const BY_PROJECT: &str = "by the project's version; what the package's publisher mended beside is not known";

/// What one record says about the version.
enum Said<'a> {
    /// The version is outside every range, and behind the end of at least one: this is the last of them.
    Fixed { end: &'a str },
    /// The version is outside every range.
    NotAffected,
    /// It cannot be told from the record, and why.
    Untold(String),
    /// The version is in a range, which begins here.
    Affected { introduced: &'a str, fixed: Option<&'a str>, evidence: String },
}

/// Asks every release. Ubuntu Pro's records stand beside the archive's: a fix that is installed from either counts,
/// and one that only Pro has is named as such.
pub(super) fn ask(question: &Question, files: &[Rc<ReleaseFile>]) -> Result<Answer, String> {
    let mut heard = Heard::default();
    for file in files.iter().map(Rc::as_ref) {
        let release = Release::new(&file.about().release);
        let order = release.order().ok_or_else(|| format!("no version order for {release}"))?;
        heard.listen(question, file, &release, order)?;
    }
    heard.answer()
}

/// What all records say about the version, by the flaw.
#[derive(Default)]
struct Heard<'a> {
    /// Flaws whose range the version is in, with the begin of that range and the order of its versions.
    affected: Vec<(Order, &'a str, Vulnerability)>,
    /// Advisories with the end of a range that the version has behind: many more than are asked about.
    behind: Vec<Behind<'a>>,
    untold: BTreeSet<String>,
}

/// An advisory, and the last end of its ranges that the version has behind.
struct Behind<'a> {
    file: &'a ReleaseFile,
    advisory: u32,
    end: &'a str,
}

impl<'a> Heard<'a> {
    fn listen(
        &mut self,
        question: &'a Question,
        file: &'a ReleaseFile,
        release: &Release,
        order: Order,
    ) -> Result<(), String> {
        let hint = release.is_hint_for(&question.releases);
        for Asked { name, version, without_epoch } in question.asked(release) {
            for affected in file.package(&name).map_err(|error| error.to_string())? {
                let mut affected = affected.map_err(|error| error.to_string())?;
                if is_about_another_build(question, &affected) || (hint && !is_without_fix(&affected)) {
                    continue;
                }
                if without_epoch {
                    strip_epochs(&mut affected);
                }
                let advisory = || file.advisory(affected.advisory).map_err(|error| error.to_string());
                let said =
                    say(order, version, &affected).unwrap_or_else(|error| Said::Untold(error.to_string()));
                match said {
                    Said::Affected { introduced, fixed, evidence } => {
                        let advisory = advisory()?;
                        let mut flaw = flaw(question, release, &advisory, &affected, fixed, evidence);
                        if hint {
                            flaw.provenance = Some(HINT.to_owned());
                        } else if release.ecosystem() == BITNAMI {
                            flaw.provenance = Some(BY_PROJECT.to_owned());
                        }
                        for id in advisory.all_names() {
                            let flaw = Vulnerability { id: id.to_owned(), ..flaw.clone() };
                            self.affected.push((order, introduced, flaw));
                        }
                    }
                    Said::Fixed { .. } if hint => {}
                    Said::Fixed { end } => {
                        self.behind.push(Behind { file, advisory: affected.advisory, end });
                    }
                    Said::NotAffected => {}
                    Said::Untold(why) => {
                        self.untold.insert(format!("{}: {why}", advisory()?.id));
                    }
                }
            }
        }
        Ok(())
    }

    fn answer(self) -> Result<Answer, String> {
        if self.affected.is_empty() && self.is_of_one_file() {
            let fixing: HashSet<u32> = self.behind.iter().map(|behind| behind.advisory).collect();
            return Ok(Answer { flaws: Vec::new(), fixed: count(fixing.len()), untold: self.untold });
        }
        let mut ends: BTreeMap<String, Vec<&str>> =
            self.affected.iter().map(|(.., flaw)| (flaw.id.clone(), Vec::new())).collect();
        let mut fixing = HashSet::with_capacity(self.behind.len());
        for Behind { file, advisory, end } in self.behind {
            let names = file.names(advisory).map_err(|error| error.to_string())?;
            for id in names.all_names() {
                if let Some(ends) = ends.get_mut(id) {
                    ends.push(end);
                }
            }
            fixing.insert(names.id);
        }
        let mut found: BTreeMap<String, Vulnerability> = BTreeMap::new();
        for (order, introduced, flaw) in self.affected {
            let ends = ends.get(&flaw.id).map_or(&[][..], Vec::as_slice);
            if !is_fixed(order, introduced, ends).map_err(|error| error.to_string())? {
                merge(order, &mut found, flaw);
            }
        }
        // One that names a later branch with the flaw fixed nothing.
        for flaw in found.values() {
            fixing.remove(flaw.advisory.as_str());
        }
        Ok(Answer { flaws: found.into_values().collect(), fixed: count(fixing.len()), untold: self.untold })
    }

    /// Whether numbers alone tell the advisories apart.
    fn is_of_one_file(&self) -> bool {
        self.behind.windows(2).all(|two| std::ptr::eq(two[0].file, two[1].file))
    }
}

fn count(many: usize) -> u32 {
    u32::try_from(many).unwrap_or(u32::MAX)
}

/// What one source calls fixed is fixed, whatever another that cannot know of that build says; but not in a later branch,
/// into which the flaw came again behind that fix (`[0, 2.3.1)` and `[2.13.0, 2.15.0)`).
fn is_fixed(order: Order, introduced: &str, fixes: &[&str]) -> Result<bool, VersionError> {
    for fix in fixes {
        if introduced == "0" || order.compare(introduced, fix)?.is_lt() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Several records may be about one flaw: the one with a fix is kept, and of two fixes the earlier.
fn merge(order: Order, found: &mut BTreeMap<String, Vulnerability>, flaw: Vulnerability) {
    let Some(known) = found.get_mut(&flaw.id) else {
        found.insert(flaw.id.clone(), flaw);
        return;
    };
    let better = match (&known.fixed, &flaw.fixed) {
        (None, Some(_)) => true,
        (Some(known), Some(new)) => order.compare(new, known).is_ok_and(Ordering::is_lt),
        _ => false,
    };
    if better {
        *known = flaw;
    }
}

fn flaw(
    question: &Question,
    release: &Release,
    advisory: &Advisory,
    affected: &Affected<&str>,
    fixed: Option<&str>,
    evidence: String,
) -> Vulnerability {
    let severity = match Severity::of_word(affected.state) {
        Severity::Negligible => Severity::Negligible,
        word if advisory.severity == Severity::Unknown => word,
        _ => advisory.severity,
    };
    let only_pro = fixed.is_some() && release.to_string().starts_with("Ubuntu:Pro:");
    let state = if only_pro { "fixed in Ubuntu Pro" } else { affected.state };
    Vulnerability {
        advisory: advisory.id.clone(),
        package: question.name.clone(),
        ecosystem: question.ecosystem,
        installed: question.version.clone(),
        status: if fixed.is_some() { Verdict::FixAvailable } else { Verdict::NoFix },
        fixed: fixed.map(str::to_owned),
        state: Some(state).filter(|state| !state.is_empty()).map(str::to_owned),
        severity: severity.id().to_owned(),
        score: (advisory.score > 0).then(|| f32::from(advisory.score) / 10.0),
        vector: advisory.vector.clone(),
        summary: advisory.summary.clone(),
        source: release.to_string(),
        provenance: affected.provenance.map(str::to_owned),
        evidence,
        ..Vulnerability::default()
    }
}

/// Modular and plain rpms of one name have unrelated versions.
fn is_about_another_build(question: &Question, affected: &Affected<&str>) -> bool {
    if question.ecosystem != Ecosystem::Rpm {
        return false;
    }
    let modular = affected.module.is_some()
        || affected
            .ranges
            .iter()
            .any(|range| matches!(&range.end, RangeEnd::Fixed(version) if is_modular(version)));
    let other_stream = affected.module.zip(question.module.as_deref()).is_some_and(|(a, b)| a != b);
    modular != question.modular || other_stream
}

/// Red Hat's fixes bear version numbers that others' rebuilds need not have; what it leaves open, they do too.
fn is_without_fix(affected: &Affected<&str>) -> bool {
    affected.ranges.iter().any(|range| range.end == RangeEnd::Open)
}

fn is_modular(version: &str) -> bool {
    version.contains(".module")
}

fn say<'a>(order: Order, version: &'a str, affected: &Affected<&'a str>) -> Result<Said<'a>, VersionError> {
    if affected.ranges.is_empty() && affected.versions.is_empty() {
        return Ok(Said::Untold("it names the package, and does not say which versions".to_owned()));
    }
    if affected.versions.contains(&version) {
        let evidence = format!("{version} is listed as affected");
        return Ok(Said::Affected { introduced: version, fixed: None, evidence });
    }
    if order == Order::Rpm
        && let Some(end) = fixed_in_its_stream(version, affected)?
    {
        return Ok(Said::Fixed { end });
    }
    let mut behind: Option<&str> = None;
    for range in &affected.ranges {
        match place(order, version, range)? {
            Place::Inside => {
                let (fixed, evidence) = match range.end {
                    RangeEnd::Fixed(fixed) => (Some(fixed), format!("{version} < {fixed}")),
                    RangeEnd::LastAffected(last) => (None, format!("{version} ≤ {last}, the last affected")),
                    RangeEnd::Open => (None, format!("{version}; no fixed version is known")),
                };
                return Ok(Said::Affected { introduced: range.introduced, fixed, evidence });
            }
            Place::Behind(end) => {
                let is_later =
                    behind.map_or(Ok(true), |known| order.compare(end, known).map(Ordering::is_gt));
                if is_later? {
                    behind = Some(end);
                }
            }
            Place::Before => {}
        }
    }
    Ok(behind.map_or(Said::NotAffected, |end| Said::Fixed { end }))
}

fn strip_epochs(affected: &mut Affected<&str>) {
    let strip = |version: &mut &str| {
        if let Some((_, rest)) = version.split_once(':') {
            *version = rest;
        }
    };
    for range in &mut affected.ranges {
        strip(&mut range.introduced);
        if let RangeEnd::Fixed(version) | RangeEnd::LastAffected(version) = &mut range.end {
            strip(version);
        }
    }
}

/// A fix of the minor release that a build is for (`.el9_2`) counts, whatever later ones needed.
fn fixed_in_its_stream<'a>(
    version: &str,
    affected: &Affected<&'a str>,
) -> Result<Option<&'a str>, VersionError> {
    let Some(stream) = minor_release(version).filter(|_| affected.ranges.len() > 1) else { return Ok(None) };
    for range in &affected.ranges {
        if let RangeEnd::Fixed(fixed) = range.end
            && minor_release(fixed) == Some(stream)
            && Order::Rpm.compare(version, fixed)?.is_ge()
        {
            return Ok(Some(fixed));
        }
    }
    Ok(None)
}

/// `el9_2` of `7.76.1-23.el9_2.4`.
fn minor_release(version: &str) -> Option<&str> {
    let tag = version.get(version.rfind(".el")? + 1..)?;
    let end = tag.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(tag.len());
    tag.get(..end).filter(|tag| tag.contains('_'))
}

enum Place<'a> {
    Before,
    Inside,
    /// Behind this end.
    Behind(&'a str),
}

fn place<'a>(order: Order, version: &str, range: &Range<&'a str>) -> Result<Place<'a>, VersionError> {
    // `0` is OSV's word for "from the beginning", whatever the order makes of it.
    if range.introduced != "0" && order.compare(version, range.introduced)?.is_lt() {
        return Ok(Place::Before);
    }
    let (end, inside) = match range.end {
        RangeEnd::Open => return Ok(Place::Inside),
        // Nothing was ever affected.
        RangeEnd::Fixed("0") => return Ok(Place::Before),
        RangeEnd::Fixed(fixed) => (fixed, order.compare(version, fixed)?.is_lt()),
        RangeEnd::LastAffected(last) => (last, order.compare(version, last)?.is_le()),
    };
    Ok(if inside { Place::Inside } else { Place::Behind(end) })
}
