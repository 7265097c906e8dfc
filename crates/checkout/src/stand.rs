//! Where a session stands for the person before the page.

use cobro_domain::Timestamp;
use cobro_domain::payment::{DeclineReason, Payment, PaymentState};
use cobro_domain::session::{SessionEnd, SessionKind, SessionState};
use cobro_engine::sessions::SessionView;
use cobro_engine::typed_cards::Challenged;

use crate::desk::challenged;

/// Where a session stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stand {
    /// It takes a card.
    Open {
        /// Why the last card was not taken, if one was tried. The inner value is `None` where
        /// nobody said why.
        declined: Option<Option<DeclineReason>>,
    },
    /// A card's holder has to answer a challenge.
    Challenge(Challenged),
    /// A charge is under way, or the bank decides later.
    Waiting,
    /// Everything is paid, or the card is stored.
    Approved,
    /// Money is held, for the merchant to take.
    Held,
    /// A part was paid, and the rest cannot be any more.
    PartlyPaid,
    /// It ended without its money.
    Ended(SessionEnd),
}

impl Stand {
    /// Where a session stands at `now`, with the challenge of its card, if there is one.
    pub(crate) fn of(view: &SessionView, challenge: Option<Challenged>, now: Timestamp) -> Self {
        let session = &view.session;
        match session.state {
            SessionState::Processing { .. } => match challenge {
                Some(challenge) if challenged(view).is_some() => Self::Challenge(challenge),
                _ => Self::Waiting,
            },
            SessionState::Approved if session.capture || session.kind != SessionKind::Payment => {
                Self::Approved
            }
            SessionState::Approved => Self::Held,
            SessionState::PartialExpired => Self::PartlyPaid,
            SessionState::Rejected { end } => Self::Ended(end),
            SessionState::Pending if session.expires_at <= now => Self::Ended(SessionEnd::Expired),
            SessionState::ApprovedPartial if session.expires_at <= now => Self::PartlyPaid,
            SessionState::Pending | SessionState::ApprovedPartial => match challenge {
                Some(challenge) => Self::Challenge(challenge),
                None => Self::Open { declined: declined(view) },
            },
        }
    }

    /// The word of the JSON answer; those that the control API has are the same there.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Open { declined: Some(_) } | Self::Ended(SessionEnd::Attempts) => "rejected",
            Self::Open { declined: None } => "open",
            Self::Challenge(_) => "challenge",
            Self::Waiting => "pending",
            Self::Approved | Self::Held => "approved",
            Self::PartlyPaid => "partial",
            Self::Ended(SessionEnd::Declined) => "rejected",
            Self::Ended(SessionEnd::Payer | SessionEnd::Merchant) => "canceled",
            Self::Ended(SessionEnd::Expired) => "expired",
        }
    }
}

/// Why the last card was not taken: the last try failed, or a card was refused before any charge.
fn declined(view: &SessionView) -> Option<Option<DeclineReason>> {
    match view.payments.first().map(|payment| &payment.state) {
        Some(PaymentState::Declined { reason }) => Some(Some(*reason)),
        Some(PaymentState::Failed | PaymentState::Reversed { .. }) => Some(None),
        Some(_) => None,
        None => (view.session.attempts > 0).then_some(Some(DeclineReason::Authentication)),
    }
}

/// The payment that a receipt is about: the newest that took money or holds it.
pub(crate) fn receipted(view: &SessionView) -> Option<&Payment> {
    view.payments.iter().find(|payment| {
        matches!(
            payment.state,
            PaymentState::Approved { .. } | PaymentState::Authorized { .. } | PaymentState::Pending
        )
    })
}
