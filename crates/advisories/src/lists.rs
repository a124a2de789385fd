//! What stands beside the advisories: CISA's catalogue of exploited flaws (KEV), and EPSS.
//!
//! Both are kept as sorted lines, `CVE-…<tab>value`, behind a first line with their checksum; a look-up is a binary
//! search in the mapped file.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use plimsoll_rootdir::replace;
use serde::Deserialize;

use crate::store::{Map, StoreError};

const EXPLOITED: &str = "exploited.list";
const PROBABILITY: &str = "exploit-probability.list";
/// Bounds: KEV has 1,700 lines and EPSS 300,000.
const MAX_LINES: usize = 2_000_000;

/// Flaws that are known to be exploited, with the day on which CISA listed them.
#[derive(Debug, Default)]
pub struct Exploited(List);

/// Probability that a flaw is exploited within 30 days.
#[derive(Debug, Default)]
pub struct ExploitProbability(List);

impl Exploited {
    pub(crate) fn open(folder: &Path) -> Result<Self, StoreError> {
        List::open(&folder.join(EXPLOITED)).map(Self)
    }

    /// The day on which a flaw was listed.
    pub fn listed(&self, cve: &str) -> Option<&str> {
        self.0.get(cve)
    }

    /// How many flaws are listed.
    pub fn count(&self) -> usize {
        self.0.count()
    }

    /// Imports the catalogue as CISA publishes it (`known_exploited_vulnerabilities.json`).
    ///
    /// # Errors
    /// When it is no such catalogue, or cannot be kept.
    pub fn import(json: &[u8], folder: &Path) -> Result<usize, ListError> {
        let catalogue: Catalogue =
            serde_json::from_slice(json).map_err(|e| ListError::Shape(e.to_string()))?;
        let lines = catalogue.vulnerabilities.into_iter().map(|it| (it.id, it.added));
        keep(lines, &folder.join(EXPLOITED))
    }
}

impl ExploitProbability {
    pub(crate) fn open(folder: &Path) -> Result<Self, StoreError> {
        List::open(&folder.join(PROBABILITY)).map(Self)
    }

    /// The probability, between 0 and 1.
    pub fn of(&self, cve: &str) -> Option<f32> {
        self.0.get(cve)?.parse().ok().filter(|p| (0.0..=1.0).contains(p))
    }

    /// How many flaws have one.
    pub fn count(&self) -> usize {
        self.0.count()
    }

    /// Imports the scores as FIRST publishes them (CSV with `cve,epss,percentile`).
    ///
    /// # Errors
    /// When it is no such table, or cannot be kept.
    pub fn import(csv: &str, folder: &Path) -> Result<usize, ListError> {
        let rows = csv.lines().filter(|line| !line.starts_with('#')).skip(1);
        let lines = rows.map(|row| {
            let mut cells = row.split(',');
            (cells.next().unwrap_or_default().to_owned(), cells.next().unwrap_or_default().to_owned())
        });
        keep(lines, &folder.join(PROBABILITY))
    }
}

/// Why a list was not imported.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// It is not what its publisher publishes.
    #[error("not such a list: {0}")]
    Shape(String),
    /// It cannot be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Deserialize)]
struct Catalogue {
    vulnerabilities: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(rename = "cveID")]
    id: String,
    #[serde(rename = "dateAdded")]
    added: String,
}

fn keep(lines: impl Iterator<Item = (String, String)>, path: &Path) -> Result<usize, ListError> {
    let mut sorted = BTreeMap::new();
    for (id, value) in lines.take(MAX_LINES) {
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        if !id.starts_with("CVE-") || !plain(&id) || !plain(&value) {
            return Err(ListError::Shape(format!("{id:?} with {value:?} is no line of it")));
        }
        sorted.insert(id, value);
    }
    if sorted.is_empty() {
        return Err(ListError::Shape("it is empty".to_owned()));
    }
    let body: String = sorted.iter().map(|(id, value)| format!("{id}\t{value}\n")).collect();
    let text = format!("{:08x}\n{body}", crc32fast::hash(body.as_bytes()));
    replace(path, |out| out.write_all(text.as_bytes()))
        .map_err(|source| StoreError::Io { path: path.to_owned(), source })?;
    Ok(sorted.len())
}

#[derive(Debug, Default)]
struct List {
    map: Option<Map>,
}

/// Length of the first line.
const HEAD: usize = 9;

impl List {
    fn open(path: &Path) -> Result<Self, StoreError> {
        let map = match Map::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            other => other.map_err(|source| StoreError::Io { path: path.to_owned(), source })?,
        };
        let body = map.get(HEAD..).unwrap_or_default();
        let head = format!("{:08x}\n", crc32fast::hash(body));
        let matches = map.get(..HEAD) == Some(head.as_bytes()) || cfg!(fuzzing);
        if !matches || !body.ends_with(b"\n") {
            return Err(StoreError::Damaged {
                path: path.to_owned(),
                what: "it does not match its checksum",
            });
        }
        Ok(Self { map: Some(map) })
    }

    fn body(&self) -> &[u8] {
        self.map.as_deref().and_then(|map| map.get(HEAD..)).unwrap_or_default()
    }

    fn count(&self) -> usize {
        self.body().iter().filter(|byte| **byte == b'\n').count()
    }

    /// Halves the bytes, not the lines: each half begins at the next line.
    fn get(&self, id: &str) -> Option<&str> {
        let mut rest = self.body();
        loop {
            let middle = rest.len() / 2;
            let start = rest.get(..middle)?.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let end = start + rest.get(start..)?.iter().position(|byte| *byte == b'\n')?;
            let (key, value) = std::str::from_utf8(rest.get(start..end)?).ok()?.split_once('\t')?;
            rest = match id.cmp(key) {
                std::cmp::Ordering::Equal => return Some(value),
                std::cmp::Ordering::Less => rest.get(..start)?,
                std::cmp::Ordering::Greater => rest.get(end + 1..)?,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn lists_are_kept_and_found() {
        let dir = tempfile::tempdir().unwrap();
        let json = br#"{"title": "x", "vulnerabilities": [{"cveID": "CVE-2024-21626", "dateAdded": "2024-02-01", "product": "x"},
            {"cveID": "CVE-2021-44228", "dateAdded": "2021-12-10"}, {"cveID": "CVE-2022-0847", "dateAdded": "2022-04-25"}]}"#;
        assert_eq!(Exploited::import(json, dir.path()).unwrap(), 3);
        let kev = Exploited::open(dir.path()).unwrap();
        assert_eq!(kev.count(), 3);
        assert_eq!(kev.listed("CVE-2022-0847"), Some("2022-04-25"));
        assert_eq!(kev.listed("CVE-2021-44228"), Some("2021-12-10"));
        assert_eq!(kev.listed("CVE-2024-21626"), Some("2024-02-01"));
        for other in ["", "CVE-2000-1", "CVE-2022-084", "CVE-9999-9"] {
            assert_eq!(kev.listed(other), None, "{other}");
        }
        let csv = "#model_version:v2025\ncve,epss,percentile\nCVE-2024-21626,0.04,0.9\nCVE-2022-0847,0.9,1\n";
        assert_eq!(ExploitProbability::import(csv, dir.path()).unwrap(), 2);
        assert_eq!(ExploitProbability::open(dir.path()).unwrap().of("CVE-2022-0847"), Some(0.9));
    }

    #[test]
    fn damage_and_absence_are_different() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Exploited::open(dir.path()).unwrap().listed("CVE-1"), None);
        fs::write(dir.path().join(EXPLOITED), "00000000\nCVE-1\tx\n").unwrap();
        assert!(Exploited::open(dir.path()).is_err());
        assert!(Exploited::import(b"{}", dir.path()).is_err());
        assert!(ExploitProbability::import("cve,epss\n../x,1\n", dir.path()).is_err());
    }
}
