//! What the engine needs from outside: an acquirer, and what a dialect knows that it does not.

use cobro_domain::card::{CardEntry, CardFacts, CardKind};
use cobro_domain::event::{Event, EventKind};
use cobro_domain::fee::FeeSchedule;
use cobro_domain::intent::{Intent, IntentPhase};
use cobro_domain::merchant::{Endpoint, Merchant};
use cobro_domain::payment::{DeclineReason, Payment, Trace};
use cobro_domain::scenario::Scenario;
use cobro_domain::session::Session;
use cobro_domain::time::Day;
use cobro_domain::{IntentId, MerchantId, Money, Timestamp};
use futures_util::future::BoxFuture;

use crate::cards::StorePlan;
use crate::error::EngineError;
use crate::world::World;

/// What the acquirer is asked for a payment.
#[derive(Clone, Debug)]
pub struct Authorise {
    /// Our number for the message; the same number is the same message.
    pub trace: Trace,
    /// Who is paid.
    pub merchant: MerchantId,
    /// How much.
    pub amount: Money,
    /// In how many instalments.
    pub installments: i64,
    /// The card, as far as it may be kept.
    pub card: CardFacts,
    /// How it was read.
    pub entry: CardEntry,
    /// Whether the money is taken at once; else it is only held.
    pub capture: bool,
    /// What a simulated acquirer shall do.
    pub scenario: Scenario,
    /// The world's time.
    pub at: Timestamp,
}

/// What the acquirer says to a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It took the money.
    Approved {
        /// The issuer's code.
        authorization: String,
    },
    /// It did not, and why.
    Declined(DeclineReason),
    /// It took the money and undid it.
    Reversed,
    /// It could not process the message; nothing was taken.
    Failed,
    /// It will decide at this time of the world's clock or later.
    Deferred {
        /// When to ask.
        until: Timestamp,
    },
    /// No answer, or one that cannot be used: the outcome is unknown.
    Silent,
}

/// What the acquirer is asked for a refund.
#[derive(Clone, Debug)]
pub struct RefundAsk {
    /// Our number for the message; the same number is the same message.
    pub trace: Trace,
    /// The payment's number.
    pub original: Trace,
    /// Who was paid.
    pub merchant: MerchantId,
    /// How much goes back.
    pub amount: Money,
    /// The world's time.
    pub at: Timestamp,
}

/// What the acquirer says to an advice: a reversal or a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdviceAnswer {
    /// Done, now or before, or there was nothing to undo (F14).
    Accepted,
    /// Refused.
    Refused,
    /// No answer: send it again.
    Silent,
}

/// One line of the acquirer's own book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookLine {
    /// The number of our message.
    pub trace: Trace,
    /// The number of the message that it belongs to; its own for a payment.
    pub original: Trace,
    /// Who was paid.
    pub merchant: MerchantId,
    /// Whether it is a payment; else it is a refund.
    pub is_payment: bool,
    /// How much.
    pub amount: Money,
    /// Whether the money moved and was not reversed.
    pub stands: bool,
}

/// The link to the acquirer.
pub trait Acquirer: Send + Sync {
    /// Asks for a payment. Asking again under the same number gives the same answer.
    fn authorise(&self, ask: Authorise) -> BoxFuture<'_, Answer>;

    /// What became of a deferred payment.
    fn resolve(&self, trace: Trace, at: Timestamp) -> BoxFuture<'_, Answer>;

    /// Takes money that is held: this much of it; the rest is let go. An acquirer that holds none
    /// refuses.
    fn capture(&self, original: Trace, amount: Money) -> BoxFuture<'_, AdviceAnswer> {
        let _ = (original, amount);
        Box::pin(std::future::ready(AdviceAnswer::Refused))
    }

    /// Changes how much money is held, to this much. An acquirer that holds none refuses.
    fn adjust(&self, original: Trace, amount: Money) -> BoxFuture<'_, AdviceAnswer> {
        let _ = (original, amount);
        Box::pin(std::future::ready(AdviceAnswer::Refused))
    }

    /// Undoes a payment as a whole.
    fn reverse(&self, original: Trace, at: Timestamp) -> BoxFuture<'_, AdviceAnswer>;

    /// Gives money back.
    fn refund(&self, ask: RefundAsk) -> BoxFuture<'_, AdviceAnswer>;

    /// Up to `limit` lines of its book with numbers above `after`, in order. An acquirer that
    /// keeps its book to itself has none.
    fn book(&self, after: Trace, limit: i64) -> BoxFuture<'_, Result<Vec<BookLine>, EngineError>>;
}

/// A request that is about to be sent to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeRequest {
    /// The address, with whatever the dialect adds to it.
    pub url: String,
    /// Headers, signature included.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// How long the receiver may take, in milliseconds.
    pub timeout_ms: u64,
}

/// What formatting a notice may need.
#[derive(Clone, Debug)]
pub struct NoticeAsk<'a> {
    /// The event.
    pub event: &'a Event,
    /// Whose it is.
    pub merchant: &'a Merchant,
    /// Where it goes.
    pub endpoint: &'a Endpoint,
    /// What the endpoint's secret is, opened; empty when there is none.
    pub secret: &'a str,
    /// Which attempt this is, from 1.
    pub attempt: i64,
    /// The delivery's id, for receivers that want to recognise repeats.
    pub delivery: &'a str,
    /// The world's time.
    pub at: Timestamp,
    /// Real time: what a receiver holds the age of a signature against.
    pub real: Timestamp,
}

/// Formats and signs what a merchant's endpoint is told.
pub trait Notice: Send + Sync {
    /// The request; `None` when this dialect does not tell of such an event.
    fn request(&self, ask: &NoticeAsk<'_>) -> Option<NoticeRequest>;

    /// Whether an endpoint in this slot is ever told of events of this kind.
    fn tells(&self, slot: i64, kind: EventKind) -> bool {
        let _ = (slot, kind);
        true
    }

    /// An address of its own, beside the merchant's endpoints, that an event of this kind is told
    /// to: the luggage of what it happened to may name one. By default there is none.
    fn own_address(&self, kind: EventKind, luggage: &str) -> Option<String> {
        let _ = (kind, luggage);
        None
    }

    /// Whether a status code means that the receiver took it.
    fn accepted(&self, status: u16) -> bool {
        (200..300).contains(&status)
    }

    /// How many seconds after the delivery was made the attempt after `attempts` attempts is
    /// due; `None` when there is none left.
    fn next_attempt_s(&self, attempts: i64) -> Option<i64>;
}

/// Makes a dialect's part of a new world.
pub trait SeedWorld: Send + Sync {
    /// Makes merchants, credentials and terminals. Running it again changes nothing.
    fn seed<'a>(&'a self, world: &'a World) -> BoxFuture<'a, Result<(), EngineError>>;

    /// The dialect's member of the world's JSON: its name and its value.
    fn describe<'a>(
        &'a self,
        world: &'a World,
    ) -> BoxFuture<'a, Result<(&'static str, serde_json::Value), EngineError>>;
}

/// The integers that a dialect shows for objects of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberRange {
    /// Names the sequence.
    pub kind: &'static str,
    /// The smallest number.
    pub from: i64,
    /// How many numbers there are.
    pub size: u64,
}

/// How many terminals can be told apart by their serial numbers: ten digits.
pub const SERIALS: u64 = 10_000_000_000;

/// A published test card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestCard {
    /// The card.
    pub facts: CardFacts,
    /// What its number, or its holder's name, makes the acquirer do.
    pub scenario: Scenario,
}

/// A card that is about to be charged or stored.
#[derive(Clone, Copy)]
pub struct CardUse<'a> {
    /// Its number.
    pub number: &'a str,
    /// Its holder.
    pub holder: &'a str,
    /// Month and year of expiry, as given.
    pub expiration: (i64, i64),
    /// The security code, when one was given. It is not kept.
    pub code: Option<&'a str>,
    /// What is to be paid; nothing where the card is only stored.
    pub amount: Option<Money>,
}

/// A new terminal's particulars.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerminalPlan {
    /// Its id on the wire.
    pub id: String,
    /// Its make.
    pub model: String,
    /// Settings for dialect and pages, as JSON text.
    pub settings: String,
}

/// The words of a dialect.
pub trait Describe: Send + Sync {
    /// The dialect's name, as in paths and in the control API.
    fn name(&self) -> &'static str;

    /// The word for an intent's state.
    fn intent_state(&self, phase: IntentPhase) -> &'static str;

    /// The word for where an intent is, with the payment that its state speaks of: by default that
    /// of its phase.
    fn intent_word(&self, intent: &Intent, payment: Option<&Payment>) -> &'static str {
        let _ = payment;
        self.intent_state(intent.phase())
    }

    /// The word for a terminal's operating mode: integrated or not.
    fn operating_mode(&self, integrated: bool) -> &'static str;

    /// A payment's id as the dialect shows it.
    fn payment_id(&self, payment: &Payment) -> String;

    /// The merchant's own reference that luggage carries, under which its payments can be searched
    /// for; by default there is none.
    fn reference(&self, luggage: &str) -> Option<String> {
        let _ = luggage;
        None
    }

    /// The intent that a text of this dialect names by its id.
    fn intent_id(&self, text: &str) -> Option<IntentId> {
        IntentId::parse(text)
    }

    /// The part of what is paid for an intent that its point of sale has fixed as a tip, in minor
    /// units; by default there is none.
    fn fixed_tip_minor(&self, luggage: &str) -> i64 {
        let _ = luggage;
        0
    }

    /// The kinds of names, besides its id, that an intent of this dialect is shown under; by
    /// default there are none.
    fn intent_names(&self) -> &'static [&'static str] {
        &[]
    }

    /// A new authorization code of a merchant's, which says whose it is and holds `secret`; by
    /// default the dialect has none. `tag` is that of a world beside the main one and stands at
    /// the beginning of the secret.
    fn consent(&self, merchant: &Merchant, tag: Option<&str>, secret: &str) -> Option<Consent> {
        let _ = (merchant, tag, secret);
        None
    }

    /// The numbers of payments.
    fn payment_numbers(&self) -> NumberRange;

    /// The numbers of refunds.
    fn refund_numbers(&self) -> NumberRange;

    /// The published test card with this number. The holder's name may decide what it does.
    fn test_card(&self, number: &str, holder: Option<&str>) -> Option<TestCard>;

    /// The number of a test card that approves, for a holder who names none; empty where the
    /// dialect has no pages that a holder types one on.
    fn default_number(&self) -> &'static str {
        ""
    }

    /// What a payment in so many instalments costs its merchant.
    fn fees(&self, merchant: &Merchant, installments: i64) -> FeeSchedule {
        let _ = installments;
        merchant.fees
    }

    /// On which day money that is taken now is paid out; `None` where nothing is settled by day.
    fn settles_on(&self, merchant: &Merchant, at: Timestamp) -> Option<Day> {
        let _ = (merchant, at);
        None
    }

    /// When the settlement of a day is closed.
    fn settlement_closes(&self, merchant: &Merchant, day: Day) -> Timestamp {
        let _ = merchant;
        day.begins(&jiff::tz::TimeZone::UTC)
    }

    /// What a card does, where more than its number and its holder decide: by default those alone.
    fn card_in_use(&self, use_of: &CardUse<'_>) -> Option<TestCard> {
        self.test_card(use_of.number, Some(use_of.holder))
    }

    /// Whether the card's issuer wants to hear from its holder before the card is used on a page
    /// (3-D Secure's challenge flow): by default none does.
    fn challenges(&self, use_of: &CardUse<'_>) -> bool {
        let _ = use_of;
        false
    }

    /// A session's id as the dialect shows it: its number, unless it shows another.
    fn session_id(&self, session: &Session) -> serde_json::Value {
        session.number.into()
    }

    /// The word for a session's state.
    fn session_state(&self, session: &Session) -> &'static str {
        session.state.code()
    }

    /// Until when money may be held that a session has led to and that nobody has taken; by default
    /// nobody says.
    fn hold_ends(&self, session: &Session) -> Option<Timestamp> {
        let _ = session;
        None
    }

    /// How the card of a session's payer is stored, once its luggage says who that is.
    fn store_plan(&self, luggage: &str) -> StorePlan {
        let _ = luggage;
        StorePlan {
            token: None,
            with_subtoken: false,
            single_use: false,
            lifetime_s: None,
            luggage: String::new(),
        }
    }

    /// The numbers of sessions.
    fn session_numbers(&self) -> NumberRange {
        NumberRange { kind: "session", from: 1, size: 2_147_483_646 }
    }

    /// A card that approves, of this kind, as the merchant's country has them.
    fn default_card(&self, merchant: &Merchant, kind: CardKind) -> CardFacts;

    /// The particulars of the `ordinal`th terminal of a merchant. `serial`, below [`SERIALS`], is no
    /// other terminal's of the world: the whole of it belongs into the id.
    fn plan_terminal(
        &self,
        merchant: &Merchant,
        ordinal: i64,
        model: Option<&str>,
        serial: u64,
    ) -> TerminalPlan;

    /// How long an intent may wait before it is abandoned, in seconds.
    fn abandon_after_s(&self, merchant: &Merchant) -> i64;

    /// A merchant's settings as the control API shows them.
    fn settings(&self, merchant: &Merchant) -> serde_json::Value;

    /// The merchant's settings after a change.
    ///
    /// # Errors
    /// What is wrong with the change, as text for people.
    fn change_settings(
        &self,
        merchant: &Merchant,
        change: &serde_json::Value,
    ) -> Result<SettingsChange, String>;
}

/// A merchant's consent that somebody works for it, as something that can be handed in once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// What is handed in.
    pub code: String,
    /// The kind of grant that it is kept as.
    pub kind: &'static str,
    /// For how long it is good, in seconds.
    pub lifetime_s: i64,
}

/// What a change of a merchant's settings comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingsChange {
    /// The dialect's settings, as JSON text.
    pub settings: String,
    /// Endpoints that get a new address: slot, address (empty to remove), all changes or only
    /// final ones.
    pub endpoints: Vec<(i64, String, bool)>,
}

/// Everything that the engine asks of a dialect.
pub trait Dialect: Notice + SeedWorld + Describe {}

impl<T: Notice + SeedWorld + Describe> Dialect for T {}
