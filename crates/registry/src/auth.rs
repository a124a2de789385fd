//! Shows a registry who asks: by a token of its token server (distribution, "Token Authentication"), or by a password.

use std::io::Read;
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use ureq::Body;
use ureq::http::header::WWW_AUTHENTICATE;
use ureq::http::{HeaderMap, Method, Response, Uri};

use crate::challenge::Challenge;
use crate::credentials::{Credentials, Login};
use crate::error::{Error, Result};
use crate::http::{Http, Question, content, failed};

/// The largest answer of a token server, in bytes.
const MAX_TOKEN: u64 = 256 << 10;

/// How one registry is shown who asks.
pub(crate) struct Auth {
    credentials: Credentials,
    /// What a token must allow: to read this repository and nothing else, whatever the registry asks for.
    scope: String,
    authorization: Mutex<Option<String>>,
}

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    token: String,
    #[serde(default)]
    access_token: String,
}

impl Auth {
    pub(crate) fn new(credentials: Credentials, repository: &str) -> Self {
        let authorization = match &credentials.login {
            Some(Login::Registry(token)) => Some(format!("Bearer {token}")),
            _ => None,
        };
        let scope = format!("repository:{repository}:pull");
        Self { credentials, scope, authorization: Mutex::new(authorization) }
    }

    /// The value of the header `Authorization` that served last.
    pub(crate) fn current(&self) -> Option<String> {
        self.authorization.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Meets the challenge of an answer of the registry itself; answers with the value of the header `Authorization`.
    ///
    /// # Errors
    /// When nothing can be shown, or the token server gives nothing.
    pub(crate) fn meet(&self, http: &Http, what: &str, headers: &HeaderMap) -> Result<String> {
        let mut challenges = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let authorization = match challenges.find_map(Challenge::parse) {
            Some(Challenge::Bearer { realm, service }) => {
                format!("Bearer {}", self.token(http, what, &realm, service.as_deref())?)
            }
            Some(Challenge::Basic) => match &self.credentials.login {
                Some(Login::Basic(secret)) => format!("Basic {secret}"),
                _ => return Err(self.refused(what, "the registry asks for a password")),
            },
            None => return Err(self.refused(what, "the registry asks for something that is not covered")),
        };
        let mut current = self.authorization.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Some(authorization.clone());
        Ok(authorization)
    }

    /// An error that also says what could be shown.
    pub(crate) fn refused(&self, what: &str, answer: &str) -> Error {
        let shown = match (&self.credentials.login, &self.credentials.helper) {
            (Some(_), _) => "with the credentials that docker keeps for it".to_owned(),
            (None, Some(helper)) => format!(
                "and docker keeps the credentials with docker-credential-{helper}, a program, which is not run"
            ),
            (None, None) => "and docker keeps no credentials for it (docker login)".to_owned(),
        };
        Error::Unauthorized { what: what.to_owned(), why: format!("{answer}, {shown}") }
    }

    fn token(&self, http: &Http, what: &str, realm: &str, service: Option<&str>) -> Result<String> {
        let of_server = format!("{what}: token server {}", realm.chars().take(200).collect::<String>());
        let uri: Option<Uri> = realm.parse().ok().filter(|uri| http.may_ask(uri));
        let Some(uri) = uri else {
            return Err(content(
                &of_server,
                "it is neither HTTPS nor on a host to which plain HTTP is allowed".to_owned(),
            ));
        };
        let mut parameters = vec![("scope", self.scope.as_str())];
        parameters.extend(service.map(|service| ("service", service)));
        let response = match &self.credentials.login {
            Some(Login::Identity(token)) => {
                parameters.extend([
                    ("grant_type", "refresh_token"),
                    ("client_id", "plimsoll"),
                    ("refresh_token", token),
                ]);
                http.post_form(&of_server, &uri, &form(&parameters))?
            }
            login => {
                let separator = if uri.query().is_some() { '&' } else { '?' };
                let uri = format!("{uri}{separator}{}", form(&parameters)).parse();
                let basic = match login {
                    Some(Login::Basic(secret)) => Some(format!("Basic {secret}")),
                    _ => None,
                };
                let question = Question {
                    what: &of_server,
                    method: Method::GET,
                    uri: uri.map_err(|_| content(&of_server, "it is no place".to_owned()))?,
                    accept: "application/json",
                    authorization: basic.as_deref(),
                    total: http.limits.total,
                };
                http.ask(question)?.response
            }
        };
        self.read(&of_server, response)
    }

    fn read(&self, what: &str, response: Response<Body>) -> Result<String> {
        let status = response.status().as_u16();
        match status {
            200 => {}
            401 | 403 => return Err(self.refused(what, &format!("it answers {status}"))),
            429 | 500.. => {
                return Err(Error::Unavailable {
                    what: what.to_owned(),
                    why: format!("it answers {status}"),
                });
            }
            _ => return Err(content(what, format!("it answers {status}"))),
        }
        let mut json = Vec::new();
        let read = response.into_body().into_reader().take(MAX_TOKEN + 1).read_to_end(&mut json);
        read.map_err(|error| failed(what, error.into()))?;
        if json.len() as u64 > MAX_TOKEN {
            return Err(content(what, format!("its answer is longer than {MAX_TOKEN} bytes")));
        }
        // The message of a parser could repeat the token.
        let token: Option<Token> = serde_json::from_slice(&json).ok();
        let token = token.map(|found| if found.token.is_empty() { found.access_token } else { found.token });
        let is_printable = |token: &String| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
        token.filter(is_printable).ok_or_else(|| content(what, "its answer holds no token".to_owned()))
    }
}

/// `application/x-www-form-urlencoded`.
fn form(parameters: &[(&str, &str)]) -> String {
    let encode = |text: &str| {
        let byte = |b: u8| match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(b).to_string(),
            other => format!("%{other:02X}"),
        };
        text.bytes().map(byte).collect::<String>()
    };
    let pairs: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    pairs.join("&")
}
