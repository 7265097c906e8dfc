//! Why a use case was refused: one closed enum that every surface translates exhaustively.

use cobro_domain::intent::IntentRefused;
use cobro_domain::ledger::Unbalanced;
use cobro_domain::merchant::MerchantState;
use cobro_domain::money::MoneyError;
use cobro_domain::payment::PaymentRefused;
use cobro_domain::session::SessionRefused;
use cobro_store::{StoreError, TxError};
use thiserror::Error;

use crate::vault::VaultError;

/// What was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A stored card.
    Card,
    /// A delivery.
    Delivery,
    /// An intent.
    Intent,
    /// A merchant.
    Merchant,
    /// A payment.
    Payment,
    /// A refund.
    Refund,
    /// A session.
    Session,
    /// A settlement.
    Settlement,
    /// A terminal.
    Terminal,
    /// A world.
    World,
}

/// Why a use case was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EngineError {
    /// It does not exist, or is another merchant's: the two are told apart nowhere (I14).
    #[error("there is no such {0:?}")]
    NotFound(Subject),
    /// It exists already.
    #[error("there is such a {0:?} already")]
    Exists(Subject),
    /// The terminal has an intent that is not final.
    #[error("the terminal has an intent already")]
    TerminalBusy,
    /// The terminal takes its amounts from its own keys.
    #[error("the terminal is not integrated")]
    TerminalStandalone,
    /// The terminal does not answer.
    #[error("the terminal is offline")]
    TerminalOffline,
    /// The terminal has nothing to take.
    #[error("nothing is queued for the terminal")]
    NothingQueued,
    /// The terminal has not taken an intent.
    #[error("the terminal has not taken an intent")]
    NothingTaken,
    /// The intent's state does not allow it.
    #[error(transparent)]
    Intent(#[from] IntentRefused),
    /// The payment's state or its remainder does not allow it.
    #[error(transparent)]
    Payment(#[from] PaymentRefused),
    /// The caller's credentials changed since it was recognised: recognise it again.
    #[error("the caller has to be recognised again")]
    StaleCaller,
    /// The merchant may not work.
    #[error("the merchant is {}", .0.code())]
    MerchantState(MerchantState),
    /// The session's state does not allow it.
    #[error(transparent)]
    Session(#[from] SessionRefused),
    /// A stored card cannot be opened.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// An amount does not fit.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// The merchant's balance does not cover it.
    #[error("the merchant's balance does not cover it")]
    Balance,
    /// The acquirer has not answered yet; the outcome can be asked for later.
    #[error("the outcome is not known yet")]
    Unanswered,
    /// Time does not run backwards.
    #[error("the clock cannot be moved backwards")]
    ClockBackwards,
    /// It cannot be done here, and why.
    #[error("{0}")]
    Unsupported(&'static str),
    /// Something inside is broken, and what.
    #[error("internal fault: {0}")]
    Fault(String),
    /// The store has no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The transaction failed; the lane decides what becomes of it.
    #[error(transparent)]
    Tx(#[from] TxError),
}

impl From<Unbalanced> for EngineError {
    fn from(error: Unbalanced) -> Self {
        Self::Fault(error.to_string())
    }
}

impl EngineError {
    /// Whether nothing was done for want of room or of a database, so that trying again may help.
    pub const fn is_unavailable(&self) -> bool {
        matches!(self, Self::Store(StoreError::Busy | StoreError::Closed))
    }
}

/// The two results of a command as one.
pub(crate) fn settled<T>(
    result: Result<Result<T, EngineError>, StoreError>,
) -> Result<T, EngineError> {
    match result {
        Ok(inner) => inner,
        Err(error) => Err(error.into()),
    }
}
