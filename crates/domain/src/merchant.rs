//! Who is paid.

use crate::fee::FeeSchedule;
use crate::id::MerchantId;
use crate::money::Currency;
use crate::time::Timestamp;

/// Whether a merchant may work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MerchantState {
    /// Works.
    Active,
    /// Switched off.
    Inactive,
    /// The account's time is over.
    Expired,
    /// The account lives, its credentials do not.
    CredentialsExpired,
}

coded!(MerchantState {
    Active = "active",
    Inactive = "inactive",
    Expired = "expired",
    CredentialsExpired = "credentials_expired",
});

/// A merchant of a world, with what every use case needs to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merchant {
    /// Our id.
    pub id: MerchantId,
    /// The dialect that the merchant speaks, as an opaque name.
    pub channel: String,
    /// The name by which its dialect and the control API know it.
    pub public_id: String,
    /// The trading name.
    pub name: String,
    /// The country, ISO 3166-1 alpha-2, or the dialect's own word for it.
    pub country: String,
    /// The currency of its terminals.
    pub currency: Currency,
    /// Whether it may work.
    pub state: MerchantState,
    /// Grows with every change of its credentials; a caller of an older epoch signs in again.
    pub epoch: i64,
    /// What it pays.
    pub fees: FeeSchedule,
    /// A bit per endpoint slot that may want to hear of events (bit n = slot n).
    pub endpoint_slots: i64,
    /// Settings that only the dialect reads, as JSON text.
    pub settings: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Where a merchant wants to hear of events; a merchant has at most one per slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Whose it is.
    pub merchant: MerchantId,
    /// Which of the dialect's subscriptions: 0 to 62.
    pub slot: i64,
    /// Where to; empty when not set.
    pub url: String,
    /// Whether its owner has proven that it is theirs, where the dialect asks for that.
    pub verified: bool,
    /// Which events it wants.
    pub wants: Wants,
    /// What the dialect needs to sign, encrypted.
    pub secret_sealed: Vec<u8>,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Which changes of state an endpoint wants to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// Every change.
    All,
    /// Only those that end in a final state.
    Final,
}

coded!(Wants {
    All = "all",
    Final = "final",
});
