//! `plimsoll verify`.

mod keyless;
mod subjects;

use std::collections::BTreeMap;
use std::env;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, anyhow};
use jiff::Timestamp;
use plimsoll_collect::engine::{DEFAULT_SOCKET, DockerEnvironment, Endpoint, Names, names};
use plimsoll_facts::Authenticity;
use plimsoll_report::verify::{Verification, VerifiedSubject, json, sarif, terminal};
use plimsoll_rootdir::RootDir;
use plimsoll_trust::{ContentTrust, Cosign, CosignKey, Image, Notation, Settings};

use self::subjects::{Question, Subject};
use crate::cli::{VerifyArgs, VerifyFormat};
use crate::commands::{look, registry, trust};
use crate::exit::Usage;
use crate::progress::Progress;
use crate::{Exit, output};

/// The largest file of a public key that is read, in bytes.
const LARGEST_KEY: u64 = 64 << 10;
/// Servers that are asked at a time: they are waited for, not computed with.
const AT_A_TIME: usize = 8;

/// Verifies what is named.
pub(crate) fn run(args: &VerifyArgs) -> Result<Exit> {
    let engine = engine_names(args);
    let subjects = match (args.all, engine) {
        (true, engine) => subjects::all(&engine.map_err(|error| anyhow!(error))?),
        (false, engine) => {
            args.images.iter().map(|name| subjects::named(name, engine.as_ref())).collect::<Result<_>>()?
        }
    };
    let now = Timestamp::now();
    let judge = verifier(args, settings(args, now))?;
    let verification = Verification::new(now.to_string(), ask(&*judge, subjects));
    output::with(args.output.as_deref(), |out| write(&verification, args, out))?;
    Ok(Exit::Done { findings: verification.has_findings(), unknown: verification.has_unknown() })
}

/// Says of an image who vouches for it.
type Verifier = dyn Fn(&Image) -> Authenticity + Sync;

fn verifier(args: &VerifyArgs, settings: Settings) -> Result<Box<Verifier>> {
    if args.notation {
        let notation = Notation::open(notation_directory()?, settings.registry, settings.now);
        let notation = notation.map_err(|why| anyhow!(why)).context("reading whom Notation trusts")?;
        return Ok(Box::new(move |image| notation.judge(image)));
    }
    if let Some(root) = &args.trusted_root {
        let keyless = keyless::keyless(args, root, settings.now)?;
        return Ok(by_cosign(Cosign::keyless(keyless, settings.registry), args.attestations));
    }
    if args.key.is_empty() {
        let store = trust::store(args.trust.as_deref());
        let content_trust = ContentTrust::new(store, settings).context("reading what is trusted")?;
        return Ok(Box::new(move |image| content_trust.judge(image)));
    }
    let keys = args.key.iter().map(|path| key(path)).collect::<Result<_>>()?;
    Ok(by_cosign(Cosign::new(keys, settings.registry), args.attestations))
}

fn by_cosign(cosign: Cosign, attestations: bool) -> Box<Verifier> {
    match attestations {
        true => Box::new(move |image| cosign.judge_with_attestations(image)),
        false => Box::new(move |image| cosign.judge(image)),
    }
}

/// Where Notation keeps its configuration.
fn notation_directory() -> Result<PathBuf> {
    let named = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let config = named("XDG_CONFIG_HOME").or_else(|| named("HOME").map(|home| home.join(".config")));
    Ok(config
        .context("neither XDG_CONFIG_HOME nor HOME says where Notation's configuration is")?
        .join("notation"))
}

fn key(path: &Path) -> Result<CosignKey> {
    let shown = path.display().to_string();
    let text = read(path, LARGEST_KEY)?;
    Ok(CosignKey::from_pem(&shown, &text).map_err(|error| Usage(format!("{shown}: {error}")))?)
}

/// A small file that was named.
fn read(path: &Path, largest: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(largest).read_to_end(&mut bytes));
    read.with_context(|| format!("reading {}", path.display()))?;
    Ok(bytes)
}

/// What the engine has, or why that is not known.
fn engine_names(args: &VerifyArgs) -> Result<Names, String> {
    let endpoint = look::endpoints(&args.host).map_err(|error| crate::describe(&error))?.into_iter().next();
    let endpoint = endpoint.unwrap_or_else(|| Endpoint::Unix(PathBuf::from(DEFAULT_SOCKET)));
    let root = RootDir::open("/").map_err(|error| error.to_string())?;
    names(&root, &endpoint)
}

/// Servers, certificates and credentials as docker's own client has them.
fn settings(args: &VerifyArgs, now: Timestamp) -> Settings {
    let environment = DockerEnvironment::of_this_process();
    Settings {
        now,
        first_use: args.trust_on_first_use,
        offline: args.offline,
        server: environment.content_trust_server().map(str::to_owned),
        authorities: environment.config_dir().unwrap_or_default().join("tls"),
        registry: registry::options(&args.plain_http),
    }
}

/// Answers every question, one repository after the other in several threads.
fn ask(judge: &Verifier, subjects: Vec<Subject>) -> Vec<VerifiedSubject> {
    let progress = Mutex::new(Progress::new());
    let mut by_repository: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (number, subject) in subjects.iter().enumerate() {
        if let Question::Open(image) = &subject.question {
            let repository = format!("{}/{}", image.name.registry(), image.name.repository());
            by_repository.entry(repository).or_default().push(number);
        }
    }
    let work: Vec<_> = by_repository.into_iter().collect();
    let next = AtomicUsize::new(0);
    let answers = Mutex::new(BTreeMap::new());
    let run = || {
        while let Some((repository, numbers)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
            progress.lock().unwrap_or_else(PoisonError::into_inner).tell(repository);
            for number in numbers {
                let Some(Subject { question: Question::Open(image), .. }) = subjects.get(*number) else {
                    continue;
                };
                let answer = judge(image);
                answers.lock().unwrap_or_else(PoisonError::into_inner).insert(*number, answer);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..work.len().min(AT_A_TIME) {
            scope.spawn(run);
        }
    });
    let mut answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
    let answered = |(number, subject): (usize, Subject)| VerifiedSubject {
        kind: subject.kind,
        name: subject.name,
        authenticity: match subject.question {
            Question::Answered(authenticity) => authenticity,
            Question::Open(_) => answers.remove(&number).unwrap_or_default(),
        },
    };
    subjects.into_iter().enumerate().map(answered).collect()
}

fn write(verification: &Verification, args: &VerifyArgs, out: &mut dyn Write) -> io::Result<()> {
    match args.format {
        VerifyFormat::Terminal => {
            terminal::write(verification, &output::terminal_options(false, args.output.as_deref()), out)
        }
        VerifyFormat::Json => json::write(verification, out),
        VerifyFormat::Sarif => sarif::write(verification, out),
    }
}
