//! Searching a merchant's payments by time and by its own reference.

use std::collections::HashMap;

use cobro_domain::id::IdSource;
use cobro_domain::intent::Intent;
use cobro_domain::payment::Payment;
use cobro_domain::refund::Refund;
use cobro_domain::terminal::Terminal;
use cobro_domain::{MerchantId, TerminalId, Timestamp};
use cobro_store::{Cell, Reader, StoreError, ToCell};

use crate::error::EngineError;
use crate::world::{Caller, World};

/// A time of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentTime {
    /// When it was made.
    Created,
    /// When it last changed.
    Changed,
    /// When the money was taken; payments that were not approved have none.
    Approved,
}

/// What payments are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentOrder {
    /// A time; payments without it come first.
    Time(PaymentTime),
    /// The number that the dialect shows.
    Number,
}

/// Which payments are wanted, and in which order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchPayments {
    /// Only those with this reference.
    pub reference: Option<String>,
    /// Only those that were made at this time or later.
    pub made_from: Timestamp,
    /// Which of their times counts for `from` and `to`.
    pub range: PaymentTime,
    /// Only those from this time on.
    pub from: Timestamp,
    /// Only those up to this time, included.
    pub to: Timestamp,
    /// What they are sorted by.
    pub order: PaymentOrder,
    /// Whether the smallest comes first.
    pub ascending: bool,
    /// How many to pass over.
    pub offset: i64,
    /// How many at most.
    pub limit: i64,
}

/// A payment with what is shown with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundPayment {
    /// The payment.
    pub payment: Payment,
    /// Its refunds, the oldest first.
    pub refunds: Vec<Refund>,
    /// The terminal that took it, unless none did or it has been taken away since.
    pub terminal: Option<Terminal>,
}

/// A page of payments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundPayments {
    /// How many there are in all.
    pub total: i64,
    /// Those of the page.
    pub payments: Vec<FoundPayment>,
}

impl PaymentTime {
    const fn column(self) -> &'static str {
        match self {
            Self::Created => "created_at",
            Self::Changed => "changed_at",
            Self::Approved => "approved_at",
        }
    }
}

impl SearchPayments {
    /// The condition, and its parameters.
    fn condition(&self, merchant: MerchantId) -> (String, Vec<Cell>) {
        // A payment is made before anything else happens to it, so that its id bounds the scan.
        let made_from = match self.range {
            PaymentTime::Created => self.made_from.max(self.from),
            PaymentTime::Changed | PaymentTime::Approved => self.made_from,
        };
        let column = self.range.column();
        let mut text = format!(
            "WHERE merchant = $1 AND id >= $2 AND id < $3 AND {column} >= $4 AND {column} <= $5 \
             AND state <> 'failed'"
        );
        let mut params = vec![
            merchant.to_cell(),
            IdSource::floor(made_from).to_cell(),
            IdSource::floor(self.to.plus_micros(1)).to_cell(),
            self.from.to_cell(),
            self.to.to_cell(),
        ];
        if let Some(reference) = &self.reference {
            text.push_str(
                " AND id IN (SELECT payment FROM payment_reference \
                 WHERE merchant = $6 AND reference = $7)",
            );
            params.extend([merchant.to_cell(), reference.to_cell()]);
        }
        (text, params)
    }

    /// The order and the page, with numbers of parameters from `first`.
    fn order(&self, first: usize) -> String {
        let column = match self.order {
            PaymentOrder::Number => "number",
            PaymentOrder::Time(PaymentTime::Created) => "id",
            PaymentOrder::Time(PaymentTime::Changed) => "changed_at",
            // The databases disagree about where nothing is sorted.
            PaymentOrder::Time(PaymentTime::Approved) => "COALESCE(approved_at, 0)",
        };
        let word = if self.ascending { "ASC" } else { "DESC" };
        let next = first + 1;
        format!("ORDER BY {column} {word}, id {word} LIMIT ${first} OFFSET ${next}")
    }
}

impl World {
    /// Searches the payments of a merchant that were not refused for a fault of the system.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn search_payments(
        &self,
        caller: &Caller,
        search: SearchPayments,
    ) -> Result<FoundPayments, EngineError> {
        let merchant = caller.merchant;
        Ok(self.store().read(move |reader| read(reader, merchant, &search)).await?)
    }
}

fn read(
    reader: &mut Reader<'_>,
    merchant: MerchantId,
    search: &SearchPayments,
) -> Result<FoundPayments, StoreError> {
    let (condition, mut params) = search.condition(merchant);
    let count = reader.rows(&format!("SELECT COUNT(*) FROM payment {condition}"), &params)?;
    let total = match count.first().and_then(|row| row.first()) {
        Some(Cell::Int(total)) => *total,
        _ => 0,
    };
    let order = search.order(params.len() + 1);
    params.extend([search.limit.to_cell(), search.offset.to_cell()]);
    let payments = reader.select::<Payment>(&format!("{condition} {order}"), &params)?;
    let mut terminals: HashMap<TerminalId, Option<Terminal>> = HashMap::new();
    let mut found = Vec::with_capacity(payments.len());
    for payment in payments {
        let of = [merchant.to_cell(), payment.id.to_cell()];
        let refunds =
            reader.select("WHERE merchant = $1 AND payment = $2 ORDER BY ordinal", &of)?;
        let intent = match payment.intent {
            Some(intent) => reader.get::<Intent>(&(merchant, intent))?,
            None => None,
        };
        let terminal = match intent.and_then(|intent| intent.terminal) {
            Some(id) => match terminals.get(&id) {
                Some(known) => known.clone(),
                None => {
                    let terminal = reader.get::<Terminal>(&(merchant, id.clone()))?;
                    terminals.insert(id, terminal.clone());
                    terminal
                }
            },
            None => None,
        };
        found.push(FoundPayment { payment, refunds, terminal });
    }
    Ok(FoundPayments { total, payments: found })
}
