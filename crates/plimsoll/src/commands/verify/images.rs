//! Who vouches for what the facts of a host name: every image under each of its names, and every running container.

use anyhow::Result;
use jiff::Timestamp;
use plimsoll_collect::engine::{NamedContainer, Names};
use plimsoll_facts::{Container, Engine, Facts};
use plimsoll_policy::Policy;

use super::subjects::{of_container, of_image};
use super::{ask, settings, verifiers};
use crate::commands::trust;

/// Asks about all of them, and adds the answers to the facts.
///
/// # Errors
/// When a file that the policy names, or the store of what is trusted, cannot be used.
pub(in crate::commands) fn vouch(facts: &mut Facts, policy: Policy) -> Result<()> {
    let judge = verifiers::by(policy, trust::store(None), settings(Timestamp::now()))?;
    for engine in &mut facts.engines {
        let names = names(engine);
        let mut subjects = Vec::new();
        let mut counts = Vec::new();
        for image in &names.images {
            let under = of_image(image);
            counts.push(under.len());
            subjects.extend(under);
        }
        let running = names.containers.iter().filter(|container| container.running);
        for container in running {
            subjects.push(of_container(container, &names)?);
        }
        let mut answers = ask(&*judge, subjects).into_iter().map(|answer| answer.authenticity);
        for (image, count) in engine.images.value_mut().into_iter().flatten().zip(counts) {
            image.authenticity = Some(answers.by_ref().take(count).collect());
        }
        for container in engine.containers.value_mut().into_iter().flatten().filter(|it| is_asked(it)) {
            container.authenticity = answers.next();
        }
    }
    Ok(())
}

/// Whether a container runs, and from what is known.
fn is_asked(container: &Container) -> bool {
    container.is_running() && container.declared.value().is_some()
}

fn names(engine: &Engine) -> Names {
    let named = |container: &Container| {
        let declared = container.declared.value()?;
        Some(NamedContainer {
            id: container.id.clone(),
            name: container.name.clone(),
            running: container.is_running(),
            image: declared.image.clone(),
            image_id: declared.image_id.clone(),
        })
    };
    Names {
        images: engine.images.value().cloned().unwrap_or_default(),
        containers: engine.containers.value().into_iter().flatten().filter_map(named).collect(),
    }
}
