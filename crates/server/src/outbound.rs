//! Calls to other people's servers, through the guarded sender.

use std::sync::Arc;
use std::time::Duration;

use cobro_delivery::sender::{Outgoing, Sender};
use cobro_mercadopago::{Outbound, OutboundAnswer};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

/// How long a webhook may take to prove itself.
const CHALLENGE_TIMEOUT: Duration = Duration::from_secs(10);

/// The guarded sender, as a dialect sees it.
pub(crate) struct GuardedOutbound {
    pub(crate) sender: Arc<Sender>,
    pub(crate) allows: Arc<dyn Fn(&str) -> bool + Send + Sync>,
}

impl Outbound for GuardedOutbound {
    fn allows(&self, url: &str) -> bool {
        (self.allows)(url)
    }

    fn fetch(&self, url: String) -> BoxFuture<'_, Option<OutboundAnswer>> {
        async move {
            let outgoing = Outgoing {
                method: http::Method::GET,
                url,
                headers: vec![("accept".to_owned(), "application/json".to_owned())],
                body: bytes::Bytes::new(),
                timeout: CHALLENGE_TIMEOUT,
            };
            match self.sender.send(outgoing).await {
                Ok(answer) => Some(OutboundAnswer { status: answer.status, body: answer.body }),
                Err(failure) => {
                    tracing::info!(%failure, "a webhook could not be called");
                    None
                }
            }
        }
        .boxed()
    }
}
