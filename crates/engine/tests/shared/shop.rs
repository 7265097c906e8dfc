//! Merchants who settle by day, in a process, and what they do.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use cobro_acquirer_sim::SimulatedAcquirer;
use cobro_domain::money::{Currency, Money};
use cobro_domain::payment::Owner;
use cobro_domain::session::SessionKind;
use cobro_domain::{CardId, PaymentId};
use cobro_engine::card_charges::ChargeCard;
use cobro_engine::cards::StorePlan;
use cobro_engine::recurring::{NewRecurrence, Series};
use cobro_engine::refunds::CreateRefund;
use cobro_engine::sessions::{NewSession, SessionView};
use cobro_engine::vault::{CardData, VaultKeys};
use cobro_engine::world::WorldParts;
use cobro_engine::{Caller, World};

use super::chance::SeededEntropy;
use super::process::{Cast, KnownPeers, Opening, Place, Process, wake};
use super::settling::{self, CREDENTIAL, Settling, key_of};

/// 2026-01-05T06:00:00Z, midnight of a Monday in Mexico City, in microseconds.
pub(crate) const START_US: i64 = 1_767_592_800_000_000;

/// A process with a world.
pub(crate) struct Life {
    process: Process,
    pub(crate) world: World,
}

impl Life {
    /// A process starts on the databases of a place; real time stands still.
    pub(crate) fn start(place: &Place, entropy: &Arc<SeededEntropy>) -> Self {
        let real_us = Arc::new(AtomicI64::new(START_US));
        let opening = Opening { lanes: 1, prove_rerunnable: false };
        let process = Process::start(place, &real_us, opening);
        let parts = process.parts(Cast {
            dialect: Arc::new(Settling),
            acquirer: Arc::new(SimulatedAcquirer::new(process.book.clone())),
            entropy: entropy.clone(),
            peers: Arc::new(KnownPeers::of(Owner(1), &Arc::default())),
        });
        let keys = VaultKeys::parse(&format!("1:{}", "42".repeat(32)), [3; 32]).unwrap();
        let world = World::new(WorldParts { vault: Some(Arc::new(keys)), ..parts });
        let life = Self { process, world };
        life.run(async {
            wake(&life.world).await;
            life.world.fire_due().await.unwrap();
        });
        life
    }

    pub(crate) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.process.runtime.block_on(work)
    }

    pub(crate) fn die(self) {
        self.process.die(self.world);
    }
}

pub(crate) async fn caller(world: &World, merchant: usize) -> Caller {
    world.recognise(CREDENTIAL, &key_of(merchant)).await.unwrap().unwrap()
}

pub(crate) async fn store_card(world: &World, merchant: usize, number: &str) -> CardId {
    let card = CardData {
        number: number.to_owned(),
        expiration_month: 12,
        expiration_year: 2031,
        holder: "ANA".to_owned(),
    };
    let plan = StorePlan {
        token: None,
        with_subtoken: false,
        single_use: false,
        lifetime_s: None,
        luggage: "{}".to_owned(),
    };
    let caller = caller(world, merchant).await;
    world.store_card(&caller, &card, settling::card(), plan).await.unwrap().id
}

/// A session of a hundred pesos that is about to be made.
pub(crate) fn session(world: &World, kind: SessionKind) -> NewSession {
    NewSession {
        kind,
        amount: Some(Money::new(10_000, Currency::MXN)),
        allow_partial: false,
        capture: true,
        offers_storing: false,
        attempts_max: 1,
        page_hash: String::new(),
        luggage: "{}".to_owned(),
        expires_at: world.now().plus_seconds(900),
        repeatable: None,
        duplicate: None,
        recurrence: None,
    }
}

/// A charge of a stored card.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Charge {
    pub(crate) merchant: usize,
    pub(crate) card: CardId,
    pub(crate) amount_minor: i64,
    pub(crate) tip_minor: i64,
    pub(crate) installments: i64,
    pub(crate) capture: bool,
    pub(crate) challenge_s: Option<i64>,
}

impl Charge {
    /// Of a hundred pesos, taken at once.
    pub(crate) fn of(merchant: usize, card: CardId) -> Self {
        Self {
            merchant,
            card,
            amount_minor: 10_000,
            tip_minor: 0,
            installments: 1,
            capture: true,
            challenge_s: None,
        }
    }

    pub(crate) async fn make(self, world: &World) -> SessionView {
        self.make_with(world, None).await
    }

    /// It is the first one of a series.
    pub(crate) async fn make_first(self, world: &World, series: Series) -> SessionView {
        self.make_with(world, Some(NewRecurrence::First(series))).await
    }

    async fn make_with(self, world: &World, recurrence: Option<NewRecurrence>) -> SessionView {
        let new = NewSession {
            amount: Some(Money::new(self.amount_minor, Currency::MXN)),
            capture: self.capture,
            recurrence,
            ..session(world, SessionKind::Direct)
        };
        let charge = ChargeCard {
            amount_minor: None,
            installments: self.installments,
            tip_minor: self.tip_minor,
            store: None,
            luggage: None,
            challenge_s: self.challenge_s,
        };
        let caller = caller(world, self.merchant).await;
        world.charge_stored_card(&caller, self.card, None, new, charge).await.unwrap()
    }
}

/// Asks for a part of a payment back.
pub(crate) fn refund_of(payment: PaymentId, amount_minor: i64) -> CreateRefund {
    CreateRefund {
        payment,
        amount_minor: Some(amount_minor),
        within_balance: false,
        luggage: "{}".to_owned(),
        repeatable: None,
    }
}
