//! Which certificate a client is shown: one per listed name, made when first asked for and kept.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::ca::{CaError, DevelopmentCa};
use crate::hosts;

/// How long before its end a leaf is replaced, in seconds.
const LEFT_MIN: i64 = 10 * 24 * 60 * 60;

/// Opens the development CA, which is made on first use.
pub type OpenCa = Box<dyn Fn() -> Result<DevelopmentCa, CaError> + Send + Sync>;

/// The CA once it is needed, and the leaves that it has signed.
pub struct Leaves {
    open: OpenCa,
    now: fn() -> i64,
    ca: Mutex<Option<Arc<DevelopmentCa>>>,
    cache: Mutex<HashMap<&'static str, (Arc<CertifiedKey>, i64)>>,
}

impl fmt::Debug for Leaves {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Leaves").finish_non_exhaustive()
    }
}

impl Leaves {
    /// Leaves of the CA that `open` gives; `now` tells the time in seconds since 1970.
    #[must_use]
    pub fn new(open: OpenCa, now: fn() -> i64) -> Self {
        Self { open, now, ca: Mutex::default(), cache: Mutex::default() }
    }

    /// The CA, opened at the first call.
    ///
    /// # Errors
    /// When it can neither be read nor made; the next call tries again.
    pub fn ca(&self) -> Result<Arc<DevelopmentCa>, CaError> {
        let mut slot = self.ca.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ca) = &*slot {
            return Ok(ca.clone());
        }
        let ca = Arc::new((self.open)()?);
        *slot = Some(ca.clone());
        Ok(ca)
    }

    /// The certificate for a listed name; for a client that names none (TLS without SNI), one
    /// with all names.
    ///
    /// # Errors
    /// When the CA cannot be opened.
    pub fn certificate(&self, name: Option<&str>) -> Result<Option<Arc<CertifiedKey>>, CaError> {
        let (key, names) = match name {
            None => ("", hosts::names()),
            Some(name) => match hosts::find(name) {
                Some(host) => (host.name, vec![host.name]),
                None => return Ok(None),
            },
        };
        let now = (self.now)();
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((certified, not_after)) = cache.get(key)
            && not_after.saturating_sub(now) > LEFT_MIN
        {
            return Ok(Some(certified.clone()));
        }
        let leaf = self.ca()?.leaf(&names, now)?;
        cache.insert(key, (leaf.certified.clone(), leaf.not_after));
        Ok(Some(leaf.certified))
    }

    /// How TLS is ended: TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1.
    ///
    /// # Errors
    /// Never with the provider that is compiled in.
    pub(crate) fn server_config(self: &Arc<Self>) -> Result<ServerConfig, CaError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

impl ResolvesServerCert for Leaves {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.certificate(hello.server_name()).unwrap_or_else(|error| {
            tracing::error!(%error, "no certificate can be shown");
            None
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::ca::generate_key;

    #[test]
    fn one_leaf_per_listed_name_is_made_once() {
        static OPENED: AtomicUsize = AtomicUsize::new(0);
        let open = Box::new(|| {
            OPENED.fetch_add(1, Ordering::Relaxed);
            DevelopmentCa::create(&generate_key()?, &hosts::names(), 1_800_000_000)
        });
        let leaves = Leaves::new(open, || 1_800_000_000);
        assert_eq!(OPENED.load(Ordering::Relaxed), 0);
        let get = |name: Option<&str>| leaves.certificate(name).unwrap();
        let first = get(Some("api.mercadopago.com")).unwrap();
        assert!(Arc::ptr_eq(&first, &get(Some("API.mercadopago.com")).unwrap()));
        assert!(!Arc::ptr_eq(&first, &get(Some("api.payclip.com")).unwrap()));
        assert!(get(None).is_some());
        assert!(get(Some("www.example.com")).is_none());
        assert_eq!(OPENED.load(Ordering::Relaxed), 1);
    }
}
