//! One history: what happens, drawn from a seed, on databases that outlive its processes.

use std::collections::BTreeSet;

use cobro_domain::intent::{Intent, IntentPhase};
use cobro_domain::payment::{DeclineReason, PaymentState};
use cobro_domain::scenario::Scenario;
use cobro_domain::terminal::OperatingMode;
use cobro_domain::{MerchantId, Money, TerminalId};
use cobro_engine::intents::{CreateIntent, Repeatable};
use cobro_engine::refunds::CreateRefund;
use cobro_engine::secrets::digest;
use cobro_engine::terminals::ChangeTerminal;
use tokio::task::JoinHandle;

use crate::calls::{Call, Memory, Told};
use crate::dialect::{ABANDON_AFTER_S, MERCHANTS, NAME, TERMINALS, public_id, terminal_id};
use crate::shared::chance::Chance;
use crate::shared::process::{Opening, Place};
use crate::stage::{Life, Stage};
use crate::wild::{Kind, Point};

/// For how long a wish is known under its number: longer than any history lasts, in seconds.
const REMEMBERED_S: i64 = 30 * 86_400;

/// How a history is played.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// How many steps it has.
    pub(crate) steps: usize,
    pub(crate) lanes: i64,
    /// Commands are run again after every row that they read.
    pub(crate) prove_rerunnable: bool,
}

/// A history under way.
pub(crate) struct History {
    plan: Plan,
    pub(crate) chance: Chance,
    pub(crate) stage: Stage,
    life: Option<Life>,
    pub(crate) memory: Memory,
    pub(crate) merchants: Vec<MerchantId>,
    /// A card whose answer takes its time.
    pub(crate) held: Option<(Call, JoinHandle<Told>)>,
    /// Calls whose answers will come once a message is sent again.
    pub(crate) dangling: Vec<(Call, JoinHandle<Told>)>,
    /// Wishes that may be repeated.
    wishes: Vec<Call>,
    next_op: u64,
    /// What has happened so far, for whoever has to understand it.
    pub(crate) steps: Vec<String>,
}

impl History {
    pub(crate) fn new(plan: Plan, place: Place) -> Self {
        let opening = Opening { lanes: plan.lanes, prove_rerunnable: plan.prove_rerunnable };
        let stage = Stage::new(place, plan.seed, opening);
        let life = stage.start();
        let merchants = life.run(async {
            let mut merchants = Vec::new();
            for merchant in 0..MERCHANTS {
                let found = life.world.find_merchant(NAME, &public_id(merchant)).await;
                merchants.push(found.unwrap().unwrap().id);
            }
            merchants
        });
        Self {
            plan,
            chance: Chance::new(plan.seed),
            stage,
            life: Some(life),
            memory: Memory::default(),
            merchants,
            held: None,
            dangling: Vec::new(),
            wishes: Vec::new(),
            next_op: 0,
            steps: Vec::new(),
        }
    }

    pub(crate) fn life(&self) -> &Life {
        self.life.as_ref().unwrap()
    }

    /// Plays all steps.
    pub(crate) fn play(&mut self) -> Result<(), String> {
        for _ in 0..self.plan.steps {
            self.stage.pass(self.chance.between(0, 3000));
            self.step()?;
            self.hear_dangling()?;
            if self.held.is_some() && self.chance.one_in(4) {
                self.let_go()?;
            }
        }
        self.drain()
    }

    fn step(&mut self) -> Result<(), String> {
        match self.chance.below(100) {
            0..=47 => self.next_thing(),
            48..=55 => {
                let call = self.any_call();
                self.ask(call)
            }
            56..=62 => self.refund(),
            63..=65 => self.refunds_at_once(),
            66..=72 => self.things_at_once(),
            73..=79 => self.advance(),
            80..=81 => self.fire(),
            82..=84 => self.slow_card(),
            85 => self.slow_refund(),
            86..=89 => self.crash_in_call(),
            90..=91 => self.crash_in_background(),
            92 => self.crash("idle"),
            93..=94 => self.hang_up(),
            95 => self.rival(),
            96 => self.late_messages(),
            97..=98 => self.change_terminal(),
            _ => self.verify(),
        }
    }

    pub(crate) fn write_down(&mut self, step: String) {
        self.steps.push(step);
    }

    /// The process dies and another one starts.
    pub(crate) fn crash(&mut self, what: &str) -> Result<(), String> {
        self.write_down(format!("crash: {what}"));
        self.memory.count("crash", "done");
        if let Some((call, _)) = self.held.take() {
            self.memory.note(&call, &Told::Nothing)?;
        }
        for (call, _) in std::mem::take(&mut self.dangling) {
            self.memory.note(&call, &Told::Nothing)?;
        }
        if let Some(life) = self.life.take() {
            life.die();
        }
        // Whoever waited on the line is gone.
        self.stage.line.disarm();
        self.stage.line.release();
        self.life = Some(self.stage.start());
        Ok(())
    }

    /// What is on a terminal.
    fn current(&self, terminal: &str) -> Option<Intent> {
        let life = self.life();
        let view = life.run(life.world.terminal(terminal)).unwrap();
        view.current.map(|current| current.intent)
    }

    fn any_terminal(&mut self) -> (usize, TerminalId) {
        let merchant = usize::try_from(self.chance.below(MERCHANTS as u64)).unwrap();
        let terminal = usize::try_from(self.chance.below(TERMINALS as u64)).unwrap();
        (merchant, TerminalId(terminal_id(merchant, terminal)))
    }

    /// A terminal whose intent waits for a card.
    pub(crate) fn waiting_for_card(&mut self) -> Option<Call> {
        let mut found = Vec::new();
        for merchant in 0..MERCHANTS {
            for terminal in 0..TERMINALS {
                let id = terminal_id(merchant, terminal);
                if self.current(&id).is_some_and(|i| i.phase() == IntentPhase::OnTerminal) {
                    found.push((merchant, TerminalId(id)));
                }
            }
        }
        if found.is_empty() {
            return None;
        }
        let (merchant, terminal) = self.chance.pick(&found).clone();
        Some(Call::Card { merchant: self.merchants[merchant], terminal, tip_minor: 0 })
    }

    /// What a shop would do next at one of its terminals.
    pub(crate) fn next_call(&mut self) -> Call {
        let (merchant, terminal) = self.any_terminal();
        self.next_call_at(merchant, terminal)
    }

    fn next_call_at(&mut self, place: usize, terminal: TerminalId) -> Call {
        let merchant = self.merchants[place];
        let current = self.current(&terminal.0);
        let draw = self.chance.below(8);
        match (current, draw) {
            (None, _) => self.wish_for(place, terminal),
            (Some(intent), 0) if intent.phase() == IntentPhase::Open => {
                Call::Cancel { merchant: place, terminal, intent: intent.id }
            }
            (Some(intent), draw) => match intent.phase() {
                IntentPhase::Open => {
                    let named = (draw % 2 == 0).then_some(intent.id);
                    Call::Fetch { merchant, terminal, named }
                }
                IntentPhase::OnTerminal if draw == 0 => Call::RedKey { merchant, terminal },
                IntentPhase::OnTerminal => {
                    let tip_minor = if draw == 1 { 150 } else { 0 };
                    Call::Card { merchant, terminal, tip_minor }
                }
                IntentPhase::Processing => {
                    Call::Cancel { merchant: place, terminal, intent: intent.id }
                }
                _ => Call::Close { merchant, terminal },
            },
        }
    }

    fn next_thing(&mut self) -> Result<(), String> {
        let call = self.next_call();
        self.ask(call)
    }

    /// A call whatever the state of things; most are refused.
    pub(crate) fn any_call(&mut self) -> Call {
        let (place, terminal) = self.any_terminal();
        let merchant = self.merchants[place];
        let (foreign, other) = self.any_terminal();
        match self.chance.below(9) {
            0 => self.wish_for(place, terminal),
            // It may be somebody else's terminal.
            1 => self.wish_for(foreign, terminal),
            2 | 3 if !self.wishes.is_empty() => self.chance.pick(&self.wishes).clone(),
            4 => match self.memory.phases.keys().next_back() {
                Some(intent) => Call::Cancel { merchant: foreign, terminal, intent: *intent },
                None => Call::RedKey { merchant, terminal },
            },
            5 => {
                let named = self.memory.phases.keys().next().copied();
                Call::Fetch { merchant, terminal: other, named }
            }
            6 => Call::RedKey { merchant, terminal },
            7 => Call::Card { merchant, terminal, tip_minor: 0 },
            _ => Call::Close { merchant, terminal },
        }
    }

    /// A new wish to be paid.
    fn wish_for(&mut self, merchant: usize, terminal: TerminalId) -> Call {
        self.next_op += 1;
        let op = self.next_op;
        let chance = &mut self.chance;
        let scenario = match chance.below(20) {
            0..=10 => Some(Scenario::Approve),
            11 => None,
            12 | 13 => Some(Scenario::Decline(*chance.pick(DeclineReason::ALL))),
            14 => Some(Scenario::Reverse),
            15 => Some(Scenario::Fail),
            16 | 17 => Some(Scenario::Defer { approve: true, after_s: chance.between(1, 300) }),
            18 => Some(Scenario::Defer { approve: false, after_s: chance.between(1, 300) }),
            _ => Some(Scenario::Silence),
        };
        let life = self.life.as_ref().unwrap();
        let id = self.merchants[merchant];
        let currency = life.run(life.world.merchant(id)).unwrap().currency;
        let command = CreateIntent {
            terminal,
            amount: Money::new(chance.between(1, 100_000), currency),
            card_kind: None,
            installments: 1,
            retry_declined: chance.one_in(3),
            scenario,
            luggage: format!("{{\"op\":{op}}}"),
            abandon_after_s: ABANDON_AFTER_S,
            repeatable: (!chance.one_in(3)).then(|| repeatable(op)),
        };
        let is_repeatable = command.repeatable.is_some();
        let call = Call::Create { op, merchant, command };
        if is_repeatable {
            self.wishes.push(call.clone());
        }
        call
    }

    /// A refund of a payment that was shown as approved, new or asked for again.
    fn wish_back(&mut self) -> Option<Call> {
        let approved: Vec<_> = self
            .memory
            .payments
            .values()
            .filter_map(|shown| shown.last())
            .filter(|payment| matches!(payment.state, PaymentState::Approved { .. }))
            .collect();
        if approved.is_empty() {
            return None;
        }
        let payment = *self.chance.pick(&approved);
        let captured = payment.captured_minor;
        let amount_minor = match self.chance.below(12) {
            0..=3 => None,
            4..=8 => Some(self.chance.between(1, captured)),
            9 => Some(captured + 1),
            10 => Some(captured),
            _ => Some(self.chance.between(-1, 0)),
        };
        self.next_op += 1;
        let op = self.next_op;
        let merchant = self.merchants.iter().position(|id| *id == payment.merchant)?;
        let command = CreateRefund {
            payment: payment.id,
            amount_minor,
            within_balance: false,
            luggage: format!("{{\"op\":{op}}}"),
            repeatable: (!self.chance.one_in(3)).then(|| repeatable(op)),
        };
        let is_repeatable = command.repeatable.is_some();
        let call = Call::Refund { op, merchant, command };
        if is_repeatable {
            self.wishes.push(call.clone());
        }
        Some(call)
    }

    fn refund(&mut self) -> Result<(), String> {
        match self.wish_back() {
            Some(call) => self.ask(call),
            None => self.next_thing(),
        }
    }

    /// Several refunds of one payment, among them one that comes twice.
    fn refunds_at_once(&mut self) -> Result<(), String> {
        let Some(Call::Refund { op, merchant, command }) = self.wish_back() else {
            return self.next_thing();
        };
        let first = Call::Refund { op, merchant, command: command.clone() };
        let mut calls = vec![first.clone()];
        for _ in 0..self.chance.between(1, 4) {
            self.next_op += 1;
            let op = self.next_op;
            let amount_minor = Some(self.chance.between(1, 50_000));
            let luggage = format!("{{\"op\":{op}}}");
            let command = CreateRefund { amount_minor, luggage, repeatable: None, ..command };
            calls.push(Call::Refund { op, merchant, command });
        }
        if command.repeatable.is_some() {
            calls.push(first);
        }
        self.ask_at_once(calls)
    }

    /// Several callers at once, mostly at one terminal.
    fn things_at_once(&mut self) -> Result<(), String> {
        let (place, terminal) = self.any_terminal();
        let merchant = self.merchants[place];
        let current = self.current(&terminal.0);
        let phase = current.as_ref().map(Intent::phase);
        let mut calls = match (current, phase) {
            (None, _) => {
                let first = self.wish_for(place, terminal.clone());
                let again =
                    matches!(&first, Call::Create { command, .. } if command.repeatable.is_some());
                let other = self.wish_for(place, terminal.clone());
                let twin = if again { first.clone() } else { self.wish_for(place, terminal) };
                vec![first, other, twin]
            }
            (Some(intent), Some(IntentPhase::Open)) => {
                let intent = intent.id;
                vec![
                    Call::Fetch { merchant, terminal: terminal.clone(), named: None },
                    Call::Cancel { merchant: place, terminal: terminal.clone(), intent },
                    Call::Fetch { merchant, terminal, named: Some(intent) },
                ]
            }
            (_, Some(IntentPhase::OnTerminal)) => vec![
                Call::Card { merchant, terminal: terminal.clone(), tip_minor: 0 },
                Call::RedKey { merchant, terminal: terminal.clone() },
                Call::Card { merchant, terminal, tip_minor: 0 },
            ],
            _ => vec![
                Call::Close { merchant, terminal: terminal.clone() },
                Call::RedKey { merchant, terminal: terminal.clone() },
                Call::Close { merchant, terminal },
            ],
        };
        calls.push(self.next_call());
        // In any order.
        for place in (1..calls.len()).rev() {
            let other = usize::try_from(self.chance.below(place as u64 + 1)).unwrap();
            calls.swap(place, other);
        }
        self.ask_at_once(calls)
    }

    fn change_terminal(&mut self) -> Result<(), String> {
        let (place, id) = self.any_terminal();
        let online = !self.chance.one_in(3);
        let mode = if self.chance.one_in(5) {
            OperatingMode::Standalone
        } else {
            OperatingMode::Integrated
        };
        self.write_down(format!("terminal {id}: online {online}, {mode:?}"));
        self.set_terminal(place, id, online, mode);
        Ok(())
    }

    pub(crate) fn set_terminal(
        &self,
        place: usize,
        id: TerminalId,
        online: bool,
        mode: OperatingMode,
    ) {
        let change =
            ChangeTerminal { mode: Some(mode), online: Some(online), settings: Vec::new() };
        let life = self.life();
        let changed = life.world.change_terminal(self.merchants[place], id, change);
        life.run(changed).unwrap();
    }

    pub(crate) fn verify(&mut self) -> Result<(), String> {
        self.write_down("verify".to_owned());
        let life = self.life();
        let verified = life.run(life.world.verify());
        verified.map(drop).map_err(|offence| format!("verify: {offence}"))
    }

    fn late_messages(&mut self) -> Result<(), String> {
        let life = self.life();
        let count = life.run(life.wild.deliver_late());
        self.write_down(format!("{count} late messages"));
        Ok(())
    }

    fn slow_card(&mut self) -> Result<(), String> {
        let point = self.any_point();
        self.hold_card(point).map(drop)
    }

    /// A refund is answered so late that it was sent again in between.
    fn slow_refund(&mut self) -> Result<(), String> {
        self.let_go()?;
        let Some(call) = self.wish_back() else { return self.next_thing() };
        let point = self.any_point();
        if self.hold_refund(call, point)? {
            self.stage.pass(6_000_000);
            self.fire()?;
        }
        self.let_go()
    }

    pub(crate) fn any_point(&mut self) -> Point {
        *self.chance.pick(&[Point::BeforeBooking, Point::AfterBooking])
    }

    /// Another process may take this one for dead while it waits for an answer, which then loses.
    fn rival(&mut self) -> Result<(), String> {
        let point = self.any_point();
        if !self.hold_card(point)? {
            return Ok(());
        }
        let takes_for_dead = !self.chance.one_in(3);
        let rival = self.stage.rival(self.life(), takes_for_dead);
        let life = self.life();
        let swept = life.run(async {
            let swept = rival.sweep().await.unwrap();
            rival.fire_due().await.unwrap();
            swept
        });
        self.write_down(format!("a rival sweeps {swept}"));
        self.memory.count("rival", "done");
        if swept != usize::from(takes_for_dead) {
            return Err(format!("swept {swept} payments; takes for dead: {takes_for_dead}"));
        }
        self.let_go()
    }

    fn crash_in_background(&mut self) -> Result<(), String> {
        self.let_go()?;
        let kind = *self.chance.pick(&[Kind::Reverse, Kind::Resolve, Kind::Refund, Kind::Delivery]);
        let point = match kind {
            Kind::Resolve | Kind::Delivery => Point::AfterBooking,
            _ => self.any_point(),
        };
        self.stage.line.arm(kind, point);
        let died = self.advance_by(600)?;
        self.stage.line.disarm();
        if died { self.crash(&format!("{kind:?} {point:?}")) } else { Ok(()) }
    }

    /// Everything that is under way comes to its end.
    fn drain(&mut self) -> Result<(), String> {
        self.let_go()?;
        for merchant in 0..MERCHANTS {
            for terminal in 0..TERMINALS {
                let id = TerminalId(terminal_id(merchant, terminal));
                self.set_terminal(merchant, id, true, OperatingMode::Integrated);
            }
        }
        for _ in 0..4 {
            self.advance_by(6 * 3600)?;
            self.late_messages()?;
        }
        self.hear_all_dangling()
    }

    /// Ids of what is on the terminals, for a last look.
    pub(crate) fn busy_terminals(&self) -> BTreeSet<String> {
        let all = (0..MERCHANTS).flat_map(|m| (0..TERMINALS).map(move |t| terminal_id(m, t)));
        all.filter(|id| self.current(id).is_some()).collect()
    }
}

fn repeatable(op: u64) -> Repeatable {
    Repeatable { digest: digest(&[&op.to_be_bytes()]), lifetime_s: REMEMBERED_S }
}
