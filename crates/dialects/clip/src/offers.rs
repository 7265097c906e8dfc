//! What a terminal lets the holder of a card choose for a charge: a tip, and months without
//! interest where the amount allows. Its screens read this from what the charge carries.

use serde_json::{Value, json};

use crate::settings::Settings;

/// The tips that are offered where the charge names none, in percent.
const TIPS: [i64; 3] = [10, 15, 20];

/// In how many months an amount can be paid without interest (reference, section 2.1).
pub(crate) const MONTHS: [i64; 6] = [3, 6, 9, 12, 18, 24];

/// Which choices a charge leaves to the terminal.
#[derive(Clone, Debug)]
pub(crate) struct Choices {
    /// Whether a tip is asked for.
    pub(crate) tip: bool,
    /// The tips that are offered, in percent; the usual ones when there is none.
    pub(crate) tips: Vec<i64>,
    /// Whether instalments are.
    pub(crate) months: bool,
}

impl Choices {
    /// Everything, as terminals do by themselves.
    pub(crate) const fn all() -> Self {
        Self { tip: true, tips: Vec::new(), months: true }
    }
}

/// The offers for a charge of this amount.
pub(crate) fn offers(choices: &Choices, amount_minor: i64, settings: &Settings) -> Value {
    let tips: &[i64] = match (choices.tip, choices.tips.as_slice()) {
        (false, _) => &[],
        (true, []) => &TIPS,
        (true, tips) => tips,
    };
    let has_months = choices.months && amount_minor >= settings.installments_min_minor;
    let months: &[i64] = if has_months { &MONTHS } else { &[] };
    json!({ "tip_percents": tips, "installments": months })
}
