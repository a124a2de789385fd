//! What ends an attack path, as the audit says it: each cut is applied to a container made anew, and there the path is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::docker::{self, BASE, LABEL, docker};
use crate::scene::{Test, plimsoll};

/// Something that listens, and waits.
pub(crate) const SERVER: [&str; 4] = [
    "perl",
    "-MIO::Socket::INET",
    "-e",
    "$s = IO::Socket::INET->new(Listen => 5, LocalPort => 8080) or die; sleep 900",
];
const PUBLISHED: [&str; 2] = ["-p", "8080"];

/// Container, options that open a path, and what the path goes through.
const PATHS: [(&str, &[&str], &str); 7] = [
    ("socket", &["-v", "/var/run/docker.sock:/run/engine.sock"], "engine-socket"),
    ("etc", &["-v", "/etc:/host-etc"], "host-files"),
    ("disks", &["--device-cgroup-rule", "b *:* rwm"], "host-disks"),
    ("handles", &["--cap-add", "DAC_READ_SEARCH"], "file-handles"),
    ("processes", &["--cap-add", "SYS_PTRACE", "--pid", "host"], "host-processes"),
    ("admin", &["--cap-add", "SYS_ADMIN"], "release-agent"),
    ("unconfined", &["--cap-add", "SYS_ADMIN", "--security-opt", "seccomp=unconfined"], "release-agent"),
];
/// Kinds of cuts that have to be tried at least.
const KINDS: usize = 7;

/// The flaw of a package that the records tell of.
pub(crate) const FLAW: &str = "CVE-2021-44228";
/// That it is exploited, as CISA's catalogue says it.
const CATALOGUE: &str = r#"{"title":"CISA Catalog of Known Exploited Vulnerabilities","catalogVersion":"2026.01.01",
"dateReleased":"2026-01-01T00:00:00.0000Z","count":1,"vulnerabilities":[{"cveID":"CVE-2021-44228",
"vendorProject":"Test","product":"Test","vulnerabilityName":"Test","dateAdded":"2021-12-10",
"shortDescription":"Test","requiredAction":"Test","dueDate":"2021-12-24","notes":""}]}"#;

pub(crate) fn tests() -> impl Iterator<Item = Test> {
    let host = Test::new("cuts_end_the_paths_to_the_host_that_they_are_said_to", to_the_host);
    [host, Test::new("cuts_end_the_path_to_a_neighbour_with_an_exploited_flaw", to_a_neighbour)].into_iter()
}

/// How a container is made.
#[derive(Clone)]
struct Recipe {
    options: Vec<String>,
    image: String,
}

impl Recipe {
    fn new(options: &[&str], image: &str) -> Self {
        Self { options: options.iter().map(|option| (*option).to_owned()).collect(), image: image.to_owned() }
    }

    fn run(&self, name: &str) -> Result<String, String> {
        let options: Vec<&str> = self.options.iter().map(String::as_str).collect();
        docker::run(name, &options, &self.image, &SERVER)
    }

    /// The recipe with a change as the audit words it, and the kind of the change.
    fn changed(&self, change: &str) -> Result<(Self, String), String> {
        let mut new = self.clone();
        let kind = if let Some(target) = change.strip_prefix("without the mount at ") {
            new.leave_out(|_, value| value.split(':').nth(1) == Some(target))?;
            "mount left out".to_owned()
        } else if let Some(target) = between(change, "the mount at ", " read-only") {
            let of_it = |option: &&mut String| option.split(':').nth(1) == Some(target);
            let mount = new.options.iter_mut().find(of_it).ok_or("no such mount")?;
            mount.push_str(":ro");
            "mount read-only".to_owned()
        } else if let Some(port) = change.strip_prefix("without publishing port ") {
            new.leave_out(|option, value| option == "-p" && value == port)?;
            "port not published".to_owned()
        } else if let Some(options) = change.strip_prefix("without ") {
            let words = words(options);
            for pair in words.chunks(2) {
                new.leave_out(|option, value| option == pair[0] && pair.get(1).is_none_or(|it| it == value))?;
            }
            format!("without {}", words[0])
        } else if change.starts_with("--") {
            new.options.extend(words(change));
            words(change)[0].clone()
        } else {
            return Err(format!("nobody knows how to do this: {change}"));
        };
        Ok((new, kind))
    }

    /// Leaves out one option and its value.
    fn leave_out(&mut self, wanted: impl Fn(&str, &str) -> bool) -> Result<(), String> {
        let at = self.options.windows(2).position(|pair| wanted(&pair[0], &pair[1]));
        let at = at.ok_or_else(|| format!("no such option: {:?}", self.options))?;
        self.options.drain(at..at + 2);
        Ok(())
    }
}

/// Words as a shell splits them, where only single quotes are used.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (number, part) in text.split('\'').enumerate() {
        match number % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    text.strip_prefix(before)?.strip_suffix(after)
}

fn name(of: &str) -> String {
    format!("plt-cuts-{}-{of}", std::process::id())
}

/// Attack paths by the container that they end in and what they go through, with the changes of this container that end them.
type Paths = BTreeMap<(String, String), Vec<String>>;

fn audit(options: &[&str]) -> Result<Paths, String> {
    let output = plimsoll(&[&["audit", "--format", "json", "--host", docker::SOCKET], options].concat())?;
    let document: Value = serde_json::from_str(&output).map_err(|error| error.to_string())?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut paths = Paths::new();
    for path in document["attack_paths"].as_array().ok_or("no attack paths")? {
        let cuts = path["cuts"].as_array().into_iter().flatten();
        let own = cuts.filter(|cut| cut["container"] == path["container"] && cut["assumed_left"] == false);
        let changes = own.map(|cut| text(&cut["change"])).collect();
        paths.insert((text(&path["container"]), text(&path["boundary"])), changes);
    }
    Ok(paths)
}

fn to_the_host() -> Result<(), String> {
    let recipes: BTreeMap<String, (Recipe, &str)> = PATHS
        .iter()
        .map(|(of, options, through)| {
            (name(of), (Recipe::new(&[&PUBLISHED, *options].concat(), BASE), *through))
        })
        .collect();
    for (name, (recipe, _)) in &recipes {
        recipe.run(name)?;
    }
    let before = audit(&[])?;
    let (mut made, mut kinds) = (Vec::new(), BTreeSet::new());
    for (name, (recipe, through)) in &recipes {
        let key = (name.clone(), (*through).to_owned());
        let cuts = before.get(&key).ok_or_else(|| format!("no path by {key:?}: {:#?}", before.keys()))?;
        if cuts.is_empty() {
            return Err(format!("nothing is said to end the path by {key:?}"));
        }
        for (number, change) in cuts.iter().enumerate() {
            let (changed, kind) = recipe.changed(change)?;
            kinds.insert(kind);
            let anew = format!("{name}-{number}");
            changed.run(&anew).map_err(|error| format!("{change}: {error}"))?;
            made.push((anew, (*through).to_owned(), change));
        }
    }
    let after = audit(&[])?;
    let still = made.iter().filter(|(name, through, _)| after.contains_key(&(name.clone(), through.clone())));
    let still: Vec<String> =
        still.map(|(name, through, change)| format!("{name}: {through} after {change}")).collect();
    match still.is_empty() && kinds.len() >= KINDS {
        true => Ok(()),
        false => Err(format!("still there: {still:#?}; kinds that were tried: {kinds:?}")),
    }
}

/// A front that is published, and a database behind it whose package has an exploited flaw.
fn to_a_neighbour() -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let database = advisories(folder.path(), "perl")?;
    let (network, image) = (name("net"), format!("plimsoll-test/cuts:{}", std::process::id()));
    docker(&["network", "create", "--label", LABEL, &network])?;
    Recipe::new(&["--network", &network, "-p", "8080"], BASE).run(&name("front"))?;
    let behind = Recipe::new(&["--network", &network], BASE);
    behind.run(&name("db"))?;
    let options = ["--db", &database];
    let through = |of: &str| (name(of), FLAW.to_owned());
    let before = audit(&options)?;
    let cuts = before.get(&through("db")).ok_or_else(|| format!("no path: {:#?}", before.keys()))?;
    let change = cuts.iter().find_map(|cut| between(cut, "build its image anew with ", " or later"));
    let (package, version) = change.and_then(|it| it.split_once(' ')).ok_or_else(|| format!("{cuts:#?}"))?;
    build(&image, package, version)?;
    Recipe { image, ..behind }.run(&name("db-anew"))?;
    let after = audit(&options)?;
    match (after.contains_key(&through("db")), after.contains_key(&through("db-anew"))) {
        (true, false) => Ok(()),
        seen => Err(format!("the old and the new container's paths: {seen:?}")),
    }
}

/// Makes a folder of advisories below this one. They tell of a flaw of a source package of Debian's, which somebody on the
/// network exploits.
pub(crate) fn advisories(folder: &Path, package: &str) -> Result<String, String> {
    let write = |file: &str, text: &str| {
        let path = folder.join(file);
        fs::write(&path, text).map_err(|error| error.to_string()).map(|()| path.display().to_string())
    };
    let record = format!(
        r#"{{"schema_version":"1.6.0","id":"DEBIAN-{FLAW}","modified":"2026-01-01T00:00:00Z",
        "published":"2021-12-10T00:00:00Z","upstream":["{FLAW}"],"details":"A flaw for a test.",
        "severity":[{{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"}}],
        "affected":[{{"package":{{"ecosystem":"Debian:12","name":"{package}"}},"ranges":[{{"type":"ECOSYSTEM",
        "events":[{{"introduced":"0"}},{{"fixed":"9:99.0-1"}}]}}]}}]}}"#
    );
    let record = write(&format!("DEBIAN-{FLAW}.json"), &record)?;
    let catalogue = write("known_exploited_vulnerabilities.json", CATALOGUE)?;
    let database = folder.join(format!("db-{package}")).display().to_string();
    plimsoll(&["db", "--db", &database, "import", &record, &catalogue])?;
    Ok(database)
}

/// The base image with another version of a package, as far as its database says.
fn build(image: &str, package: &str, version: &str) -> Result<(), String> {
    let edit = format!(
        r#"RUN perl -0pi -e 's/(\nPackage: {package}(?:-\w+)*\n(?:(?!\n\n).)*?\nVersion: )[^\n]+/${{1}}{version}/sg; s/(\nPackage: (?:(?!\n\n).)*?\nSource: {package}[^\n]*(?:(?!\n\n).)*?\nVersion: )[^\n]+/${{1}}{version}/sg' /var/lib/dpkg/status"#
    );
    let dockerfile = format!("FROM {BASE}\nLABEL {LABEL}=1\n{edit}\n");
    let mut build = Command::new("docker")
        .args(["build", "-q", "-t", image, "-"])
        .env("DOCKER_BUILDKIT", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut input = build.stdin.take().ok_or("no input")?;
    std::io::Write::write_all(&mut input, dockerfile.as_bytes()).map_err(|error| error.to_string())?;
    drop(input);
    docker::text(build.wait_with_output().map_err(|error| error.to_string())?).map(drop)
}
