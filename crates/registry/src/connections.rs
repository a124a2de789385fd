//! Connections that are kept alive, and who was shown who asks: for everything that is opened with the same options.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use ureq::Agent;

use crate::auth::Auth;
use crate::error::Result;
use crate::http::Limits;

/// What tells clients apart: the authorities that they trust beside the system's, whether they go through a proxy, and
/// their bounds.
pub(crate) type ClientKey = (Vec<PathBuf>, bool, Limits);

/// What is shared. Clones share the same.
#[derive(Clone, Default)]
pub struct Connections(Arc<Shared>);

#[derive(Default)]
struct Shared {
    clients: Mutex<BTreeMap<ClientKey, Agent>>,
    auths: Mutex<BTreeMap<String, Arc<Auth>>>,
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").finish_non_exhaustive()
    }
}

impl Connections {
    /// The client of this kind, which is made once.
    pub(crate) fn client(
        &self,
        key: ClientKey,
        make: impl FnOnce(&ClientKey) -> Result<Agent>,
    ) -> Result<Agent> {
        let mut clients = self.0.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = clients.get(&key) {
            return Ok(known.clone());
        }
        let made = make(&key)?;
        clients.insert(key, made.clone());
        Ok(made)
    }

    /// How the repository at this address is shown who asks: what it answered once serves again.
    pub(crate) fn auth(&self, base: &str, make: impl FnOnce() -> Result<Auth>) -> Result<Arc<Auth>> {
        let mut auths = self.0.auths.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = auths.get(base) {
            return Ok(Arc::clone(known));
        }
        let made = Arc::new(make()?);
        auths.insert(base.to_owned(), Arc::clone(&made));
        Ok(made)
    }
}
