//! To whom credentials are shown, and to whom not.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use plimsoll_registry::{MANIFEST_TYPES, Options, Repository};

use super::server::{Answer, Asked, Server, json, redirect, status};
use super::{kind, manifest, manifest_error, options};

/// The repository `app`, with docker's config.json holding this entry for the registry.
fn with_login(authority: &str, entry: &str) -> Repository {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.json");
    fs::write(&path, format!(r#"{{"auths": {{"{authority}": {entry}}}}}"#)).unwrap();
    let options = Options { docker_config: Some(path), ..options() };
    Repository::open(&format!("{authority}/app:1").parse().unwrap(), &options).unwrap()
}

const USER: &str = r#"{"username": "u", "password": "p"}"#;
const BASIC: &str = "Basic dTpw";

fn challenge(realm: &str) -> Answer {
    status(&format!(
        "401 Unauthorized\r\nwww-authenticate: Bearer realm=\"{realm}\",service=\"a b\",scope=\"x:y:push\""
    ))
}

/// A registry that wants the tokens `1`, `2` … of a token server, each for so many requests; and that server.
fn registry_with_tokens(uses: usize) -> (Server, Server) {
    let given = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&given);
    let tokens = Server::start(move |_| {
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        json("application/json", format!(r#"{{"access_token":"t{number}","expires_in":60}}"#))
    });
    let realm = format!("http://{}/token?a=b", tokens.authority);
    let used = AtomicUsize::new(0);
    let registry = Server::start(move |asked| {
        let is_current = asked.authorization == format!("Bearer t{}", given.load(Ordering::SeqCst));
        if !is_current || used.fetch_add(1, Ordering::SeqCst) % (uses + 1) == uses {
            return challenge(&realm);
        }
        json(MANIFEST_TYPES[0], manifest())
    });
    (registry, tokens)
}

#[test]
fn a_token_is_got_and_kept_and_got_again() {
    let (registry, tokens) = registry_with_tokens(2);
    let repository = with_login(&registry.authority, USER);
    for _ in 0..4 {
        repository.manifest("1").unwrap();
    }
    let asked = tokens.asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert_eq!(asked[0].target, "/token?a=b&scope=repository%3Aapp%3Apull&service=a%20b");
    assert!(asked.iter().all(|asked| asked.authorization == BASIC));
    // The registry itself sees tokens only.
    assert!(registry.asked().iter().all(|asked| asked.authorization != BASIC));
}

#[test]
fn without_credentials_a_token_is_got_all_the_same() {
    let (registry, tokens) = registry_with_tokens(9);
    super::repository(&registry.authority).manifest("1").unwrap();
    assert_eq!(tokens.asked()[0].authorization, "");
}

#[test]
fn an_identity_token_is_traded_in() {
    let (registry, tokens) = registry_with_tokens(9);
    with_login(&registry.authority, r#"{"identitytoken": "i&d"}"#).manifest("1").unwrap();
    let asked = &tokens.asked()[0];
    assert_eq!((asked.method.as_str(), asked.authorization.as_str()), ("POST", ""));
    assert!(asked.body.contains("grant_type=refresh_token") && asked.body.contains("refresh_token=i%26d"));
}

#[test]
fn a_password_is_shown_when_it_is_asked_for() {
    let ask = |asked: &Asked| match asked.authorization.as_str() {
        BASIC => json(MANIFEST_TYPES[0], manifest()),
        _ => status("401 Unauthorized\r\nwww-authenticate: Basic realm=\"x\""),
    };
    let registry = Server::start(ask);
    with_login(&registry.authority, USER).manifest("1").unwrap();
    assert_eq!(registry.asked()[0].authorization, "");
    let error =
        with_login(&registry.authority, r#"{"username": "u", "password": "q"}"#).manifest("1").unwrap_err();
    assert_eq!(kind(&error), "unauthorized");
    let error = super::repository(&registry.authority).manifest("1").unwrap_err();
    assert!(kind(&error) == "unauthorized" && error.to_string().contains("docker login"), "{error}");
}

#[test]
fn a_helper_is_named_and_not_run() {
    let registry = Server::start(|_| status("401 Unauthorized\r\nwww-authenticate: Basic realm=\"x\""));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.json");
    fs::write(&path, r#"{"credsStore": "pass"}"#).unwrap();
    let options = Options { docker_config: Some(path), ..options() };
    let reference = format!("{}/app:1", registry.authority).parse().unwrap();
    let error = Repository::open(&reference, &options).unwrap().manifest("1").unwrap_err();
    assert!(error.to_string().contains("docker-credential-pass"), "{error}");
}

#[test]
fn whom_a_registry_redirects_to_sees_no_credentials() {
    let other = Server::start(|_| json(MANIFEST_TYPES[0], manifest()));
    let to = format!("http://{}/x", other.authority);
    let registry = Server::start(move |asked| match asked.authorization.as_str() {
        BASIC => redirect(&to),
        _ => status("401 Unauthorized\r\nwww-authenticate: Basic realm=\"x\""),
    });
    with_login(&registry.authority, USER).manifest("1").unwrap();
    assert_eq!(other.asked().len(), 1);
    assert_eq!(other.asked()[0].authorization, "");
}

/// CVE-2020-15157: a layer's server asks for credentials that are meant for the registry.
#[test]
fn whom_a_registry_redirects_to_cannot_ask_for_credentials() {
    let tokens = Server::start(|_| json("application/json", r#"{"token":"t"}"#));
    let realm = format!("http://{}/token", tokens.authority);
    let other = Server::start(move |_| challenge(&realm));
    let to = format!("http://{}/x", other.authority);
    let registry = Server::start(move |_| redirect(&to));
    let error = with_login(&registry.authority, USER).manifest("1").unwrap_err();
    assert_eq!(kind(&error), "unauthorized", "{error}");
    assert!(tokens.asked().is_empty());
}

#[test]
fn token_servers_are_held_to_the_same_rules() {
    for realm in ["http://auth.example/token", "file:///etc/passwd", "ftp://127.0.0.1/", "/token", ""] {
        let error = manifest_error(move |_| challenge(realm));
        assert_eq!(kind(&error), "content", "{realm}: {error}");
    }
    for (answer, expected) in [
        ("403 Forbidden", "unauthorized"),
        ("404 Not Found", "content"),
        ("500 Oh", "unavailable"),
        ("200 OK", "content"),
        ("302 Found\r\nlocation: http://evil.example/", "content"),
    ] {
        let tokens = Server::start(move |_| status(answer));
        let realm = format!("http://{}/", tokens.authority);
        let error = manifest_error(move |_| challenge(&realm));
        assert_eq!(kind(&error), expected, "{answer}: {error}");
        assert!(error.to_string().contains("token server"), "{error}");
    }
    for token in [r#"{"token":"a\r\nx: y"}"#, r#"{"token":""}"#, r#"{"token":1}"#, "[]"] {
        let tokens = Server::start(move |_| json("application/json", token));
        let realm = format!("http://{}/", tokens.authority);
        assert_eq!(kind(&manifest_error(move |_| challenge(&realm))), "content", "{token}");
    }
}
