use plimsoll_facts::Image;

use crate::answer::{complete, fail, pass};
use crate::processes::shortened;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "image-development-files",
    title: "Files of the developers came into the image",
    concern: Concern::Exposure,
    severity: Severity::Info,
    why: "A repository tells every version of every file, and what was ever committed by mistake; a shell's history tells \
          passwords that were typed; a core dump holds a process's memory. Dockerfiles and compose files tell how the service \
          is put together. Mostly a COPY of the whole build context without .dockerignore brings them in.",
    fix: "List them in .dockerignore (.git, Dockerfile, compose.yaml, .idea, .vscode), or COPY what the service needs by name; \
          build again, and recreate the containers, which stops them.",
    references: &["https://docs.docker.com/build/concepts/context/#dockerignore-files"],
    cis: &["4.10"],
    judge: Judge::Image(judge),
};

fn judge(_: &EngineContext<'_>, image: &Image) -> Judgement {
    let content = image.content.require()?;
    let source = image.content.source();
    let mut files: Vec<&str> = content.development_files.require()?.iter().map(String::as_str).collect();
    files.sort_by_key(|path| !may_tell_secrets(path));
    let Some(first) = files.first() else {
        complete(image)?;
        return pass(Evidence::new("files of developers", "none", source));
    };
    let evidence =
        shortened(&files, |path| Evidence::new("file of developers", *path, source).expected("none"), "files");
    let message = match files.len() {
        1 => format!("contains {first}"),
        n => format!("contains {first} and {} more files of developers", n - 1),
    };
    let problem = Problem::new(message, evidence);
    fail(if may_tell_secrets(first) { problem.severity(Severity::Low) } else { problem })
}

fn may_tell_secrets(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    matches!(name, ".git" | ".svn" | ".hg" | "core") || name.ends_with("_history") || name.starts_with("core.")
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::bare::{ReachImage, denied, image, known};
    use crate::testing::{answer, status_of};
    use crate::{Severity, Status};
    use plimsoll_facts::Facts;

    fn files(paths: &[&str]) -> Facts {
        image(|i| i.content().development_files = known(paths.iter().map(|path| (*path).into()).collect()))
    }

    #[test]
    fn what_may_tell_secrets_comes_first() {
        let found = answer(&RULE, &files(&["/app/Dockerfile", "/app/.git"]));
        assert_eq!((found.severity, found.message.as_str()), (
            Severity::Low,
            "contains /app/.git and 1 more files of developers"
        ));
        assert_eq!(answer(&RULE, &files(&["/app/Dockerfile"])).severity, Severity::Info);
        assert_eq!(answer(&RULE, &files(&["/root/.bash_history"])).severity, Severity::Low);
        assert_eq!(status_of(&RULE, &files(&[])), Status::Pass);
        assert_eq!(status_of(&RULE, &image(|i| i.content = denied())), Status::Unknown);
    }
}
