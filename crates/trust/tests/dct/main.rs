//! Docker Content Trust, against recorded repositories.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod served;
mod server;
mod vectors;

use plimsoll_trust::RefusalKind;
use plimsoll_trust::tuf::{Repository, RepositoryState, RootTrust, TufError, Update};
use vectors::{FromFiles, Vector};

fn update(
    vector: &Vector,
    trust: &RootTrust,
    state: Option<&RepositoryState>,
) -> Result<(Repository, RepositoryState), TufError> {
    let (gun, server) = (&*vector.about.gun, &FromFiles(&vector.served));
    Update { gun, server, trust, now: vector.about.now }.run(state)
}

fn digest(vector: &Vector) -> Result<String, TufError> {
    let (repository, _) = update(vector, &Vector::trust(), vector.state().as_ref())?;
    Ok(repository.tag(&vector.about.tag)?.digest.to_string())
}

#[test]
fn every_vector_comes_out_as_recorded() {
    let vectors = vectors::all();
    assert_eq!(vectors.len(), 108);
    for vector in &vectors {
        match digest(vector) {
            Ok(digest) => assert_eq!(digest, vector.about.strict, "{}", vector.name),
            Err(error) => {
                assert_eq!(vector.about.strict, "refuse", "{}: {error}", vector.name);
                assert_eq!(error.kind(), vector.kind(), "{}: {error}", vector.name);
            }
        }
    }
}

/// What the client accepts and its own design forbids, and nothing else.
#[test]
fn stricter_than_the_docker_client_on_purpose_only() {
    let vectors = vectors::all();
    let stricter: Vec<_> = vectors
        .iter()
        .filter(|vector| vector.about.docker.starts_with("ACCEPT") && digest(vector).is_err())
        .map(|vector| vector.name.as_str())
        .collect();
    assert_eq!(
        stricter,
        [
            "gen/deleg-vanish",
            "gen/deleg-wrongkey-fallback",
            "gen/json-duplicate-key",
            "gen/rollback-targets",
            "gen/threshold2-same-key-two-certs"
        ]
    );
    let laxer =
        vectors.iter().find(|vector| vector.about.docker.starts_with("REFUSE") && digest(vector).is_ok());
    assert_eq!(laxer.map(|vector| &*vector.name), None);
}

#[test]
fn the_size_of_the_manifest_is_signed_too() {
    let vectors = vectors::all();
    let tag = |name: &str| {
        let vector = vectors.iter().find(|vector| vector.name == name).unwrap();
        update(vector, &Vector::trust(), None).unwrap().0.tag(&vector.about.tag).unwrap()
    };
    let (right, wrong) = (tag("gen/good-first-use"), tag("gen/wrong-length"));
    assert_eq!(right.digest, wrong.digest);
    assert_eq!(right.require_size(right.length), Ok(()));
    assert_eq!(wrong.require_size(right.length).unwrap_err().kind(), RefusalKind::BadSignature);
}

#[test]
fn the_first_root_is_believed_by_pins_or_on_request_only() {
    let vectors = vectors::all();
    let good = vectors.iter().find(|vector| vector.name == "real/good").unwrap();
    let with = |pins: &[&String], first_use| {
        let pins = pins.iter().map(|pin| (*pin).clone()).collect();
        update(good, &RootTrust { pins, first_use }, None)
    };
    let TufError::NotPinned { ids } = with(&[], false).unwrap_err() else { panic!("it is not pinned") };
    let (_, state) = with(&[], true).unwrap();
    assert!(state.first_use && state.anchor.contains(&ids[0]));
    // The id of the key in its certificate, and that of the bare key.
    for id in &state.anchor {
        assert!(!with(&[id], false).unwrap().1.first_use, "{id}");
    }
    let other = "0".repeat(64);
    assert_eq!(with(&[&other], true).unwrap_err().kind(), RefusalKind::UntrustedKey);
    // Pins that come later hold for what was believed before.
    let trust = RootTrust { pins: vec![other], first_use: true };
    assert_eq!(update(good, &trust, Some(&state)).unwrap_err().kind(), RefusalKind::UntrustedKey);
}

#[test]
fn what_is_known_and_vanishes_is_not_unsigned() {
    let vectors = vectors::all();
    let gone = vectors.iter().find(|vector| vector.name == "gen/missing-root").unwrap();
    let good = vectors.iter().find(|vector| vector.name == "gen/good-pinned").unwrap();
    assert_eq!(update(gone, &Vector::trust(), None).unwrap_err(), TufError::NoTrustData);
    let error = update(gone, &Vector::trust(), good.state().as_ref()).unwrap_err();
    assert_eq!(error.kind(), RefusalKind::Unavailable);
}
