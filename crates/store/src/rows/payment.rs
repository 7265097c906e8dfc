//! Payments and refunds.

use cobro_domain::card::{CardEntry, CardFacts, CardKind};
use cobro_domain::fee::Fee;
use cobro_domain::money::Money;
use cobro_domain::payment::{DeclineReason, Owner, Payment, PaymentState, ReversedBy};
use cobro_domain::refund::{Refund, RefundState};
use cobro_domain::{MerchantId, PaymentId, RefundId, Timestamp};

use crate::cell::{Cell, ToCell};
use crate::table::{Cells, Corrupt, Row, Table};

impl Row for Payment {
    type Key = (MerchantId, PaymentId);
    const TABLE: &'static Table = crate::table!("payment", 2;
        merchant: Bytes, id: Bytes, lane: Int, number: Int, ordinal: Int, intent: Bytes,
        session: Bytes, stored_card: Bytes, capture: Int,
        amount: Int, currency: Text, tip: Int, installments: Int, brand: Text, card_kind: Text,
        bin: Text, last_digits: Text, issuer: Text, expiration_month: Int, expiration_year: Int,
        entry: Text, trace: Int, state: Text, owner: Int, authorization_code: Text,
        approved_at: Int, decline_reason: Text, reversed_by: Text, captured: Int, refunded: Int,
        refund_pending: Int, fee: Int, tax: Int, settles_on: Int, luggage: Text, created_at: Int,
        changed_at: Int);

    fn cells(&self) -> Vec<Cell> {
        let mut cells = vec![
            self.merchant.to_cell(),
            self.id.to_cell(),
            self.lane.to_cell(),
            self.number.to_cell(),
            self.ordinal.to_cell(),
            self.intent.to_cell(),
            self.session.to_cell(),
            self.stored_card.to_cell(),
            self.capture.to_cell(),
            self.amount.minor.to_cell(),
            self.amount.currency.to_cell(),
            self.tip_minor.to_cell(),
            self.installments.to_cell(),
        ];
        cells.extend(card_cells(&self.card));
        cells.extend([self.entry.code().to_cell(), self.trace.to_cell()]);
        cells.extend(state_cells(&self.state));
        cells.extend([
            self.captured_minor.to_cell(),
            self.refunded_minor.to_cell(),
            self.refund_pending_minor.to_cell(),
            self.fee.fee_minor.to_cell(),
            self.fee.tax_minor.to_cell(),
            self.settles_on.to_cell(),
            self.luggage.to_cell(),
            self.created_at.to_cell(),
            self.changed_at.to_cell(),
        ]);
        cells
    }

    fn read(cells: &mut Cells) -> Result<Self, Corrupt> {
        Ok(Self {
            merchant: cells.next()?,
            id: cells.next()?,
            lane: cells.next()?,
            number: cells.next()?,
            ordinal: cells.next()?,
            intent: cells.next()?,
            session: cells.next()?,
            stored_card: cells.next()?,
            capture: cells.next()?,
            amount: Money::new(cells.next()?, cells.next()?),
            tip_minor: cells.next()?,
            installments: cells.next()?,
            card: read_card(cells)?,
            entry: cells.word(CardEntry::from_code)?,
            trace: cells.next()?,
            state: read_state(cells)?,
            captured_minor: cells.next()?,
            refunded_minor: cells.next()?,
            refund_pending_minor: cells.next()?,
            fee: Fee { fee_minor: cells.next()?, tax_minor: cells.next()? },
            settles_on: cells.next()?,
            luggage: cells.next()?,
            created_at: cells.next()?,
            changed_at: cells.next()?,
        })
    }
}

/// The columns brand, card_kind, bin, last_digits, issuer, expiration_month, expiration_year.
pub(super) fn card_cells(card: &CardFacts) -> [Cell; 7] {
    [
        card.brand.to_cell(),
        card.kind.code().to_cell(),
        card.bin.to_cell(),
        card.last_digits.to_cell(),
        card.issuer.to_cell(),
        card.expiration_month.to_cell(),
        card.expiration_year.to_cell(),
    ]
}

pub(super) fn read_card(cells: &mut Cells) -> Result<CardFacts, Corrupt> {
    Ok(CardFacts {
        brand: cells.next()?,
        kind: cells.word(CardKind::from_code)?,
        bin: cells.next()?,
        last_digits: cells.next()?,
        issuer: cells.next()?,
        expiration_month: cells.next()?,
        expiration_year: cells.next()?,
    })
}

/// The columns state, owner, authorization_code, approved_at, decline_reason, reversed_by.
fn state_cells(state: &PaymentState) -> [Cell; 6] {
    let code = state.code().to_cell();
    let [owner, authorization, at, reason, by] = match state {
        PaymentState::Sending { owner } => {
            [owner.to_cell(), Cell::Null, Cell::Null, Cell::Null, Cell::Null]
        }
        PaymentState::Authorized { authorization, at }
        | PaymentState::Approved { authorization, at } => {
            [Cell::Null, authorization.to_cell(), at.to_cell(), Cell::Null, Cell::Null]
        }
        PaymentState::Declined { reason } => {
            [Cell::Null, Cell::Null, Cell::Null, reason.code().to_cell(), Cell::Null]
        }
        PaymentState::Reversed { by } => {
            [Cell::Null, Cell::Null, Cell::Null, Cell::Null, by.code().to_cell()]
        }
        PaymentState::Challenged
        | PaymentState::Pending
        | PaymentState::Failed
        | PaymentState::Unknown => [Cell::Null, Cell::Null, Cell::Null, Cell::Null, Cell::Null],
    };
    [code, owner, authorization, at, reason, by]
}

fn read_state(cells: &mut Cells) -> Result<PaymentState, Corrupt> {
    let code: String = cells.next()?;
    let owner: Option<Owner> = cells.next()?;
    let authorization: Option<String> = cells.next()?;
    let at: Option<Timestamp> = cells.next()?;
    let reason: Option<String> = cells.next()?;
    let by: Option<String> = cells.next()?;
    let reason = reason.as_deref().and_then(DeclineReason::from_code);
    let by = by.as_deref().and_then(ReversedBy::from_code);
    Ok(match (code.as_str(), owner, authorization, at, reason, by) {
        ("sending", Some(owner), None, None, None, None) => PaymentState::Sending { owner },
        ("challenged", None, None, None, None, None) => PaymentState::Challenged,
        ("pending", None, None, None, None, None) => PaymentState::Pending,
        ("authorized", None, Some(authorization), Some(at), None, None) => {
            PaymentState::Authorized { authorization, at }
        }
        ("approved", None, Some(authorization), Some(at), None, None) => {
            PaymentState::Approved { authorization, at }
        }
        ("declined", None, None, None, Some(reason), None) => PaymentState::Declined { reason },
        ("failed", None, None, None, None, None) => PaymentState::Failed,
        ("unknown", None, None, None, None, None) => PaymentState::Unknown,
        ("reversed", None, None, None, None, Some(by)) => PaymentState::Reversed { by },
        (code, ..) => return Err(cells.corrupt(&format!("state {code:?}"))),
    })
}

impl Row for Refund {
    type Key = (MerchantId, RefundId);
    const TABLE: &'static Table = crate::table!("refund", 2;
        merchant: Bytes, id: Bytes, lane: Int, number: Int, payment: Bytes, ordinal: Int,
        intent: Bytes, amount: Int, currency: Text, trace: Int, state: Text, owner: Int, fee: Int,
        tax: Int, settles_on: Int, luggage: Text, created_at: Int, changed_at: Int);

    fn cells(&self) -> Vec<Cell> {
        let owner = match self.state {
            RefundState::Sending { owner } => owner.to_cell(),
            RefundState::Approved | RefundState::Declined => Cell::Null,
        };
        vec![
            self.merchant.to_cell(),
            self.id.to_cell(),
            self.lane.to_cell(),
            self.number.to_cell(),
            self.payment.to_cell(),
            self.ordinal.to_cell(),
            self.intent.to_cell(),
            self.amount.minor.to_cell(),
            self.amount.currency.to_cell(),
            self.trace.to_cell(),
            self.state.code().to_cell(),
            owner,
            self.fee.fee_minor.to_cell(),
            self.fee.tax_minor.to_cell(),
            self.settles_on.to_cell(),
            self.luggage.to_cell(),
            self.created_at.to_cell(),
            self.changed_at.to_cell(),
        ]
    }

    fn read(cells: &mut Cells) -> Result<Self, Corrupt> {
        Ok(Self {
            merchant: cells.next()?,
            id: cells.next()?,
            lane: cells.next()?,
            number: cells.next()?,
            payment: cells.next()?,
            ordinal: cells.next()?,
            intent: cells.next()?,
            amount: Money::new(cells.next()?, cells.next()?),
            trace: cells.next()?,
            state: read_refund_state(cells)?,
            fee: Fee { fee_minor: cells.next()?, tax_minor: cells.next()? },
            settles_on: cells.next()?,
            luggage: cells.next()?,
            created_at: cells.next()?,
            changed_at: cells.next()?,
        })
    }
}

fn read_refund_state(cells: &mut Cells) -> Result<RefundState, Corrupt> {
    let code: String = cells.next()?;
    let owner: Option<Owner> = cells.next()?;
    Ok(match (code.as_str(), owner) {
        ("sending", Some(owner)) => RefundState::Sending { owner },
        ("approved", None) => RefundState::Approved,
        ("declined", None) => RefundState::Declined,
        (code, _) => return Err(cells.corrupt(&format!("state {code:?}"))),
    })
}
