//! What the engine asks of this dialect.

use cobro_domain::Timestamp;
use cobro_domain::card::{CardFacts, CardKind};
use cobro_domain::intent::IntentPhase;
use cobro_domain::merchant::Merchant;
use cobro_domain::payment::Payment;
use cobro_domain::session::{Session, SessionState};
use cobro_engine::cards::StorePlan;
use cobro_engine::ports::{CardUse, Describe, NumberRange, SettingsChange, TerminalPlan, TestCard};
use serde_json::Value;

use crate::luggage::{Luggage, card_luggage};
use crate::{cards, settings};

/// The dialect's name.
pub(crate) const NAME: &str = "placetopay";

/// The Placetopay Checkout dialect, as the engine knows it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Checkout;

/// Numbers of payments and refunds are internal references of one kind: each has half of what a
/// signed 32-bit integer of the SDKs can hold.
const NUMBERS: u64 = 1_073_741_823;

/// The word for a session's state (reference, section 7.1).
pub(crate) const fn session_word(state: SessionState) -> &'static str {
    match state {
        SessionState::Pending | SessionState::Processing { .. } => "PENDING",
        SessionState::Approved => "APPROVED",
        SessionState::ApprovedPartial => "APPROVED_PARTIAL",
        SessionState::PartialExpired => "PARTIAL_EXPIRED",
        SessionState::Rejected { .. } => "REJECTED",
    }
}

impl Describe for Checkout {
    fn name(&self) -> &'static str {
        NAME
    }

    /// There are no terminals in this dialect; the words are those of sessions.
    fn intent_state(&self, phase: IntentPhase) -> &'static str {
        match phase {
            IntentPhase::Open | IntentPhase::OnTerminal | IntentPhase::Processing => "PENDING",
            IntentPhase::Processed | IntentPhase::Finished => "APPROVED",
            IntentPhase::Canceled | IntentPhase::Abandoned => "REJECTED",
            IntentPhase::Error => "FAILED",
            IntentPhase::ConfirmationRequired => "PENDING_VALIDATION",
        }
    }

    fn operating_mode(&self, integrated: bool) -> &'static str {
        if integrated { "integrated" } else { "standalone" }
    }

    fn payment_id(&self, payment: &Payment) -> String {
        payment.number.to_string()
    }

    fn reference(&self, luggage: &str) -> Option<String> {
        let luggage = Luggage::read(luggage);
        Some(luggage.reference().to_owned()).filter(|reference| !reference.is_empty())
    }

    fn payment_numbers(&self) -> NumberRange {
        NumberRange { kind: "placetopay.payment", from: 1, size: NUMBERS }
    }

    fn refund_numbers(&self) -> NumberRange {
        NumberRange { kind: "placetopay.refund", from: 1_073_741_824, size: NUMBERS }
    }

    fn test_card(&self, number: &str, _holder: Option<&str>) -> Option<TestCard> {
        cards::find(number)
    }

    fn default_number(&self) -> &'static str {
        "4111111111111111"
    }

    fn card_in_use(&self, use_of: &CardUse<'_>) -> Option<TestCard> {
        cards::in_use(use_of)
    }

    fn challenges(&self, use_of: &CardUse<'_>) -> bool {
        cards::is_challenged(use_of.number)
    }

    fn session_state(&self, session: &Session) -> &'static str {
        session_word(session.state)
    }

    /// What waits for the merchant's word is dropped when its session's window is over (reference,
    /// section 7.1); how long a check-in holds, nothing says.
    fn hold_ends(&self, session: &Session) -> Option<Timestamp> {
        let waits = Luggage::read(&session.luggage).requires_confirmation();
        waits.then_some(session.expires_at)
    }

    fn store_plan(&self, luggage: &str) -> StorePlan {
        StorePlan {
            token: None,
            with_subtoken: true,
            single_use: false,
            lifetime_s: None,
            luggage: card_luggage(Luggage::read(luggage).person()),
        }
    }

    fn default_card(&self, _merchant: &Merchant, kind: CardKind) -> CardFacts {
        CardFacts { kind, ..cards::facts(self.default_number(), (12, 2035)) }
    }

    fn plan_terminal(
        &self,
        _merchant: &Merchant,
        _ordinal: i64,
        model: Option<&str>,
        serial: u64,
    ) -> TerminalPlan {
        let model = model.unwrap_or("VIRTUAL");
        TerminalPlan {
            id: format!("P2P{serial:010}"),
            model: model.to_owned(),
            settings: "{}".to_owned(),
        }
    }

    fn abandon_after_s(&self, _merchant: &Merchant) -> i64 {
        1800
    }

    fn settings(&self, merchant: &Merchant) -> Value {
        settings::shown(merchant)
    }

    fn change_settings(
        &self,
        merchant: &Merchant,
        change: &Value,
    ) -> Result<SettingsChange, String> {
        settings::changed(merchant, change)
    }
}
