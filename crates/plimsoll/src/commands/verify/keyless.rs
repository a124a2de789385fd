//! Whom `plimsoll verify` trusts by certificates.

use std::path::Path;

use anyhow::Result;
use jiff::Timestamp;
use plimsoll_trust::{Identity, Keyless, TrustedRoot};

use super::read;
use crate::cli::VerifyArgs;
use crate::exit::Usage;

/// The largest trusted root that is read, in bytes.
const LARGEST_ROOT: u64 = 1 << 20;

/// The verifier that the command line asks for.
pub(super) fn keyless(args: &VerifyArgs, root: &Path, now: Timestamp) -> Result<Keyless> {
    let issuer = args.certificate_oidc_issuer.as_deref().unwrap_or_default();
    let identity = match (&args.certificate_identity, &args.certificate_identity_regexp) {
        (_, Some(expression)) => Identity::like(expression, issuer),
        (name, None) => Identity::exact(name.as_deref().unwrap_or_default(), issuer),
    };
    let identity = identity.map_err(|error| Usage(error.to_string()))?;
    let root = TrustedRoot::parse(&read(root, LARGEST_ROOT)?)
        .map_err(|error| Usage(format!("{}: {error}", root.display())))?;
    Ok(Keyless::new(root, vec![identity], now))
}
