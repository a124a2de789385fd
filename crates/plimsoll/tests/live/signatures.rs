//! Signatures of cosign and Notation, made by openssl and kept in a real registry.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use plimsoll_registry::Digest;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::docker::{LABEL, docker, text};
use crate::notary::{expect, subject};
use crate::registry::docker_registry::DockerRegistry;
use crate::scene::Test;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const NOTATION: &str = "application/vnd.cncf.notary.signature";
const IDENTITY: &str = "x509.subject: C=DE, ST=Berlin, O=plimsoll test";

/// The tests.
pub(crate) fn tests() -> Vec<Test> {
    let needs = &["curl", "docker-registry", "openssl"];
    let tests = vec![
        Test::new("cosign_s_signatures_in_a_real_registry", cosign),
        Test::new("notation_s_signatures_in_a_real_registry", notation),
        Test::new("a_policy_over_signatures_in_a_real_registry", policy),
        Test::new("a_policy_over_attestations_in_a_real_registry", attestations),
    ];
    tests.into_iter().map(|test| test.needing(needs)).collect()
}

/// A registry, and keys.
struct Place {
    registry: DockerRegistry,
    folder: TempDir,
}

/// An image in the registry.
struct Published {
    name: String,
    digest: Digest,
    repository: String,
}

impl Place {
    fn new() -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let script = "
            for name in own other; do
                openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $name.key
                openssl pkey -in $name.key -pubout -out $name.pub
            done
            for name in ca other-ca; do
                openssl req -x509 -newkey rsa:2048 -nodes -sha256 -days 30 -subj '/C=DE/O=plimsoll test/CN=root' \
                    -keyout $name.key -out $name.crt \
                    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
            done
            openssl req -newkey rsa:2048 -nodes -subj '/C=DE/ST=Berlin/O=plimsoll test/CN=signer' \
                -keyout leaf.key -out leaf.csr
            printf 'basicConstraints=CA:FALSE\\nkeyUsage=critical,digitalSignature\\nextendedKeyUsage=codeSigning\\n' > ext
            openssl x509 -req -in leaf.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 20 -sha256 -extfile ext \
                -out leaf.crt";
        let made = Command::new("sh").args(["-ec", script]).current_dir(folder.path()).output();
        text(made.map_err(|error| format!("openssl: {error}"))?)?;
        Ok(Self { registry: DockerRegistry::start(None)?, folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, String> {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).map_err(|error| error.to_string())?;
        fs::write(&path, bytes).map_err(|error| error.to_string())?;
        Ok(path)
    }

    /// Makes an image and pushes it.
    fn image(&self, name: &str, content: &str) -> Result<Published, String> {
        let full = format!("{}/{name}", self.registry.authority);
        self.write("content", content.as_bytes())?;
        let script = "tar -cC \"$1\" content | docker import -c \"LABEL $2=\" - \"$3\"";
        let made = Command::new("sh")
            .args(["-ec", script, "sh"])
            .arg(self.folder.path())
            .args([LABEL, &full])
            .output();
        text(made.map_err(|error| error.to_string())?)?;
        docker(&["push", "-q", &full])?;
        docker(&["rmi", &full])?;
        let repository = name.split(':').next().unwrap_or_default().to_owned();
        let types = ["application/vnd.docker.distribution.manifest.v2+json", MANIFEST]
            .map(|it| format!("Accept: {it}"));
        let tag = full.rsplit(':').next().unwrap_or_default();
        let url = self.url(&repository, &format!("manifests/{tag}"));
        let manifest = curl(&["-H", &types[0], "-H", &types[1], &url], None)?;
        Ok(Published { name: full, digest: Digest::of(&manifest), repository })
    }

    fn url(&self, repository: &str, path: &str) -> String {
        format!("http://{}/v2/{repository}/{path}", self.registry.authority)
    }

    fn blob(&self, of: &Published, media_type: &str, bytes: &[u8]) -> Result<Value, String> {
        let digest = Digest::of(bytes);
        let begun = curl(&["-X", "POST", "-D", "-", &self.url(&of.repository, "blobs/uploads/")], None)?;
        let begun = String::from_utf8_lossy(&begun).into_owned();
        let place = begun.lines().find_map(|line| line.strip_prefix("Location: ")).ok_or(begun.clone())?;
        let kind = "Content-Type: application/octet-stream";
        curl(&["-X", "PUT", "-H", kind, &format!("{}&digest={digest}", place.trim())], Some(bytes))?;
        Ok(json!({"mediaType": media_type, "digest": digest.to_string(), "size": bytes.len()}))
    }

    fn manifest(
        &self,
        of: &Published,
        target: &str,
        media_type: &str,
        document: &Value,
    ) -> Result<(), String> {
        let url = self.url(&of.repository, &format!("manifests/{target}"));
        let kind = format!("Content-Type: {media_type}");
        curl(&["-X", "PUT", "-H", &kind, &url], Some(document.to_string().as_bytes())).map(drop)
    }

    /// Puts an artifact of one layer beside an image, under the fallback tag: this registry knows no referrers.
    fn refer(&self, to: &Published, kind: &str, layer_type: &str, layer: &[u8]) -> Result<(), String> {
        let layer = self.blob(to, layer_type, layer)?;
        let config = self.blob(to, "application/vnd.oci.empty.v1+json", b"{}")?;
        let subject = json!({"mediaType": MANIFEST, "digest": to.digest.to_string(), "size": 1});
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": kind, "config": config,
            "layers": [layer], "subject": subject});
        let bytes = manifest.to_string().into_bytes();
        let digest = Digest::of(&bytes).to_string();
        self.manifest(to, &digest, MANIFEST, &manifest)?;
        let tag = format!("sha256-{}", to.digest.sum());
        let known = curl(
            &["-H", &format!("Accept: {INDEX}"), &self.url(&to.repository, &format!("manifests/{tag}"))],
            None,
        );
        let known: Option<Value> = known.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let mut listed = known.and_then(|index| index["manifests"].as_array().cloned()).unwrap_or_default();
        listed.push(
            json!({"mediaType": MANIFEST, "digest": digest, "size": bytes.len(), "artifactType": kind}),
        );
        self.manifest(to, &tag, INDEX, &json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed}))
    }

    /// What openssl signs with a key.
    fn openssl(&self, key: &str, options: &[&str], message: &[u8]) -> Result<Vec<u8>, String> {
        let message = self.write("message", message)?;
        let mut command = Command::new("openssl");
        command.args(["dgst", "-sha256"]).args(options).arg("-sign").arg(self.path(key)).arg(message);
        let output = command.output().map_err(|error| format!("openssl: {error}"))?;
        if output.status.success() { Ok(output.stdout) } else { text(output).map(|_| Vec::new()) }
    }

    /// As cosign signs with `--new-bundle-format=false`.
    fn cosign_simple(&self, key: &str, image: &Published) -> Result<(), String> {
        let payload = json!({"critical": {"identity": {"docker-reference": ""},
            "image": {"docker-manifest-digest": image.digest.to_string()}, "type": "cosign container image signature"},
            "optional": null})
        .to_string();
        let mut layer =
            self.blob(image, "application/vnd.dev.cosign.simplesigning.v1+json", payload.as_bytes())?;
        let signature = STANDARD.encode(self.openssl(key, &[], payload.as_bytes())?);
        layer["annotations"] = json!({"dev.cosignproject.cosign/signature": signature});
        let config = self.blob(image, "application/vnd.oci.image.config.v1+json", b"{}")?;
        let manifest =
            json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]});
        self.manifest(image, &format!("sha256-{}.sig", image.digest.sum()), MANIFEST, &manifest)
    }

    /// As cosign 3 signs.
    fn cosign_bundle(&self, key: &str, image: &Published) -> Result<(), String> {
        self.cosign_attest(key, image, "https://sigstore.dev/cosign/sign/v1")
    }

    /// As cosign 3 attests.
    fn cosign_attest(&self, key: &str, image: &Published, predicate_type: &str) -> Result<(), String> {
        let statement = json!({"_type": "https://in-toto.io/Statement/v1",
            "subject": [{"digest": {"sha256": image.digest.sum()}}],
            "predicateType": predicate_type, "predicate": {}})
        .to_string();
        let kind = "application/vnd.in-toto+json";
        let message = format!("DSSEv1 {} {kind} {} {statement}", kind.len(), statement.len());
        let signature = STANDARD.encode(self.openssl(key, &[], message.as_bytes())?);
        let bundle = json!({"mediaType": BUNDLE, "verificationMaterial": {"publicKey": {"hint": ""}},
            "dsseEnvelope": {"payload": STANDARD.encode(&statement), "payloadType": kind,
            "signatures": [{"sig": signature}]}});
        self.refer(image, BUNDLE, BUNDLE, bundle.to_string().as_bytes())
    }

    /// As Notation signs with a key of RSA.
    fn notation(&self, image: &Published) -> Result<(), String> {
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let protected = json!({"alg": "PS256", "crit": ["io.cncf.notary.signingScheme"],
            "cty": "application/vnd.cncf.notary.payload.v1+json", "io.cncf.notary.signingScheme": "notary.x509",
            "io.cncf.notary.signingTime": now});
        let payload =
            json!({"targetArtifact": {"mediaType": MANIFEST, "digest": image.digest.to_string(), "size": 1}});
        let [protected, payload] = [protected, payload].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let options = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"];
        let signature = self.openssl("leaf.key", &options, format!("{protected}.{payload}").as_bytes())?;
        let der = |name: &str| {
            let arguments = ["x509", "-outform", "DER", "-in"];
            let output = Command::new("openssl").args(arguments).arg(self.path(name)).output();
            output.map(|output| STANDARD.encode(output.stdout)).map_err(|error| error.to_string())
        };
        let envelope = json!({"payload": payload, "protected": protected,
            "header": {"x5c": [der("leaf.crt")?, der("ca.crt")?]}, "signature": URL_SAFE_NO_PAD.encode(signature)});
        self.refer(image, NOTATION, "application/jose+json", envelope.to_string().as_bytes())
    }

    /// Notation's own files, which trust this authority.
    fn trust(&self, authority: &str) -> Result<(), String> {
        let certificate = fs::read(self.path(authority)).map_err(|error| error.to_string())?;
        self.write("config/notation/truststore/x509/ca/test/root.crt", &certificate)?;
        let policy = json!({"version": "1.0", "trustPolicies": [{"name": "test", "registryScopes": ["*"],
            "signatureVerification": {"level": "strict"}, "trustStores": ["ca:test"], "trustedIdentities": [IDENTITY]}]});
        self.write("config/notation/trustpolicy.json", policy.to_string().as_bytes()).map(drop)
    }

    fn plimsoll(&self, arguments: &[&str]) -> Result<Output, String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command
            .args(["verify", "--format", "json"])
            .args(arguments)
            .current_dir(self.folder.path())
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("PLIMSOLL_TRUST", self.path("trust"))
            .env("DOCKER_CONFIG", "/nonexistent");
        command.output().map_err(|error| format!("plimsoll: {error}"))
    }

    fn verify(&self, how: &[&str], image: &str) -> Result<Value, String> {
        subject(&self.plimsoll(&[how, &[&format!("registry:{image}")]].concat())?)
    }

    /// Alters a byte of every blob in the registry's store that holds these bytes.
    fn alter(&self, words: &str) -> Result<(), String> {
        let script = "grep -rlF \"$2\" \"$1\" | while read -r file; do printf X | dd of=\"$file\" conv=notrunc status=none; done";
        let data = self.registry.dir().join("data");
        let done = Command::new("sh").args(["-ec", script, "sh"]).arg(data).arg(words).output();
        text(done.map_err(|error| error.to_string())?).map(drop)
    }
}

fn curl(arguments: &[&str], body: Option<&[u8]>) -> Result<Vec<u8>, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut command = Command::new("curl");
    command.args(["-sf", "--max-time", "60"]).args(arguments);
    if let Some(body) = body {
        let file = folder.path().join("body");
        fs::write(&file, body).map_err(|error| error.to_string())?;
        command.arg("--data-binary").arg(format!("@{}", file.display()));
    }
    let output = command.output().map_err(|error| format!("curl: {error}"))?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(format!("curl {}: {}", arguments.join(" "), output.status)),
    }
}

fn cosign() -> Result<(), String> {
    let place = Place::new()?;
    let own = ["--key", "own.pub"];
    let image = place.image("cosign/app:1", "one")?;
    expect(&place.verify(&own, &image.name)?, "unsigned", "no signature")?;
    place.cosign_simple("own.key", &image)?;
    expect(&place.verify(&own, &image.name)?, "verified", "")?;
    expect(&place.verify(&["--key", "other.pub"], &image.name)?, "untrusted-key", "")?;
    let bundled = place.image("cosign/bundled:1", "two")?;
    place.cosign_bundle("other.key", &bundled)?;
    expect(&place.verify(&own, &bundled.name)?, "untrusted-key", "")?;
    place.cosign_bundle("own.key", &bundled)?;
    expect(&place.verify(&own, &bundled.name)?, "verified", "")?;
    // A signature binds bytes, not a tag.
    let moved = place.image("cosign/app:1", "three")?;
    expect(&place.verify(&own, &moved.name)?, "unsigned", "no signature")?;
    let by_digest = format!("{}/cosign/app@{}", place.registry.authority, image.digest);
    expect(&place.verify(&own, &by_digest)?, "verified", "")?;
    place.alter("cosign container image signature")?;
    expect(&place.verify(&own, &by_digest)?, "bad-signature", "another digest")?;
    let Place { registry, folder } = place;
    let authority = registry.authority.clone();
    drop(registry);
    let gone = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args([
            "verify",
            "--format",
            "json",
            "--key",
            "own.pub",
            &format!("registry:{authority}/cosign/app:1"),
        ])
        .current_dir(folder.path())
        .env("DOCKER_CONFIG", "/nonexistent")
        .output();
    expect(&subject(&gone.map_err(|error| error.to_string())?)?, "unavailable", "")
}

fn notation() -> Result<(), String> {
    let place = Place::new()?;
    let how = ["--notation"];
    place.trust("ca.crt")?;
    let image = place.image("notation/app:1", "one")?;
    expect(&place.verify(&how, &image.name)?, "unsigned", "no signature")?;
    place.notation(&image)?;
    let found = place.verify(&how, &image.name)?;
    expect(&found, "verified", "")?;
    if found["vouchers"][0]["signers"][0] != "C=DE, ST=Berlin, O=plimsoll test, CN=signer" {
        return Err(format!("who signed is not told: {found:#}"));
    }
    place.trust("other-ca.crt")?;
    expect(&place.verify(&how, &image.name)?, "untrusted-key", "root")?;
    place.trust("ca.crt")?;
    place.alter("\"x5c\"")?;
    expect(&place.verify(&how, &image.name)?, "bad-signature", "another digest")
}

/// Several signers over one image, and a tag that goes back.
fn policy() -> Result<(), String> {
    let place = Place::new()?;
    place.trust("ca.crt")?;
    let registry = &place.registry.authority;
    let policy = format!(
        "[[trust]]\nrepository = \"{registry}/shop/*\"\nrollback-guard = true\nmax-age-days = 30\n\
         [[trust.signers]]\nmethod = \"cosign\"\nkeys = [\"own.pub\"]\n[[trust.signers]]\nmethod = \"notation\"\n\
         [[trust]]\nrepository = \"{registry}/shop/any\"\nrequire = \"any\"\n\
         [[trust.signers]]\nmethod = \"notation\"\n[[trust.signers]]\nmethod = \"cosign\"\nkeys = [\"own.pub\"]\n"
    );
    place.write("plimsoll.toml", policy.as_bytes())?;
    let any = place.image("shop/any:1", "any")?;
    place.cosign_simple("own.key", &any)?;
    expect(&place.verify(&[], &any.name)?, "verified", "")?;
    let first = place.image("shop/app:1", "first")?;
    place.cosign_simple("own.key", &first)?;
    expect(&place.verify(&[], &first.name)?, "unsigned", "notation: there is no signature")?;
    place.notation(&first)?;
    expect(&place.verify(&[], &first.name)?, "verified", "")?;
    expect(&place.verify(&[], &format!("{registry}/other:1"))?, "denied", "no [[trust]]")?;
    // Times of signatures have seconds.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let second = place.image("shop/app:1", "second")?;
    place.cosign_simple("own.key", &second)?;
    place.notation(&second)?;
    expect(&place.verify(&[], &second.name)?, "verified", "")?;
    // The tag names the first image again, as it was.
    let kind = "application/vnd.docker.distribution.manifest.v2+json";
    let url = place.url("shop/app", &format!("manifests/{}", first.digest));
    let bytes = curl(&["-H", &format!("Accept: {kind}"), &url], None)?;
    let tag = place.url("shop/app", "manifests/1");
    curl(&["-X", "PUT", "-H", &format!("Content-Type: {kind}"), &tag], Some(&bytes))?;
    expect(&place.verify(&[], &first.name)?, "stale", &second.digest.to_string())
}

/// Statements that are demanded of an image.
fn attestations() -> Result<(), String> {
    let place = Place::new()?;
    let policy = format!(
        "[[trust]]\nrepository = \"{}/*\"\nattestations = [\"sbom\"]\n\
         [[trust.signers]]\nmethod = \"cosign\"\nkeys = [\"own.pub\"]\n",
        place.registry.authority
    );
    place.write("plimsoll.toml", policy.as_bytes())?;
    let image = place.image("attested/app:1", "one")?;
    place.cosign_simple("own.key", &image)?;
    expect(&place.verify(&[], &image.name)?, "unsigned", "attestation sbom: there is none")?;
    place.cosign_attest("other.key", &image, "https://cyclonedx.org/bom")?;
    expect(&place.verify(&[], &image.name)?, "untrusted-key", "attestation sbom: signature sha256:")?;
    place.cosign_attest("own.key", &image, "https://cyclonedx.org/bom")?;
    let found = place.verify(&[], &image.name)?;
    expect(&found, "verified", "")?;
    match found["attestations"][0]["fulfils"] == json!(["sbom"]) {
        true => Ok(()),
        false => Err(format!("which demand it fulfils is not told: {found:#}")),
    }
}
