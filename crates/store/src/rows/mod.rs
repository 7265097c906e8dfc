//! The tables of a world, and how domain values are kept in them.
//!
//! Reading a row rebuilds the value; an impossible combination of columns is an error that names
//! table and row.

mod access;
mod adjustment;
mod card;
mod ledger;
mod merchant;
mod outbox;
mod payment;
mod recurrence;
mod session;
mod settlement;
mod terminal;
mod work;

pub use access::{GrantRow, ReferenceRow, TrialRow};
pub use adjustment::AdjustmentRow;
pub use ledger::EntryRow;
pub use merchant::{AliasRow, DirectoryRow};
pub use outbox::DUE_DELIVERIES;
pub use work::{CounterRow, DUE_TIMERS, IdempotencyRow, MetaRow, TailRow, Timer, TimerKind};

use cobro_domain::card::StoredCard;
use cobro_domain::event::{Delivery, Event};
use cobro_domain::intent::Intent;
use cobro_domain::merchant::{Endpoint, Merchant};
use cobro_domain::payment::Payment;
use cobro_domain::recurrence::Recurrence;
use cobro_domain::refund::Refund;
use cobro_domain::session::Session;
use cobro_domain::settlement::Settlement;
use cobro_domain::terminal::Terminal;

use crate::schema::{Migration, Schema};
use crate::table::Row;

/// The schema of a world.
pub static WORLD: Schema = Schema {
    name: "cobro",
    tables: &[
        Merchant::TABLE,
        DirectoryRow::TABLE,
        AliasRow::TABLE,
        Endpoint::TABLE,
        Terminal::TABLE,
        Intent::TABLE,
        Payment::TABLE,
        Refund::TABLE,
        EntryRow::TABLE,
        Event::TABLE,
        Delivery::TABLE,
        TailRow::TABLE,
        CounterRow::TABLE,
        Timer::TABLE,
        IdempotencyRow::TABLE,
        MetaRow::TABLE,
        StoredCard::TABLE,
        Session::TABLE,
        Settlement::TABLE,
        ReferenceRow::TABLE,
        GrantRow::TABLE,
        TrialRow::TABLE,
        Recurrence::TABLE,
        AdjustmentRow::TABLE,
    ],
    migrations: &[
        Migration { number: 1, sql: include_str!("../migrations/0001_first.sql") },
        Migration { number: 2, sql: include_str!("../migrations/0002_point.sql") },
        Migration { number: 3, sql: include_str!("../migrations/0003_cards.sql") },
        Migration { number: 4, sql: include_str!("../migrations/0004_recurrences.sql") },
        Migration { number: 5, sql: include_str!("../migrations/0005_charges.sql") },
        Migration { number: 6, sql: include_str!("../migrations/0006_adjustments.sql") },
        Migration { number: 7, sql: include_str!("../migrations/0007_fewer_pages.sql") },
    ],
};
