use plimsoll_facts::{Image, Leftover};

use crate::answer::{complete, fail, pass};
use crate::processes::shortened;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

/// Below this, an image is not worth building anew: what apt-get dist-clean leaves, a few lock files.
const WORTH_IT: u64 = 1 << 20;

pub(super) const RULE: Rule = Rule {
    id: "image-build-leftovers",
    title: "The image carries caches and temporary files of its build",
    concern: Concern::Freshness,
    severity: Severity::Info,
    why: "Package lists, downloaded packages and caches of compilers are of no use to the service, are fetched by every host, and \
          old lists make a later apt-get install take old packages. What a later step deletes is still in the layer of the \
          earlier one: bytes are counted in all layers.",
    fix: "RUN --mount=type=cache,target=PATH, or delete them in the same RUN: rm -rf /var/lib/apt/lists/*; apk add --no-cache; \
          dnf clean all; pip install --no-cache-dir; npm cache clean --force; useradd --no-log-init for high user ids. Build \
          again; containers go on until they are recreated.",
    references: &[
        "https://docs.docker.com/build/building/best-practices/#apt-get",
        "https://docs.docker.com/build/cache/optimize/#use-cache-mounts",
    ],
    cis: &[],
    judge: Judge::Image(judge),
};

fn judge(_: &EngineContext<'_>, image: &Image) -> Judgement {
    let content = image.content.require()?;
    let source = image.content.source();
    let mut leftovers: Vec<&Leftover> = content.leftovers.require()?.iter().collect();
    leftovers.sort_by_key(|it| std::cmp::Reverse(it.bytes));
    let bytes: u64 = leftovers.iter().map(|it| it.bytes).fold(0, u64::saturating_add);
    let evidence = shortened(
        &leftovers,
        |it| Evidence::new(it.path.clone(), format!("{} in {} files", size(it.bytes), it.files), source),
        "places",
    );
    match leftovers.first() {
        Some(first) if bytes >= WORTH_IT => {
            let message = format!("{} of its layers are leftovers of the build, most in {}", size(bytes), first.path);
            fail(Problem::new(message, evidence))
        }
        _ => {
            complete(image)?;
            pass(Evidence::new("leftovers of the build", size(bytes), source).expected("less than 1 MiB"))
        }
    }
}

/// Bytes in units that a person reads.
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes / 1024),
        _ => format!("{} MiB", bytes / 1_048_576),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachImage, denied, image, known};
    use crate::testing::{answer, status_of};
    use plimsoll_facts::{Facts, Leftover};

    fn left(of: &[(&str, u64)]) -> Facts {
        image(|i| {
            let leftover = |(path, bytes): &(&str, u64)| Leftover { path: (*path).into(), files: 3, bytes: *bytes };
            i.content().leftovers = known(of.iter().map(leftover).collect());
        })
    }

    #[test]
    fn the_largest_is_named() {
        let found = answer(&RULE, &left(&[("/var/cache/apk", 900 << 10), ("/var/lib/apt/lists", 20 << 20)]));
        assert_eq!(
            found.message,
            "20 MiB of its layers are leftovers of the build, most in /var/lib/apt/lists"
        );
    }

    /// `apt-get dist-clean` keeps the release files, which another tool reports (dockle issue 282).
    #[test]
    fn little_is_no_problem() {
        assert_eq!(status_of(&RULE, &left(&[("/var/lib/apt/lists", 300 << 10)])), Status::Pass);
        assert_eq!(status_of(&RULE, &left(&[])), Status::Pass);
        assert_eq!(status_of(&RULE, &image(|i| i.content = denied())), Status::Unknown);
    }
}
