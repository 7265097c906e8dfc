//! Terminals and intents.

use cobro_domain::card::CardKind;
use cobro_domain::intent::{Intent, IntentPhase, IntentState};
use cobro_domain::money::Money;
use cobro_domain::scenario::Scenario;
use cobro_domain::terminal::{OperatingMode, Terminal};
use cobro_domain::{IntentId, MerchantId, PaymentId, TerminalId};

use crate::cell::{Cell, ToCell};
use crate::table::{Cells, Corrupt, Row, Table};

impl Row for Terminal {
    type Key = (MerchantId, TerminalId);
    const TABLE: &'static Table = crate::table!("terminal", 2;
        merchant: Bytes, id: Text, model: Text, mode: Text, online: Int, ordinal: Int,
        current_intent: Bytes, last_intent: Bytes, settings: Text, created_at: Int);

    fn cells(&self) -> Vec<Cell> {
        vec![
            self.merchant.to_cell(),
            self.id.to_cell(),
            self.model.to_cell(),
            self.mode.code().to_cell(),
            self.online.to_cell(),
            self.ordinal.to_cell(),
            self.current.to_cell(),
            self.last.to_cell(),
            self.settings.to_cell(),
            self.created_at.to_cell(),
        ]
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, Corrupt> {
        Ok(Self {
            merchant: cells.next()?,
            id: cells.next()?,
            model: cells.next()?,
            mode: cells.word(OperatingMode::from_code)?,
            online: cells.next()?,
            ordinal: cells.next()?,
            current: cells.next()?,
            last: cells.next()?,
            settings: cells.next()?,
            created_at: cells.next()?,
        })
    }
}

impl Row for Intent {
    type Key = (MerchantId, IntentId);
    const TABLE: &'static Table = crate::table!("intent", 2;
        merchant: Bytes, id: Bytes, terminal: Text, assignee: Text, amount: Int, currency: Text, card_kind: Text,
        installments: Int, retry_declined: Int, scenario: Text, luggage: Text, phase: Text, payment: Bytes,
        refund_of: Bytes, created_at: Int, changed_at: Int, deadline: Int);

    fn cells(&self) -> Vec<Cell> {
        vec![
            self.merchant.to_cell(),
            self.id.to_cell(),
            self.terminal.to_cell(),
            self.assignee.to_cell(),
            self.amount.minor.to_cell(),
            self.amount.currency.to_cell(),
            self.card_kind.map_or(Cell::Null, |kind| kind.code().to_cell()),
            self.installments.to_cell(),
            self.retry_declined.to_cell(),
            self.scenario.map_or(Cell::Null, |scenario| scenario.code().to_cell()),
            self.luggage.to_cell(),
            self.phase().code().to_cell(),
            self.state.payment().to_cell(),
            self.refund_of.to_cell(),
            self.created_at.to_cell(),
            self.changed_at.to_cell(),
            self.deadline.to_cell(),
        ]
    }

    fn read(cells: &mut Cells<'_>) -> Result<Self, Corrupt> {
        let (merchant, id) = (cells.next()?, cells.next()?);
        let (terminal, assignee) = (cells.next()?, cells.next()?);
        let amount = Money::new(cells.next()?, cells.next()?);
        let card_kind: Option<String> = cells.next()?;
        let card_kind = card_kind
            .map(|code| CardKind::from_code(&code).ok_or_else(|| cells.corrupt("card_kind")))
            .transpose()?;
        Ok(Self {
            merchant,
            id,
            terminal,
            assignee,
            amount,
            card_kind,
            installments: cells.next()?,
            retry_declined: cells.next()?,
            scenario: read_scenario(cells)?,
            luggage: cells.next()?,
            state: intent_state(cells)?,
            refund_of: cells.next()?,
            created_at: cells.next()?,
            changed_at: cells.next()?,
            deadline: cells.next()?,
        })
    }
}

fn read_scenario(cells: &mut Cells<'_>) -> Result<Option<Scenario>, Corrupt> {
    let code: Option<String> = cells.next()?;
    code.map(|code| Scenario::from_code(&code).ok_or_else(|| cells.corrupt("scenario"))).transpose()
}

fn intent_state(cells: &mut Cells<'_>) -> Result<IntentState, Corrupt> {
    let phase = cells.word(IntentPhase::from_code)?;
    let payment: Option<PaymentId> = cells.next()?;
    Ok(match (phase, payment) {
        (IntentPhase::Open, None) => IntentState::Open,
        (IntentPhase::OnTerminal, declined) => IntentState::OnTerminal { declined },
        (IntentPhase::Processing, Some(payment)) => IntentState::Processing { payment },
        (IntentPhase::Processed, Some(payment)) => IntentState::Processed { payment },
        (IntentPhase::Finished, Some(payment)) => IntentState::Finished { payment },
        (IntentPhase::Canceled, None) => IntentState::Canceled,
        (IntentPhase::Abandoned, None) => IntentState::Abandoned,
        (IntentPhase::Error, None) => IntentState::Error,
        (IntentPhase::ConfirmationRequired, Some(payment)) => {
            IntentState::ConfirmationRequired { payment }
        }
        (phase, _) => return Err(cells.corrupt(&format!("payment of phase {}", phase.code()))),
    })
}
