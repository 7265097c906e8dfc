//! What the engine asks of this dialect.

use cobro_domain::card::{CardFacts, CardKind};
use cobro_domain::fee::FeeSchedule;
use cobro_domain::intent::{Intent, IntentPhase};
use cobro_domain::merchant::Merchant;
use cobro_domain::payment::Payment;
use cobro_domain::session::Session;
use cobro_domain::time::Day;
use cobro_domain::{IntentId, Timestamp};
use cobro_engine::cards::StorePlan;
use cobro_engine::ports::{Describe, NumberRange, SettingsChange, TerminalPlan, TestCard};
use serde_json::{Value, json};

use crate::settings::{self, Settings};
use crate::{calendar, card_tokens, cards, checkout, pinpad, pos, receipts, settlements};

/// The dialect's name.
pub(crate) const NAME: &str = "clip";

/// The Clip dialect, as the engine knows it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clip;

impl Describe for Clip {
    fn name(&self) -> &'static str {
        NAME
    }

    fn intent_state(&self, phase: IntentPhase) -> &'static str {
        pos::status(phase).word()
    }

    fn intent_word(&self, intent: &Intent, payment: Option<&Payment>) -> &'static str {
        pos::standing(intent, payment).0.word()
    }

    /// The terminals have one way of working; the other word is ours.
    fn operating_mode(&self, integrated: bool) -> &'static str {
        if integrated { "integrated" } else { "standalone" }
    }

    fn payment_id(&self, payment: &Payment) -> String {
        payment.id.to_string()
    }

    fn intent_id(&self, text: &str) -> Option<IntentId> {
        pinpad::intent_id(text)
    }

    fn fixed_tip_minor(&self, luggage: &str) -> i64 {
        pinpad::fixed_tip_minor(luggage)
    }

    fn intent_names(&self) -> &'static [&'static str] {
        &[pos::CODE]
    }

    fn payment_numbers(&self) -> NumberRange {
        receipts::PAYMENTS
    }

    fn refund_numbers(&self) -> NumberRange {
        receipts::REFUNDS
    }

    fn test_card(&self, number: &str, _holder: Option<&str>) -> Option<TestCard> {
        cards::find(number)
    }

    fn default_number(&self) -> &'static str {
        cards::DEFAULT_NUMBER
    }

    fn fees(&self, merchant: &Merchant, installments: i64) -> FeeSchedule {
        settlements::fees(merchant, installments)
    }

    fn settles_on(&self, _merchant: &Merchant, at: Timestamp) -> Option<Day> {
        Some(calendar::settles_on(at))
    }

    fn settlement_closes(&self, _merchant: &Merchant, day: Day) -> Timestamp {
        calendar::closes(day)
    }

    fn session_id(&self, session: &Session) -> Value {
        session.id.to_string().into()
    }

    fn session_state(&self, session: &Session) -> &'static str {
        checkout::session_word(session)
    }

    fn store_plan(&self, _luggage: &str) -> StorePlan {
        card_tokens::store_plan()
    }

    fn default_card(&self, _merchant: &Merchant, kind: CardKind) -> CardFacts {
        cards::default_card(kind)
    }

    fn plan_terminal(
        &self,
        _merchant: &Merchant,
        _ordinal: i64,
        model: Option<&str>,
        serial: u64,
    ) -> TerminalPlan {
        let usable = |model: &&str| {
            !model.is_empty()
                && model.len() <= 32
                && !model.contains("__")
                && model.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        };
        let model = model.filter(usable).unwrap_or(MODEL);
        // One digit more than seeded terminals have.
        plan(model, &format!("P8{serial:010}"), None)
    }

    fn abandon_after_s(&self, merchant: &Merchant) -> i64 {
        Settings::of(merchant).terminal_seconds_max
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

/// The model of a terminal of which none is named.
pub(crate) const MODEL: &str = "CLIP_PRO";

/// A terminal's particulars. Charges of points of sale are shown on it, to whoever is signed in.
pub(crate) fn plan(model: &str, serial: &str, cashier: Option<&str>) -> TerminalPlan {
    let settings = json!({ "b2b_transactions": true, "cashier": cashier });
    TerminalPlan {
        id: format!("{model}__{serial}"),
        model: model.to_owned(),
        settings: settings.to_string(),
    }
}
