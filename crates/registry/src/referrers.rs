//! What other manifests say about one: the referrers API and its fallback tag (OCI distribution specification, "Listing
//! Referrers").

use ureq::http::header::{CONTENT_TYPE, LINK};
use ureq::http::{HeaderMap, Method, Uri};

use crate::digest::Digest;
use crate::documents::{Descriptor, INDEX_TYPES, Index, media_type};
use crate::error::{Error, Result};
use crate::http::{content, origin, resolve};
use crate::repository::{MAX_DOCUMENT, Repository, document};

/// The most referrers of one manifest. Who may push may add any number; past this the answer is an error, not a part.
pub const MAX_REFERRERS: usize = 1_000;
/// The most pages of one answer.
const MAX_PAGES: usize = 64;
/// Bound of the digest in a fallback tag, in characters.
const MAX_TAG_SUM: usize = 64;

impl Repository {
    /// The manifests whose subject is `subject`, those of one kind where `artifact_type` names one. The list is the
    /// registry's: whoever uses it must look at the subject of each manifest.
    ///
    /// # Errors
    /// When the registry does not give the whole list. That there is none is an empty list.
    pub fn referrers(&self, subject: &Digest, artifact_type: Option<&str>) -> Result<Vec<Descriptor>> {
        let mut found = match self.listed(subject) {
            Err(Error::NotFound { .. }) => self.tagged(subject)?,
            other => other?,
        };
        // A filter is a wish that a registry may ignore.
        found.retain(|referrer| {
            artifact_type.is_none_or(|wanted| referrer.artifact_type.as_deref() == Some(wanted))
        });
        Ok(found)
    }

    /// As the API lists them, page by page.
    fn listed(&self, subject: &Digest) -> Result<Vec<Descriptor>> {
        let what = self.what("referrers of", &subject.to_string());
        let mut found = Vec::new();
        let mut page = self.uri(&what, &format!("referrers/{subject}"))?;
        for _ in 0..MAX_PAGES {
            let response =
                self.ask(&what, Method::GET, page.clone(), INDEX_TYPES[0], self.http.limits.total)?;
            let headers = response.headers().clone();
            let json = document(&what, response, MAX_DOCUMENT)?;
            add(&what, &mut found, &headers, &json)?;
            match next_page(&page, &headers) {
                None => return Ok(found),
                Some(Some(next)) => page = next,
                Some(None) => return Err(content(&what, "its next page is with another server".to_owned())),
            }
        }
        Err(content(&what, format!("they are more than {MAX_PAGES} pages")))
    }

    /// As those keep them whose registry does not know the API: an index under a tag that is made of the digest.
    fn tagged(&self, subject: &Digest) -> Result<Vec<Descriptor>> {
        let sum = &subject.sum()[..subject.sum().len().min(MAX_TAG_SUM)];
        let tag = format!("{}-{sum}", subject.algorithm());
        let listed = match self.manifest(&tag) {
            Err(Error::NotFound { .. }) => return Ok(Vec::new()),
            other => other?,
        };
        let what = self.what("referrers in tag", &tag);
        if !INDEX_TYPES.contains(&listed.descriptor.media_type.as_str()) {
            return Err(content(&what, "it is no index".to_owned()));
        }
        bounded(&what, Index::parse(&what, &listed.bytes)?.manifests)
    }
}

fn add(what: &str, found: &mut Vec<Descriptor>, headers: &HeaderMap, json: &[u8]) -> Result<()> {
    let named = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !INDEX_TYPES.contains(&media_type(what, named, json)?.as_str()) {
        return Err(content(what, "the answer is no index".to_owned()));
    }
    found.extend(Index::parse(what, json)?.manifests);
    *found = bounded(what, std::mem::take(found))?;
    Ok(())
}

fn bounded(what: &str, found: Vec<Descriptor>) -> Result<Vec<Descriptor>> {
    if found.len() > MAX_REFERRERS {
        return Err(content(what, format!("they are more than {MAX_REFERRERS}")));
    }
    Ok(found)
}

/// Where an answer goes on (RFC 8288, relation `next`): `None` where it does not, `Some(None)` where that is elsewhere.
fn next_page(page: &Uri, headers: &HeaderMap) -> Option<Option<Uri>> {
    let links = headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
    let next = links.flat_map(|value| value.split(",<")).find_map(|link| {
        let (target, parameters) = link.trim().trim_start_matches('<').split_once('>')?;
        let is_next = |parameter: &str| {
            let (name, value) = parameter.split_once('=').unwrap_or_default();
            name.trim().eq_ignore_ascii_case("rel")
                && value.trim().trim_matches('"').eq_ignore_ascii_case("next")
        };
        parameters.split(';').any(is_next).then_some(target)
    })?;
    Some(resolve(page, next).filter(|uri| origin(uri) == origin(page)))
}

/// Takes a page of an answer, and says where it goes on.
#[cfg(any(fuzzing, test))]
pub(crate) fn page(link: &[u8], body: &[u8]) {
    use ureq::http::HeaderValue;

    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(INDEX_TYPES[0]));
    if let Ok(link) = HeaderValue::from_bytes(link) {
        headers.insert(LINK, link);
    }
    let _ = add("x", &mut Vec::new(), &headers, body);
    let page = Uri::from_static("https://r.example/v2/app/referrers/x");
    if let Some(Some(next)) = next_page(&page, &headers) {
        assert_eq!(origin(&next), origin(&page));
    }
}
