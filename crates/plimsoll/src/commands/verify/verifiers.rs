//! Who is asked: whom the command line names, else whom the policy demands, else Docker Content Trust by its pins.

use std::collections::BTreeMap;
use std::env;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use jiff::SignedDuration;
use plimsoll_facts::{Authenticity, TrustOutcome};
use plimsoll_policy::{Method, Policy, Require, TrustRule};
use plimsoll_trust::{
    ContentTrust, Cosign, CosignKey, Demands, Image, Notation, Requirement, Settings, Store, Verifier,
};

use super::keyless;
use crate::cli::VerifyArgs;
use crate::commands::{judge, trust};
use crate::exit::Usage;

/// The largest file of a public key that is read, in bytes.
const LARGEST_KEY: u64 = 64 << 10;

/// Says of an image who vouches for it.
pub(super) type Judge = dyn Fn(&Image) -> Authenticity + Sync;

/// Whoever is to be asked.
///
/// # Errors
/// When the policy, or a file that it or the command line names, cannot be used.
pub(super) fn of(args: &VerifyArgs, settings: Settings) -> Result<Box<Judge>> {
    if args.notation {
        let notation = notation(None, &settings)?;
        return Ok(Box::new(move |image| notation.judge(image)));
    }
    if let Some(root) = &args.trusted_root {
        let keyless = keyless::of_arguments(args, root, settings.now)?;
        return Ok(by_cosign(Cosign::keyless(keyless, settings.registry), args.attestations));
    }
    if !args.key.is_empty() {
        return Ok(by_cosign(cosign(&args.key, &settings)?, args.attestations));
    }
    by(judge::policy(args.policy.as_deref())?, trust::store(args.trust.as_deref()), settings)
}

fn by_cosign(cosign: Cosign, attestations: bool) -> Box<Judge> {
    match attestations {
        true => Box::new(move |image| cosign.judge_with_attestations(image)),
        false => Box::new(move |image| cosign.judge(image)),
    }
}

/// Whomever the policy demands, else Docker Content Trust.
///
/// # Errors
/// When a file that the policy names, or the store, cannot be used.
pub(super) fn by(policy: Policy, store: Store, settings: Settings) -> Result<Box<Judge>> {
    if policy.trust.is_empty() {
        let content_trust = content_trust(store, settings)?;
        return Ok(Box::new(move |image| content_trust.judge(image)));
    }
    let requirement = |rule: &TrustRule| Ok((rule.place.clone(), requirement(rule, &store, &settings)?));
    let requirements: BTreeMap<_, _> = policy.trust.iter().map(requirement).collect::<Result<_>>()?;
    Ok(Box::new(move |image| by_policy(image, &policy, &requirements)))
}

fn by_policy(
    image: &Image,
    policy: &Policy,
    requirements: &BTreeMap<plimsoll_policy::Place, Requirement>,
) -> Authenticity {
    let rule = policy.trust_of(&format!("{}/{}", image.name.registry(), image.name.repository()));
    match rule.and_then(|rule| Some((rule, requirements.get(&rule.place)?))) {
        Some((rule, requirement)) => {
            Authenticity { policy: Some(rule.place.to_string()), ..requirement.judge(image) }
        }
        None => Authenticity {
            reference: image.name.to_string(),
            outcome: TrustOutcome::Denied,
            reason: format!("no [[trust]] of {} covers its repository", policy.name),
            policy: Some(policy.name.clone()),
            ..Authenticity::default()
        },
    }
}

fn requirement(rule: &TrustRule, store: &Store, settings: &Settings) -> Result<Requirement> {
    let signers = rule.signers.iter().map(|method| verifier(method, store, settings));
    Ok(Requirement {
        signers: signers.collect::<Result<_>>().with_context(|| rule.place.to_string())?,
        all: rule.require == Require::All,
        digest_only: rule.digest_only,
        max_age: rule.max_age_days.map(|days| SignedDuration::from_hours(24 * i64::from(days))),
        demands: Demands { attestations: rule.attestations.clone(), builder: rule.builder.clone() },
        guard: rule.rollback_guard.then(|| store.clone()),
        registry: settings.registry.clone(),
        now: settings.now,
    })
}

fn verifier(method: &Method, store: &Store, settings: &Settings) -> Result<Box<dyn Verifier>> {
    Ok(match method {
        Method::ContentTrust { pins, first_use } => {
            let first_use = *first_use || settings.first_use;
            let settings = Settings { pins: pins.clone(), first_use, ..settings.clone() };
            Box::new(content_trust(store.clone(), settings)?)
        }
        Method::Cosign { keys } => Box::new(cosign(keys, settings)?),
        Method::Keyless { identity, issuer, trusted_root } => {
            let keyless = keyless::of_policy(trusted_root, identity, issuer, settings.now)?;
            Box::new(Cosign::keyless(keyless, settings.registry.clone()))
        }
        Method::Notation { directory } => Box::new(notation(directory.clone(), settings)?),
    })
}

fn content_trust(store: Store, settings: Settings) -> Result<ContentTrust> {
    ContentTrust::new(store, settings).context("reading what is trusted")
}

fn cosign(keys: &[PathBuf], settings: &Settings) -> Result<Cosign> {
    let keys = keys.iter().map(|path| key(path)).collect::<Result<_>>()?;
    Ok(Cosign::new(keys, settings.registry.clone()))
}

fn key(path: &Path) -> Result<CosignKey> {
    let shown = path.display().to_string();
    let text = read(path, LARGEST_KEY)?;
    Ok(CosignKey::from_pem(&shown, &text).map_err(|error| Usage(format!("{shown}: {error}")))?)
}

/// A small file that was named.
pub(super) fn read(path: &Path, largest: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(largest).read_to_end(&mut bytes));
    read.with_context(|| format!("reading {}", path.display()))?;
    Ok(bytes)
}

fn notation(directory: Option<PathBuf>, settings: &Settings) -> Result<Notation> {
    let own = || user_directory("XDG_CONFIG_HOME", ".config").map(|config| config.join("notation"));
    let directory = directory
        .or_else(own)
        .context("neither XDG_CONFIG_HOME nor HOME says where Notation's configuration is")?;
    let cache = user_directory("XDG_CACHE_HOME", ".cache").map(|cache| cache.join("notation/crl"));
    let notation = Notation::open(directory, cache, settings.registry.clone(), settings.now);
    notation.map_err(|why| anyhow!(why)).context("reading whom Notation trusts")
}

/// A directory of the user: what a variable names, else one of their home (XDG Base Directory Specification).
fn user_directory(variable: &str, of_home: &str) -> Option<PathBuf> {
    let named = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    named(variable).or_else(|| named("HOME").map(|home| home.join(of_home)))
}
