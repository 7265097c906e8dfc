//! A wish to be paid at a terminal, and the one machine that moves it.
//!
//! States and triggers are those of the payment intents of seed 003 and of the state table in the
//! Point reference, section 7; the retry after a decline is what a list of pending charges needs.

use thiserror::Error;

use crate::card::CardKind;
use crate::id::{IntentId, MerchantId, PaymentId, TerminalId};
use crate::money::Money;
use crate::scenario::Scenario;
use crate::time::Timestamp;

/// A wish to be paid at a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Who is to be paid.
    pub merchant: MerchantId,
    /// Our id, also shown by the dialects.
    pub id: IntentId,
    /// Which terminal has it in its queue, or has taken it. A charge that any of the merchant's
    /// terminals may take has none until one does.
    pub terminal: Option<TerminalId>,
    /// Who may take it: the person who is signed in at a terminal; anybody when absent.
    pub assignee: Option<String>,
    /// The payment whose money is to go back at the terminal; absent, money is to be taken.
    pub refund_of: Option<PaymentId>,
    /// How much.
    pub amount: Money,
    /// The kind of card that was asked for, if one was.
    pub card_kind: Option<CardKind>,
    /// In how many instalments; 1 is all at once.
    pub installments: i64,
    /// Whether a decline leaves it on the terminal for another try.
    pub retry_declined: bool,
    /// How the simulated acquirer answers when no card says otherwise.
    pub scenario: Option<Scenario>,
    /// What the dialect gives back and nobody else reads, as JSON text.
    pub luggage: String,
    /// Where it is.
    pub state: IntentState,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its state ends by itself, where a terminal has it: what was queued or taken is given up,
    /// a result is put away.
    pub deadline: Option<Timestamp>,
    /// When it entered its state.
    pub changed_at: Timestamp,
}

/// Where an intent is, with what exists only there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntentState {
    /// Made by the point of sale, waiting in the terminal's queue.
    Open,
    /// Taken by the terminal, waiting for a card.
    OnTerminal {
        /// The last try, when it was declined and the terminal waits for another card.
        declined: Option<PaymentId>,
    },
    /// A card was read; the acquirer has been asked.
    Processing {
        /// The running try.
        payment: PaymentId,
    },
    /// The acquirer has answered; the terminal shows the result.
    Processed {
        /// The answered try.
        payment: PaymentId,
    },
    /// The terminal has closed the transaction, approved or declined.
    Finished {
        /// The answered try.
        payment: PaymentId,
    },
    /// Cancelled by the point of sale or on the terminal.
    Canceled,
    /// Not processed in time.
    Abandoned,
    /// The transaction failed; nothing was taken.
    Error,
    /// Ended without a known outcome: somebody has to look.
    ConfirmationRequired {
        /// The try whose outcome is unknown.
        payment: PaymentId,
    },
}

/// The states without their data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IntentPhase {
    /// See [`IntentState::Open`].
    Open,
    /// See [`IntentState::OnTerminal`].
    OnTerminal,
    /// See [`IntentState::Processing`].
    Processing,
    /// See [`IntentState::Processed`].
    Processed,
    /// See [`IntentState::Finished`].
    Finished,
    /// See [`IntentState::Canceled`].
    Canceled,
    /// See [`IntentState::Abandoned`].
    Abandoned,
    /// See [`IntentState::Error`].
    Error,
    /// See [`IntentState::ConfirmationRequired`].
    ConfirmationRequired,
}

impl IntentPhase {
    /// All phases, in the order of an intent's life.
    pub const ALL: [Self; 9] = [
        Self::Open,
        Self::OnTerminal,
        Self::Processing,
        Self::Processed,
        Self::Finished,
        Self::Canceled,
        Self::Abandoned,
        Self::Error,
        Self::ConfirmationRequired,
    ];

    /// The word that is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::OnTerminal => "on_terminal",
            Self::Processing => "processing",
            Self::Processed => "processed",
            Self::Finished => "finished",
            Self::Canceled => "canceled",
            Self::Abandoned => "abandoned",
            Self::Error => "error",
            Self::ConfirmationRequired => "confirmation_required",
        }
    }

    /// The phase of a stored word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.code() == code)
    }

    /// Whether nothing can happen to it any more.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Open | Self::OnTerminal | Self::Processing | Self::Processed => false,
            Self::Finished
            | Self::Canceled
            | Self::Abandoned
            | Self::Error
            | Self::ConfirmationRequired => true,
        }
    }
}

/// What can happen to an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntentAction {
    /// The point of sale takes it back.
    Cancel,
    /// The terminal takes it from its queue (the green key).
    Fetch,
    /// The person at the terminal gives it up (the red key).
    CancelOnTerminal,
    /// Its time is over.
    Expire,
    /// The terminal fails before a card was read.
    Fail,
    /// A card was read.
    PresentCard(PaymentId),
    /// The acquirer approved or declined.
    Answer,
    /// The acquirer declined and the terminal may try another card.
    Retry,
    /// The acquirer could not process it; nothing was taken.
    AnswerError,
    /// No answer came.
    LoseAnswer,
    /// The terminal has shown the result.
    Close,
    /// The money went back; there is no result to be put away.
    Complete,
}

/// An action that the intent's state does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an intent that is {} cannot take {action:?}", .phase.code())]
pub struct IntentRefused {
    /// Where the intent was.
    pub phase: IntentPhase,
    /// What was tried.
    pub action: IntentAction,
}

impl IntentState {
    /// The state without its data.
    pub const fn phase(self) -> IntentPhase {
        match self {
            Self::Open => IntentPhase::Open,
            Self::OnTerminal { .. } => IntentPhase::OnTerminal,
            Self::Processing { .. } => IntentPhase::Processing,
            Self::Processed { .. } => IntentPhase::Processed,
            Self::Finished { .. } => IntentPhase::Finished,
            Self::Canceled => IntentPhase::Canceled,
            Self::Abandoned => IntentPhase::Abandoned,
            Self::Error => IntentPhase::Error,
            Self::ConfirmationRequired { .. } => IntentPhase::ConfirmationRequired,
        }
    }

    /// The payment that the state speaks of.
    pub const fn payment(self) -> Option<PaymentId> {
        match self {
            Self::Processing { payment }
            | Self::Processed { payment }
            | Self::Finished { payment }
            | Self::ConfirmationRequired { payment } => Some(payment),
            Self::OnTerminal { declined } => declined,
            Self::Open | Self::Canceled | Self::Abandoned | Self::Error => None,
        }
    }

    /// Where `action` leads from here.
    ///
    /// # Errors
    /// When the action is not allowed here; a final state allows none (I8).
    pub fn after(self, action: IntentAction) -> Result<Self, IntentRefused> {
        use IntentAction as A;
        match (self, action) {
            (Self::Open, A::Cancel) | (Self::OnTerminal { .. }, A::CancelOnTerminal) => {
                Ok(Self::Canceled)
            }
            (Self::Open, A::Fetch) => Ok(Self::OnTerminal { declined: None }),
            (Self::Open | Self::OnTerminal { .. }, A::Expire) => Ok(Self::Abandoned),
            (Self::OnTerminal { .. }, A::Fail) => Ok(Self::Error),
            (Self::OnTerminal { .. }, A::PresentCard(payment)) => Ok(Self::Processing { payment }),
            (Self::Processing { payment }, A::Answer) => Ok(Self::Processed { payment }),
            (Self::Processing { payment }, A::Retry) => {
                Ok(Self::OnTerminal { declined: Some(payment) })
            }
            (Self::Processing { .. }, A::AnswerError) => Ok(Self::Error),
            (Self::Processing { payment }, A::LoseAnswer) => {
                Ok(Self::ConfirmationRequired { payment })
            }
            (Self::Processed { payment }, A::Close)
            | (Self::Processing { payment }, A::Complete) => Ok(Self::Finished { payment }),
            (state, action) => Err(IntentRefused { phase: state.phase(), action }),
        }
    }
}

impl Intent {
    /// The intent after `action`.
    ///
    /// # Errors
    /// When its state does not allow the action.
    pub fn after(self, action: IntentAction, now: Timestamp) -> Result<Self, IntentRefused> {
        let state = self.state.after(action)?;
        Ok(Self { state, deadline: None, changed_at: now, ..self })
    }

    /// The state without its data.
    pub const fn phase(&self) -> IntentPhase {
        self.state.phase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const TABLE: &str = "\
                       Cancel    Fetch       CancelOnTerminal Expire    Fail  PresentCard Answer    Retry       AnswerError LoseAnswer            Close    Complete
open                   canceled  on_terminal -                abandoned -     -           -         -           -           -                     -        -
on_terminal            -         -           canceled         abandoned error processing  -         -           -           -                     -        -
processing             -         -           -                -         -     -           processed on_terminal error       confirmation_required -        finished
processed              -         -           -                -         -     -           -         -           -           -                     finished -
finished               -         -           -                -         -     -           -         -           -           -                     -        -
canceled               -         -           -                -         -     -           -         -           -           -                     -        -
abandoned              -         -           -                -         -     -           -         -           -           -                     -        -
error                  -         -           -                -         -     -           -         -           -           -                     -        -
confirmation_required  -         -           -                -         -     -           -         -           -           -                     -        -
";

    fn states(payment: PaymentId) -> [IntentState; 9] {
        [
            IntentState::Open,
            IntentState::OnTerminal { declined: None },
            IntentState::Processing { payment },
            IntentState::Processed { payment },
            IntentState::Finished { payment },
            IntentState::Canceled,
            IntentState::Abandoned,
            IntentState::Error,
            IntentState::ConfirmationRequired { payment },
        ]
    }

    fn actions(payment: PaymentId) -> [IntentAction; 12] {
        use IntentAction as A;
        [
            A::Cancel,
            A::Fetch,
            A::CancelOnTerminal,
            A::Expire,
            A::Fail,
            A::PresentCard(payment),
            A::Answer,
            A::Retry,
            A::AnswerError,
            A::LoseAnswer,
            A::Close,
            A::Complete,
        ]
    }

    #[test]
    fn the_whole_matrix() {
        let payment = PaymentId(Uuid::from_u128(1));
        for (row, state) in TABLE.lines().skip(1).zip(states(payment)) {
            let mut words = row.split_whitespace();
            assert_eq!(words.next(), Some(state.phase().code()));
            for (word, action) in words.zip(actions(payment)) {
                let found = state.after(action).map_or("-", |next| next.phase().code());
                assert_eq!(found, word, "{state:?} {action:?}");
            }
        }
        assert_eq!(TABLE.lines().count(), 10);
    }

    #[test]
    fn a_payment_stays_the_same_once_it_is_named() {
        let payment = PaymentId(Uuid::from_u128(1));
        for state in states(payment) {
            for action in actions(PaymentId(Uuid::from_u128(2))) {
                if let (Some(before), Ok(next)) = (state.payment(), state.after(action)) {
                    assert!(next.payment().is_none_or(|after| after == before));
                }
            }
        }
    }

    #[test]
    fn a_declined_try_is_remembered_until_the_next() {
        let [first, second] = [1, 2].map(|n| PaymentId(Uuid::from_u128(n)));
        let declined = IntentState::Processing { payment: first }.after(IntentAction::Retry);
        assert_eq!(declined.map(IntentState::payment), Ok(Some(first)));
        let again = declined.and_then(|state| state.after(IntentAction::PresentCard(second)));
        assert_eq!(again, Ok(IntentState::Processing { payment: second }));
        let given_up = declined.and_then(|state| state.after(IntentAction::CancelOnTerminal));
        assert_eq!(given_up, Ok(IntentState::Canceled));
    }

    #[test]
    fn codes_are_read_back() {
        for phase in IntentPhase::ALL {
            assert_eq!(IntentPhase::from_code(phase.code()), Some(phase));
        }
        assert_eq!(IntentPhase::from_code("OPEN"), None);
    }
}
