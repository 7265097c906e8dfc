//! Timers, counters, ordinals, idempotency records: what keeps the work in order.

use cobro_domain::{MerchantId, Timestamp};

use crate::cell::{Cell, ToCell};
use crate::table::{Cells, Corrupt, Row, Table};
use crate::tx::Claim;

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimerKind {
    /// What a terminal (the subject) has may be over its deadline.
    Terminal,
    /// A payment (the subject) is to be reversed.
    Reverse,
    /// A refund (the subject) is to be sent again.
    ResendRefund,
    /// A deferred payment (the subject) is to be asked for.
    ResolvePending,
    /// A session (the subject) has run out of time.
    ExpireSession,
    /// The challenge of a payment (the subject) has not been answered in time.
    ExpireChallenge,
    /// A charge that no terminal has taken (the subject) is abandoned.
    AbandonIntent,
    /// A settlement day (the subject is its date) is closed.
    CloseSettlement,
    /// The taking of held money (the subject is the payment) is to be advised again.
    ResendCapture,
    /// A change of held money (the subject is the payment) is to be asked for again.
    ResendAdjustment,
    /// Money that is held (the subject is the payment) goes back if it was not taken.
    ReleaseHold,
    /// A recurring charge (the subject) is due.
    Recur,
    /// A grant (the subject is its keyed hash) is worth nothing any more.
    ForgetGrant,
    /// A credential (the subject is its kind and keyed hash) is worth nothing any more.
    ForgetCredential,
    /// A trial account (the subject is its owner and place) goes if it has not been used.
    ExpireTrial,
}

impl TimerKind {
    /// The word that is stored and shown.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::Reverse => "reverse",
            Self::ResendRefund => "resend_refund",
            Self::ResolvePending => "resolve_pending",
            Self::ExpireChallenge => "expire_challenge",
            Self::ExpireSession => "expire_session",
            Self::ResendCapture => "resend_capture",
            Self::ResendAdjustment => "resend_adjustment",
            Self::ReleaseHold => "release_hold",
            Self::Recur => "recur",
            Self::AbandonIntent => "abandon_intent",
            Self::CloseSettlement => "close_settlement",
            Self::ForgetGrant => "forget_grant",
            Self::ForgetCredential => "forget_credential",
            Self::ExpireTrial => "expire_trial",
        }
    }

    /// The kind of a stored word.
    pub fn from_code(code: &str) -> Option<Self> {
        [
            Self::Terminal,
            Self::Reverse,
            Self::ResendRefund,
            Self::ResolvePending,
            Self::ExpireChallenge,
            Self::ExpireSession,
            Self::AbandonIntent,
            Self::CloseSettlement,
            Self::ResendCapture,
            Self::ResendAdjustment,
            Self::ReleaseHold,
            Self::Recur,
            Self::ForgetGrant,
            Self::ForgetCredential,
            Self::ExpireTrial,
        ]
        .into_iter()
        .find(|kind| kind.code() == code)
    }
}

/// Something to be done at a time of the world's clock. A merchant has one timer per kind and
/// subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    /// Whose it is.
    pub merchant: MerchantId,
    /// What for.
    pub kind: TimerKind,
    /// The id of what it is for.
    pub subject: String,
    /// The merchant's lane.
    pub lane: i64,
    /// When.
    pub due_at: Timestamp,
    /// How often it has fired for this subject.
    pub attempts: i64,
}

impl Row for Timer {
    type Key = (MerchantId, String, String);
    const TABLE: &'static Table = crate::table!("timer", 3;
        merchant: Bytes, kind: Text, subject: Text, lane: Int, due_at: Int, attempts: Int);

    fn cells(&self) -> Vec<Cell> {
        vec![
            self.merchant.to_cell(),
            self.kind.code().to_cell(),
            self.subject.to_cell(),
            self.lane.to_cell(),
            self.due_at.to_cell(),
            self.attempts.to_cell(),
        ]
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, Corrupt> {
        Ok(Self {
            merchant: cells.next()?,
            kind: cells.word(TimerKind::from_code)?,
            subject: cells.next()?,
            lane: cells.next()?,
            due_at: cells.next()?,
            attempts: cells.next()?,
        })
    }
}

/// Timers that are due, the oldest first; those of one instant in the same order on every database.
pub const DUE_TIMERS: Claim<Timer> = Claim {
    sql: "SELECT merchant, kind, subject, lane, due_at, attempts FROM timer \
          WHERE lane = $1 AND due_at <= $2 \
          ORDER BY lane, due_at, merchant, kind, subject LIMIT $3",
    due: |timer, now| timer.due_at <= now,
};

/// The last ordinal of a merchant's rows of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TailRow {
    /// Whose it is.
    pub merchant: MerchantId,
    /// What is numbered.
    pub kind: String,
    /// The last ordinal that was given.
    pub last: i64,
}

impl Row for TailRow {
    type Key = (MerchantId, String);
    const TABLE: &'static Table = crate::table!("tail", 2; merchant: Bytes, kind: Text, last: Int);

    fn cells(&self) -> Vec<Cell> {
        vec![self.merchant.to_cell(), self.kind.to_cell(), self.last.to_cell()]
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, Corrupt> {
        Ok(Self { merchant: cells.next()?, kind: cells.next()?, last: cells.next()? })
    }
}

/// The next number of a lane's own sequence; lanes never share one, so that none waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterRow {
    /// The lane.
    pub lane: i64,
    /// What is counted.
    pub kind: String,
    /// The next number.
    pub next: i64,
}

impl Row for CounterRow {
    type Key = (i64, String);
    const TABLE: &'static Table = crate::table!("counter", 2; lane: Int, kind: Text, next: Int);

    fn cells(&self) -> Vec<Cell> {
        vec![self.lane.to_cell(), self.kind.to_cell(), self.next.to_cell()]
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, Corrupt> {
        Ok(Self { lane: cells.next()?, kind: cells.next()?, next: cells.next()? })
    }
}

/// What a command that may be repeated led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyRow {
    /// Whose it is.
    pub merchant: MerchantId,
    /// A digest of the key and of what the dialect scopes it to.
    pub digest: Vec<u8>,
    /// What it led to: the id of what was made.
    pub outcome: String,
    /// When it is forgotten.
    pub expires_at: Timestamp,
}

impl Row for IdempotencyRow {
    type Key = (MerchantId, Vec<u8>);
    const TABLE: &'static Table = crate::table!("idempotency", 2, Appended;
        merchant: Bytes, digest: Bytes, outcome: Text, expires_at: Int);

    fn cells(&self) -> Vec<Cell> {
        vec![
            self.merchant.to_cell(),
            self.digest.to_cell(),
            self.outcome.to_cell(),
            self.expires_at.to_cell(),
        ]
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, Corrupt> {
        Ok(Self {
            merchant: cells.next()?,
            digest: cells.next()?,
            outcome: cells.next()?,
            expires_at: cells.next()?,
        })
    }
}

/// A number that belongs to the store as a whole: the clock's offset, the last owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetaRow {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: i64,
}

impl Row for MetaRow {
    type Key = (String,);
    const TABLE: &'static Table = crate::table!("meta", 1, Shared; name: Text, value: Int);

    fn cells(&self) -> Vec<Cell> {
        vec![self.name.to_cell(), self.value.to_cell()]
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, Corrupt> {
        Ok(Self { name: cells.next()?, value: cells.next()? })
    }
}
