//! Sessions, stored cards and deliveries, newest first, for pages and the control API.

use std::cmp::Reverse;

use cobro_domain::card::StoredCard;
use cobro_domain::event::Delivery;
use cobro_domain::session::Session;
use cobro_domain::{CardId, DeliveryId, MerchantId, SessionId, Timestamp};
use cobro_store::{Cell, Reader, StoreError, ToCell};

use crate::error::EngineError;
use crate::sessions::{SessionView, view};
use crate::world::World;

/// Where the list of stored cards goes on: when the last one was made, and its id.
pub type CardPlace = (Timestamp, CardId);

/// Which sessions are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionsOf {
    /// All.
    #[default]
    Everybody,
    /// Those that a person works off on a page.
    Pages,
    /// Charges of stored cards.
    StoredCards,
}

impl SessionsOf {
    const fn condition(self) -> &'static str {
        match self {
            Self::Everybody => "",
            Self::Pages => " AND kind <> 'direct'",
            Self::StoredCards => " AND kind = 'direct'",
        }
    }

    /// The condition and the order of a page of one merchant's sessions between two ids, which is
    /// read from the primary key: merchant, the id above, the one below, how many.
    pub fn page_of_merchant(self) -> String {
        let kinds = self.condition();
        format!("WHERE merchant = $1 AND id < $2 AND id > $3{kinds} ORDER BY id DESC LIMIT $4")
    }
}

const MERCHANT_IDS: &str = "SELECT id FROM merchant";

/// The newest sessions of these merchants below an id. Nothing has the sessions of all in one order,
/// so each merchant's newest are read, down to the oldest that is still among those wanted.
fn newest(
    reader: &mut Reader<'_>,
    of: SessionsOf,
    merchants: Vec<Cell>,
    before: &Cell,
    limit: i64,
) -> Result<Vec<Session>, StoreError> {
    let text = of.page_of_merchant();
    let wanted = usize::try_from(limit).unwrap_or(0);
    let mut newest: Vec<Session> = Vec::new();
    for merchant in merchants {
        let oldest = wanted.checked_sub(1).and_then(|last| newest.get(last));
        let oldest = oldest.map_or([0; 16].as_slice().to_cell(), |session| session.id.to_cell());
        let params = [merchant, before.clone(), oldest, limit.to_cell()];
        newest.extend(reader.select::<Session>(&text, &params)?);
        newest.sort_unstable_by_key(|session| Reverse(session.id));
        newest.truncate(wanted);
    }
    Ok(newest)
}

fn last_id(before: Option<impl ToCell>) -> Cell {
    before.map_or([0xff; 16].as_slice().to_cell(), |id| id.to_cell())
}

impl World {
    /// Sessions with all that belongs to them, the newest first, from the one before `before`: of a
    /// merchant, or of all.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn sessions_before(
        &self,
        of: SessionsOf,
        merchant: Option<MerchantId>,
        before: Option<SessionId>,
        limit: i64,
    ) -> Result<Vec<SessionView>, EngineError> {
        let before = last_id(before);
        let found = self.store().read(move |reader| {
            let merchants = match merchant {
                Some(merchant) => vec![merchant.to_cell()],
                None => reader.rows(MERCHANT_IDS, &[])?.into_iter().flatten().collect(),
            };
            let sessions = newest(reader, of, merchants, &before, limit)?;
            sessions.into_iter().map(|session| view(reader, session)).collect()
        });
        Ok(found.await?)
    }

    /// Stored cards, the newest first, from the one before `before`: of a merchant, or of all.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn cards_before(
        &self,
        merchant: Option<MerchantId>,
        before: Option<CardPlace>,
        limit: i64,
    ) -> Result<Vec<StoredCard>, EngineError> {
        let at = before.map_or(Cell::Int(i64::MAX), |(at, _)| at.to_cell());
        let id = last_id(before.map(|(_, id)| id));
        let found = self.store().read(move |reader| match merchant {
            Some(merchant) => reader.select(
                "WHERE merchant = $1 AND (created_at, id) < ($2, $3) \
                 ORDER BY created_at DESC, id DESC LIMIT $4",
                &[merchant.to_cell(), at, id, limit.to_cell()],
            ),
            None => reader.select(
                "WHERE (created_at, id) < ($1, $2) ORDER BY created_at DESC, id DESC LIMIT $3",
                &[at, id, limit.to_cell()],
            ),
        });
        Ok(found.await?)
    }

    /// Deliveries of a merchant, the newest first, from the one before `before`.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn deliveries_of(
        &self,
        merchant: MerchantId,
        before: Option<DeliveryId>,
        limit: i64,
    ) -> Result<Vec<Delivery>, EngineError> {
        let params = [merchant.to_cell(), last_id(before), limit.to_cell()];
        let rest = "WHERE merchant = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
        Ok(self.store().read(move |reader| reader.select(rest, &params)).await?)
    }
}
