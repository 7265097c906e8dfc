//! What the reference is told of a surface.

use cobro_surface::endpoint::{Endpoint, Security};

/// A group of endpoints with one document of its own.
#[derive(Debug, Clone)]
pub struct Surface {
    /// The name, as in `/openapi/{name}.json`.
    pub name: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// The endpoints, in the order in which they are shown.
    pub endpoints: Vec<&'static Endpoint>,
    /// What its examples are sent with.
    pub credentials: Credentials,
    /// Values that examples need and tables do not have: for a path parameter the path up to and
    /// including it (`/things/{id}`), for a query parameter its name after a question mark.
    pub samples: &'static [(&'static str, &'static str)],
    /// Members of request bodies whose values only a reader knows: an id that an earlier call
    /// answered. Commands take them from shell variables.
    pub own_values: &'static [&'static str],
}

/// Credentials that work on this server, by the way in which they are sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Credentials {
    /// A bearer token.
    pub bearer: Option<&'static str>,
    /// A user and a password.
    pub basic: Option<(&'static str, &'static str)>,
    /// The value of a header.
    pub header: Option<&'static str>,
    /// The member `auth` of a body.
    pub body: Option<SignedBody>,
}

/// A member `auth` of `login`, `nonce`, `seed` and a digest over nonce, seed and a secret.
#[derive(Debug, Clone, Copy)]
pub struct SignedBody {
    /// Who calls.
    pub login: &'static str,
    /// What the digest is made with.
    pub secret: &'static str,
}

impl Surface {
    /// The endpoint with this operation id.
    pub fn endpoint(&self, id: &str) -> Option<&'static Endpoint> {
        self.endpoints.iter().copied().find(|endpoint| endpoint.id == id)
    }

    /// The value of a path's parameter, where one is known. What a call takes away is never what
    /// the other examples need.
    pub(crate) fn path_sample(&self, endpoint: &Endpoint, name: &str) -> Option<&'static str> {
        let path = endpoint.path;
        let end = path.find(&format!("{{{name}}}"))?.saturating_add(name.len()).saturating_add(2);
        let upto = path.get(..end)?;
        if endpoint.method == "DELETE" && upto == path {
            return None;
        }
        self.samples.iter().find(|(key, _)| *key == upto).map(|(_, value)| *value)
    }

    /// The value of a query parameter, where one is known.
    pub(crate) fn query_sample(&self, name: &str) -> Option<&'static str> {
        let found = self.samples.iter().find(|(key, _)| key.strip_prefix('?') == Some(name));
        found.map(|(_, value)| *value)
    }

    /// Whether a call can be sent as it stands here: it needs no credential, or one is known.
    pub(crate) fn knows(&self, security: Security) -> bool {
        match security {
            Security::None => true,
            Security::Bearer => self.credentials.bearer.is_some(),
            Security::Basic => self.credentials.basic.is_some(),
            Security::Header(_) => self.credentials.header.is_some(),
            Security::Body => self.credentials.body.is_some(),
        }
    }
}
