//! A session: an amount that is to be paid, or a card that is to be stored, without a terminal.
//!
//! A hosted page and a charge of a stored card are both sessions; the second is answered in one
//! go. States are those of the Checkout state machine of hosted checkouts.

use thiserror::Error;

use crate::id::{CardId, MerchantId, PaymentId, SessionId};
use crate::money::Money;
use crate::time::Timestamp;

/// What a session is for and how it is worked off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionKind {
    /// A person types a card on a page, to pay; perhaps to have it stored as well.
    Payment,
    /// A person types a card on a page, to have it stored.
    Subscription,
    /// The merchant charges a stored card; nobody is asked.
    Direct,
}

coded!(SessionKind { Payment = "payment", Subscription = "subscription", Direct = "direct" });

/// How a session ended without its money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionEnd {
    /// The one charge that it was made for was declined.
    Declined,
    /// The payer gave up.
    Payer,
    /// The merchant took it back.
    Merchant,
    /// Its time was over.
    Expired,
    /// Too many tries failed.
    Attempts,
}

coded!(SessionEnd {
    Declined = "declined",
    Payer = "payer",
    Merchant = "merchant",
    Expired = "expired",
    Attempts = "attempts",
});

/// Where a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionState {
    /// Waiting for the payer.
    Pending,
    /// A charge is under way, or its outcome is not known yet.
    Processing {
        /// The charge.
        payment: PaymentId,
    },
    /// Done: everything is paid, or the card is stored.
    Approved,
    /// A part is paid; the rest may follow.
    ApprovedPartial,
    /// A part was paid, and the rest never came.
    PartialExpired,
    /// Ended without its money.
    Rejected {
        /// How.
        end: SessionEnd,
    },
}

/// What can happen to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionAction {
    /// A charge begins.
    Begin(PaymentId),
    /// The charge was approved, for this many minor units.
    Approve(i64),
    /// The charge was declined, failed or was undone.
    Decline,
    /// The card was stored, and that is all that was wanted.
    StoreCard,
    /// Storing the card was declined.
    DeclineCard,
    /// The payer gives up.
    Abandon,
    /// The merchant takes it back.
    Cancel,
    /// Its time is over.
    Expire,
}

/// A session of a merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who is to be paid.
    pub merchant: MerchantId,
    /// Our id.
    pub id: SessionId,
    /// The lane of its merchant.
    pub lane: i64,
    /// The integer that dialects show; below 2^31.
    pub number: i64,
    /// What it is for.
    pub kind: SessionKind,
    /// How much is to be paid; nothing where only a card is stored.
    pub amount: Option<Money>,
    /// How much has been paid, in minor units.
    pub paid_minor: i64,
    /// Whether it may be paid in parts.
    pub allow_partial: bool,
    /// Whether the money is taken at once; else it is only held.
    pub capture: bool,
    /// Whether the payer is offered to have the card stored.
    pub offers_storing: bool,
    /// How many tries have failed.
    pub attempts: i64,
    /// After how many failed tries it ends.
    pub attempts_max: i64,
    /// The card that was stored.
    pub card: Option<CardId>,
    /// Where it is.
    pub state: SessionState,
    /// A keyed hash of the secret part of its page's address; empty where there is no page.
    pub page_hash: String,
    /// What the dialect gives back and nobody else reads, as JSON text.
    pub luggage: String,
    /// Until when it can be paid.
    pub expires_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it entered its state.
    pub changed_at: Timestamp,
}

/// An action that the session's state does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a session that is {state} cannot take {action:?}")]
pub struct SessionRefused {
    /// The state's word.
    pub state: &'static str,
    /// What was tried.
    pub action: SessionAction,
}

impl SessionState {
    /// The word that is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing { .. } => "processing",
            Self::Approved => "approved",
            Self::ApprovedPartial => "approved_partial",
            Self::PartialExpired => "partial_expired",
            Self::Rejected { .. } => "rejected",
        }
    }

    /// Whether nothing can happen to it any more.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Pending | Self::Processing { .. } | Self::ApprovedPartial => false,
            Self::Approved | Self::PartialExpired | Self::Rejected { .. } => true,
        }
    }
}

impl Session {
    /// The session after `action`.
    ///
    /// # Errors
    /// When its state does not allow the action; a final state allows none (I8).
    pub fn after(mut self, action: SessionAction, now: Timestamp) -> Result<Self, SessionRefused> {
        use SessionAction as A;
        use SessionState as S;
        let rejected = |end| S::Rejected { end };
        let state = match (self.state, action) {
            (S::Pending | S::ApprovedPartial, A::Begin(payment)) => S::Processing { payment },
            (S::Processing { .. }, A::Approve(amount_minor)) => {
                self.paid_minor = self.paid_minor.saturating_add(amount_minor);
                let whole = self.amount.is_none_or(|amount| self.paid_minor >= amount.minor);
                if whole || !self.allow_partial { S::Approved } else { S::ApprovedPartial }
            }
            (S::Processing { .. }, A::Decline) | (S::Pending, A::DeclineCard) => {
                self.attempts = self.attempts.saturating_add(1);
                if self.kind == SessionKind::Direct {
                    rejected(SessionEnd::Declined)
                } else if self.attempts >= self.attempts_max {
                    self.given_up(SessionEnd::Attempts)
                } else {
                    self.waiting()
                }
            }
            (S::Pending, A::StoreCard) => S::Approved,
            (S::Pending | S::ApprovedPartial, A::Abandon) => self.given_up(SessionEnd::Payer),
            (S::Pending, A::Cancel) => rejected(SessionEnd::Merchant),
            (S::Pending | S::ApprovedPartial, A::Expire) => self.given_up(SessionEnd::Expired),
            (state, action) => return Err(SessionRefused { state: state.code(), action }),
        };
        self.state = state;
        self.changed_at = now;
        Ok(self)
    }

    /// Where it waits for the payer: with or without a part of its money.
    const fn waiting(&self) -> SessionState {
        if self.paid_minor > 0 { SessionState::ApprovedPartial } else { SessionState::Pending }
    }

    /// Where it ends without the rest of its money.
    const fn given_up(&self, end: SessionEnd) -> SessionState {
        if self.paid_minor > 0 {
            SessionState::PartialExpired
        } else {
            SessionState::Rejected { end }
        }
    }

    /// What is still to be paid, in minor units.
    pub fn left_minor(&self) -> i64 {
        self.amount.map_or(0, |amount| amount.minor.saturating_sub(self.paid_minor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use uuid::Uuid;

    const NOW: Timestamp = Timestamp::from_micros(9);
    const PAYMENT: PaymentId = PaymentId(Uuid::nil());

    fn session(kind: SessionKind, state: SessionState) -> Session {
        Session {
            merchant: MerchantId(Uuid::nil()),
            id: SessionId(Uuid::nil()),
            lane: 0,
            number: 1,
            kind,
            amount: Some(Money::new(100, Currency::MXN)),
            paid_minor: if state == SessionState::ApprovedPartial { 40 } else { 0 },
            allow_partial: true,
            capture: true,
            offers_storing: false,
            attempts: 0,
            attempts_max: 2,
            card: None,
            state,
            page_hash: String::new(),
            luggage: String::new(),
            expires_at: NOW,
            created_at: NOW,
            changed_at: NOW,
        }
    }

    const TABLE: &str = "\
                 Begin      Approve          Decline Store    DeclineCard Abandon         Cancel   Expire
pending          processing -                -       approved pending     rejected        rejected rejected
processing       -          approved_partial pending -        -           -               -        -
approved         -          -                -       -        -           -               -        -
approved_partial processing -                -       -        -           partial_expired -        partial_expired
partial_expired  -          -                -       -        -           -               -        -
rejected         -          -                -       -        -           -               -        -
";

    #[test]
    fn the_whole_matrix() {
        use SessionAction as A;
        let states = [
            SessionState::Pending,
            SessionState::Processing { payment: PAYMENT },
            SessionState::Approved,
            SessionState::ApprovedPartial,
            SessionState::PartialExpired,
            SessionState::Rejected { end: SessionEnd::Payer },
        ];
        let actions = [
            A::Begin(PAYMENT),
            A::Approve(60),
            A::Decline,
            A::StoreCard,
            A::DeclineCard,
            A::Abandon,
            A::Cancel,
            A::Expire,
        ];
        for (row, state) in TABLE.lines().skip(1).zip(states) {
            let mut words = row.split_whitespace();
            assert_eq!(words.next(), Some(state.code()));
            for (word, action) in words.zip(actions) {
                let after = session(SessionKind::Payment, state).after(action, NOW);
                let found = after.map_or("-", |after| after.state.code());
                assert_eq!(found, word, "{state:?} {action:?}");
            }
        }
    }

    #[test]
    fn parts_add_up_and_tries_run_out() {
        use SessionAction as A;
        let paid = |session: Session, minor| {
            session.after(A::Begin(PAYMENT), NOW).unwrap().after(A::Approve(minor), NOW).unwrap()
        };
        let half = paid(session(SessionKind::Payment, SessionState::Pending), 60);
        assert_eq!((half.state, half.left_minor()), (SessionState::ApprovedPartial, 40));
        assert_eq!(paid(half, 40).state, SessionState::Approved);
        let declined = |session: Session| {
            session.after(A::Begin(PAYMENT), NOW).unwrap().after(A::Decline, NOW).unwrap()
        };
        let once = declined(session(SessionKind::Payment, SessionState::Pending));
        assert_eq!(once.state, SessionState::Pending);
        let twice = declined(once);
        assert_eq!(twice.state, SessionState::Rejected { end: SessionEnd::Attempts });
        let direct = declined(session(SessionKind::Direct, SessionState::Pending));
        assert_eq!(direct.state, SessionState::Rejected { end: SessionEnd::Declined });
    }
}
