use plimsoll_facts::Image;

use super::privileged_files;
use crate::answer::{fail, pass};
use crate::processes::shortened;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "image-setid-files",
    title: "The image contains programs that raise privileges",
    concern: Concern::Privilege,
    severity: Severity::Low,
    why: "su, mount, passwd and their kind come with the base image and hardly any service calls them; each is a way \
          from an unprivileged user to root inside the container. One that no package owns was put there on purpose, \
          or was left behind by a break-in.",
    fix: "At the end of the Dockerfile: RUN find / -xdev -perm /6000 -type f -exec chmod a-s {} + (and setcap -r for file \
          capabilities), build again, and recreate the containers. Until then --security-opt no-new-privileges takes \
          the effect away.",
    references: &["execve(2)", "capabilities(7)"],
    cis: &["4.8"],
    judge: Judge::Image(judge),
};

fn judge(_: &EngineContext<'_>, image: &Image) -> Judgement {
    let files = privileged_files::of_image(image)?;
    let source = image.content.source();
    let Some(first) = files.first() else {
        return pass(Evidence::new("set-id files and files with capabilities", "none", source));
    };
    let message = match files.len() {
        1 => format!("contains {}, which raises privileges", first.path),
        more => format!("contains {more} programs that raise privileges, {} among them", first.path),
    };
    let evidence = shortened(&files, |file| privileged_files::evidence(file, source), "files");
    fail(Problem::new(message, evidence).severity(privileged_files::severity(&files)))
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Capabilities, PrivilegedFile};

    use super::RULE;
    use crate::testing::{World, answer, host, image, status_of};
    use crate::{Severity, Status};

    #[test]
    fn packaged_files_are_milder() {
        assert_eq!(answer(&RULE, &host()).severity, Severity::Low);
        let own = |file: PrivilegedFile| {
            answer(&RULE, &image(|i| i.content.value_mut().unwrap().privileged_files.push(file)))
        };
        let file = PrivilegedFile { path: "/tmp/x".into(), packaged: Some(false), ..PrivilegedFile::default() };
        let set_uid = own(PrivilegedFile { mode: 0o4755, ..file.clone() });
        assert_eq!(set_uid.severity, Severity::Medium);
        assert!(set_uid.message.contains("/tmp/x"), "the one that no package owns comes first");
        let with = PrivilegedFile { mode: 0o755, capabilities: Some(Capabilities(1 << 21)), ..file.clone() };
        assert_eq!(own(with).severity, Severity::Medium);
        assert_eq!(own(PrivilegedFile { mode: 0o2755, ..file }).severity, Severity::Low);
    }

    #[test]
    fn none_and_unreadable() {
        assert_eq!(
            status_of(&RULE, &image(|i| i.content.value_mut().unwrap().privileged_files.clear())),
            Status::Pass
        );
        let mut it = image(|i| i.content.value_mut().unwrap().privileged_files.clear());
        it.image().content.value_mut().unwrap().gaps = vec!["a layer could not be opened".into()];
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
        it.image().content = Default::default();
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
    }
}
