//! Which images a compose file names (Compose specification): what is not said in the files themselves is unknown, never
//! left out.

mod dotenv;
mod interpolate;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use plimsoll_rootdir::read_at_most;
use serde::Deserialize;
use serde::de::IgnoredAny;

use self::interpolate::{Variables, interpolate};

/// The largest file, in bytes.
const LARGEST: u64 = 1 << 20;
/// The most services.
const MOST_SERVICES: usize = 1_000;
/// Where variables are set that the environment does not set, in the folder of the first file.
const DOTENV: &str = ".env";

/// A service, and which image it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: ServiceImage,
}

/// Which image a service runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceImage {
    /// This one.
    Named(String),
    /// What is built for it, which has this name, where it has one.
    Built(Option<String>),
    /// That is not said here; why.
    Unknown(String),
}

/// Why a compose file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// It cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// It is no compose file.
    #[error("{}: {why}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

/// The services of compose files, of which a later one stands above the earlier ones. Variables are those of
/// `environment`, else of the file `.env` beside the first.
///
/// # Errors
/// When a file cannot be read, or is no compose file.
pub fn services(
    paths: &[PathBuf],
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Service>, ComposeError> {
    let folder = paths.first().and_then(|path| path.parent()).unwrap_or(Path::new(""));
    let dotenv = folder.join(DOTENV);
    let file = match read(&dotenv) {
        Err(ComposeError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => String::new(),
        other => other?,
    };
    let content = |path: &Path, why| ComposeError::Content { path: path.to_owned(), why };
    let set = dotenv::parse(&file, environment).map_err(|why| content(&dotenv, why))?;
    let variables = |name: &str| environment(name).or_else(|| set.get(name).cloned());
    let mut merged = Merged::default();
    for path in paths {
        merged.add(parse(&read(path)?).map_err(|why| content(path, why))?);
    }
    merged.services(&variables).map_err(|why| content(folder, why))
}

fn read(path: &Path) -> Result<String, ComposeError> {
    let content = |why: String| ComposeError::Content { path: path.to_owned(), why };
    let file = File::open(path).map_err(|source| ComposeError::Read { path: path.to_owned(), source })?;
    let bytes = read_at_most(file, path, LARGEST).map_err(|error| content(error.to_string()))?;
    String::from_utf8(bytes).map_err(|_| content("it is no UTF-8 text".to_owned()))
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    services: BTreeMap<String, Definition>,
    include: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
struct Definition {
    image: Option<String>,
    build: Option<IgnoredAny>,
    extends: Option<IgnoredAny>,
    provider: Option<IgnoredAny>,
}

fn parse(text: &str) -> Result<Document, String> {
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| error.to_string())
}

/// Several files on top of each other.
#[derive(Default)]
struct Merged {
    services: BTreeMap<String, Definition>,
    has_include: bool,
}

impl Merged {
    fn add(&mut self, document: Document) {
        self.has_include |= document.include.is_some();
        for (name, above) in document.services {
            let below = self.services.entry(name).or_default();
            *below = Definition {
                image: above.image.or(below.image.take()),
                build: above.build.or(below.build.take()),
                extends: above.extends.or(below.extends.take()),
                provider: above.provider.or(below.provider.take()),
            };
        }
    }

    fn services(&self, variables: &Variables<'_>) -> Result<Vec<Service>, String> {
        if self.services.len() > MOST_SERVICES {
            return Err(format!("there are more than {MOST_SERVICES} services"));
        }
        let mut found: Vec<_> = self
            .services
            .iter()
            .map(|(name, definition)| Service { name: name.clone(), image: definition.image(variables) })
            .collect();
        if self.has_include {
            let image = ServiceImage::Unknown("services of included files are not read".to_owned());
            found.push(Service { name: "include".to_owned(), image });
        }
        Ok(found)
    }
}

impl Definition {
    fn image(&self, variables: &Variables<'_>) -> ServiceImage {
        let unknown = |why: &str| ServiceImage::Unknown(why.to_owned());
        let image = match self.image.as_ref().map(|text| interpolate(text, variables)).transpose() {
            Ok(image) => image,
            Err(why) => return ServiceImage::Unknown(why),
        };
        match (image, &self.build) {
            (image, Some(_)) => ServiceImage::Built(image),
            // What it extends may say that it is built.
            (_, None) if self.extends.is_some() => {
                unknown("it extends another service, which is not followed")
            }
            (Some(image), None) => ServiceImage::Named(image),
            (None, None) if self.provider.is_some() => {
                unknown("a provider makes it: it runs no image of its own")
            }
            (None, None) => unknown("it names no image"),
        }
    }
}

/// Everything that is done with the text of a compose file and a `.env`, for fuzzing.
#[cfg(any(fuzzing, test))]
pub(crate) fn fuzz(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let set = dotenv::parse(text, &|_| None).unwrap_or_default();
    if let Ok(document) = parse(text) {
        let mut merged = Merged::default();
        merged.add(document);
        let _ = merged.services(&|name| set.get(name).cloned());
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn images(texts: &[&str], env: &str) -> Vec<(String, ServiceImage)> {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(DOTENV), env).unwrap();
        let paths: Vec<_> =
            (0..texts.len()).map(|number| dir.path().join(format!("{number}.yaml"))).collect();
        for (path, text) in paths.iter().zip(texts) {
            fs::write(path, text).unwrap();
        }
        let environment = |name: &str| (name == "SET").then(|| "shell".to_owned());
        let found = services(&paths, &environment).unwrap();
        found.into_iter().map(|service| (service.name, service.image)).collect()
    }

    fn named(image: &str) -> ServiceImage {
        ServiceImage::Named(image.to_owned())
    }

    #[test]
    fn every_service_is_told() {
        let text = "
x-common: &common
  image: r.example/common:1
services:
  a: { image: 'r.example/a:${TAG:-1}' }
  b: { <<: *common, command: [x] }
  c: { build: . }
  d: { build: { context: . }, image: r.example/d }
  e: { extends: { file: other.yaml, service: e }, image: r.example/e }
  f: { command: x }
  g: { image: 'r.example/g:${NONE}' }
  h: { image: 'r.example/h:$SET-${FILE}' }
include: [other.yaml]
";
        let found = images(&[text], "SET=file\nFILE=file\n");
        let unknown: Vec<_> = found
            .iter()
            .filter(|(_, image)| matches!(image, ServiceImage::Unknown(_)))
            .map(|(name, _)| &**name)
            .collect();
        assert_eq!(unknown, ["e", "f", "g", "include"]);
        assert_eq!(found[0].1, named("r.example/a:1"));
        assert_eq!(found[1].1, named("r.example/common:1"));
        assert_eq!(found[2].1, ServiceImage::Built(None));
        assert_eq!(found[3].1, ServiceImage::Built(Some("r.example/d".to_owned())));
        assert_eq!(found[7].1, named("r.example/h:shell-file"));
    }

    #[test]
    fn a_later_file_stands_above() {
        let found = images(
            &[
                "services: { a: { image: 'r.example/a:1' }, b: { image: 'r.example/b:1' } }",
                "services: { a: { image: 'r.example/a:2' }, b: { build: . } }",
            ],
            "",
        );
        assert_eq!(found[0].1, named("r.example/a:2"));
        assert_eq!(found[1].1, ServiceImage::Built(Some("r.example/b:1".to_owned())));
    }

    #[test]
    fn what_is_no_compose_file_is_refused_in_no_time() {
        let anchor = |number: usize, of: &str| format!("a{number}: &a{number} [{}]\n", [of; 9].join(","));
        let mut bomb = anchor(0, "x");
        (1..30).for_each(|number| bomb += &anchor(number, &format!("*a{}", number - 1)));
        let deep = "[".repeat(100_000);
        for text in [
            "services: [a]",
            "services: { a: { image: [x] } }",
            "services: { a: {}, a: {} }",
            "- x",
            &bomb,
            &deep,
        ] {
            assert!(parse(text).is_err(), "{text:.50}");
        }
        let many: String =
            (0..=MOST_SERVICES).map(|number| format!("  s{number}: {{ image: x }}\n")).collect();
        let mut merged = Merged::default();
        merged.add(parse(&format!("services:\n{many}")).unwrap());
        assert!(merged.services(&|_| None).is_err());
    }
}
