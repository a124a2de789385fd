//! One file of metadata: what its role signed.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use sha2::{Digest, Sha256, Sha512};

use super::json::{Object, Value};
use super::key::{Key, scheme};
use super::{Role, TufError};
use crate::key::KeyError;

/// The most keys of a role, and signatures of a file.
const MOST_SIGNERS: usize = 256;

/// A file of metadata. Nothing in it is believed before [`Document::require_signatures`].
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) role: Role,
    pub(crate) version: u64,
    pub(crate) expires: Timestamp,
    /// The members of `signed`.
    signed: Object,
    /// The bytes that are signed.
    canonical: Vec<u8>,
    signatures: Vec<Signature>,
}

#[derive(Clone, Debug)]
struct Signature {
    key_id: String,
    method: String,
    bytes: Vec<u8>,
}

/// Which keys sign for a role, and how many must.
#[derive(Clone, Debug)]
pub(crate) struct Authority {
    keys: BTreeMap<String, Value>,
    pub(crate) threshold: usize,
}

/// Which keys signed a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signers {
    /// Their ids, one for each distinct key.
    pub(crate) ids: Vec<String>,
    /// Why a key with a signature was left out, where one was.
    unsupported: Option<String>,
}

/// What a file says about another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileMeta {
    pub(crate) length: u64,
    pub(crate) sha256: [u8; 32],
    sha512: Option<[u8; 64]>,
}

impl Document {
    /// Reads a file of this role.
    pub(crate) fn parse(role: Role, bytes: &[u8]) -> Result<Self, TufError> {
        Self::read(role, bytes).map_err(|why| TufError::Malformed { role, why })
    }

    fn read(role: Role, bytes: &[u8]) -> Result<Self, String> {
        let Value::Object(mut file) = Value::parse(bytes)? else { return Err("not an object".to_owned()) };
        let signatures =
            list(&file, "signatures")?.iter().map(Signature::read).collect::<Result<Vec<_>, _>>()?;
        if signatures.len() > MOST_SIGNERS {
            return Err(format!("more than {MOST_SIGNERS} signatures"));
        }
        let Some(signed @ Value::Object(_)) = file.remove("signed") else {
            return Err("no signed".to_owned());
        };
        let canonical = signed.canonical();
        let Value::Object(signed) = signed else { return Err("no signed".to_owned()) };
        let kind = text(&signed, "_type")?;
        if kind != role.type_name() {
            return Err(format!("it is of type {kind:?}"));
        }
        let version = natural(&signed, "version")?;
        if version == 0 {
            return Err("its version is 0".to_owned());
        }
        let expires = time(text(&signed, "expires")?)?;
        let document = Self { role, version, expires, signed, canonical, signatures };
        if role == Role::Root {
            for role in [Role::Root, Role::Targets, Role::Snapshot, Role::Timestamp] {
                document.read_authority(role)?;
            }
        }
        Ok(document)
    }

    /// The keys that a root names for a role.
    pub(crate) fn authority(&self, role: Role) -> Result<Authority, TufError> {
        self.read_authority(role).map_err(|why| TufError::Malformed { role: self.role, why })
    }

    fn read_authority(&self, role: Role) -> Result<Authority, String> {
        let described = object(object(&self.signed, "roles")?, role.name())?;
        Authority::read(described, object(&self.signed, "keys")?).map_err(|why| format!("{role}: {why}"))
    }

    /// The releases role, where these targets delegate to it: its keys, and the beginnings of the tags that it may
    /// sign.
    pub(crate) fn releases(&self) -> Result<Option<(Authority, Vec<String>)>, TufError> {
        self.read_releases().map_err(|why| TufError::Malformed { role: self.role, why })
    }

    fn read_releases(&self) -> Result<Option<(Authority, Vec<String>)>, String> {
        let Some(Value::Object(delegations)) = self.signed.get("delegations") else { return Ok(None) };
        let keys = object(delegations, "keys")?;
        let mut found = None;
        for role in list(delegations, "roles")? {
            let Value::Object(role) = role else { return Err("a delegation is no object".to_owned()) };
            let authority = Authority::read(role, keys).map_err(|why| format!("delegation: {why}"))?;
            if text(role, "name")? != Role::Releases.name() {
                continue;
            }
            if found.replace((authority, texts(role, "paths")?)).is_some() {
                return Err("it delegates to targets/releases twice".to_owned());
            }
        }
        Ok(found)
    }

    /// What this file says about that of another role.
    pub(crate) fn meta(&self, role: Role) -> Result<Option<FileMeta>, TufError> {
        let read = || match object(&self.signed, "meta")?.get(role.name()) {
            Some(value) => FileMeta::read(value).map(Some).map_err(|why| format!("meta of {role}: {why}")),
            None => Ok(None),
        };
        read().map_err(|why: String| TufError::Malformed { role: self.role, why })
    }

    /// What is signed for a tag.
    pub(crate) fn target(&self, tag: &str) -> Result<Option<FileMeta>, TufError> {
        let read = || match object(&self.signed, "targets")?.get(tag) {
            Some(value) => FileMeta::read(value).map(Some).map_err(|why| format!("tag {tag:?}: {why}")),
            None => Ok(None),
        };
        read().map_err(|why: String| TufError::Malformed { role: self.role, why })
    }

    /// The tags for which something is signed.
    pub(crate) fn tags(&self) -> impl Iterator<Item = &str> {
        let targets = object(&self.signed, "targets").ok();
        targets.into_iter().flat_map(|targets| targets.keys().map(String::as_str))
    }

    /// The keys of an authority that signed this file. Two ids of one key count once.
    pub(crate) fn signers(&self, authority: &Authority) -> Result<Signers, TufError> {
        let mut signers = Signers::default();
        let mut seen = BTreeSet::new();
        for signature in &self.signatures {
            let Some(value) = authority.keys.get(&signature.key_id) else { continue };
            let key = match Key::read(&signature.key_id, value) {
                Ok(key) => key,
                Err(KeyError::Unsupported(why)) => {
                    signers.unsupported = Some(why);
                    continue;
                }
                Err(KeyError::Malformed(why)) => return Err(TufError::Malformed { role: self.role, why }),
            };
            let Some(scheme) = scheme(&signature.method) else { continue };
            let identity = key.public.identity();
            if !seen.contains(&identity) && key.public.verifies(scheme, &self.canonical, &signature.bytes) {
                seen.insert(identity);
                signers.ids.push(key.id);
            }
        }
        Ok(signers)
    }

    /// The ids of those keys, where they are as many as must sign.
    pub(crate) fn require_signatures(
        &self,
        authority: &Authority,
        by: &'static str,
    ) -> Result<Vec<String>, TufError> {
        let signers = self.signers(authority)?;
        if signers.ids.len() >= authority.threshold {
            return Ok(signers.ids);
        }
        Err(match signers.unsupported {
            Some(why) => TufError::Unsupported { role: self.role, why },
            None => TufError::TooFewSignatures {
                role: self.role,
                by,
                valid: signers.ids.len(),
                threshold: authority.threshold,
            },
        })
    }

    /// That it is not past its date.
    pub(crate) fn require_fresh(&self, now: Timestamp) -> Result<(), TufError> {
        match self.expires > now {
            true => Ok(()),
            false => Err(TufError::Expired { role: self.role, at: self.expires }),
        }
    }

    /// That it is not older than what was seen.
    pub(crate) fn require_version(&self, seen: u64) -> Result<(), TufError> {
        match self.version >= seen {
            true => Ok(()),
            false => Err(TufError::Rollback { role: self.role, found: self.version, seen }),
        }
    }

    /// Whether the same was signed.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        self.canonical == other.canonical
    }
}

impl Signature {
    fn read(value: &Value) -> Result<Self, String> {
        let Value::Object(members) = value else { return Err("a signature is no object".to_owned()) };
        let bytes =
            STANDARD.decode(text(members, "sig")?).map_err(|_| "a signature is no base64".to_owned())?;
        Ok(Self {
            key_id: text(members, "keyid")?.to_owned(),
            method: text(members, "method")?.to_owned(),
            bytes,
        })
    }
}

impl Authority {
    fn read(role: &Object, keys: &Object) -> Result<Self, String> {
        let ids = texts(role, "keyids")?;
        if ids.len() > MOST_SIGNERS {
            return Err(format!("more than {MOST_SIGNERS} keys"));
        }
        let threshold = usize::try_from(natural(role, "threshold")?).unwrap_or(usize::MAX);
        if threshold == 0 {
            return Err("a threshold of 0".to_owned());
        }
        let of_role = ids.into_iter().map(|id| match keys.get(&id) {
            Some(key) => Ok((id, key.clone())),
            None => Err(format!("key {id} is missing")),
        });
        Ok(Self { keys: of_role.collect::<Result<_, _>>()?, threshold })
    }

    /// Its keys that can be read.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> {
        self.keys.iter().filter_map(|(id, value)| Key::read(id, value).ok())
    }

    /// Leaves only the keys that are wanted.
    pub(crate) fn retain(&mut self, wanted: impl Fn(&Key) -> bool) {
        self.keys.retain(|id, value| Key::read(id, value).is_ok_and(|key| wanted(&key)));
    }

    /// The ids of its keys.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.keys.keys().cloned().collect()
    }
}

impl FileMeta {
    fn read(value: &Value) -> Result<Self, String> {
        let Value::Object(members) = value else { return Err("not an object".to_owned()) };
        let hashes = object(members, "hashes")?;
        Ok(Self {
            length: natural(members, "length")?,
            sha256: hash(hashes, "sha256")?.ok_or("no sha256")?,
            sha512: hash(hashes, "sha512")?,
        })
    }

    /// In what these bytes differ from what is named.
    pub(crate) fn difference(&self, bytes: &[u8]) -> Option<&'static str> {
        if bytes.len() as u64 != self.length {
            Some("length")
        } else if Sha256::digest(bytes)[..] != self.sha256 {
            Some("sha256")
        } else if self.sha512.is_some_and(|wanted| Sha512::digest(bytes)[..] != wanted) {
            Some("sha512")
        } else {
            None
        }
    }
}

fn hash<const N: usize>(hashes: &Object, name: &'static str) -> Result<Option<[u8; N]>, String> {
    if !hashes.contains_key(name) {
        return Ok(None);
    }
    let bytes = STANDARD.decode(text(hashes, name)?).map_err(|_| format!("its {name} is no base64"))?;
    bytes.try_into().map(Some).map_err(|_| format!("its {name} has another length"))
}

fn object<'a>(members: &'a Object, name: &str) -> Result<&'a Object, String> {
    match members.get(name) {
        Some(Value::Object(value)) => Ok(value),
        _ => Err(format!("no object {name:?}")),
    }
}

fn list<'a>(members: &'a Object, name: &str) -> Result<&'a [Value], String> {
    match members.get(name) {
        Some(Value::List(value)) => Ok(value),
        // Go writes an empty list as null.
        Some(Value::Null) => Ok(&[]),
        _ => Err(format!("no list {name:?}")),
    }
}

fn text<'a>(members: &'a Object, name: &str) -> Result<&'a str, String> {
    match members.get(name) {
        Some(Value::Text(value)) => Ok(value),
        _ => Err(format!("no text {name:?}")),
    }
}

fn texts(members: &Object, name: &str) -> Result<Vec<String>, String> {
    let texts = list(members, name)?.iter().map(|value| match value {
        Value::Text(text) => Ok(text.clone()),
        _ => Err(format!("{name:?} holds something else than texts")),
    });
    texts.collect()
}

fn natural(members: &Object, name: &str) -> Result<u64, String> {
    match members.get(name) {
        Some(Value::Integer(value)) => u64::try_from(*value).map_err(|_| format!("{name:?} is negative")),
        _ => Err(format!("no number {name:?}")),
    }
}

/// RFC 3339, as Go writes it.
fn time(text: &str) -> Result<Timestamp, String> {
    let wrong = || format!("{text:?} is no time");
    let shaped = text.as_bytes().get(10) == Some(&b'T') && text.is_ascii() && !text.contains('[');
    if !shaped { Err(wrong()) } else { text.parse().map_err(|_| wrong()) }
}
