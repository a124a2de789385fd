//! Whether certificates of Notation's signers and timestamp authorities were revoked.

use std::fs;
use std::io::{self, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plimsoll_registry::{Limits, Options};
use plimsoll_trust::RefusalKind;
use serde_json::{Value, json};

use crate::authority::{
    CHANGES, CHANGES_ONLY, INVALID_FROM, LISTS, List, REASON, SCOPE, address, der, extension, lists,
    responder, sequence, time,
};
use crate::server::{Answer, Server, redirect, status};
use crate::world::{Bytes, MIDDLE, ROOT, SIGNER, STAMPED, STAMPER, STAMPER_ROOT, World};

const REVOKED: &str = "20261120000000Z";

fn revoked(number: u8) -> List {
    List::of(&[(number, REVOKED, Vec::new())])
}

fn reason(code: u8) -> Bytes {
    extension(REASON, false, &[10, 1, code])
}

fn invalid_from(at: &str) -> Bytes {
    extension(INVALID_FROM, false, &time(at))
}

/// A list without entries that has an extension.
fn extended(extensions: Bytes) -> List {
    List { extensions, ..List::of(&[]) }
}

#[test]
fn who_is_not_revoked_signs() {
    let world = World::new();
    assert_eq!(world.judge().unwrap(), [""; 0]);
    let mut asked: Vec<_> = world.server.asked().into_iter().map(|asked| asked.target).collect();
    asked.sort();
    assert_eq!(asked, ["/1.crl", "/2.crl", "/4.crl"]);
}

#[test]
fn each_certificate_is_asked_about_once() {
    let world = World::new();
    world.registry.with(|image, options| {
        let notation = world.notation(options);
        assert!(notation.verify(image).is_ok() && notation.verify(image).is_ok());
    });
    assert_eq!(world.server.asked().len(), 3);
}

#[test]
fn a_revoked_signer() {
    let world = World::new();
    world.publish(MIDDLE, &revoked(SIGNER));
    world.refuses(RefusalKind::UntrustedKey, "certificate 0 was revoked at 2026-11-20");
}

#[test]
fn a_revoked_authority_between() {
    let world = World::new();
    world.publish(ROOT, &List::of(&[(9, REVOKED, Vec::new()), (MIDDLE, REVOKED, reason(2))]));
    world.refuses(
        RefusalKind::UntrustedKey,
        "certificate 1 was revoked at 2026-11-20T00:00:00Z: CaCompromise",
    );
    // Whoever was revoked for sure is told apart from whoever cannot be told of.
    world.serve(MIDDLE, Vec::new());
    world.refuses(RefusalKind::UntrustedKey, "whether certificate 0 was revoked cannot be told");
}

/// A revoked timestamp authority vouches for no time, not even for one before it was revoked.
#[test]
fn cve_2024_56138_revoked_timestamp_authority() {
    let world = World::new();
    for extensions in [Vec::new(), reason(1), invalid_from(REVOKED)] {
        world.publish(STAMPER_ROOT, &List::of(&[(STAMPER, REVOKED, extensions)]));
        world.refuses(RefusalKind::UntrustedKey, "its timestamp: certificate 0 was revoked");
    }
    world.kept.lock().unwrap().remove("/4.crl");
    world
        .refuses(RefusalKind::Unavailable, "its timestamp: whether certificate 0 was revoked cannot be told");
}

/// A cache that cannot be used, where notation stopped: what it should have is fetched, and never believed unseen.
#[test]
fn cve_2024_51491_damaged_cache() {
    let world = World::new();
    let cached = world.cached(MIDDLE);
    let list = List::of(&[]).by(&world.certificates[&MIDDLE]);
    let json = |value: Value| value.to_string().into_bytes();
    for entry in [
        Vec::new(),
        b"{".to_vec(),
        json(json!([])),
        json(json!({"baseCRL": null})),
        json(json!({"baseCRL": "?"})),
        json(json!({"baseCRL": STANDARD.encode(&list[..list.len() - 1])})),
        json(json!({"baseCRL": STANDARD.encode(List::of(&[]).by(&world.certificates[&ROOT]))})),
        vec![b'['; 1 << 20],
    ] {
        fs::write(&cached, &entry).unwrap();
        assert_eq!(world.judge().unwrap(), [""; 0]);
        assert_eq!(fs::read(&cached).unwrap(), entry, "the cache is somebody else's");
    }
    fs::File::create(&cached).unwrap().set_len(1 << 30).unwrap();
    assert_eq!(world.judge().unwrap(), [""; 0]);
    fs::remove_file(&cached).unwrap();
    fs::create_dir(&cached).unwrap();
    assert_eq!(world.judge().unwrap(), [""; 0]);
    world.kept.lock().unwrap().remove("/2.crl");
    world.refuses(RefusalKind::Unavailable, "in Notation's cache: ");
    fs::remove_dir_all(world.host.path().join("cache")).unwrap();
    fs::write(world.host.path().join("cache"), "").unwrap();
    world.refuses(RefusalKind::Unavailable, "the server answers 404");
}

#[test]
fn the_cache_answers_for_a_server_that_is_gone() {
    let world = World::new();
    world.shut_down();
    for authority in [ROOT, MIDDLE, STAMPER_ROOT] {
        world.cache(authority, &List::of(&[]).by(&world.certificates[&authority]));
    }
    assert_eq!(world.judge().unwrap(), [""; 0]);
    assert_eq!(world.server.asked().len(), 0);
    world.cache(MIDDLE, &revoked(SIGNER).by(&world.certificates[&MIDDLE]));
    world.refuses(RefusalKind::UntrustedKey, "certificate 0 was revoked");
}

#[test]
fn a_list_that_held() {
    let world = World::new();
    let old = |list: List| List { from: "20261001000000Z", until: Some("20261130000000Z"), ..list };
    let sign = |list: List| old(list).by(&world.certificates[&MIDDLE]);
    world.publish(MIDDLE, &old(List::of(&[])));
    world.refuses(RefusalKind::Unavailable, "it held until 2026-11-30");
    // What it says of who is revoked for ever holds for ever; the rest is what a new list says.
    world.publish(MIDDLE, &old(revoked(SIGNER)));
    world.refuses(RefusalKind::UntrustedKey, "certificate 0 was revoked");
    world.publish(MIDDLE, &List::of(&[]));
    world.cache(MIDDLE, &sign(revoked(SIGNER)));
    world.refuses(RefusalKind::UntrustedKey, "certificate 0 was revoked");
    for list in [List::of(&[]), List::of(&[(SIGNER, REVOKED, reason(6))])] {
        world.cache(MIDDLE, &sign(list));
        assert_eq!(world.judge().unwrap(), [""; 0]);
    }
    fs::remove_file(world.cached(MIDDLE)).unwrap();
    world.publish(MIDDLE, &List { until: None, ..List::of(&[]) });
    world.refuses(RefusalKind::Unavailable, "until when");
    world.publish(MIDDLE, &List { from: "20261202000000Z", ..List::of(&[]) });
    world.refuses(RefusalKind::Unavailable, "it holds from 2026-12-02");
}

#[test]
fn a_list_by_somebody_else() {
    let world = World::new();
    let [root, middle, signer] = [ROOT, MIDDLE, SIGNER].map(|number| &world.certificates[&number]);
    for (list, words) in [
        (List::of(&[]).by(root), "of another authority"),
        (List::of(&[]).signed(middle, root), "did not sign it"),
        (List::of(&[]).signed(middle, signer), "did not sign it"),
    ] {
        world.serve(MIDDLE, list);
        world.refuses(RefusalKind::Unavailable, words);
    }
    let mut changed = List::of(&[]).by(middle);
    let at = changed.len() / 3;
    changed[at] ^= 1;
    world.serve(MIDDLE, changed);
    assert_eq!(world.judge().unwrap_err().0, RefusalKind::Unavailable);
    for bytes in [&b""[..], b"\x30\x00", b"\x30\x84\xff\xff\xff\xff", b"<html>"] {
        world.serve(MIDDLE, bytes.to_vec());
        world.refuses(RefusalKind::Unavailable, "it cannot be read");
    }
}

/// What a list, or an entry in it, may ask for that is not covered: it says nothing then.
#[test]
fn what_a_list_may_ask_for() {
    let world = World::new();
    let named = |name: &str| sequence(&[&der(0xa0, &[&der(0xa0, &[&address(name)])])]);
    let own = named(&world.address(MIDDLE));
    let flag = |number: u8| sequence(&[&der(0x80 | number, &[&[0xff]])]);
    for fine in
        [extension("1.2.3", false, b""), extension(SCOPE, true, &own), extension(SCOPE, true, &flag(1))]
    {
        world.publish(MIDDLE, &extended(fine));
        assert_eq!(world.judge().unwrap(), [""; 0]);
    }
    for (asked, words) in [
        (extension("1.2.3", true, b""), "critical extension 1.2.3"),
        (extension(CHANGES_ONLY, true, &[2, 1, 1]), "changes alone"),
        (extension(CHANGES, false, &sequence(&[])), "a list of changes"),
        (extension(SCOPE, true, &named("http://lists.example/other.crl")), "for other certificates"),
        (extension(SCOPE, true, &flag(2)), "other kinds"),
        (extension(SCOPE, true, &sequence(&[&der(0x83, &[&[6, 0x40]])])), "another kind"),
        (extension(SCOPE, true, &flag(4)), "another kind"),
        (extension(SCOPE, true, &flag(5)), "another kind"),
        (extension(SCOPE, true, b"x"), "cannot be read"),
    ] {
        world.publish(MIDDLE, &extended(asked));
        world.refuses(RefusalKind::Unavailable, words);
    }
    for entry in [extension("2.5.29.29", true, b""), extension(REASON, false, &[10, 1, 7])] {
        world.publish(MIDDLE, &List::of(&[(9, REVOKED, entry)]));
        assert_eq!(world.judge().unwrap_err().0, RefusalKind::Unavailable);
    }
}

/// Who knows when its key was stolen may say so: what is known to have been signed before counts.
#[test]
fn when_a_key_was_stolen() {
    let mut world = World::new();
    world.publish(MIDDLE, &List::of(&[(SIGNER, REVOKED, invalid_from("20261115000001Z"))]));
    assert_eq!(world.judge().unwrap(), [""; 0]);
    world.publish(MIDDLE, &List::of(&[(SIGNER, REVOKED, invalid_from(STAMPED))]));
    world.refuses(RefusalKind::UntrustedKey, "certificate 0 was revoked");
    world.publish(MIDDLE, &List::of(&[(SIGNER, REVOKED, invalid_from("20261115000001Z"))]));
    world.without_timestamp();
    world.refuses(RefusalKind::UntrustedKey, "certificate 0 was revoked");
}

#[test]
fn what_was_held_may_be_released() {
    let world = World::new();
    let held = (SIGNER, "20261110000000Z", reason(6));
    let released = (SIGNER, "20261111000000Z", reason(8));
    let held_again = (SIGNER, "20261112000000Z", reason(6));
    for (entries, counts) in [
        (vec![held.clone()], false),
        (vec![held.clone(), released.clone()], true),
        (vec![released.clone(), held.clone()], true),
        (vec![held.clone(), released.clone(), held_again], false),
        (vec![released, (SIGNER, "20261101000000Z", reason(1))], false),
    ] {
        world.publish(MIDDLE, &List::of(&entries));
        match counts {
            true => assert_eq!(world.judge().unwrap(), [""; 0]),
            false => world.refuses(RefusalKind::UntrustedKey, "certificate 0 was revoked"),
        }
    }
}

#[test]
fn the_policy_decides_what_it_means() {
    let mut world = World::new();
    world.publish(MIDDLE, &revoked(SIGNER));
    world.serve(STAMPER_ROOT, Vec::new());
    for (level, action) in [("permissive", None), ("audit", None), ("strict", Some("log"))] {
        world.verification = json!({"level": level});
        if let Some(action) = action {
            world.verification["override"] = json!({"revocation": action});
        }
        let notes = world.judge().unwrap().join("\n");
        assert!(notes.contains("certificate 0 was revoked at"), "{notes}");
        assert!(notes.contains("its timestamp: whether certificate 0 was revoked cannot be told"), "{notes}");
    }
    world.verification = json!({"level": "audit", "override": {"revocation": "enforce"}});
    world.refuses(RefusalKind::Unavailable, "its timestamp");
    let before = world.server.asked().len();
    world.verification = json!({"level": "strict", "override": {"revocation": "skip"}});
    let notes = world.judge().unwrap().join("\n");
    assert!(notes.contains("was not asked") && notes.contains("revocation=skip"), "{notes}");
    assert_eq!(world.server.asked().len(), before);
}

#[test]
fn who_names_no_list_that_can_be_asked() {
    let neither = World::with(|_| Vec::new());
    let notes = neither.judge().unwrap();
    assert_eq!(notes, ["certificate 0 names nobody who could tell that it was revoked"]);
    let refused = |signer: &dyn Fn(&str) -> Bytes, words: &str| {
        World::with(signer).refuses(RefusalKind::Unavailable, words);
    };
    refused(&|server| responder(&format!("http://{server}/")), "a responder alone");
    refused(&|_| lists(&["ldap://lists.example/2", "file:///etc/passwd"]), "no list that it names");
    refused(&|server| lists(&[&*format!("http://{server}/x.crl"); 9]), "9 lists");
    refused(&|_| extension(LISTS, false, b"x"), "cannot be read");
    let changes = extension(CHANGES, false, &sequence(&[]));
    let changed = |server: &str| [lists(&[&format!("http://{server}/2.crl")]), changes.clone()].concat();
    refused(&changed, "a list of changes");
}

#[test]
fn one_of_several_lists_is_enough() {
    let world = World::with(|server| {
        let [gone, there] = ["x", "2"].map(|name| format!("http://{server}/{name}.crl"));
        [lists(&["ldap://lists.example/2", &gone, &there]), responder(&gone)].concat()
    });
    assert_eq!(world.judge().unwrap(), [""; 0]);
    world.publish(MIDDLE, &revoked(SIGNER));
    world.refuses(RefusalKind::UntrustedKey, "certificate 0 was revoked");
}

/// A server of lists that answers everything so is unavailable, in little time, and the reason is told.
fn unavailable(words: &str, answer: impl Fn() -> Answer + Send + Sync + 'static) {
    const TOTAL: Duration = Duration::from_millis(700);
    let server = Server::start(move |_| answer());
    let world = World::with(|_| lists(&[&format!("http://{}/2.crl", server.authority)]));
    let limits = Limits { connect: TOTAL, idle: TOTAL, total: TOTAL, ..Limits::default() };
    let started = Instant::now();
    let ask = |options| world.notation(Options { limits, ..options });
    let found = world.registry.with(|image, options| ask(options).verify(image).unwrap_err());
    assert_eq!(found.kind, RefusalKind::Unavailable, "{found}");
    assert!(found.reason.contains(words), "{found}");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}: {found}", started.elapsed());
}

/// An answer without end: its head, and whatever this writes.
fn endless(write: fn(&mut TcpStream) -> io::Result<()>) -> Answer {
    Answer::Raw(Box::new(move |to| {
        let _ = to.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while write(to).is_ok() {}
    }))
}

#[test]
fn a_list_that_is_too_large() {
    unavailable("larger than", || Answer::Whole("200 OK".to_owned(), vec![0x30; (32 << 20) + 1]));
}

#[test]
fn a_list_that_never_ends() {
    unavailable("", || endless(|to| to.write_all(&[0x30; 1 << 16])));
}

#[test]
fn a_list_that_trickles() {
    unavailable("", || {
        endless(|to| {
            thread::sleep(Duration::from_millis(50));
            to.write_all(b"0")
        })
    });
}

#[test]
fn a_list_that_does_not_come() {
    unavailable("too slow", || Answer::Raw(Box::new(|_| thread::sleep(Duration::from_secs(10)))));
}

#[test]
fn a_redirect_to_a_file() {
    unavailable("redirects to", || redirect("file:///etc/passwd"));
}

#[test]
fn redirects_in_a_circle() {
    unavailable("redirects more than", || redirect("/2.crl"));
}

#[test]
fn a_server_that_fails() {
    unavailable("answers 503", || status("503 Service Unavailable"));
    unavailable("no HTTP", || Answer::Raw(Box::new(|to| drop(to.write_all(b"SSH-2.0-x\r\n\r\n")))));
}
