//! `cobro verify`: recomputes every invariant and compares with the acquirer's book.

use std::sync::Arc;

use cobro_acquirer_sim::SimulatedAcquirer;
use cobro_domain::Clock;
use cobro_engine::verify::{Offence, Verified, verify};

use crate::ambient::SystemClock;
use crate::config::StoreConfig;
use crate::data::main_databases;

/// Verifies the stored data, also while a server runs on them.
pub(crate) async fn run(config: &StoreConfig) -> anyhow::Result<Result<Verified, Offence>> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (store, book) = main_databases(config).open_to_read(&clock)?;
    let acquirer = SimulatedAcquirer::new(book);
    Ok(verify(&store, &acquirer).await)
}
