//! Money going back for a payment: an object of its own, since a final payment never changes.

use crate::fee::Fee;
use crate::id::{IntentId, MerchantId, PaymentId, RefundId};
use crate::money::Money;
use crate::payment::{Owner, Trace};
use crate::time::{Day, Timestamp};

/// Money going back for a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Whose payment it was.
    pub merchant: MerchantId,
    /// Our id.
    pub id: RefundId,
    /// The lane of its merchant.
    pub lane: i64,
    /// The integer that dialects show; below 2^31.
    pub number: i64,
    /// Its place among the refunds of its payment, from 1.
    pub ordinal: i64,
    /// The payment.
    pub payment: PaymentId,
    /// The intent that asked for it, if a terminal did.
    pub intent: Option<IntentId>,
    /// How much goes back.
    pub amount: Money,
    /// Under which number the acquirer knows it.
    pub trace: Trace,
    /// Where it is.
    pub state: RefundState,
    /// What of the payment's fee comes back with it.
    pub fee: Fee,
    /// In which day's settlement it is netted.
    pub settles_on: Option<Day>,
    /// What the dialect gives back and nobody else reads, as JSON text.
    pub luggage: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
}

/// Where a refund is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefundState {
    /// The acquirer has been asked, or is about to be. A refund is an advice: it is sent again
    /// until it is answered, under the same trace number, so it needs no reversal.
    Sending {
        /// Who waits for the answer.
        owner: Owner,
    },
    /// The money is on its way.
    Approved,
    /// The acquirer refused; what was set aside is free again.
    Declined,
}

impl RefundState {
    /// The word that is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Sending { .. } => "sending",
            Self::Approved => "approved",
            Self::Declined => "declined",
        }
    }
}
