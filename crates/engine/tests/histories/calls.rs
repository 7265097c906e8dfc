//! What people and programs ask of a world, and what they remember of its answers.

use std::collections::BTreeMap;

use cobro_domain::card::CardEntry;
use cobro_domain::intent::{Intent, IntentPhase};
use cobro_domain::payment::Payment;
use cobro_domain::refund::{Refund, RefundState};
use cobro_domain::{IntentId, MerchantId, PaymentId, TerminalId};
use cobro_engine::charges::PresentCard;
use cobro_engine::intents::{CreateIntent, IntentView};
use cobro_engine::refunds::{CreateRefund, RefundView};
use cobro_engine::{Caller, EngineError, World};

use crate::dialect::{CREDENTIAL, credential};

/// Something that is asked of a world.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    /// `op` numbers the wish: asked again under the same number, it is the same wish.
    Create {
        op: u64,
        merchant: usize,
        command: CreateIntent,
    },
    Cancel {
        merchant: usize,
        terminal: TerminalId,
        intent: IntentId,
    },
    Fetch {
        merchant: MerchantId,
        terminal: TerminalId,
        named: Option<IntentId>,
    },
    RedKey {
        merchant: MerchantId,
        terminal: TerminalId,
    },
    Card {
        merchant: MerchantId,
        terminal: TerminalId,
        tip_minor: i64,
    },
    Close {
        merchant: MerchantId,
        terminal: TerminalId,
    },
    Refund {
        op: u64,
        merchant: usize,
        command: CreateRefund,
    },
}

/// What came back.
#[derive(Clone, Debug)]
#[expect(dead_code, reason = "why something was refused is there to be printed")]
pub(crate) enum Told {
    Intent(Intent),
    View(IntentView),
    Refund(RefundView),
    Refused(String),
    /// The caller does not know.
    Nothing,
}

impl Call {
    pub(crate) const KINDS: [&str; 7] =
        ["create", "cancel", "fetch", "red key", "card", "close", "refund"];

    pub(crate) fn kind(&self) -> &'static str {
        let place = match self {
            Self::Create { .. } => 0,
            Self::Cancel { .. } => 1,
            Self::Fetch { .. } => 2,
            Self::RedKey { .. } => 3,
            Self::Card { .. } => 4,
            Self::Close { .. } => 5,
            Self::Refund { .. } => 6,
        };
        Self::KINDS[place]
    }

    /// The number of a refund's wish.
    pub(crate) fn refund_op(&self) -> Option<u64> {
        match self {
            Self::Refund { op, .. } => Some(*op),
            _ => None,
        }
    }
}

async fn caller(world: &World, merchant: usize) -> Caller {
    world.recognise(CREDENTIAL, &credential(merchant)).await.unwrap().unwrap()
}

/// Asks, and waits for the answer.
pub(crate) async fn perform(world: World, call: Call) -> Told {
    let intent = |result: Result<Intent, EngineError>| match result {
        Ok(intent) => Told::Intent(intent),
        Err(error) => refused(error),
    };
    match call {
        Call::Create { merchant, command, .. } => {
            let caller = caller(&world, merchant).await;
            intent(world.create_intent(&caller, command).await)
        }
        Call::Cancel { merchant, terminal, intent: id } => {
            let caller = caller(&world, merchant).await;
            intent(world.cancel_intent(&caller, terminal, id).await)
        }
        Call::Fetch { merchant, terminal, named } => {
            intent(world.fetch_intent(merchant, terminal, named).await)
        }
        Call::RedKey { merchant, terminal } => {
            intent(world.cancel_on_terminal(merchant, terminal).await)
        }
        Call::Close { merchant, terminal } => intent(world.close_result(merchant, terminal).await),
        Call::Card { merchant, terminal, tip_minor } => {
            let entry = CardEntry::Tap;
            let command = PresentCard { card: None, entry, tip_minor, installments: None };
            match world.present_card(merchant, terminal, command).await {
                Ok(view) => Told::View(view),
                Err(error) => refused(error),
            }
        }
        Call::Refund { merchant, command, .. } => {
            let caller = caller(&world, merchant).await;
            match world.create_refund(&caller, command).await {
                Ok(view) => Told::Refund(view),
                Err(error) => refused(error),
            }
        }
    }
}

/// A refusal; nothing else may come back as an error while the databases work.
fn refused(error: EngineError) -> Told {
    match error {
        EngineError::Unanswered => Told::Nothing,
        EngineError::Store(_) | EngineError::Tx(_) | EngineError::Fault(_) => {
            panic!("not a refusal: {error:?}")
        }
        error => Told::Refused(error.to_string()),
    }
}

/// What became of one wish, as far as its caller knows.
#[derive(Clone, Debug)]
pub(crate) struct Wish<T> {
    /// What was made.
    pub(crate) made: Option<T>,
    /// Whether an answer is missing: it may have been made all the same.
    pub(crate) open: bool,
}

impl<T> Default for Wish<T> {
    fn default() -> Self {
        Self { made: None, open: false }
    }
}

/// What the callers remember.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) intents: BTreeMap<u64, Wish<IntentId>>,
    pub(crate) refunds: BTreeMap<u64, Wish<RefundView>>,
    /// In which states an intent was shown.
    pub(crate) phases: BTreeMap<IntentId, Vec<IntentPhase>>,
    /// In which states a payment was shown.
    pub(crate) payments: BTreeMap<PaymentId, Vec<Payment>>,
    /// How often each kind of call was done, refused, or left without an answer.
    pub(crate) tally: BTreeMap<(&'static str, &'static str), u64>,
}

impl Memory {
    pub(crate) fn count(&mut self, what: &'static str, how: &'static str) {
        *self.tally.entry((what, how)).or_default() += 1;
    }

    /// Remembers an answer; the error says what is wrong with it at first sight.
    pub(crate) fn note(&mut self, call: &Call, told: &Told) -> Result<(), String> {
        let how = match told {
            Told::Refused(_) => "refused",
            Told::Nothing => "unanswered",
            _ => "done",
        };
        self.count(call.kind(), how);
        match told {
            Told::Intent(intent) => self.show_intent(intent),
            Told::View(view) => {
                self.show_intent(&view.intent);
                self.show_view(view)?;
            }
            Told::Refund(view) => {
                self.payments.entry(view.payment.id).or_default().push(view.payment.clone());
            }
            Told::Refused(_) | Told::Nothing => {}
        }
        match call {
            Call::Create { op, command, .. } => {
                let wish = self.intents.entry(*op).or_default();
                match told {
                    Told::Intent(intent) => made_once(wish, intent, command)?,
                    Told::Nothing => wish.open = true,
                    _ => {}
                }
            }
            Call::Refund { op, command, .. } => {
                let wish = self.refunds.entry(*op).or_default();
                match told {
                    Told::Refund(view) => refunded_once(wish, view, command)?,
                    Told::Nothing => wish.open = true,
                    _ => {}
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn show_intent(&mut self, intent: &Intent) {
        self.phases.entry(intent.id).or_default().push(intent.phase());
    }

    fn show_view(&mut self, view: &IntentView) -> Result<(), String> {
        let state = view.payment.as_ref().map(|payment| payment.state.code());
        let fits = match view.intent.phase() {
            IntentPhase::Processed | IntentPhase::Finished => {
                matches!(state, Some("approved" | "declined" | "pending" | "reversed"))
            }
            IntentPhase::OnTerminal => matches!(state, None | Some("declined")),
            IntentPhase::Error => matches!(state, None | Some("failed")),
            IntentPhase::ConfirmationRequired => matches!(state, Some("unknown" | "reversed")),
            _ => false,
        };
        if let Some(payment) = &view.payment {
            self.payments.entry(payment.id).or_default().push(payment.clone());
        }
        if fits { Ok(()) } else { Err(format!("intent and payment do not fit: {view:?}")) }
    }
}

fn made_once(
    wish: &mut Wish<IntentId>,
    intent: &Intent,
    command: &CreateIntent,
) -> Result<(), String> {
    if intent.phase() != IntentPhase::Open || intent.luggage != command.luggage {
        return Err(format!("made something else than {command:?}: {intent:?}"));
    }
    if wish.made.is_some_and(|made| made != intent.id) {
        return Err(format!("one wish led to two intents: {wish:?}, {intent:?}"));
    }
    wish.made = Some(intent.id);
    Ok(())
}

fn refunded_once(
    wish: &mut Wish<RefundView>,
    view: &RefundView,
    command: &CreateRefund,
) -> Result<(), String> {
    let Refund { payment, amount, luggage, state, .. } = &view.refund;
    let amount_fits = command.amount_minor.is_none_or(|asked| asked == amount.minor);
    let is_other = *payment != command.payment || *luggage != command.luggage || !amount_fits;
    if is_other || matches!(state, RefundState::Sending { .. }) {
        return Err(format!("answered something else than {command:?}: {view:?}"));
    }
    if wish.made.as_ref().is_some_and(|made| made.refund != view.refund) {
        return Err(format!("one wish led to two refunds: {wish:?}, {view:?}"));
    }
    wish.made = Some(view.clone());
    Ok(())
}
