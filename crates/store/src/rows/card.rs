//! Stored cards.

use cobro_domain::card::{StoredCard, StoredCardState};
use cobro_domain::{CardId, MerchantId};

use crate::cell::{Cell, ToCell};
use crate::rows::payment::{card_cells, read_card};
use crate::table::{Cells, Corrupt, Row, Table};

impl Row for StoredCard {
    type Key = (MerchantId, CardId);
    const TABLE: &'static Table = crate::table!("card", 2;
        merchant: Bytes, id: Bytes, token: Text, subtoken: Text, key_id: Int, wrapped_key: Bytes,
        sealed: Bytes, fingerprint: Text, brand: Text, card_kind: Text, bin: Text,
        last_digits: Text, issuer: Text, expiration_month: Int, expiration_year: Int,
        state: Text, single_use: Int, expires_at: Int, luggage: Text, created_at: Int,
        changed_at: Int);

    fn cells(&self) -> Vec<Cell> {
        let mut cells = vec![
            self.merchant.to_cell(),
            self.id.to_cell(),
            self.token.to_cell(),
            self.subtoken.to_cell(),
            self.key_id.to_cell(),
            self.wrapped_key.to_cell(),
            self.sealed.to_cell(),
            self.fingerprint.to_cell(),
        ];
        cells.extend(card_cells(&self.facts));
        cells.extend([
            self.state.code().to_cell(),
            self.single_use.to_cell(),
            self.expires_at.to_cell(),
            self.luggage.to_cell(),
            self.created_at.to_cell(),
            self.changed_at.to_cell(),
        ]);
        cells
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, Corrupt> {
        Ok(Self {
            merchant: cells.next()?,
            id: cells.next()?,
            token: cells.next()?,
            subtoken: cells.next()?,
            key_id: cells.next()?,
            wrapped_key: cells.next()?,
            sealed: cells.next()?,
            fingerprint: cells.next()?,
            facts: read_card(cells)?,
            state: cells.word(StoredCardState::from_code)?,
            single_use: cells.next()?,
            expires_at: cells.next()?,
            luggage: cells.next()?,
            created_at: cells.next()?,
            changed_at: cells.next()?,
        })
    }
}
