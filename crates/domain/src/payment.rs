//! One try to take money from one card.

use thiserror::Error;

use crate::card::{CardEntry, CardFacts};
use crate::fee::Fee;
use crate::id::{CardId, IntentId, MerchantId, PaymentId, SessionId};
use crate::money::Money;
use crate::time::{Day, Timestamp};

/// The number under which the acquirer knows one message of ours; unique in the installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Trace(pub i64);

/// The process that is talking to the acquirer; see `Owner` in the store for who is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner(pub i64);

/// One try to take money from one card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Who is paid.
    pub merchant: MerchantId,
    /// Our id.
    pub id: PaymentId,
    /// The lane of its merchant.
    pub lane: i64,
    /// The integer that dialects show.
    pub number: i64,
    /// Its place among the merchant's payments, from 1, without gaps.
    pub ordinal: i64,
    /// The intent that it belongs to, if a terminal took it.
    pub intent: Option<IntentId>,
    /// The session that it belongs to, if one led to it.
    pub session: Option<SessionId>,
    /// The stored card that was charged, if one was.
    pub stored_card: Option<CardId>,
    /// Whether an approval takes the money at once; else it is only held.
    pub capture: bool,
    /// What is to be paid, tip included.
    pub amount: Money,
    /// The part of the amount that is a tip.
    pub tip_minor: i64,
    /// In how many instalments.
    pub installments: i64,
    /// The card, as far as it may be kept.
    pub card: CardFacts,
    /// How the card was read.
    pub entry: CardEntry,
    /// Under which number the acquirer knows it.
    pub trace: Trace,
    /// Where it is.
    pub state: PaymentState,
    /// What has been taken: the anchor that refunds are checked against (I6).
    pub captured_minor: i64,
    /// What has gone back.
    pub refunded_minor: i64,
    /// What is on its way back.
    pub refund_pending_minor: i64,
    /// What the merchant pays for it.
    pub fee: Fee,
    /// On which day it is paid out to its merchant, where that is settled by day.
    pub settles_on: Option<Day>,
    /// What the dialect gives back and nobody else reads, as JSON text.
    pub luggage: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
}

/// Where a payment is, with what exists only there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentState {
    /// Its card's holder has to answer a challenge first; the acquirer has not been asked.
    Challenged,
    /// The acquirer has been asked, or is about to be.
    Sending {
        /// Who waits for the answer.
        owner: Owner,
    },
    /// The acquirer will decide later.
    Pending,
    /// The money is held, not taken.
    Authorized {
        /// The issuer's code.
        authorization: String,
        /// When the answer was stored.
        at: Timestamp,
    },
    /// The money was taken.
    Approved {
        /// The issuer's code.
        authorization: String,
        /// When the answer was stored.
        at: Timestamp,
    },
    /// The issuer or the acquirer said no.
    Declined {
        /// Why.
        reason: DeclineReason,
    },
    /// The acquirer could not process it; nothing was taken.
    Failed,
    /// No answer came; a reversal is queued (I10, I11).
    Unknown,
    /// It was undone as a whole before it counted.
    Reversed {
        /// Who undid it.
        by: ReversedBy,
    },
}

/// Who undid a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReversedBy {
    /// The acquirer, in its answer.
    Acquirer,
    /// Our own reversal of an unanswered request.
    Recovery,
    /// The merchant, who let go of money that was only held.
    Merchant,
}

coded!(ReversedBy {
    Acquirer = "acquirer",
    Recovery = "recovery",
    Merchant = "merchant",
});

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// Why a card was declined, in the words of card schemes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum DeclineReason { $($(#[$doc])* $name,)* }

        impl DeclineReason {
            /// All reasons.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word that is stored.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The reason of a stored word.
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| reason.code() == code)
            }
        }
    };
}

reasons! {
    /// No reason given.
    Generic = "generic",
    /// Not enough money or credit.
    InsufficientFunds = "insufficient_funds",
    /// The holder has to call the issuer first.
    CallIssuer = "call_issuer",
    /// The security code is wrong.
    SecurityCode = "security_code",
    /// The card has expired, or its date is wrong.
    Expired = "expired",
    /// The card's data are wrong.
    BadForm = "bad_form",
    /// The card's number is wrong.
    CardNumber = "card_number",
    /// The card is not active.
    Inactive = "inactive",
    /// The instalments are not allowed.
    Installments = "installments",
    /// The same payment was made a moment ago.
    Duplicate = "duplicate",
    /// The card may not be used.
    Restricted = "restricted",
    /// This kind of card is not accepted.
    KindNotAccepted = "kind_not_accepted",
    /// Too many tries.
    TooManyTries = "too_many_tries",
    /// The card is on a list of blocked ones.
    Blocked = "blocked",
    /// This brand is not supported.
    BrandNotSupported = "brand_not_supported",
    /// An amount rule of the issuer.
    AmountRule = "amount_rule",
    /// Risk rules.
    HighRisk = "high_risk",
    /// The holder did not prove to be who he is (3-D Secure).
    Authentication = "authentication",
}

/// What can happen to a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentAction {
    /// The holder has answered the challenge: the acquirer is asked, by this process.
    Send(Owner),
    /// The acquirer approved.
    Approve {
        /// The issuer's code.
        authorization: String,
    },
    /// The acquirer declined.
    Decline(DeclineReason),
    /// The acquirer approved and undid it in one answer.
    Reverse,
    /// The acquirer will decide later.
    Defer,
    /// The acquirer could not process it.
    Fail,
    /// No answer came, or it could not be used.
    LoseAnswer,
    /// The acquirer accepted our reversal.
    ReversalAccepted,
    /// Held money is taken: this many minor units of it.
    Capture(i64),
    /// Held money is let go.
    Release,
    /// Another amount is held from now on, in minor units.
    Adjust(i64),
}

/// Why a payment could not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PaymentRefused {
    /// Its state does not allow the action.
    #[error("a payment that is {state} cannot take {action}")]
    State {
        /// The state's word.
        state: &'static str,
        /// The action's word.
        action: &'static str,
    },
    /// It was not approved, so nothing can go back.
    #[error("a payment that is {0} cannot be refunded")]
    NotApproved(&'static str),
    /// The refund is not positive.
    #[error("a refund must be positive")]
    NotPositive,
    /// More than what is left.
    #[error("the refund is more than the {left_minor} minor units that are left")]
    ExceedsRemainder {
        /// What is left, in minor units.
        left_minor: i64,
    },
    /// Everything has gone back, or is on its way.
    #[error("everything has been refunded")]
    NothingLeft,
}

impl PaymentState {
    /// The word that is stored.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Challenged => "challenged",
            Self::Sending { .. } => "sending",
            Self::Pending => "pending",
            Self::Authorized { .. } => "authorized",
            Self::Approved { .. } => "approved",
            Self::Declined { .. } => "declined",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Reversed { .. } => "reversed",
        }
    }

    /// Where `action` leads from here.
    ///
    /// # Errors
    /// When the action is not allowed here. An approval that comes after its answer was given up
    /// is among them: it loses, and the reversal stands (reliability reference, F10).
    pub fn after(self, action: PaymentAction, now: Timestamp) -> Result<Self, PaymentRefused> {
        use PaymentAction as A;
        match (self, action) {
            (Self::Challenged, A::Send(owner)) => Ok(Self::Sending { owner }),
            (Self::Challenged, A::Decline(reason)) => Ok(Self::Declined { reason }),
            (Self::Sending { .. } | Self::Pending, A::Approve { authorization }) => {
                Ok(Self::Approved { authorization, at: now })
            }
            (Self::Sending { .. } | Self::Pending, A::Decline(reason)) => {
                Ok(Self::Declined { reason })
            }
            (Self::Sending { .. }, A::Reverse) => Ok(Self::Reversed { by: ReversedBy::Acquirer }),
            (Self::Sending { .. }, A::Defer) => Ok(Self::Pending),
            (Self::Sending { .. }, A::Fail) => Ok(Self::Failed),
            (Self::Sending { .. }, A::LoseAnswer) => Ok(Self::Unknown),
            (Self::Authorized { authorization, .. }, A::Capture(_)) => {
                Ok(Self::Approved { authorization, at: now })
            }
            (held @ Self::Authorized { .. }, A::Adjust(_)) => Ok(held),
            (Self::Challenged | Self::Authorized { .. }, A::Release) => {
                Ok(Self::Reversed { by: ReversedBy::Merchant })
            }
            (Self::Unknown, A::ReversalAccepted) => Ok(Self::Reversed { by: ReversedBy::Recovery }),
            (state, action) => {
                Err(PaymentRefused::State { state: state.code(), action: action.code() })
            }
        }
    }
}

impl PaymentAction {
    const fn code(&self) -> &'static str {
        match self {
            Self::Send(_) => "send",
            Self::Approve { .. } => "approve",
            Self::Decline(_) => "decline",
            Self::Reverse => "reverse",
            Self::Defer => "defer",
            Self::Fail => "fail",
            Self::LoseAnswer => "lose_answer",
            Self::ReversalAccepted => "reversal_accepted",
            Self::Capture(_) => "capture",
            Self::Release => "release",
            Self::Adjust(_) => "adjust",
        }
    }
}

impl Payment {
    /// The payment after `action`. What was captured follows from it: on approval everything, or
    /// nothing where the money is only held; on capture what is asked for.
    ///
    /// # Errors
    /// When its state does not allow the action, or more is to be captured than is held (I7).
    pub fn after(self, action: PaymentAction, now: Timestamp) -> Result<Self, PaymentRefused> {
        let asked = match action {
            PaymentAction::Capture(minor) | PaymentAction::Adjust(minor) if minor <= 0 => {
                return Err(PaymentRefused::NotPositive);
            }
            PaymentAction::Capture(minor) if minor > self.amount.minor => {
                let left_minor = self.amount.minor;
                return Err(PaymentRefused::ExceedsRemainder { left_minor });
            }
            PaymentAction::Capture(minor) => minor,
            _ => self.amount.minor,
        };
        let amount = match action {
            PaymentAction::Adjust(minor) => Money::new(minor, self.amount.currency),
            _ => self.amount,
        };
        let only_held = !self.capture && matches!(action, PaymentAction::Approve { .. });
        let state = match self.state.after(action, now)? {
            PaymentState::Approved { authorization, at } if only_held => {
                PaymentState::Authorized { authorization, at }
            }
            state => state,
        };
        let captured_minor = match state {
            PaymentState::Approved { .. } => asked,
            _ => self.captured_minor,
        };
        Ok(Self { state, amount, captured_minor, changed_at: now, ..self })
    }

    /// What can still go back, in minor units.
    pub const fn refundable_minor(&self) -> i64 {
        self.captured_minor - self.refunded_minor - self.refund_pending_minor
    }

    /// Sets `amount_minor` aside for a refund; nothing is given for `None`, which means the rest.
    /// Answers the amount as well.
    ///
    /// # Errors
    /// When the payment is not approved, or the amount is not positive or more than what is left.
    pub fn reserve_refund(
        mut self,
        amount_minor: Option<i64>,
        now: Timestamp,
    ) -> Result<(Self, i64), PaymentRefused> {
        if !matches!(self.state, PaymentState::Approved { .. }) {
            return Err(PaymentRefused::NotApproved(self.state.code()));
        }
        let left_minor = self.refundable_minor();
        if left_minor <= 0 {
            return Err(PaymentRefused::NothingLeft);
        }
        let amount_minor = amount_minor.unwrap_or(left_minor);
        if amount_minor <= 0 {
            return Err(PaymentRefused::NotPositive);
        }
        if amount_minor > left_minor {
            return Err(PaymentRefused::ExceedsRemainder { left_minor });
        }
        self.refund_pending_minor += amount_minor;
        self.changed_at = now;
        Ok((self, amount_minor))
    }

    /// The payment once a refund of `amount_minor` was accepted.
    #[must_use]
    pub fn refund_accepted(mut self, amount_minor: i64, now: Timestamp) -> Self {
        self.refund_pending_minor -= amount_minor;
        self.refunded_minor += amount_minor;
        self.changed_at = now;
        self
    }

    /// The payment once a refund of `amount_minor` was refused.
    #[must_use]
    pub fn refund_released(mut self, amount_minor: i64, now: Timestamp) -> Self {
        self.refund_pending_minor -= amount_minor;
        self.changed_at = now;
        self
    }

    /// Whether everything that was captured has gone back.
    pub const fn is_fully_refunded(&self) -> bool {
        self.captured_minor > 0 && self.refunded_minor == self.captured_minor
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::CardKind;
    use crate::money::Currency;
    use uuid::Uuid;

    const NOW: Timestamp = Timestamp::from_micros(9);

    fn states() -> Vec<PaymentState> {
        vec![
            PaymentState::Challenged,
            PaymentState::Sending { owner: Owner(1) },
            PaymentState::Pending,
            PaymentState::Authorized { authorization: "1".into(), at: NOW },
            PaymentState::Approved { authorization: "1".into(), at: NOW },
            PaymentState::Declined { reason: DeclineReason::Generic },
            PaymentState::Failed,
            PaymentState::Unknown,
            PaymentState::Reversed { by: ReversedBy::Acquirer },
        ]
    }

    fn actions() -> Vec<PaymentAction> {
        vec![
            PaymentAction::Approve { authorization: "1".into() },
            PaymentAction::Decline(DeclineReason::Generic),
            PaymentAction::Reverse,
            PaymentAction::Defer,
            PaymentAction::Fail,
            PaymentAction::LoseAnswer,
            PaymentAction::ReversalAccepted,
            PaymentAction::Capture(1),
            PaymentAction::Release,
            PaymentAction::Adjust(1),
            PaymentAction::Send(Owner(1)),
        ]
    }

    const TABLE: &str = "\
           approve  decline  reverse  defer   fail   lose    accepted capture  release  adjust     send
challenged -        declined -        -       -      -       -        -        reversed -          sending
sending    approved declined reversed pending failed unknown -        -        -        -          -
pending    approved declined -        -       -      -       -        -        -        -          -
authorized -        -        -        -       -      -       -        approved reversed authorized -
approved   -        -        -        -       -      -       -        -        -        -          -
declined   -        -        -        -       -      -       -        -        -        -          -
failed     -        -        -        -       -      -       -        -        -        -          -
unknown    -        -        -        -       -      -       reversed -        -        -          -
reversed   -        -        -        -       -      -       -        -        -        -          -
";

    #[test]
    fn the_whole_matrix() {
        for (row, state) in TABLE.lines().skip(1).zip(states()) {
            let mut words = row.split_whitespace();
            assert_eq!(words.next(), Some(state.code()));
            for (word, action) in words.zip(actions()) {
                let found = match state.clone().after(action.clone(), NOW) {
                    Ok(next) => next.code(),
                    Err(_) => "-",
                };
                assert_eq!(found, word, "{state:?} {action:?}");
            }
        }
    }

    fn approved(captured_minor: i64) -> Payment {
        Payment {
            merchant: MerchantId(Uuid::from_u128(1)),
            id: PaymentId(Uuid::from_u128(2)),
            lane: 0,
            number: 1,
            ordinal: 1,
            intent: None,
            session: None,
            stored_card: None,
            capture: true,
            amount: Money::new(captured_minor, Currency::ARS),
            tip_minor: 0,
            installments: 1,
            card: CardFacts {
                brand: "visa".into(),
                kind: CardKind::Credit,
                bin: "411111".into(),
                last_digits: "1111".into(),
                issuer: String::new(),
                expiration_month: 1,
                expiration_year: 2030,
            },
            entry: CardEntry::Tap,
            trace: Trace(1),
            state: PaymentState::Approved { authorization: "1".into(), at: NOW },
            captured_minor,
            refunded_minor: 0,
            refund_pending_minor: 0,
            fee: Fee::default(),
            settles_on: None,
            luggage: String::new(),
            created_at: NOW,
            changed_at: NOW,
        }
    }

    #[test]
    fn held_money_is_taken_once_and_at_most_as_a_whole() {
        let sending = Payment {
            capture: false,
            captured_minor: 0,
            state: PaymentState::Sending { owner: Owner(1) },
            ..approved(100)
        };
        let approve = PaymentAction::Approve { authorization: "1".into() };
        let held = sending.after(approve, NOW).unwrap();
        assert_eq!((held.state.code(), held.captured_minor), ("authorized", 0));
        for (minor, ok) in [(0, false), (-1, false), (101, false), (40, true), (100, true)] {
            let taken = held.clone().after(PaymentAction::Capture(minor), NOW);
            assert_eq!(taken.is_ok(), ok, "{minor}");
            if let Ok(taken) = taken {
                assert_eq!((taken.state.code(), taken.captured_minor), ("approved", minor));
                assert!(taken.after(PaymentAction::Capture(1), NOW).is_err());
            }
        }
        let more = held.clone().after(PaymentAction::Adjust(150), NOW).unwrap();
        assert_eq!(
            (more.state.code(), more.amount.minor, more.captured_minor),
            ("authorized", 150, 0)
        );
        assert!(held.clone().after(PaymentAction::Adjust(0), NOW).is_err());
        let released = held.after(PaymentAction::Release, NOW).unwrap();
        assert_eq!((released.state.code(), released.captured_minor), ("reversed", 0));
    }

    #[test]
    fn refunds_never_exceed_what_was_taken() {
        let payment = approved(100);
        let (payment, first) = payment.reserve_refund(Some(60), NOW).unwrap();
        assert_eq!((first, payment.refundable_minor()), (60, 40));
        let exceeds = PaymentRefused::ExceedsRemainder { left_minor: 40 };
        assert_eq!(payment.clone().reserve_refund(Some(60), NOW), Err(exceeds));
        let payment = payment.refund_accepted(60, NOW);
        assert!(!payment.is_fully_refunded());
        let (payment, rest) = payment.reserve_refund(None, NOW).unwrap();
        assert_eq!(rest, 40);
        let nothing = payment.clone().reserve_refund(None, NOW);
        assert_eq!(nothing, Err(PaymentRefused::NothingLeft));
        let released = payment.clone().refund_released(40, NOW);
        assert_eq!(released.refundable_minor(), 40);
        assert!(payment.refund_accepted(40, NOW).is_fully_refunded());
    }

    #[test]
    fn what_is_not_approved_or_not_positive_is_not_refunded() {
        for amount in [0, -1] {
            let refused = approved(100).reserve_refund(Some(amount), NOW);
            assert_eq!(refused, Err(PaymentRefused::NotPositive));
        }
        for state in states() {
            let approved_state = state.code() == "approved";
            let payment = Payment { state, ..approved(100) };
            assert_eq!(payment.reserve_refund(Some(1), NOW).is_ok(), approved_state);
        }
    }
}
