//! Which user a declaration means.

use plimsoll_facts::{Gap, Image};

use crate::answer::gap;

/// The user id that `USER[:GROUP]` stands for inside the image; nothing is root (OCI image-spec, config.md).
///
/// # Errors
/// The gap where a name has to be looked up in the image's passwd file and that could not be read.
pub(super) fn resolve(user: &str, image: Option<&Image>) -> Result<u32, Gap> {
    let name = user.split(':').next().unwrap_or_default().trim();
    if matches!(name, "" | "root") {
        return Ok(0);
    }
    if let Ok(uid) = name.parse() {
        return Ok(uid);
    }
    let image =
        image.ok_or_else(|| gap("GET /images/json", "the image of this user name is not there any more"))?;
    let content = image.content.require()?;
    match content.accounts.iter().find(|(account, ..)| account == name) {
        Some((_, uid, _)) => Ok(*uid),
        None => Err(gap(image.content.source(), format!("the image's passwd file has no user {name}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::resolve;
    use crate::testing::{World, host};

    #[test]
    fn numbers_and_names() {
        let mut it = host();
        let image = it.image();
        image.content.value_mut().unwrap().accounts.push(("app".into(), 0, 0));
        let of = |user: &str| resolve(user, Some(image)).ok();
        assert_eq!(of(""), Some(0));
        assert_eq!(of("0:0"), Some(0));
        assert_eq!(of("root"), Some(0));
        assert_eq!(of(":10"), Some(0));
        assert_eq!(of("mysql:mysql"), Some(999));
        assert_eq!(of("app"), Some(0));
        assert_eq!(of("1000:0"), Some(1000));
        assert_eq!(of("nobody-here"), None);
        assert!(resolve("mysql", None).is_err());
        assert_eq!(resolve("1000", None).ok(), Some(1000));
    }
}
