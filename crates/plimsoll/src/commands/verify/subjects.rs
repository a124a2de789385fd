//! From names on the command line, or everything that an engine has, to questions about bytes.

use anyhow::{Result, anyhow, bail};
use plimsoll_collect::compose::{Service, ServiceImage};
use plimsoll_collect::engine::{NamedContainer, Names};
use plimsoll_facts::{Authenticity, Image, TrustOutcome};
use plimsoll_registry::Reference;
use plimsoll_report::verify::VerifiedKind;
use plimsoll_trust as trust;

use crate::exit::Usage;

/// The shortest id that stands for an image: as docker shows them.
const SHORT_ID: usize = 12;

/// Something that is asked about.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) kind: VerifiedKind,
    pub(super) name: String,
    pub(super) question: Question,
}

/// What is to be found out.
#[derive(Debug)]
pub(super) enum Question {
    /// Who vouches for this image.
    Open(trust::Image),
    /// Nothing: the engine's own words answer it.
    Answered(Authenticity),
}

/// What a name on the command line stands for. Why the engine did not tell what it has matters only where the name can
/// mean nothing else.
pub(super) fn named(name: &str, engine: Result<&Names, &String>) -> Result<Subject> {
    let needed = || engine.map_err(|why| anyhow!("{why}"));
    match name.split_once(':') {
        Some(("container", wanted)) => of_container(container(wanted, needed()?)?, needed()?),
        Some((_, text)) if is_of_registry(name) => Ok(of_registry(text, parse(text)?)),
        _ if is_id(name) => {
            let image =
                by_id(name, needed()?).ok_or_else(|| Usage(format!("the engine has no image {name}")))?;
            of_image(image).into_iter().next().ok_or_else(|| anyhow!("image {name} has no name"))
        }
        _ => Ok(of_reference(name, parse(name)?, engine.ok())),
    }
}

/// Whether a name asks for what a registry has. `registry:2` does not: it is a tag of the image that is called registry.
pub(super) fn is_of_registry(name: &str) -> bool {
    name.strip_prefix("registry:").is_some_and(|text| text.contains(['/', ':', '@']))
}

/// The image that a service of a compose file runs: as the engine has it, else as its registry does.
pub(super) fn of_service(service: Service, engine: Option<&Names>) -> Subject {
    let question = match service.image {
        ServiceImage::Unknown(reason) => unknown(String::new(), reason),
        ServiceImage::Built(None) => {
            Question::Answered(local(String::new(), "it is built: no registry knows these bytes".to_owned()))
        }
        ServiceImage::Named(image) => match image.parse() {
            Ok(reference) => of_reference(&image, reference, engine).question,
            Err(error) => unknown(image, error.to_string()),
        },
        ServiceImage::Built(Some(image)) => match image.parse() {
            Ok(reference) => match engine.and_then(|names| by_name(&reference, names)) {
                Some(found) => question(reference, found),
                None => Question::Answered(local(image, "it is built, and not yet here".to_owned())),
            },
            Err(error) => unknown(image, error.to_string()),
        },
    };
    Subject { kind: VerifiedKind::Service, name: service.name, question }
}

fn unknown(reference: String, reason: String) -> Question {
    Question::Answered(Authenticity { reference, reason, ..Authenticity::default() })
}

/// Every image of an engine, under each of its names, and what every running container runs from.
pub(super) fn all(engine: &Names) -> Vec<Subject> {
    let images = engine.images.iter().flat_map(of_image);
    let running = engine.containers.iter().filter(|container| container.running);
    images.chain(running.filter_map(|container| of_container(container, engine).ok())).collect()
}

fn of_reference(name: &str, reference: Reference, engine: Option<&Names>) -> Subject {
    match engine.and_then(|names| by_name(&reference, names)) {
        Some(image) => of_tag(name, reference, image),
        None => of_registry(name, reference),
    }
}

fn of_registry(name: &str, reference: Reference) -> Subject {
    let question = Question::Open(trust::Image { name: reference, here: Vec::new() });
    Subject { kind: VerifiedKind::Image, name: name.to_owned(), question }
}

/// An image of the engine, as which it is known by this name.
fn of_tag(name: &str, reference: Reference, image: &Image) -> Subject {
    Subject { kind: VerifiedKind::Image, name: name.to_owned(), question: question(reference, image) }
}

fn question(reference: Reference, image: &Image) -> Question {
    let digests = references(&image.digests);
    let is_here = |known: &&Reference| {
        known.registry() == reference.registry() && known.repository() == reference.repository()
    };
    let here: Vec<_> = digests.iter().filter(is_here).filter_map(|known| known.digest().cloned()).collect();
    if !here.is_empty() {
        return Question::Open(trust::Image { name: reference, here });
    }
    let reason = match image.digests.as_slice() {
        [] => "it was built or loaded here: no registry knows these bytes".to_owned(),
        others => format!("it has this name here only; it was pulled as {}", others.join(", ")),
    };
    Question::Answered(local(reference.to_string(), reason))
}

fn local(reference: String, reason: String) -> Authenticity {
    Authenticity { reference, outcome: TrustOutcome::Local, reason, ..Authenticity::default() }
}

/// An image under each of its tags; without tags under each of its digests, without these by its id.
pub(super) fn of_image(image: &Image) -> Vec<Subject> {
    let mut names: Vec<_> = image.tags.iter().filter(|tag| tag.parse::<Reference>().is_ok()).collect();
    if names.is_empty() {
        names = image.digests.iter().collect();
    }
    let known = names.iter().filter_map(|name| Some((name.as_str(), name.parse::<Reference>().ok()?)));
    let subjects: Vec<_> = known.map(|(name, reference)| of_tag(name, reference, image)).collect();
    if !subjects.is_empty() {
        return subjects;
    }
    let reason = "it has no name and no digest here: it was built or loaded".to_owned();
    let question = Question::Answered(local(image.id.clone(), reason));
    vec![Subject { kind: VerifiedKind::Image, name: image.name(), question }]
}

/// What a container runs from, under the name that it was made with, where that still means the same image.
pub(super) fn of_container(container: &NamedContainer, engine: &Names) -> Result<Subject> {
    let subject =
        |question| Subject { kind: VerifiedKind::Container, name: container.name.clone(), question };
    let Some(image) = engine.images.iter().find(|image| image.id == container.image_id) else {
        let reason = "the engine does not have the image any more that it was made from".to_owned();
        return Ok(subject(unknown(container.image.clone(), reason)));
    };
    let reference = container
        .image
        .parse()
        .ok()
        .filter(|reference| by_name(reference, engine).is_some_and(|it| it.id == image.id));
    if let Some(reference) = reference {
        return Ok(subject(question(reference, image)));
    }
    let first =
        of_image(image).into_iter().next().ok_or_else(|| anyhow!("image {} has no name", image.id))?;
    Ok(subject(first.question))
}

fn container<'a>(wanted: &str, engine: &'a Names) -> Result<&'a NamedContainer> {
    let is_it = |container: &&NamedContainer| {
        container.name == wanted || (wanted.len() >= SHORT_ID && container.id.starts_with(wanted))
    };
    match engine.containers.iter().find(is_it) {
        Some(container) => Ok(container),
        None => bail!(Usage(format!("the engine has no container {wanted:?}"))),
    }
}

fn by_name<'a>(wanted: &Reference, engine: &'a Names) -> Option<&'a Image> {
    let tag = wanted.tag().unwrap_or("latest");
    let is_it = |image: &&Image| match wanted.digest() {
        Some(digest) => references(&image.digests).iter().any(|known| {
            known.digest() == Some(digest)
                && known.repository() == wanted.repository()
                && known.registry() == wanted.registry()
        }),
        None => references(&image.tags).iter().any(|known| {
            known.tag() == Some(tag)
                && known.repository() == wanted.repository()
                && known.registry() == wanted.registry()
        }),
    };
    engine.images.iter().find(is_it)
}

fn by_id<'a>(wanted: &str, engine: &'a Names) -> Option<&'a Image> {
    let digits = wanted.strip_prefix("sha256:").unwrap_or(wanted);
    engine
        .images
        .iter()
        .find(|image| image.id.strip_prefix("sha256:").is_some_and(|id| id.starts_with(digits)))
}

fn is_id(name: &str) -> bool {
    let digits = name.strip_prefix("sha256:").unwrap_or(name);
    (SHORT_ID..=64).contains(&digits.len()) && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn references(names: &[String]) -> Vec<Reference> {
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

fn parse(text: &str) -> Result<Reference> {
    Ok(text.parse::<Reference>().map_err(|error| Usage(error.to_string()))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "sha256:5b86d92fb66df998f12f1d9530937cf77c49d496393573bddca2311748244904";
    const SUM: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn engine(tags: &[&str], digests: &[String]) -> Names {
        let image = Image {
            id: ID.into(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            digests: digests.to_vec(),
            ..Image::default()
        };
        let container = NamedContainer {
            id: "c0ffee".repeat(10),
            name: "db".into(),
            running: true,
            image: "r.example/db:1".into(),
            image_id: ID.into(),
        };
        Names { images: vec![image], containers: vec![container] }
    }

    fn open(subject: &Subject) -> Option<(String, usize)> {
        match &subject.question {
            Question::Open(image) => Some((image.name.to_string(), image.here.len())),
            Question::Answered(_) => None,
        }
    }

    #[test]
    fn what_is_here_is_asked_about_by_the_digest_that_it_was_pulled_as() {
        let engine = engine(&["r.example/db:1"], &[format!("r.example/db@{SUM}")]);
        let here = ("r.example/db:1".to_owned(), 1);
        for name in ["r.example/db:1", "container:db", ID, "5b86d92fb66d"] {
            assert_eq!(open(&named(name, Ok(&engine)).unwrap()).as_ref(), Some(&here), "{name}");
        }
        let by_digest = named(&format!("r.example/db@{SUM}"), Ok(&engine)).unwrap();
        assert_eq!(open(&by_digest), Some((format!("r.example/db@{SUM}"), 1)));
        for elsewhere in ["r.example/db:2", "db:1", "registry:r.example/db:1", "registry:2"] {
            assert_eq!(open(&named(elsewhere, Ok(&engine)).unwrap()).unwrap().1, 0, "{elsewhere}");
        }
        assert_eq!(all(&engine).iter().filter_map(open).collect::<Vec<_>>(), [here.clone(), here]);
    }

    #[test]
    fn what_no_registry_knows_is_local() {
        let other = [format!("r.example/other@{SUM}")];
        for digests in [&other[..], &[]] {
            let subject = named("r.example/db:1", Ok(&engine(&["r.example/db:1"], digests))).unwrap();
            let Question::Answered(found) = subject.question else { panic!("it is local") };
            assert_eq!(found.outcome, TrustOutcome::Local);
        }
        assert_eq!(all(&engine(&[], &[])).len(), 2);
    }

    #[test]
    fn a_name_that_moved_is_not_what_runs() {
        let mut engine = engine(&["r.example/db:1"], &[format!("r.example/db@{SUM}")]);
        let old = Image {
            id: "sha256:00".into(),
            digests: vec![format!("r.example/db@{SUM}")],
            ..Image::default()
        };
        engine.images.push(old);
        engine.containers[0].image_id = "sha256:00".into();
        let subject = named("container:db", Ok(&engine)).unwrap();
        assert_eq!(open(&subject), Some((format!("r.example/db@{SUM}"), 1)));
        engine.images.pop();
        let gone = named("container:db", Ok(&engine)).unwrap();
        let Question::Answered(found) = gone.question else { panic!("its image is gone") };
        assert_eq!(found.outcome, TrustOutcome::Unavailable);
    }

    #[test]
    fn services_run_what_the_engine_has_before_what_a_registry_has() {
        let engine = engine(&["r.example/db:1"], &[format!("r.example/db@{SUM}")]);
        let of = |image| of_service(Service { name: "s".into(), image }, Some(&engine));
        let named = |image: &str| ServiceImage::Named(image.to_owned());
        assert_eq!(open(&of(named("r.example/db:1"))), Some(("r.example/db:1".to_owned(), 1)));
        assert_eq!(open(&of(named("r.example/db:2"))).unwrap().1, 0);
        assert_eq!(open(&of(ServiceImage::Built(Some("r.example/db:1".into())))).unwrap().1, 1);
        for (image, outcome) in [
            (ServiceImage::Built(None), TrustOutcome::Local),
            (ServiceImage::Built(Some("r.example/new:1".into())), TrustOutcome::Local),
            (ServiceImage::Unknown("why".into()), TrustOutcome::Unavailable),
            (named("no name"), TrustOutcome::Unavailable),
        ] {
            let Question::Answered(found) = of(image.clone()).question else { panic!("{image:?}") };
            assert_eq!(found.outcome, outcome, "{image:?}");
        }
    }

    #[test]
    fn without_an_engine_names_are_those_of_registries() {
        let why = "no engine".to_owned();
        assert!(named("r.example/db:1", Err(&why)).is_ok());
        for name in ["container:db", ID, "R", "container:"] {
            assert!(named(name, Err(&why)).is_err(), "{name}");
        }
    }
}
