//! What a verification of signed images costs beside notary's and docker's own clients, in the same run.

#[path = "../../tests/live/docker_registry.rs"]
#[expect(dead_code, reason = "helpers of live tests, of which a part is needed")]
mod docker_registry;
#[path = "../../tests/live/notary_servers.rs"]
#[expect(dead_code, reason = "helpers of live tests, of which a part is needed")]
mod notary_servers;

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, ensure};
use docker_registry::DockerRegistry;
use notary_servers::NotaryServers;

use crate::bench::say;
use crate::cost::{Cost, cost};

const REPOSITORIES: usize = 20;
const TAGS: usize = 5;

/// Signs 100 tags of 20 repositories on loopback with the docker client, then verifies them.
pub(crate) fn run(repository: &Path, docker: &Path, image: &str) -> Result<()> {
    let plimsoll = repository.join("target/release/plimsoll");
    ensure!(plimsoll.exists(), "no {}: cargo build --release", plimsoll.display());
    let servers = NotaryServers::start().map_err(|error| anyhow!(error))?;
    let registry = DockerRegistry::start(None).map_err(|error| anyhow!(error))?;
    let guns: Vec<_> =
        (0..REPOSITORIES).map(|number| format!("{}/bench/app{number}", registry.authority)).collect();
    let images: Vec<_> =
        guns.iter().flat_map(|gun| (0..TAGS).map(move |tag| (gun.clone(), tag.to_string()))).collect();
    for (gun, tag) in &images {
        sign(&servers, docker, image, &format!("{gun}:{tag}"))?;
    }
    let verify = |count: usize, first_use: bool| {
        let mut command = Command::new(&plimsoll);
        // Where authorities are is not told by variables on an ordinary host: the distribution's bundle counts.
        command.env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
        command.args(["verify", "--format", "json"]).args(first_use.then_some("--trust-on-first-use"));
        command.args(images.iter().take(count).map(|(gun, tag)| format!("registry:{gun}:{tag}")));
        servers.prepare(&mut command, &servers.url()).env("PLIMSOLL_TRUST", servers.dir().join("plimsoll"));
        command
    };
    let status = verify(images.len(), true).stdout(Stdio::null()).status()?;
    ensure!(status.success(), "not every image was verified: {status}");
    say("                                               wall       CPU");
    report("plimsoll verify, 1 image, warm", &cost(&mut verify(1, false), 20)?);
    let all = cost(&mut verify(images.len(), false), 5)?;
    report("plimsoll verify, 100 images, warm", &all);
    let notary = peer(&servers, &images, "notary -c \"$CLIENT\" lookup \"$1\" \"$2\"", docker)?;
    report("notary lookup, 100 images, warm", &notary);
    let inspect = peer(&servers, &images, "\"$DOCKER\" trust inspect \"$1:$2\"", docker)?;
    report("docker trust inspect, 100 images, warm", &inspect);
    for (name, peer) in [("notary lookup", &notary), ("docker trust inspect", &inspect)] {
        say(&format!(
            "{name}: {:.1} times the time, {:.1} times the CPU",
            peer.wall / all.wall,
            peer.cpu / all.cpu
        ));
    }
    Ok(())
}

fn sign(servers: &NotaryServers, docker: &Path, image: &str, name: &str) -> Result<()> {
    let run = |arguments: &[&str], trust: &str| -> Result<()> {
        let mut command = Command::new(docker);
        command.args(arguments).env("DOCKER_CONTENT_TRUST", trust);
        let output = servers.prepare(&mut command, &servers.url()).output().context("docker")?;
        ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    };
    run(&["tag", image, name], "0")?;
    let signed = run(&["push", name], "1");
    run(&["rmi", name], "0")?;
    signed
}

/// One process for each image, one after the other: neither client takes several.
fn peer(servers: &NotaryServers, images: &[(String, String)], command: &str, docker: &Path) -> Result<Cost> {
    let script = format!("while [ $# -gt 0 ]; do {command} > /dev/null; shift 2; done");
    let mut all = Command::new("sh");
    all.args(["-ec", &script, "sh"]).args(images.iter().flat_map(|(gun, tag)| [gun, tag]));
    all.env("CLIENT", servers.dir().join("client.json")).env("DOCKER", docker);
    servers.prepare(&mut all, &servers.url());
    cost(&mut all, 2)
}

fn report(what: &str, cost: &Cost) {
    say(&format!("{what:<40} {:>7.1} ms {:>6.1} ms", cost.wall * 1000.0, cost.cpu * 1000.0));
}
