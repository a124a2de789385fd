use plimsoll_facts::Image;

use super::user::resolve;
use crate::answer::{fail, pass};
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "image-user-root",
    title: "Containers of the image start as root unless told otherwise",
    concern: Concern::Privilege,
    severity: Severity::Low,
    why: "Whoever forgets --user runs it as root. Some images need root for a moment and drop it themselves; \
          root-process tells whether the running containers did.",
    fix: "End the Dockerfile with USER 999:999 (numbers, so that it can be checked without the image's passwd file) and \
          give that user the directories that it writes; build again, and recreate the containers, which stops them.",
    references: &[
        "https://docs.docker.com/reference/dockerfile/#user",
        "https://docs.docker.com/build/building/best-practices/#user",
    ],
    cis: &["4.1"],
    judge: Judge::Image(judge),
};

fn judge(_: &EngineContext<'_>, image: &Image) -> Judgement {
    let user = image.config.require()?.user.as_str();
    let shown = if user.is_empty() { "not set" } else { user };
    let evidence = Evidence::new("User", shown, image.config.source());
    match resolve(user, Some(image))? {
        0 if matches!(user, "" | "root") || user.starts_with('0') => {
            fail(Problem::new("starts its containers as root", vec![evidence.expected("another user")]))
        }
        0 => {
            let account = Evidence::new(format!("user id of {user}"), "0", image.content.source());
            let message = format!("starts its containers as {user}, whose user id is 0: root under another name");
            fail(Problem::new(message, vec![evidence, account.expected("not 0")]).severity(Severity::Medium))
        }
        uid => pass(Evidence::new("User", format!("{user} (user id {uid})"), image.config.source())),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::{World, answer, image, status_of};
    use crate::{Severity, Status};

    fn user(name: &str) -> plimsoll_facts::Facts {
        image(|i| {
            i.config.value_mut().unwrap().user = name.into();
            i.content.value_mut().unwrap().accounts.push(("app".into(), 0, 0));
        })
    }

    #[test]
    fn case_19_root_under_other_names() {
        assert_eq!(status_of(&RULE, &user("")), Status::Fail);
        assert_eq!(status_of(&RULE, &user("0:0")), Status::Fail);
        assert_eq!(answer(&RULE, &user("app")).severity, Severity::Medium);
        assert_eq!(status_of(&RULE, &user("mysql")), Status::Pass);
        assert_eq!(status_of(&RULE, &user("1000")), Status::Pass);
    }

    #[test]
    fn a_name_without_the_image_s_files_is_unknown() {
        let mut it = user("mysql");
        it.image().content = Default::default();
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
        let mut it = user("1000");
        it.image().content = Default::default();
        assert_eq!(status_of(&RULE, &it), Status::Pass);
    }
}
