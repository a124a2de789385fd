//! Whom `plimsoll verify` trusts by certificates.

use std::path::Path;

use anyhow::Result;
use jiff::Timestamp;
use plimsoll_trust::{Identity, Keyless, TrustedRoot};

use super::verifiers::read;
use crate::cli::VerifyArgs;
use crate::exit::Usage;

/// The largest trusted root that is read, in bytes.
const LARGEST_ROOT: u64 = 1 << 20;

/// The verifier that the command line asks for.
pub(super) fn of_arguments(args: &VerifyArgs, root: &Path, now: Timestamp) -> Result<Keyless> {
    let issuer = args.certificate_oidc_issuer.as_deref().unwrap_or_default();
    let identity = match (&args.certificate_identity, &args.certificate_identity_regexp) {
        (_, Some(expression)) => Identity::like(expression, issuer),
        (name, None) => Identity::exact(name.as_deref().unwrap_or_default(), issuer),
    };
    keyless(root, identity.map_err(|error| Usage(error.to_string()))?, now)
}

/// The verifier that a policy demands.
pub(super) fn of_policy(root: &Path, identity: &str, issuer: &str, now: Timestamp) -> Result<Keyless> {
    keyless(root, Identity::exact(identity, issuer).map_err(|error| Usage(error.to_string()))?, now)
}

fn keyless(root: &Path, identity: Identity, now: Timestamp) -> Result<Keyless> {
    let trusted = TrustedRoot::parse(&read(root, LARGEST_ROOT)?)
        .map_err(|error| Usage(format!("{}: {error}", root.display())))?;
    Ok(Keyless::new(trusted, vec![identity], now))
}
