//! Checks of `knowledge/` itself: every file says what it can say in the words that are read.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use plimsoll_reach::precondition::Precondition;

use super::{BoundaryAdvisory, DistributionStatus, UpstreamVersion, all};
use crate::Severity;
use crate::order::Order;

/// The keys of a file, in the order in which they are written.
const KEYS: [&str; 21] = [
    "id",
    "title",
    "component",
    "subsystem",
    "programs",
    "aliases",
    "impact",
    "score",
    "scored_by",
    "vector",
    "exploited",
    "public_exploits",
    "metasploit",
    "trigger",
    "precondition",
    "kconfig",
    "distributions",
    "sources",
    "[upstream]",
    "ranges",
    "[blocked_by]",
];

/// Every file with its text and what was read from it.
fn files() -> Vec<(PathBuf, String, BoundaryAdvisory)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../knowledge");
    let folders = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let mut files: Vec<PathBuf> =
        folders.flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path())).collect();
    files.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let advisory = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path, text, advisory)
    };
    files.into_iter().map(read).collect()
}

#[test]
fn what_is_compiled_in_is_what_the_files_say() {
    let from_files: Vec<_> = files().into_iter().map(|(.., advisory)| advisory).collect();
    assert_eq!(all().unwrap(), from_files);
    assert!(from_files.len() >= 348);
}

#[test]
fn a_file_is_where_its_names_say() {
    let mut ids = BTreeSet::new();
    for (path, _, advisory) in files() {
        assert!(path.ends_with(format!("{}/{}.toml", advisory.component, advisory.id)), "{}", path.display());
        assert!(ids.insert(advisory.id.clone()), "{} twice", advisory.id);
    }
}

#[test]
fn preconditions_are_of_the_language_and_in_its_own_spelling() {
    for (path, _, advisory) in files() {
        let text = advisory.precondition.as_deref().unwrap_or_else(|| panic!("{}: none", path.display()));
        let read = Precondition::parse(text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(read.to_string(), *text, "{}", path.display());
    }
}

#[test]
fn versions_are_of_their_order_and_ranges_rise() {
    for (path, _, advisory) in files() {
        let at = path.display();
        let mut last = UpstreamVersion::parse("0").unwrap();
        for range in &advisory.upstream.ranges {
            assert!(range.fixed.is_some() != range.before.is_some(), "{at}: one end a range");
            let from = range.introduced.as_deref().unwrap_or("0");
            for bound in [from, range.end().as_deref().unwrap()] {
                let version = UpstreamVersion::parse(bound).unwrap_or_else(|| panic!("{at}: {bound}"));
                assert!(version >= last, "{at}: {bound} is out of order");
                last = version;
            }
        }
        let upstream = &advisory.upstream;
        assert!(
            [!upstream.ranges.is_empty(), upstream.unstructured.is_some(), upstream.only.is_some()]
                .iter()
                .filter(|it| **it)
                .count()
                == 1,
            "{at}: ranges, or why there are none"
        );
        for note in &advisory.distributions {
            let order = if note.release.starts_with("rhel:") { Order::Rpm } else { Order::Dpkg };
            if let Some(version) = &note.version {
                order.compare(version, version).unwrap_or_else(|error| panic!("{at}: {error}"));
            }
            let needs = [
                DistributionStatus::FixedAtOrBefore,
                DistributionStatus::Unfixed,
                DistributionStatus::NoFixNamed,
            ];
            assert!(
                note.version.is_some() || !needs.contains(&note.status),
                "{at}: {note:?} without a version"
            );
        }
    }
}

#[test]
fn claims_can_be_checked_and_scores_read() {
    for (path, _, advisory) in files() {
        let at = path.display();
        assert!(!advisory.sources.is_empty(), "{at}");
        assert!(advisory.sources.iter().all(|source| source.starts_with("https://")), "{at}");
        assert_eq!(advisory.score.is_some(), advisory.scored_by.is_some(), "{at}");
        if advisory.vector.is_some() || advisory.score.is_some() {
            assert_ne!(advisory.severity(), Severity::Unknown, "{at}");
        }
        let day = |day: &str| day.parse::<jiff::civil::Date>().is_ok() && day.len() == 10;
        assert!(advisory.exploited.as_deref().is_none_or(day), "{at}");
        assert!(advisory.title.len() <= 240 && !advisory.title.ends_with('.'), "{at}");
        assert!(advisory.kconfig.iter().all(|name| !name.starts_with("CONFIG_")), "{at}");
    }
}

#[test]
fn files_are_written_alike() {
    for (path, text, advisory) in files() {
        let at = path.display();
        assert!(text.ends_with('\n') && !text.ends_with("\n\n") && !text.contains('\t'), "{at}");
        assert!(text.lines().all(|line| line == line.trim_end()), "{at}");
        let place = |line: &str| {
            let key = line.split(" = ").next().unwrap_or(line);
            KEYS.iter().position(|known| *known == key)
        };
        let places: Vec<_> = text.lines().filter_map(place).collect();
        assert!(places.is_sorted(), "{at}: keys in the order of knowledge/README.md");
        assert!(advisory.distributions.is_sorted_by_key(|note| release_place(&note.release)), "{at}");
    }
}

fn release_place(release: &str) -> usize {
    let releases = [
        "debian:11",
        "debian:12",
        "debian:13",
        "ubuntu:20.04",
        "ubuntu:22.04",
        "ubuntu:24.04",
        "rhel:8",
        "rhel:9",
    ];
    releases.iter().position(|known| *known == release).unwrap_or_else(|| panic!("{release} is not judged"))
}
