//! Images of the classic builder, linted where the engine has them and as archives: one with every defect, one without any.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::docker::{docker, label, text};
use crate::scene::Test;

const BAD: &str = "plimsoll-test/lint-bad:latest";
const GOOD: &str = "plimsoll-test/lint-good:1.0";

const BAD_DOCKERFILE: &str = r#"FROM plimsoll-test/base:bookworm
MAINTAINER Bob <bob@x.example>
ARG NPM_TOKEN=s3cr3t-value-1
ENV API_TOKEN=ghp_0123456789abcdef0123
LABEL deploy-password=hunter2hunter2
ADD app.txt Dockerfile /app/
COPY id_rsa /root/id_rsa
RUN rm /root/id_rsa && dd if=/dev/zero of=/var/lib/apt/lists/x bs=1M count=3 2>/dev/null
RUN set -e; rm /var/lib/apt/lists/x; \
 mkdir -p -m 700 /root/.ssh /etc/sudoers.d; echo 'ssh-ed25519 AAAA bob' >/root/.ssh/authorized_keys; \
 printf 'open::1001:1001::/:/bin/sh\ntoor:x:0:0::/:/bin/sh\n' >>/etc/passwd; \
 echo 'open ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/open; \
 cp /bin/true /usr/bin/sudo; chmod 4755 /usr/bin/sudo; chmod 777 /etc
RUN true || apt-get update
RUN true || apt-get install -y --allow-unauthenticated curl || pip install flask
RUN true || curl https://x.example/install.sh | sh; true || curl https://x.example/a.tgz | tar xz || true
VOLUME /etc
HEALTHCHECK NONE
CMD mariadbd --user=mysql
"#;

const GOOD_DOCKERFILE: &str = r#"FROM plimsoll-test/base:bookworm
COPY app.txt /app/
RUN find / -xdev -perm /6000 -type f -exec chmod a-s {} + \
 && printf 'app:x:1000:1000::/app:/usr/sbin/nologin\n' >>/etc/passwd
USER 1000:1000
HEALTHCHECK CMD ["test", "-r", "/app/app.txt"]
CMD ["sleep", "1000"]
"#;

/// What is wrong with the first.
const DEFECTS: [&str; 24] = [
    "image-account-without-password",
    "image-accounts-share-id",
    "image-adds-unverified-download",
    "image-adds-where-copy-suffices",
    "image-build-leftovers",
    "image-build-steps-unreliable",
    "image-command-in-shell-form",
    "image-development-files",
    "image-installs-recommended-packages",
    "image-installs-unpinned-packages",
    "image-login-keys",
    "image-secret-file",
    "image-secret-in-environment",
    "image-secret-in-history",
    "image-setid-files",
    "image-skips-package-verification",
    "image-sudo-without-password",
    "image-system-paths-writable",
    "image-tagged-latest",
    "image-unneeded-programs",
    "image-update-without-install",
    "image-user-root",
    "image-volume-on-system-path",
    "image-without-healthcheck",
];

/// The tests.
pub(crate) fn tests() -> Vec<Test> {
    vec![Test::new("lint_of_engine_images_and_archives", every_defect_and_none)]
}

fn every_defect_and_none() -> Result<(), String> {
    let context = tempfile::tempdir().map_err(|error| error.to_string())?;
    let write =
        |name: &str, content: &str| fs::write(context.path().join(name), content).map_err(|e| e.to_string());
    write("app.txt", "x\n")?;
    write("id_rsa", "-----BEGIN RSA PRIVATE KEY-----\nx\n")?;
    let expected: BTreeSet<&str> = DEFECTS.into();
    for (image, dockerfile, expected) in
        [(BAD, BAD_DOCKERFILE, expected), (GOOD, GOOD_DOCKERFILE, BTreeSet::new())]
    {
        write("Dockerfile", dockerfile)?;
        build(image, context.path())?;
        let of_engine = lint(image)?;
        let failed: BTreeSet<&str> = failures(&of_engine).map(|finding| text_of(finding, "rule")).collect();
        if failed != expected {
            let (missing, more) = (expected.difference(&failed), failed.difference(&expected));
            return Err(format!(
                "{image}: missed {:?}, told besides {:?}",
                Vec::from_iter(missing),
                Vec::from_iter(more)
            ));
        }
        let archive = context.path().join("image.tar");
        let path = archive.display().to_string();
        docker(&["save", "-o", &path, image])?;
        let of_archive = lint(&format!("docker-archive:{path}"))?;
        let said = |report: &Value| -> BTreeSet<(String, String)> {
            failures(report)
                .map(|f| (text_of(f, "rule").to_owned(), text_of(f, "message").to_owned()))
                .collect()
        };
        if said(&of_engine) != said(&of_archive) {
            return Err(format!("{image}: {:#?} as an archive {:#?}", said(&of_engine), said(&of_archive)));
        }
    }
    docker(&["rmi", BAD, GOOD]).map(drop)
}

fn build(image: &str, context: &Path) -> Result<(), String> {
    let mut command = Command::new("docker");
    command.args(["build", "--quiet", "--network", "none", "--label", &label(), "--tag", image]).arg(context);
    command.env("DOCKER_BUILDKIT", "0").stdin(Stdio::null());
    text(command.output().map_err(|error| error.to_string())?).map(drop)
}

/// What `plimsoll lint` writes; nothing may be unknown.
fn lint(image: &str) -> Result<Value, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.args(["lint", "--policy", "baseline", "--format", "json", image]);
    let output = command.output().map_err(|error| error.to_string())?;
    let report = text(output).map_err(|error| format!("lint {image}: {error}"))?;
    serde_json::from_str(&report).map_err(|error| error.to_string())
}

fn failures(report: &Value) -> impl Iterator<Item = &Value> {
    report["findings"].as_array().into_iter().flatten().filter(|finding| finding["status"] == "fail")
}

fn text_of<'a>(finding: &'a Value, key: &str) -> &'a str {
    finding[key].as_str().unwrap_or_default()
}
