//! The rows of a deposit, as its holder reads them: on the wire and in exported reports.

use cobro_domain::card::CardKind;
use cobro_domain::merchant::Merchant;
use cobro_domain::time::Day;
use cobro_engine::deposits::SettlementLine;
use jiff::tz::TimeZone;

use crate::luggage::Luggage;
use crate::receipts::receipt_no;
use crate::{calendar, settings};

/// One row of a deposit: a payment less what went back before it was paid out, or a refund of a
/// payment that was paid out before, with negative amounts. Amounts are in minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DepositRow {
    /// The receipt number of the payment, or of the refund.
    pub receipt_no: String,
    /// The day in Mexico City on which the money was taken, or went back.
    pub day: Day,
    /// The amount without the tip.
    pub amount_minor: i64,
    /// The tip.
    pub tip_minor: i64,
    /// The fee, an instalment surcharge included where the merchant bears one.
    pub fee_minor: i64,
    /// The tax on the fee.
    pub tax_minor: i64,
    /// Over how many months the holder pays, where that is more than one.
    pub terms: Option<i64>,
    /// `Credit` or `Debit`.
    pub method: &'static str,
    /// The card's brand.
    pub brand: String,
    /// The card's last four digits.
    pub last_digits: String,
    /// The card's issuer.
    pub issuer: String,
    /// The merchant's own reference.
    pub invoice: Option<String>,
    /// Who took the money.
    pub user: Option<String>,
}

/// What all rows of a merchant's deposits have in common.
#[derive(Clone, Debug)]
pub struct DepositRows {
    zone: TimeZone,
    /// Who takes money where no cashier does: the merchant's own account.
    user: Option<String>,
}

impl DepositRows {
    /// For the deposits of a merchant.
    pub fn of(merchant: &Merchant) -> Self {
        let user = settings::cashiers(merchant).into_iter().next();
        Self { zone: calendar::zone(), user }
    }

    /// The row of a line of a settlement.
    pub fn row(&self, line: &SettlementLine) -> DepositRow {
        let payment = &line.payment;
        let (number, tip_minor) = match &line.refund {
            Some(refund) => (refund.number, 0),
            // What went back before the pay-out is taken from the amount before the tip.
            None => (payment.number, payment.tip_minor.min(line.gross_minor)),
        };
        let luggage = Luggage::read(&payment.luggage);
        let text = |names: &[&str]| Some(luggage.first(names)).filter(|text| !text.is_empty());
        let invoice = text(&["external_reference", "reference"]).map(str::to_owned);
        let user = text(&["cashier", "assigned_user"]).map(str::to_owned);
        DepositRow {
            receipt_no: receipt_no(number),
            day: Day::at(line.at(), &self.zone),
            amount_minor: line.gross_minor - tip_minor,
            tip_minor,
            fee_minor: line.fee.fee_minor,
            tax_minor: line.fee.tax_minor,
            terms: (payment.installments > 1).then_some(payment.installments),
            method: method(payment.card.kind),
            brand: brand(&payment.card.brand),
            last_digits: payment.card.last_digits.clone(),
            issuer: payment.card.issuer.clone(),
            invoice,
            user: user.or_else(|| self.user.clone()),
        }
    }
}

impl DepositRow {
    /// Fee and tax together.
    pub const fn retention_minor(&self) -> i64 {
        self.fee_minor + self.tax_minor
    }

    /// What is paid out: amount and tip less fee and tax.
    pub const fn settled_minor(&self) -> i64 {
        self.amount_minor + self.tip_minor - self.retention_minor()
    }
}

/// The category of the way of payment (reference, section 4.2; the seed's list was lost).
const fn method(kind: CardKind) -> &'static str {
    match kind {
        CardKind::Credit => "Credit",
        CardKind::Debit | CardKind::Prepaid | CardKind::Voucher => "Debit",
    }
}

/// A card's brand as this surface writes it.
fn brand(code: &str) -> String {
    match code {
        "master" => "Mastercard".to_owned(),
        "visa" => "Visa".to_owned(),
        "amex" => "American Express".to_owned(),
        other => other.to_owned(),
    }
}
