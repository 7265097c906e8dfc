//! Sessions.

use cobro_domain::money::{Currency, Money};
use cobro_domain::session::{Session, SessionEnd, SessionKind, SessionState};
use cobro_domain::{MerchantId, PaymentId, SessionId};

use crate::cell::{Cell, ToCell};
use crate::table::{Cells, Corrupt, Row, Table};

impl Row for Session {
    type Key = (MerchantId, SessionId);
    const TABLE: &'static Table = crate::table!("session", 2;
        merchant: Bytes, id: Bytes, lane: Int, number: Int, kind: Text, amount: Int,
        currency: Text, paid: Int, allow_partial: Int, capture: Int, offers_storing: Int,
        attempts: Int, attempts_max: Int, card: Bytes, state: Text, payment: Bytes,
        ended_by: Text, page_hash: Text, luggage: Text, expires_at: Int, created_at: Int,
        changed_at: Int);

    fn cells(&self) -> Vec<Cell> {
        let (payment, end) = match self.state {
            SessionState::Processing { payment } => (payment.to_cell(), Cell::Null),
            SessionState::Rejected { end } => (Cell::Null, end.code().to_cell()),
            SessionState::Pending
            | SessionState::Approved
            | SessionState::ApprovedPartial
            | SessionState::PartialExpired => (Cell::Null, Cell::Null),
        };
        vec![
            self.merchant.to_cell(),
            self.id.to_cell(),
            self.lane.to_cell(),
            self.number.to_cell(),
            self.kind.code().to_cell(),
            self.amount.map(|amount| amount.minor).to_cell(),
            self.amount.map(|amount| amount.currency).to_cell(),
            self.paid_minor.to_cell(),
            self.allow_partial.to_cell(),
            self.capture.to_cell(),
            self.offers_storing.to_cell(),
            self.attempts.to_cell(),
            self.attempts_max.to_cell(),
            self.card.to_cell(),
            self.state.code().to_cell(),
            payment,
            end,
            self.page_hash.to_cell(),
            self.luggage.to_cell(),
            self.expires_at.to_cell(),
            self.created_at.to_cell(),
            self.changed_at.to_cell(),
        ]
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, Corrupt> {
        let (merchant, id, lane) = (cells.next()?, cells.next()?, cells.next()?);
        let (number, kind) = (cells.next()?, cells.word(SessionKind::from_code)?);
        let amount: Option<i64> = cells.next()?;
        let currency: Option<Currency> = cells.next()?;
        Ok(Self {
            merchant,
            id,
            lane,
            number,
            kind,
            amount: match (amount, currency) {
                (Some(minor), Some(currency)) => Some(Money::new(minor, currency)),
                (None, None) => None,
                _ => return Err(cells.corrupt("amount without currency")),
            },
            paid_minor: cells.next()?,
            allow_partial: cells.next()?,
            capture: cells.next()?,
            offers_storing: cells.next()?,
            attempts: cells.next()?,
            attempts_max: cells.next()?,
            card: cells.next()?,
            state: read_state(cells)?,
            page_hash: cells.next()?,
            luggage: cells.next()?,
            expires_at: cells.next()?,
            created_at: cells.next()?,
            changed_at: cells.next()?,
        })
    }
}

fn read_state(cells: &mut Cells<'_>) -> Result<SessionState, Corrupt> {
    let code: String = cells.next()?;
    let payment: Option<PaymentId> = cells.next()?;
    let end: Option<String> = cells.next()?;
    let end = end.as_deref().and_then(SessionEnd::from_code);
    Ok(match (code.as_str(), payment, end) {
        ("pending", None, None) => SessionState::Pending,
        ("processing", Some(payment), None) => SessionState::Processing { payment },
        ("approved", None, None) => SessionState::Approved,
        ("approved_partial", None, None) => SessionState::ApprovedPartial,
        ("partial_expired", None, None) => SessionState::PartialExpired,
        ("rejected", None, Some(end)) => SessionState::Rejected { end },
        (code, ..) => return Err(cells.corrupt(&format!("state {code:?}"))),
    })
}
