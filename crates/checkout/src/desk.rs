//! Where cards are charged and stored on behalf of a page: what a form leads to.

use cobro_domain::Timestamp;
use cobro_domain::payment::{Payment, PaymentState};
use cobro_domain::session::SessionState;
use cobro_engine::sessions::SessionView;
use cobro_engine::typed_cards::{Challenged, TypedCard};
use cobro_engine::{EngineError, World};

use crate::form::Checked;
use crate::merchandise::Merchandise;

/// What a form led to.
pub(crate) enum Step {
    /// The holder has to answer a challenge.
    Challenge,
    /// The card was used: the session after that.
    Used(Box<SessionView>),
}

/// Uses a card, or asks its holder first.
///
/// # Errors
/// As the engine's: a session that cannot be paid any more among others.
pub(crate) async fn pay(
    world: &World,
    view: &SessionView,
    merchandise: &dyn Merchandise,
    checked: Checked,
) -> Result<Step, EngineError> {
    let session = &view.session;
    let store = checked.save.then(|| merchandise.store_plan(session, &checked.payer));
    let typed = TypedCard {
        store,
        luggage: merchandise.luggage(session, &checked.payer),
        card: checked.card,
        ready: checked.ready,
        amount_minor: checked.amount_minor,
        installments: checked.installments,
    };
    if checked.challenged {
        world.challenge_holder(session.id, typed);
        return Ok(Step::Challenge);
    }
    world.use_typed_card(view, typed).await.map(|view| Step::Used(Box::new(view)))
}

/// The payment of a session that was made without a page and waits for its holder.
pub(crate) fn challenged(view: &SessionView) -> Option<&Payment> {
    view.payments.iter().find(|payment| payment.state == PaymentState::Challenged)
}

/// What is shown of a payment that waits for its holder.
pub(crate) fn challenge_of(payment: &Payment) -> Challenged {
    Challenged {
        brand: payment.card.brand.clone(),
        last_digits: payment.card.last_digits.clone(),
        issuer: payment.card.issuer.clone(),
        amount_minor: Some(payment.amount.minor),
    }
}

/// Whether a session takes a card now: it waits for one, and its time is not over.
pub(crate) fn is_open(view: &SessionView, now: Timestamp) -> bool {
    let waits = matches!(view.session.state, SessionState::Pending | SessionState::ApprovedPartial);
    waits && now < view.session.expires_at
}
