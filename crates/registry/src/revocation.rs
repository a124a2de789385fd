//! Lists of revoked certificates, from where their authorities publish them: over plain HTTP too, because they are signed, and
//! TLS to their server may need them (RFC 5280, section 8).

use std::time::Duration;

use ureq::http::{Method, StatusCode, Uri};

use crate::error::{Error, Result};
use crate::http::{Http, PlainHttp, Question, content};
use crate::repository::{Options, document};

/// Time for one list (Notary Project, "CRL Download").
const TOTAL: Duration = Duration::from_secs(5);

/// The list at an address, of at most `limit` bytes. Nobody vouches for it but its own signature. Redirects lead to HTTPS, or
/// stay with the server that was named.
///
/// # Errors
/// When the address is none of HTTP, or nobody gives a list in time.
pub fn revocation_list(address: &str, limit: u64, options: &Options) -> Result<Vec<u8>> {
    let what = address.chars().take(200).collect::<String>();
    let uri: Option<Uri> = address.parse().ok();
    let Some((uri, authority)) = uri.and_then(|uri| Some((uri.clone(), uri.authority()?.to_string()))) else {
        return Err(content(&what, "it is no address".to_owned()));
    };
    let http = Http::new(&authority, PlainHttp(vec![authority.clone()]), Vec::new(), options)?;
    if !http.may_ask(&uri) {
        return Err(content(&what, "its address is none of HTTP".to_owned()));
    }
    let (method, accept, total) = (Method::GET, "application/pkix-crl, */*", TOTAL.min(http.limits.total));
    let answer = http.ask(Question { what: &what, method, uri, accept, authorization: None, total })?;
    match answer.response.status() {
        StatusCode::OK => document(&what, answer.response, limit),
        status => Err(Error::Unavailable { what, why: format!("the server answers {}", status.as_u16()) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_none_are_not_asked() {
        for address in
            ["", "x", "/x", "file:///etc/passwd", "ldap://l.example/x", "http://u@l.example/x", "http://"]
        {
            let error = revocation_list(address, 1, &Options::default()).unwrap_err();
            assert!(matches!(error, Error::Content { .. }), "{address}: {error}");
        }
    }
}
