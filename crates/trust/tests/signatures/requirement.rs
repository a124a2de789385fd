//! What an owner demands: several signers, a digest in the name, no old images, and no way back.

use jiff::SignedDuration;
use plimsoll_registry::{Digest, Options};
use plimsoll_trust::{Cosign, Demands, RefusalKind, Requirement, Store, Verifier};

use crate::registry::Registry;
use crate::signer::{Signer, payload};
use crate::{Judged, refused};

const CREATED: &str = "2026-11-01T00:00:00Z";
const LATER: &str = "2026-11-10T00:00:00Z";

pub(crate) fn demand(signers: &[u8]) -> Requirement {
    let registry = Registry::options();
    let cosign = |number: &u8| -> Box<dyn Verifier> {
        let key = Signer::new(*number).key(&format!("key {number}"));
        Box::new(Cosign::new(vec![key], registry.clone()))
    };
    Requirement {
        signers: signers.iter().map(cosign).collect(),
        all: true,
        digest_only: false,
        max_age: None,
        demands: Demands::default(),
        guard: None,
        registry: registry.clone(),
        now: "2026-11-24T00:00:00Z".parse().unwrap(),
    }
}

/// Publishes an image of this time under the tag `1`, and signs it.
fn publish(registry: &mut Registry, created: &str, signer: u8) -> Digest {
    let digest = registry.publish(created);
    let text = payload(&digest);
    registry.simple(&[(text.as_bytes(), Signer::new(signer).sign(text.as_bytes()))]);
    digest
}

pub(crate) fn verify(requirement: &Requirement, registry: &Registry, target: &str) -> Judged {
    let verified = requirement.verify(&registry.image(target));
    let signers = |verified: plimsoll_trust::Verified<Digest>| {
        verified.vouchers().iter().flat_map(|voucher| voucher.signers.clone()).collect()
    };
    verified.map(signers).map_err(|refusal| (refusal.kind, refusal.reason))
}

#[test]
fn all_must_vouch_or_one_is_enough() {
    let mut registry = Registry::new();
    publish(&mut registry, CREATED, 1);
    assert_eq!(verify(&demand(&[1]), &registry, ":1").unwrap().len(), 1);
    refused(verify(&demand(&[1, 2]), &registry, ":1"), RefusalKind::UntrustedKey, "cosign: ");
    let any = Requirement { all: false, ..demand(&[2, 1]) };
    assert_eq!(verify(&any, &registry, ":1").unwrap().len(), 1);
    let verified = any.verify(&registry.image(":1")).unwrap();
    assert!(verified.notes()[0].starts_with("does not vouch for it: cosign: "), "{:?}", verified.notes());
    refused(verify(&demand(&[]), &registry, ":1"), RefusalKind::Unsigned, "");
    let text = payload(&registry.subject);
    let both = [1, 2].map(|number| (text.as_bytes(), Signer::new(number).sign(text.as_bytes())));
    registry.simple(&both);
    assert_eq!(verify(&demand(&[1, 2]), &registry, ":1").unwrap().len(), 2);
}

#[test]
fn what_could_not_be_asked_is_never_unsigned_however_many_are_asked() {
    let registry = Registry::new();
    registry.break_path(&format!("manifests/sha256-{}.sig", registry.subject.sum()));
    for all in [true, false] {
        let requirement = Requirement { all, ..demand(&[1, 2]) };
        refused(verify(&requirement, &registry, ":1"), RefusalKind::Unavailable, "503");
        let offline = Options { offline: true, ..Registry::options() };
        let requirement = Requirement { registry: offline, all, ..demand(&[1]) };
        refused(verify(&requirement, &registry, ":1"), RefusalKind::Unavailable, "--offline");
    }
}

#[test]
fn a_digest_in_the_name() {
    let mut registry = Registry::new();
    let digest = publish(&mut registry, CREATED, 1);
    let by_digest = format!("@{digest}");
    let signed = Requirement { digest_only: true, ..demand(&[1]) };
    refused(verify(&signed, &registry, ":1"), RefusalKind::Denied, "by digest");
    assert_eq!(verify(&signed, &registry, &by_digest).unwrap().len(), 1);
    let unsigned = Requirement { digest_only: true, ..demand(&[]) };
    refused(verify(&unsigned, &registry, ":1"), RefusalKind::Denied, "by digest");
    let verified = unsigned.verify(&registry.image(&by_digest)).unwrap();
    assert_eq!(verified.vouchers()[0].method.id(), "digest");
}

#[test]
fn what_is_too_old_or_tells_no_time_is_refused() {
    let mut registry = Registry::new();
    let within =
        |days: i64| Requirement { max_age: Some(SignedDuration::from_hours(24 * days)), ..demand(&[1]) };
    publish(&mut registry, CREATED, 1);
    verify(&within(24), &registry, ":1").unwrap();
    refused(verify(&within(22), &registry, ":1"), RefusalKind::Stale, "older than 22 days");
    publish(&mut registry, "2026-11-24T00:11:00Z", 1);
    refused(verify(&within(24), &registry, ":1"), RefusalKind::Unavailable, "a clock is off");
    publish(&mut registry, "yesterday", 1);
    refused(verify(&within(24), &registry, ":1"), RefusalKind::Unavailable, "cannot be told");
}

#[test]
fn a_tag_does_not_go_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let mut registry = Registry::new();
    let guarded = Requirement { guard: Some(store.clone()), ..demand(&[1]) };
    let first = publish(&mut registry, CREATED, 1);
    let other = publish(&mut registry, "2026-11-01T00:00:00.000000000Z", 1);
    verify(&guarded, &registry, ":1").unwrap();
    publish(&mut registry, LATER, 2);
    refused(verify(&guarded, &registry, ":1"), RefusalKind::UntrustedKey, "");
    registry.tag("1", &first);
    assert_ne!(first, other);
    refused(verify(&guarded, &registry, ":1"), RefusalKind::Unavailable, "which is newer cannot be told");
    let later = publish(&mut registry, LATER, 1);
    verify(&guarded, &registry, ":1").unwrap();
    verify(&guarded, &registry, ":1").unwrap();
    registry.tag("1", &first);
    refused(verify(&guarded, &registry, ":1"), RefusalKind::Stale, &later.to_string());
    let listed = store.list_accepted().unwrap().remove(0).unwrap();
    assert_eq!(listed.tags["1"].digest, later.to_string());
    // Whoever names a digest does not ask the tag.
    verify(&guarded, &registry, &format!("@{first}")).unwrap();
    let repository = registry.image(":1").name;
    assert!(store.forget(&format!("{}/{}", repository.registry(), repository.repository())).unwrap());
    verify(&guarded, &registry, ":1").unwrap();
}

#[test]
fn a_damaged_memory_is_not_nothing_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let mut registry = Registry::new();
    publish(&mut registry, CREATED, 1);
    let guarded = Requirement { guard: Some(Store::new(folder.path())), ..demand(&[1]) };
    verify(&guarded, &registry, ":1").unwrap();
    let kept = std::fs::read_dir(folder.path().join("accepted-1")).unwrap();
    let files = kept.flatten().map(|entry| entry.path()).filter(|path| path.extension().unwrap() == "json");
    for file in files {
        std::fs::write(file, "{}").unwrap();
    }
    refused(verify(&guarded, &registry, ":1"), RefusalKind::Unavailable, "accepted-1");
}
