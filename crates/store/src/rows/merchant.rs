//! Merchants, the ways to find them, and where they want to be told.

use cobro_domain::MerchantId;
use cobro_domain::fee::FeeSchedule;
use cobro_domain::merchant::{Endpoint, Merchant, MerchantState, Wants};

use crate::cell::{Cell, ToCell};
use crate::table::{Cells, Corrupt, Row, Table};

impl Row for Merchant {
    type Key = (MerchantId,);
    const TABLE: &'static Table = crate::table!("merchant", 1;
        id: Bytes, channel: Text, public_id: Text, name: Text, country: Text, currency: Text,
        state: Text, epoch: Int, fee_bps: Int, tax_bps: Int, endpoint_slots: Int, settings: Text,
        created_at: Int);

    fn cells(&self) -> Vec<Cell> {
        vec![
            self.id.to_cell(),
            self.channel.to_cell(),
            self.public_id.to_cell(),
            self.name.to_cell(),
            self.country.to_cell(),
            self.currency.to_cell(),
            self.state.code().to_cell(),
            self.epoch.to_cell(),
            self.fees.fee_bps.to_cell(),
            self.fees.tax_bps.to_cell(),
            self.endpoint_slots.to_cell(),
            self.settings.to_cell(),
            self.created_at.to_cell(),
        ]
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, Corrupt> {
        Ok(Self {
            id: cells.next()?,
            channel: cells.next()?,
            public_id: cells.next()?,
            name: cells.next()?,
            country: cells.next()?,
            currency: cells.next()?,
            state: cells.word(MerchantState::from_code)?,
            epoch: cells.next()?,
            fees: FeeSchedule { fee_bps: cells.next()?, tax_bps: cells.next()? },
            endpoint_slots: cells.next()?,
            settings: cells.next()?,
            created_at: cells.next()?,
        })
    }
}

/// A way in that lacks the merchant: a credential's keyed hash, a public id, a terminal's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryRow {
    /// What kind of name it is.
    pub kind: String,
    /// The name, or its keyed hash in hexadecimal where it is a secret.
    pub value: String,
    /// Whose it is.
    pub merchant: MerchantId,
    /// What of the merchant's it names, where that is not the merchant itself.
    pub subject: String,
}

impl Row for DirectoryRow {
    type Key = (String, String);
    const TABLE: &'static Table = crate::table!("directory", 2, Shared;
        kind: Text, value: Text, merchant: Bytes, subject: Text);

    fn cells(&self) -> Vec<Cell> {
        vec![
            self.kind.to_cell(),
            self.value.to_cell(),
            self.merchant.to_cell(),
            self.subject.to_cell(),
        ]
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, Corrupt> {
        Ok(Self {
            kind: cells.next()?,
            value: cells.next()?,
            merchant: cells.next()?,
            subject: cells.next()?,
        })
    }
}

/// A merchant's own name for one of its objects: a reference, a receipt number, a short code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasRow {
    /// Whose name it is.
    pub merchant: MerchantId,
    /// What kind of name.
    pub kind: String,
    /// The name.
    pub value: String,
    /// The id of what it names.
    pub subject: String,
}

impl Row for AliasRow {
    type Key = (MerchantId, String, String);
    const TABLE: &'static Table = crate::table!("alias", 3;
        merchant: Bytes, kind: Text, value: Text, subject: Text);

    fn cells(&self) -> Vec<Cell> {
        vec![
            self.merchant.to_cell(),
            self.kind.to_cell(),
            self.value.to_cell(),
            self.subject.to_cell(),
        ]
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, Corrupt> {
        Ok(Self {
            merchant: cells.next()?,
            kind: cells.next()?,
            value: cells.next()?,
            subject: cells.next()?,
        })
    }
}

impl Row for Endpoint {
    type Key = (MerchantId, i64);
    const TABLE: &'static Table = crate::table!("endpoint", 2;
        merchant: Bytes, slot: Int, url: Text, verified: Int, wants: Text, secret_sealed: Bytes,
        updated_at: Int);

    fn cells(&self) -> Vec<Cell> {
        vec![
            self.merchant.to_cell(),
            self.slot.to_cell(),
            self.url.to_cell(),
            self.verified.to_cell(),
            self.wants.code().to_cell(),
            self.secret_sealed.to_cell(),
            self.updated_at.to_cell(),
        ]
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, Corrupt> {
        Ok(Self {
            merchant: cells.next()?,
            slot: cells.next()?,
            url: cells.next()?,
            verified: cells.next()?,
            wants: cells.word(Wants::from_code)?,
            secret_sealed: cells.next()?,
            updated_at: cells.next()?,
        })
    }
}
