//! A world that an older program made keeps what it has.

use cobro_domain::event::{Delivery, DeliveryState, Event};
use cobro_domain::intent::{Intent, IntentState};
use cobro_domain::{DeliveryId, EventId, IntentId, MerchantId, Timestamp};
use cobro_store::rows::{Timer, TimerKind, WORLD};
use cobro_store::schema::Schema;
use cobro_store::table::{Cells, Corrupt, Table};
use cobro_store::{Cell, Row, Store, ToCell, TxError, table};

use crate::{Place, on_both};

on_both!(rows_survive_the_step_to_ordered_events);

/// Declares a row of an older version, to be written only.
macro_rules! older {
    ($name:ident, $key:ty, $table:expr) => {
        struct $name(Vec<Cell>);

        impl Row for $name {
            type Key = $key;
            const TABLE: &'static Table = $table;

            fn cells(&self) -> Vec<Cell> {
                self.0.clone()
            }

            fn read(_: &mut Cells<'_>) -> Result<Self, Corrupt> {
                unreachable!("it is written only")
            }
        }
    };
}

older!(
    OldEvent,
    (MerchantId, EventId),
    table!("event", 2;
    merchant: Bytes, id: Bytes, at: Int, kind: Text, subject: Text, data: Text)
);
older!(
    OldDelivery,
    (MerchantId, DeliveryId),
    table!("delivery", 2;
    merchant: Bytes, id: Bytes, lane: Int, event: Bytes, slot: Int, url: Text, attempts: Int,
    state: Text, next_at: Int, request: Text, response: Text, created_at: Int)
);
older!(
    OldTimer,
    (MerchantId, String, String),
    table!("timer", 3;
    merchant: Bytes, kind: Text, subject: Text, lane: Int, due_at: Int, attempts: Int)
);
older!(
    OldIntent,
    (MerchantId, IntentId),
    table!("intent", 2;
    merchant: Bytes, id: Bytes, terminal: Text, amount: Int, currency: Text, installments: Int,
    retry_declined: Int, luggage: Text, phase: Text, created_at: Int, changed_at: Int)
);

/// The version before events and deliveries were kept in their own order.
static OLDER: Schema =
    Schema { name: WORLD.name, tables: WORLD.tables, migrations: WORLD.migrations.split_at(6).0 };

fn merchant() -> MerchantId {
    MerchantId::from_slice(&[1; 16]).unwrap()
}

fn fill(tx: &mut cobro_store::Tx<'_>) {
    let text = |text: &str| text.to_owned().to_cell();
    let own = merchant().to_cell();
    for id in [3_u8, 2] {
        let id = [id; 16].as_slice().to_cell();
        let words = [text("intent.opened"), text("s"), text("{}")];
        let [kind, subject, data] = words;
        tx.insert(&OldEvent(vec![own.clone(), id.clone(), 5.to_cell(), kind, subject, data]));
        tx.insert(&OldDelivery(vec![
            own.clone(),
            id.clone(),
            0.to_cell(),
            id,
            1.to_cell(),
            text("https://shop.example/hook"),
            0.to_cell(),
            text("waiting"),
            9.to_cell(),
            text(""),
            text(""),
            5.to_cell(),
        ]));
    }
    let timers = [("abandon", "T1", 20), ("close_result", "T1", 10), ("abandon", "T2", 30)];
    for (kind, subject, due_at) in timers {
        let cells = [own.clone(), text(kind), text(subject), 0.to_cell(), due_at.to_cell()];
        tx.insert(&OldTimer(cells.into_iter().chain([0.to_cell()]).collect()));
    }
    let id = [4_u8; 16].as_slice().to_cell();
    let cells = [own, id, text("T1"), 1500.to_cell(), text("ARS"), 1.to_cell(), 0.to_cell()];
    let rest = [text("{}"), text("open"), 5.to_cell(), 5.to_cell()];
    tx.insert(&OldIntent(cells.into_iter().chain(rest).collect()));
}

async fn rows_survive_the_step_to_ordered_events(place: &Place) {
    let older = Store::open(&OLDER, &place.options()).unwrap();
    let filled = older.write(Store::key_of(0), |tx| {
        fill(tx);
        Ok::<_, TxError>(())
    });
    filled.await.unwrap().unwrap();
    drop(older);

    let newer = place.open();
    for id in [[2_u8; 16], [3; 16]] {
        let (event, delivery) =
            (EventId::from_slice(&id).unwrap(), DeliveryId::from_slice(&id).unwrap());
        let found = newer.read(move |reader| {
            Ok((reader.get::<Event>(&(event,))?, reader.get::<Delivery>(&(delivery,))?))
        });
        let (Some(event), Some(delivery)) = found.await.unwrap() else { panic!("lost {id:?}") };
        assert_eq!((event.merchant, event.subject.as_str()), (merchant(), "s"));
        let next_at = Timestamp::from_micros(9);
        assert_eq!(delivery.state, DeliveryState::Waiting { next_at });
        assert_eq!((delivery.event, delivery.slot), (event.id, 1));
    }
    for (subject, due_at) in [("T1", 10), ("T2", 30)] {
        let key = (merchant(), TimerKind::Terminal.code().to_owned(), subject.to_owned());
        let timer = newer.read(move |reader| reader.get::<Timer>(&key)).await.unwrap().unwrap();
        assert_eq!(timer.due_at, Timestamp::from_micros(due_at), "{subject}");
    }
    let count = newer.read(|reader| reader.rows("SELECT COUNT(*) FROM timer", &[])).await;
    assert_eq!(count.unwrap(), [[Cell::Int(2)]]);
    let key = (merchant(), IntentId::from_slice(&[4; 16]).unwrap());
    let intent = newer.read(move |reader| reader.get::<Intent>(&key)).await.unwrap().unwrap();
    assert_eq!((intent.state, intent.deadline), (IntentState::Open, None));
    drop(newer);
    // Once is enough.
    drop(place.open());
}
