//! A real registry: Debian's `docker-registry`, with TLS and an authority of its own, into which a real engine pushes.
//!
//! Needs a Docker engine, the image `plimsoll-test/base:bookworm` (tests/live/images.sh), openssl and docker-registry.
//! Without them the test says so and passes; with `CI=true` it fails.

#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs, reason = "helpers of tests")]

#[path = "../../../tests/live/docker_registry.rs"]
mod docker_registry;

use std::io::{self, Read};
use std::path::Path;
use std::process::Command;

use docker_registry::DockerRegistry;
use plimsoll_registry::{
    Connections, Digest, Error, MANIFEST_TYPES, Options, Platform, Reference, Repository,
};

const BASE: &str = "plimsoll-test/base:bookworm";

/// An authority, and a certificate for 127.0.0.1 that it signs.
fn certificates(dir: &Path) -> Result<(), String> {
    let script = "cd \"$1\" && new='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2' \
        && openssl req -x509 $new -subj /CN=plimsoll-test-ca -keyout ca.key -out ca.crt \
            -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign \
        && openssl req $new -subj /CN=registry -keyout server.key -out server.csr \
        && printf 'subjectAltName=IP:127.0.0.1\\nextendedKeyUsage=serverAuth\\n' >ext \
        && openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out server.crt";
    let output =
        Command::new("sh").args(["-ec", script, "sh"]).arg(dir).output().map_err(|e| e.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

fn start() -> Result<(DockerRegistry, Reference), String> {
    let registry = DockerRegistry::start(Some(&certificates))?;
    let reference = registry.push(BASE, "registry-live/base:1")?.parse().unwrap();
    Ok((registry, reference))
}

#[test]
fn what_docker_pushes_is_read_over_tls() {
    let (registry, reference) = match start() {
        Ok(started) => started,
        Err(why) => {
            assert!(std::env::var_os("CI").is_none(), "{why}");
            eprintln!("skipped: {why}");
            return;
        }
    };
    // As /etc/docker/certs.d has it.
    let certificates = tempfile::tempdir().unwrap();
    let own = certificates.path().join(&registry.authority);
    std::fs::create_dir(&own).unwrap();
    std::fs::copy(registry.dir().join("ca.crt"), own.join("ca.crt")).unwrap();
    let options = Options { certificates: certificates.path().to_owned(), ..Options::default() };
    let repository = Repository::open(&reference, &options).unwrap();

    let resolved = repository.resolve("1").unwrap();
    let manifest = repository.manifest("1").unwrap();
    assert_eq!(resolved, manifest.descriptor);
    assert!(MANIFEST_TYPES.contains(&resolved.media_type.as_str()));
    let image = repository.image(&resolved.digest.to_string(), &Platform::of_this_host()).unwrap();
    assert_eq!((&image.digest, Digest::of(&image.config)), (&resolved.digest, image.id.clone()));
    for layer in &image.layers {
        let mut blob = repository.blob(layer).unwrap();
        assert_eq!(io::copy(&mut blob, &mut io::sink()).unwrap(), layer.size);
        assert_eq!(blob.read(&mut [0; 8]).unwrap(), 0);
    }
    // This registry knows neither the referrers API nor its fallback tag.
    assert_eq!(repository.referrers(&resolved.digest, None), Ok(Vec::new()));
    assert!(repository.manifest("2").unwrap_err().is_not_found());
    assert!(repository.manifest(&Digest::of(b"x").to_string()).unwrap_err().is_not_found());

    // Another authority signs for nobody, and whoever is not trusted is not reached.
    let other = tempfile::tempdir().unwrap();
    self::certificates(other.path()).unwrap();
    std::fs::copy(other.path().join("ca.crt"), own.join("ca.crt")).unwrap();
    let options = Options { connections: Connections::default(), ..options };
    let error = Repository::open(&reference, &options).unwrap().resolve("1").unwrap_err();
    assert!(
        matches!(error, Error::Unavailable { .. }) && error.to_string().contains("certificate"),
        "{error}"
    );
    // Plain HTTP to one that speaks TLS.
    let options = Options { certificates: "/nonexistent".into(), ..Options::default() };
    let error = Repository::open(&reference, &options).unwrap().manifest("1").unwrap_err();
    assert!(matches!(error, Error::Content { .. }), "{error}");
}
