//! Who may work for whom, and what a payment is found by: references, grants, trial accounts.

use cobro_domain::{MerchantId, PaymentId, Timestamp};

use crate::cell::{Cell, ToCell};
use crate::table::{Cells, Corrupt, Row, Table};

/// That a payment carries its merchant's own reference. Unlike an alias, a reference names any
/// number of payments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceRow {
    /// Whose payment it is.
    pub merchant: MerchantId,
    /// The reference.
    pub reference: String,
    /// The payment.
    pub payment: PaymentId,
    /// When it was made.
    pub made_at: Timestamp,
}

impl Row for ReferenceRow {
    type Key = (MerchantId, String, PaymentId);
    const TABLE: &'static Table = crate::table!("payment_reference", 3;
        merchant: Bytes, reference: Text, payment: Bytes, made_at: Int);

    fn cells(&self) -> Vec<Cell> {
        vec![
            self.merchant.to_cell(),
            self.reference.to_cell(),
            self.payment.to_cell(),
            self.made_at.to_cell(),
        ]
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, Corrupt> {
        Ok(Self {
            merchant: cells.next()?,
            reference: cells.next()?,
            payment: cells.next()?,
            made_at: cells.next()?,
        })
    }
}

/// Something that can be handed in once: an authorization code, a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantRow {
    /// Who gave it: for whom its bearer may work.
    pub merchant: MerchantId,
    /// The keyed hash of what is handed in, in hexadecimal.
    pub digest: String,
    /// What kind of grant it is.
    pub kind: String,
    /// What its dialect needs to know when it is handed in, as JSON text.
    pub detail: String,
    /// When it is worth nothing any more.
    pub expires_at: Timestamp,
}

impl Row for GrantRow {
    type Key = (MerchantId, String);
    const TABLE: &'static Table = crate::table!("one_time_grant", 2;
        merchant: Bytes, digest: Text, kind: Text, detail: Text, expires_at: Int);

    fn cells(&self) -> Vec<Cell> {
        vec![
            self.merchant.to_cell(),
            self.digest.to_cell(),
            self.kind.to_cell(),
            self.detail.to_cell(),
            self.expires_at.to_cell(),
        ]
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, Corrupt> {
        Ok(Self {
            merchant: cells.next()?,
            digest: cells.next()?,
            kind: cells.next()?,
            detail: cells.next()?,
            expires_at: cells.next()?,
        })
    }
}

/// A merchant that another one made to try things out, in one of its owner's numbered places.
/// The row goes when the account does, and the place is free again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialRow {
    /// Who made it.
    pub owner: MerchantId,
    /// Which of the owner's places it has, from 0.
    pub place: i64,
    /// The merchant that was made; its id has the owner's slot.
    pub account: MerchantId,
    /// After how many seconds without use it goes.
    pub idle_s: i64,
    /// When it was last used, or made.
    pub used_at: Timestamp,
}

impl Row for TrialRow {
    type Key = (MerchantId, i64);
    const TABLE: &'static Table = crate::table!("trial_account", 2;
        owner: Bytes, place: Int, account: Bytes, idle_s: Int, used_at: Int);

    fn cells(&self) -> Vec<Cell> {
        vec![
            self.owner.to_cell(),
            self.place.to_cell(),
            self.account.to_cell(),
            self.idle_s.to_cell(),
            self.used_at.to_cell(),
        ]
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, Corrupt> {
        Ok(Self {
            owner: cells.next()?,
            place: cells.next()?,
            account: cells.next()?,
            idle_s: cells.next()?,
            used_at: cells.next()?,
        })
    }
}
