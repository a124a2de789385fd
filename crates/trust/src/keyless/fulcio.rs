//! Whether a trusted authority issued the certificate of a signer, and it held when it signed.

use jiff::Timestamp;

use super::root::Authority;
use crate::link::Link;
use crate::outcome::bad;
use crate::{Refusal, RefusalKind};

/// Purpose of a signer's certificate.
const CODE_SIGNING: &str = "1.3.6.1.5.5.7.3.3";

/// The issuer of a signer's certificate. The chain must hold, and its authority be trusted, at every one of the times.
pub(super) fn require_chain<'a>(
    leaf: &Link,
    authorities: &'a [Authority],
    times: &[Timestamp],
) -> Result<&'a Link, Refusal> {
    leaf.check_signer().map_err(|refusal| refusal.at("the certificate"))?;
    let (_, purposes) = leaf.purposes()?;
    if purposes != [CODE_SIGNING] {
        return Err(bad(format!("the certificate is for the purposes {purposes:?}, not for signing alone")));
    }
    let reason = "the certificate is not from an authority that the trusted root names";
    let mut why = Refusal::new(RefusalKind::UntrustedKey, reason);
    for authority in authorities {
        let Some(path) = authority.path(leaf) else { continue };
        match check_times(leaf, &path, authority, times) {
            Ok(()) => return path.first().copied().ok_or(why),
            Err(refusal) => why = refusal,
        }
    }
    Err(why)
}

fn check_times(
    leaf: &Link,
    path: &[&Link],
    authority: &Authority,
    times: &[Timestamp],
) -> Result<(), Refusal> {
    for time in times {
        if let Some(why) = leaf.not_at(*time) {
            return Err(bad(format!("it was signed at {time}, when its certificate {why}")));
        }
        if let Some(why) = path.iter().find_map(|link| link.not_at(*time)) {
            return Err(bad(format!("it was signed at {time}, when a certificate of its authority {why}")));
        }
        if !authority.valid.contains(*time) {
            let reason = format!("the authority of its certificate is not trusted for {time}");
            return Err(Refusal::new(RefusalKind::UntrustedKey, reason));
        }
    }
    Ok(())
}
