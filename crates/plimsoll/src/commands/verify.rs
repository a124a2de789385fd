//! `plimsoll verify`.

mod images;
mod keyless;
mod subjects;
mod verifiers;

use std::collections::BTreeMap;
use std::env;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Result, anyhow};
use jiff::Timestamp;
use plimsoll_collect::compose::{self, ComposeError, Service};
use plimsoll_collect::engine::{DEFAULT_SOCKET, DockerEnvironment, Endpoint, Names, names};
use plimsoll_registry::Options;
use plimsoll_report::verify::{Verification, VerifiedSubject, json, sarif, terminal};
use plimsoll_rootdir::RootDir;
use plimsoll_trust::Settings;

pub(super) use images::vouch;

use self::subjects::{Question, Subject};
use crate::cli::{VerifyArgs, VerifyFormat};
use crate::commands::{look, registry};
use crate::exit::Usage;
use crate::progress::Progress;
use crate::{Exit, output};

/// Servers that are asked at a time: they are waited for, not computed with.
const AT_A_TIME: usize = 8;

/// Verifies what is named.
pub(crate) fn run(args: &VerifyArgs) -> Result<Exit> {
    let is_elsewhere =
        args.compose.is_empty() && args.images.iter().all(|name| subjects::is_of_registry(name));
    let engine = match is_elsewhere && !args.all {
        true => Err("the engine was not asked".to_owned()),
        false => engine_names(args),
    };
    let subjects = match (args.all, engine) {
        (true, engine) => subjects::all(&engine.map_err(|error| anyhow!(error))?),
        (false, engine) => {
            let named = args.images.iter().map(|name| subjects::named(name, engine.as_ref()));
            let services = services(&args.compose)?.into_iter();
            let services = services.map(|service| Ok(subjects::of_service(service, engine.as_ref().ok())));
            named.chain(services).collect::<Result<_>>()?
        }
    };
    let now = Timestamp::now();
    let settings = Settings {
        first_use: args.trust_on_first_use,
        registry: Options { offline: args.offline, ..registry::options(&args.plain_http) },
        ..settings(now)
    };
    let judge = verifiers::of(args, settings)?;
    let verification = Verification::new(now.to_string(), ask(&*judge, subjects));
    output::with(args.output.as_deref(), |out| write(&verification, args, out))?;
    Ok(Exit::Done { findings: verification.has_findings(), unknown: verification.has_unknown() })
}

/// The services of compose files.
fn services(paths: &[PathBuf]) -> Result<Vec<Service>> {
    let environment = |name: &str| env::var(name).ok();
    compose::services(paths, &environment).map_err(|error| match error {
        ComposeError::Read { .. } => error.into(),
        ComposeError::Content { .. } => Usage(error.to_string()).into(),
    })
}

/// What the engine has, or why that is not known.
fn engine_names(args: &VerifyArgs) -> Result<Names, String> {
    let endpoint = look::endpoints(&args.host).map_err(|error| crate::describe(&error))?.into_iter().next();
    let endpoint = endpoint.unwrap_or_else(|| Endpoint::Unix(PathBuf::from(DEFAULT_SOCKET)));
    let root = RootDir::open("/").map_err(|error| error.to_string())?;
    names(&root, &endpoint)
}

/// Servers, certificates and credentials as docker's own client has them.
fn settings(now: Timestamp) -> Settings {
    let environment = DockerEnvironment::of_this_process();
    Settings {
        now,
        first_use: false,
        pins: Vec::new(),
        server: environment.content_trust_server().map(str::to_owned),
        authorities: environment.config_dir().unwrap_or_default().join("tls"),
        registry: registry::options(&[]),
    }
}

/// Answers every question, one repository after the other in several threads.
fn ask(judge: &verifiers::Judge, subjects: Vec<Subject>) -> Vec<VerifiedSubject> {
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
        for _ in 1..work.len().min(AT_A_TIME) {
            scope.spawn(run);
        }
        run();
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
