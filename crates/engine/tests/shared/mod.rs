//! What the tests in process share: chance that can be repeated, processes that come and go on
//! databases that last, and merchants who settle by day.

pub(crate) mod chance;
#[path = "../../../store/tests/suite/database.rs"]
mod database;
pub(crate) mod process;
pub(crate) mod settling;
pub(crate) mod shop;
