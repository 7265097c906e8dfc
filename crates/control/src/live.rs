//! What happens, as it happens: server-sent events for live pages.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, State};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use cobro_domain::payment::PaymentState;
use cobro_domain::{MerchantId, PaymentId, TerminalId};
use cobro_engine::terminals::TerminalView;
use cobro_engine::{Change, EngineError, World, Worlds};
use cobro_surface::endpoint::{Endpoint, Parameter, Place, Response, Routes};
use futures_util::stream;
use http::request::Parts;
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

use crate::Shared;
use crate::answers::{WORLD, call, list_responses};
use crate::input::{Selected, parameter};
use crate::lines::Line;
use crate::refusal::{Answer, Refusal};
use crate::view::{self, Whose};
use crate::worlds::open_world;

/// How often a quiet stream says that it is still there.
pub const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How many undecided payments a stream remembers.
const UNDECIDED_MAX: usize = 1024;

static LIVE: Endpoint = Endpoint {
    summary: "Streams what happens: terminal, event, delivery and clock; reload after a gap",
    parameters: &[
        WORLD,
        Parameter {
            name: "world",
            place: Place::Query,
            required: false,
            description: "The id of the world, where headers cannot be set",
        },
        Parameter {
            name: "terminal",
            place: Place::Query,
            required: false,
            description: "Tells of this terminal, beginning with its present state, of its intents' events, and of its merchant's deliveries",
        },
        Parameter {
            name: "ticket",
            place: Place::Query,
            required: false,
            description: "A ticket, in place of the token, where headers cannot be set",
        },
    ],
    responses: list_responses![Response {
        status: 200,
        description: "Events; the data are a terminal, an event, a delivery, or the time",
        example: Some("event: clock\ndata: {\"now\":\"2026-11-20T10:00:00Z\"}\n\n"),
    }],
    ..call("GET", "/_cobro/v1/live", "live")
};

pub(crate) fn routes(routes: Routes<Shared>) -> Routes<Shared> {
    routes.at(&LIVE, get(live))
}

/// The terminal that a stream is about, if one is named.
struct OneTerminal(Option<String>);

impl FromRequestParts<Shared> for OneTerminal {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Refusal> {
        Ok(Self(parameter(parts, "terminal")?))
    }
}

async fn live(
    State(shared): State<Shared>,
    Selected(world): Selected,
    OneTerminal(terminal): OneTerminal,
) -> Answer {
    // Listening begins before the terminal is read, so that nothing falls in between.
    let changes = match &terminal {
        Some(id) => {
            let merchant = world.merchant_at(id).await?.id;
            Source::One(shared.lines.listen(&world, merchant, TerminalId(id.clone())))
        }
        None => Source::All(world.changes()),
    };
    let mut stream = Live {
        worlds: Arc::clone(&shared.control.worlds),
        world: world.id().to_owned(),
        changes,
        shutdown: shared.control.shutdown.clone(),
        terminal,
        first: None,
        owners: HashMap::new(),
        undecided: HashMap::new(),
    };
    if let Some(id) = stream.terminal.clone() {
        let view = world.terminal(&id).await?;
        stream.first = Some(stream.shown(&world, view).await?);
    }
    let events = stream::unfold(stream, |mut live| async move {
        let event = live.next().await?;
        Some((Ok::<Event, Infallible>(event), live))
    });
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    Ok(Sse::new(events).keep_alive(keep_alive).into_response())
}

/// Where a stream hears of changes.
enum Source {
    /// All of the world.
    All(Receiver<Change>),
    /// Those that concern one terminal.
    One(Line),
}

impl Source {
    async fn next(&mut self) -> Result<Change, RecvError> {
        match self {
            Self::All(changes) => changes.recv().await,
            Self::One(line) => line.next().await,
        }
    }

    /// Makes sure that the decision of a payment will be heard of; true when it may have come in
    /// the meantime.
    fn await_decision(&self, payment: PaymentId) -> bool {
        match self {
            Self::All(_) => false,
            Self::One(line) => line.await_decision(payment),
        }
    }
}

/// One stream. It holds no world: a world that is removed can go, which ends the stream.
struct Live {
    worlds: Arc<Worlds>,
    world: String,
    changes: Source,
    shutdown: watch::Receiver<bool>,
    terminal: Option<String>,
    first: Option<Event>,
    owners: HashMap<MerchantId, Whose>,
    /// Payments whose decision changes what a terminal shows, and that terminal.
    undecided: HashMap<PaymentId, TerminalId>,
}

impl Live {
    /// The next event; `None` when the stream ends.
    async fn next(&mut self) -> Option<Event> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        loop {
            let change = tokio::select! {
                () = stopped(&mut self.shutdown) => return None,
                change = self.changes.next() => change,
            };
            let change = match change {
                Ok(change) => change,
                Err(RecvError::Lagged(_)) => return Some(named("reload", &json!({}))),
                Err(RecvError::Closed) => return None,
            };
            let world = open_world(&self.worlds, &self.world)?;
            match self.event(&world, change).await {
                Ok(Some(event)) => return Some(event),
                // What changed and is gone by now is nothing to tell.
                Ok(None) | Err(EngineError::NotFound(_)) => {}
                Err(error) => {
                    tracing::warn!(%error, "a change could not be read for a live page");
                    return Some(named("reload", &json!({})));
                }
            }
        }
    }

    async fn event(&mut self, world: &World, change: Change) -> Result<Option<Event>, EngineError> {
        match change {
            Change::Terminal(_, id) => self.terminal(world, &id).await,
            Change::Payment(_, payment) => match self.undecided.remove(&payment) {
                Some(terminal) => self.terminal(world, &terminal).await,
                None => Ok(None),
            },
            // Every terminal of the merchant may show another list now: an overview is told to look
            // again. To a stream of one terminal it comes as a change of that.
            Change::Pool(merchant) => {
                let whose = self.owner(world, merchant).await?;
                Ok(Some(named("pool", &view::whose(&whose))))
            }
            Change::Refund(..) | Change::Session(..) => Ok(None),
            Change::Event(event) => {
                let whose = self.owner(world, event.merchant).await?;
                Ok(Some(named("event", &view::event(&event, Some(&whose)))))
            }
            Change::Delivery(delivery) => {
                let whose = self.owner(world, delivery.merchant).await?;
                Ok(Some(named("delivery", &view::delivery(&delivery, Some(&whose)))))
            }
            Change::Clock => Ok(Some(named("clock", &json!({"now": world.now().to_string()})))),
        }
    }

    async fn terminal(
        &mut self,
        world: &World,
        id: &TerminalId,
    ) -> Result<Option<Event>, EngineError> {
        if self.terminal.as_ref().is_some_and(|wanted| *wanted != id.0) {
            return Ok(None);
        }
        let view = world.terminal(&id.0).await?;
        self.shown(world, view).await.map(Some)
    }

    /// The event of a terminal; an undecided payment on it is remembered.
    async fn shown(
        &mut self,
        world: &World,
        mut terminal: TerminalView,
    ) -> Result<Event, EngineError> {
        if self.remember(&terminal) {
            terminal = world.terminal(&terminal.terminal.id.0).await?;
        }
        Ok(named("terminal", &view::terminal(world, &terminal)?))
    }

    /// Remembers undecided payments; true when one may have been decided since the terminal was
    /// read.
    fn remember(&mut self, terminal: &TerminalView) -> bool {
        if self.undecided.len() >= UNDECIDED_MAX {
            self.undecided.clear();
        }
        let mut is_old = false;
        let views = [&terminal.current, &terminal.last].into_iter().flatten();
        for payment in views.filter_map(|view| view.payment.as_ref()) {
            if matches!(payment.state, PaymentState::Pending | PaymentState::Unknown) {
                is_old |= self.changes.await_decision(payment.id);
                self.undecided.insert(payment.id, terminal.terminal.id.clone());
            }
        }
        is_old
    }

    async fn owner(&mut self, world: &World, id: MerchantId) -> Result<Whose, EngineError> {
        if let Some(known) = self.owners.get(&id) {
            return Ok(known.clone());
        }
        let whose = Whose::from(&world.merchant(id).await?);
        self.owners.insert(id, whose.clone());
        Ok(whose)
    }
}

fn named(name: &str, data: &Value) -> Event {
    Event::default().event(name).data(data.to_string())
}

/// Waits until the server stops.
pub(crate) async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    // An error says that nobody is left who could stop the server: it has stopped.
    let _ = shutdown.wait_for(|is_stopping| *is_stopping).await;
}
