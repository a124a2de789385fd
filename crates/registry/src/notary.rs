//! A notary server (Notary v1): the files of Docker Content Trust of one repository.

use std::path::Path;

use ureq::http::{Method, Uri};

use crate::error::{Error, Result};
use crate::http::{Http, PlainHttp};
use crate::reference::Reference;
use crate::repository::{Options, Repository, document};
use crate::tls;

/// Where trust data of Docker Hub is.
const HUB: &str = "https://notary.docker.io";

/// The trust data of one repository on a notary server. It is spoken to over TLS, wherever it is.
pub struct Notary(Repository);

impl Notary {
    /// The trust data of the repository that a reference is in. `server` is the address of another server than the one
    /// that the docker client would ask; `authorities` is the directory of files `HOST[:PORT]/*.crt` that docker keeps
    /// for notary servers, beside the system's.
    ///
    /// # Errors
    /// When the address is none, or certificates or credentials cannot be used.
    pub fn open(
        reference: &Reference,
        server: Option<&str>,
        authorities: &Path,
        options: &Options,
    ) -> Result<Self> {
        let server = server.map_or_else(|| default_server(reference), str::to_owned);
        let gun = format!("{}/{}", reference.registry(), reference.repository());
        let parsed: Option<Uri> = server.parse().ok();
        let authority =
            parsed.as_ref().filter(|uri| uri.scheme_str() == Some("https") && uri.query().is_none());
        let authority =
            authority.and_then(Uri::authority).map(|it| it.as_str()).filter(|it| !it.contains('@'));
        let Some(authority) = authority else {
            let why = "the address of a notary server is https://HOST[:PORT]".to_owned();
            return Err(Error::Content { what: server.chars().take(200).collect(), why });
        };
        let base = format!("{}/v2/{gun}/_trust/tuf", server.trim_end_matches('/'));
        let authorities = tls::authorities_of(authorities, authority)?;
        Ok(Self(Repository {
            name: format!("{gun} on {authority}"),
            http: Http::new(authority, PlainHttp::default(), authorities, options)?,
            auth: options.auth(reference.registry(), &gun, &base)?,
            base,
        }))
    }

    /// A file, of at most `limit` bytes.
    ///
    /// # Errors
    /// When the server does not have it, or answers with something else.
    pub fn file(&self, name: &str, limit: u64) -> Result<Vec<u8>> {
        let what = self.0.what("trust data", name);
        let uri = self.0.uri(&what, name)?;
        let response = self.0.ask(&what, Method::GET, uri, "application/json", self.0.http.limits.total)?;
        document(&what, response, limit)
    }
}

fn default_server(reference: &Reference) -> String {
    match reference.registry() {
        "docker.io" => HUB.to_owned(),
        registry => format!("https://{registry}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(name: &str, server: Option<&str>) -> Result<String> {
        let reference = name.parse().unwrap();
        Notary::open(&reference, server, Path::new("/nonexistent"), &Options::default())
            .map(|notary| notary.0.base)
    }

    #[test]
    fn servers_are_those_of_the_docker_client() {
        let hub = "https://notary.docker.io/v2/docker.io/library/alpine/_trust/tuf";
        assert_eq!(base("alpine", None).unwrap(), hub);
        let own = "https://r.example:5000/v2/r.example:5000/a/b/_trust/tuf";
        assert_eq!(base("r.example:5000/a/b:1", None).unwrap(), own);
        let other = "https://n.example:4443/v2/r.example/a/_trust/tuf";
        assert_eq!(base("r.example/a", Some("https://n.example:4443/")).unwrap(), other);
        for server in [
            "http://n.example",
            "n.example",
            "file:///etc",
            "https://u@n.example",
            "https://n.example/?x",
            "",
        ] {
            assert!(base("r.example/a", Some(server)).is_err(), "{server}");
        }
    }
}
