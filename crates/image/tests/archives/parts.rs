//! Files of a container that an engine sends one by one, as `GET /containers/{id}/archive` does: each in an archive that
//! begins with the last name of its path.

use plimsoll_image::Parts;

use super::{Layer, STATUS, names};

const OS: &str = "ID=debian\nVERSION_ID=12\n";

#[test]
fn files_that_are_sent_one_by_one_are_put_together() {
    let sent = [
        ("etc/os-release", Layer::new().link("os-release", "../usr/lib/os-release")),
        ("usr/lib/os-release", Layer::new().file("os-release", OS)),
        ("var/lib/dpkg/status", Layer::new().file("status", STATUS)),
        ("var/lib/dpkg/status.d", Layer::new().file("status.d/b", "Package: b\nVersion: 2\n")),
        // A link is sent as one; what is behind it is asked for by its own name.
        ("var/lib/rpm", Layer::new().link("rpm", "../../usr/lib/sysimage/rpm")),
        ("usr/lib/sysimage/rpm", Layer::new().file("rpm/macros", "x")),
    ];
    let mut parts = Parts::default();
    for (path, archive) in sent {
        assert!(Parts::asked().any(|group| group.contains(&path)), "{path}");
        parts.add(path, archive.bytes().as_slice()).unwrap();
    }
    let inventory = parts.inventory("sent");
    assert_eq!(
        (inventory.source.as_str(), names(&inventory)),
        ("sent", vec!["a 1".to_owned(), "b 2".to_owned()])
    );
    assert_eq!(inventory.os.as_ref().unwrap().version_id.as_deref(), Some("12"));
    // That programs were not looked at is not the same as that there are none.
    assert_eq!(inventory.gaps.len(), 1, "{:?}", inventory.gaps);
}

#[test]
fn what_is_sent_stays_where_it_was_asked_for() {
    let add = |archive: Layer| Parts::default().add("var/lib/dpkg/status", archive.bytes().as_slice());
    assert!(add(Layer::new().file("../../../etc/os-release", OS)).is_err());
    let cut = Layer::new().file("status", STATUS).bytes();
    assert!(Parts::default().add("var/lib/dpkg/status", &cut[..600]).is_err());

    let mut parts = Parts::default();
    parts.add("var/lib/dpkg/status", Layer::new().file("/etc/os-release", OS).bytes().as_slice()).unwrap();
    let inventory = parts.inventory("sent");
    assert!(inventory.os.is_none() && inventory.packages.is_empty());
}
