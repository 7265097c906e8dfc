//! Terminals that work by themselves: what is queued is taken, and a card presented, after a delay
//! of the world's clock.
//!
//! Nobody listens to a world without such a terminal, so that the others pay nothing for it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cobro_domain::TerminalId;
use cobro_domain::card::CardEntry;
use cobro_domain::intent::IntentPhase;
use cobro_engine::charges::PresentCard;
use cobro_engine::terminals::TerminalView;
use cobro_engine::{Change, EngineError, World, Worlds};
use cobro_surface::json::Json;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, JoinSet};

use crate::cards::NamedCard;
use crate::input::Members;
use crate::live::stopped;
use crate::present::present;
use crate::refusal::Refusal;
use crate::worlds::open_world;

/// The longest delay: a day.
const DELAY_MAX_MS: i64 = 86_400_000;

/// How soon a world that was opened is noticed.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How many terminals are read at once when a world is looked through.
const SCAN_PAGE: i64 = 200;

/// The terminals that work by themselves, by world.
#[derive(Debug, Default)]
pub struct Autopilot {
    enabled: Mutex<HashMap<String, HashSet<TerminalId>>>,
    /// Held from reading terminals to noting what they say, so that nothing older is noted last.
    noting: tokio::sync::Mutex<()>,
    added: Notify,
}

/// A terminal's setting `autopilot`.
struct Plan {
    delay_ms: i64,
    card: Option<NamedCard>,
}

impl Plan {
    /// What a terminal shall do; `None` when it waits for people.
    fn of(terminal: &TerminalView) -> Option<Self> {
        let setting = setting(terminal);
        if setting.get("enabled") != Some(&Value::Bool(true)) {
            return None;
        }
        let card = setting.get("card").filter(|card| !card.is_null());
        Some(Self {
            delay_ms: setting.get("delay_ms").and_then(Value::as_i64).unwrap_or(0),
            card: card.and_then(|card| NamedCard::read(&Json::from(card)).ok()),
        })
    }
}

fn setting(terminal: &TerminalView) -> Value {
    let settings: Value = serde_json::from_str(&terminal.terminal.settings).unwrap_or_default();
    settings.get("autopilot").cloned().unwrap_or_default()
}

/// The setting after a change: members that are absent stay as they are.
///
/// # Errors
/// A wrong type, a delay of more than a day, or a card that nobody published.
pub(crate) fn changed(
    world: &World,
    terminal: &TerminalView,
    change: &Json,
) -> Result<Value, Refusal> {
    let members = Members::of(change, &["enabled", "delay_ms", "card"])?;
    let before = setting(terminal);
    let card = match members.raw("card") {
        None => before.get("card").cloned().unwrap_or_default(),
        Some(Json::Null) => Value::Null,
        Some(card) => {
            let card = NamedCard::read(card)?;
            card.find(world, &terminal.merchant.channel)?;
            card.kept()
        }
    };
    let enabled = members.boolean("enabled")?;
    let delay_ms = members.integer("delay_ms", 0..=DELAY_MAX_MS)?;
    Ok(json!({
        "enabled": enabled.or_else(|| before.get("enabled")?.as_bool()).unwrap_or(false),
        "delay_ms": delay_ms.or_else(|| before.get("delay_ms")?.as_i64()).unwrap_or(0),
        "card": card,
    }))
}

impl Autopilot {
    /// No terminals yet; those of a world are looked up when [`Self::run`] meets it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Works until the server stops.
    pub async fn run(self: Arc<Self>, worlds: Arc<Worlds>, mut shutdown: watch::Receiver<bool>) {
        let mut watching: HashMap<String, AbortHandle> = HashMap::new();
        let mut met: HashSet<String> = HashSet::new();
        // Dropped with this function, which ends the tasks.
        let mut tasks = JoinSet::new();
        loop {
            let open = worlds.all_open();
            let is_open = |id: &String| open.iter().any(|world| world.id() == id);
            met.retain(is_open);
            watching.retain(|_, task| !task.is_finished());
            self.lock().retain(|id, _| is_open(id));
            for world in &open {
                if !met.contains(world.id()) && self.scan(world).await {
                    met.insert(world.id().to_owned());
                }
                if self.is_wanted(world.id()) && !watching.contains_key(world.id()) {
                    let watch = Arc::clone(&self).watch(Arc::clone(&worlds), world);
                    watching.insert(world.id().to_owned(), tasks.spawn(watch));
                }
            }
            drop(open);
            while tasks.try_join_next().is_some() {}
            tokio::select! {
                () = stopped(&mut shutdown) => return,
                () = self.added.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Notes that a terminal's setting changed.
    ///
    /// # Errors
    /// Unknown terminal.
    pub(crate) async fn changed(&self, world: &World, id: &TerminalId) -> Result<(), EngineError> {
        let noting = self.noting.lock().await;
        let view = world.terminal(&id.0).await?;
        self.note(world.id(), &view);
        drop(noting);
        // A watcher that is there already is told; one that is not yet begins by looking.
        world.announce(Change::Terminal(view.merchant.id, id.clone()));
        self.added.notify_one();
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, HashSet<TerminalId>>> {
        self.enabled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, world: &str, terminal: &TerminalView) {
        let mut enabled = self.lock();
        let id = terminal.terminal.id.clone();
        if Plan::of(terminal).is_some() {
            enabled.entry(world.to_owned()).or_default().insert(id);
        } else if let Some(terminals) = enabled.get_mut(world) {
            terminals.remove(&id);
        }
    }

    fn is_wanted(&self, world: &str) -> bool {
        self.lock().get(world).is_some_and(|terminals| !terminals.is_empty())
    }

    fn is_enabled(&self, world: &str, id: &TerminalId) -> bool {
        self.lock().get(world).is_some_and(|terminals| terminals.contains(id))
    }

    fn terminals(&self, world: &str) -> Vec<TerminalId> {
        self.lock().get(world).map(|all| all.iter().cloned().collect()).unwrap_or_default()
    }

    /// Looks through a world's terminals; whether it could.
    async fn scan(&self, world: &World) -> bool {
        let mut after = String::new();
        loop {
            let _noting = self.noting.lock().await;
            match world.terminals(after, SCAN_PAGE).await {
                Ok(page) => {
                    page.iter().for_each(|view| self.note(world.id(), view));
                    let Some(last) = page.last() else { return true };
                    after = last.terminal.id.0.clone();
                }
                Err(error) => {
                    tracing::warn!(%error, "a world's terminals could not be looked through");
                    return false;
                }
            }
        }
    }

    /// Watches one world as long as it has such terminals. The world is not held meanwhile, so
    /// that it can be removed.
    fn watch(
        self: Arc<Self>,
        worlds: Arc<Worlds>,
        world: &World,
    ) -> impl Future<Output = ()> + Send + use<> {
        let (mut changes, id) = (world.changes(), world.id().to_owned());
        async move {
            let mut runs = JoinSet::new();
            let mut looked_at = self.terminals(&id);
            loop {
                for terminal in looked_at.drain(..) {
                    runs.spawn(run(Arc::clone(&worlds), id.clone(), terminal));
                }
                while runs.try_join_next().is_some() {}
                match changes.recv().await {
                    Ok(Change::Terminal(_, terminal)) if self.is_enabled(&id, &terminal) => {
                        looked_at.push(terminal);
                    }
                    Ok(Change::Pool(_)) => looked_at = self.terminals(&id),
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => looked_at = self.terminals(&id),
                    Err(RecvError::Closed) => return,
                }
                if runs.is_empty() && looked_at.is_empty() && !self.is_wanted(&id) {
                    return;
                }
            }
        }
    }
}

/// Does what a terminal with a queued intent shall do. Two runs for one intent do no harm: only
/// one of them can take it.
async fn run(worlds: Arc<Worlds>, world: String, id: TerminalId) {
    if let Err(error) = take_and_pay(&worlds, &world, &id).await {
        tracing::debug!(%error, terminal = %id, "the autopilot did not get through");
    }
}

async fn take_and_pay(worlds: &Worlds, world: &str, id: &TerminalId) -> Result<(), EngineError> {
    let queued = |view: &TerminalView| {
        // What a terminal has in its own queue, else the oldest charge that it shows.
        let intent = match &view.current {
            Some(current) => &current.intent,
            None => view.pending.first()?,
        };
        let is_ready = view.terminal.online && intent.phase() == IntentPhase::Open;
        is_ready.then_some((intent.id, intent.created_at))
    };
    let Some(open) = open_world(worlds, world) else { return Ok(()) };
    let view = open.terminal(&id.0).await?;
    drop(open);
    let (Some(plan), Some((intent, since))) = (Plan::of(&view), queued(&view)) else {
        return Ok(());
    };
    let due = since.plus_micros(plan.delay_ms.saturating_mul(1000));
    if !wait_until(worlds, world, due).await {
        return Ok(());
    }
    let Some(open) = open_world(worlds, world) else { return Ok(()) };
    // Somebody may have switched it off, or pressed a key, in the meantime.
    let view = open.terminal(&id.0).await?;
    let Some(plan) = Plan::of(&view) else { return Ok(()) };
    if queued(&view).is_none_or(|(now, _)| now != intent) {
        return Ok(());
    }
    let named = plan.card.map(|card| card.find(&open, &view.merchant.channel));
    // A card that is published no more: better no payment than another card's.
    let Ok(card) = named.transpose() else { return Ok(()) };
    open.fetch_intent(view.merchant.id, id.clone(), Some(intent)).await?;
    let command = PresentCard { card, entry: CardEntry::Tap, tip_minor: 0, installments: None };
    present(&open, view.merchant.id, id.clone(), command, false).await?;
    Ok(())
}

/// Waits for a time of the world's clock, which runs at the real pace and may be moved; false when
/// the world is gone.
async fn wait_until(worlds: &Worlds, world: &str, due: cobro_domain::Timestamp) -> bool {
    loop {
        let Some(open) = open_world(worlds, world) else { return false };
        let mut changes = open.changes();
        let left = due.micros().saturating_sub(open.now().micros());
        drop(open);
        let Ok(left) = u64::try_from(left) else { return true };
        if left == 0 {
            return true;
        }
        let moved = async {
            loop {
                match changes.recv().await {
                    Ok(Change::Clock) | Err(RecvError::Lagged(_) | RecvError::Closed) => return,
                    Ok(_) => {}
                }
            }
        };
        tokio::select! {
            () = tokio::time::sleep(Duration::from_micros(left)) => {}
            () = moved => {}
        }
    }
}
