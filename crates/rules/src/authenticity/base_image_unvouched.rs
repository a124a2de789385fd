use crate::{Concern, Judge, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "base-image-unvouched",
    title: "Which base images are trusted is for a person to decide",
    concern: Concern::Authenticity,
    severity: Severity::Info,
    why: "Everything in a base image runs in every container that is built on it. Anyone may publish under a name that looks \
          like a known one.",
    fix: "Write down from which registries and publishers images may come, and build from digests of those (FROM NAME@sha256:…). \
          Nothing stops.",
    references: &["https://docs.docker.com/docker-hub/image-library/trusted-content/"],
    cis: &["4.2"],
    judge: Judge::Manual(
        "No fact on the host says whom you trust. Look at where each image comes from (docker image ls --digests; the label \
         org.opencontainers.image.base.name), whether its publisher is an official or verified one, and images without a \
         digest, which were built or loaded here.",
    ),
};
