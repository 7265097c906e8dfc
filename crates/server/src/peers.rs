//! Who else serves the same database.

use cobro_domain::payment::Owner;
use cobro_engine::world::Peers;
use cobro_store::session::Session;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

/// The store's session, as the engine sees it.
#[derive(Debug)]
pub(crate) struct SessionPeers {
    pub(crate) session: Session,
    /// Whether other processes may serve the same database.
    pub(crate) shared: bool,
}

impl Peers for SessionPeers {
    fn owner(&self) -> Owner {
        self.session.owner()
    }

    fn is_alive(&self, owner: Owner) -> BoxFuture<'_, bool> {
        self.session.is_alive_async(owner).boxed()
    }

    fn leads(&self, lane: usize) -> BoxFuture<'_, bool> {
        self.session.leads_async(i64::try_from(lane).unwrap_or(0)).boxed()
    }

    fn shared(&self) -> bool {
        self.shared
    }

    fn alone(&self) -> BoxFuture<'_, bool> {
        self.session.alone_async().boxed()
    }
}
