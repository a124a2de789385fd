use crate::{Concern, Judge, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "artifact-signatures-unchecked",
    title: "Whether signed files were verified before they went into images is not recorded",
    concern: Concern::Authenticity,
    severity: Severity::Info,
    why: "A signature that nobody checks protects nobody. Archives and keys that a build downloads decide what runs in the \
          container.",
    fix: "In the Dockerfile verify each download before it is used (gpg --verify with a pinned fingerprint, cosign \
          verify-blob, sha256sum -c), and let the build fail otherwise. Nothing stops.",
    references: &["https://docs.docker.com/build/metadata/attestations/"],
    cis: &["4.12"],
    judge: Judge::Manual(
        "An image does not record what was verified on the way. Look at the Dockerfiles and pipelines of your own images: each \
         curl, wget and ADD of an address should be followed by a check of a signature or checksum. Downloads by ADD are judged \
         by image-adds-unverified-download, switched-off checks by image-skips-package-verification.",
    ),
};
