//! Engine states in the words of the dialect, exhaustively.

use cobro_domain::card::CardKind;
use cobro_domain::intent::IntentPhase;
use cobro_domain::payment::{DeclineReason, Payment, PaymentState};

/// The word for an intent's state (reference, section 7).
pub(crate) const fn intent_state(phase: IntentPhase) -> &'static str {
    match phase {
        IntentPhase::Open => "OPEN",
        IntentPhase::OnTerminal => "ON_TERMINAL",
        IntentPhase::Processing => "PROCESSING",
        IntentPhase::Processed => "PROCESSED",
        IntentPhase::Finished => "FINISHED",
        IntentPhase::Canceled => "CANCELED",
        IntentPhase::Abandoned => "ABANDONED",
        IntentPhase::Error => "ERROR",
        IntentPhase::ConfirmationRequired => "CONFIRMATION_REQUIRED",
    }
}

/// The word for a kind of card.
pub(crate) const fn card_type(kind: CardKind) -> &'static str {
    match kind {
        CardKind::Credit => "credit_card",
        CardKind::Debit => "debit_card",
        CardKind::Prepaid => "prepaid_card",
        CardKind::Voucher => "voucher_card",
    }
}

/// The kind of card of a word that an intent may ask for.
pub(crate) fn card_kind(word: &str) -> Option<CardKind> {
    match word {
        "credit_card" => Some(CardKind::Credit),
        "debit_card" => Some(CardKind::Debit),
        "voucher_card" => Some(CardKind::Voucher),
        _ => None,
    }
}

/// A payment's status and its detail (reference, section 10.1); `None` for a payment that the
/// Payments API does not know.
pub(crate) fn payment_status(payment: &Payment) -> Option<(&'static str, &'static str)> {
    Some(match &payment.state {
        PaymentState::Challenged => ("pending", "pending_challenge"),
        PaymentState::Sending { .. } | PaymentState::Pending => {
            ("in_process", "pending_contingency")
        }
        PaymentState::Unknown => ("pending", "pending_contingency"),
        PaymentState::Authorized { .. } => ("authorized", "pending_capture"),
        PaymentState::Approved { .. } if payment.is_fully_refunded() => ("refunded", "refunded"),
        PaymentState::Approved { .. } if payment.refunded_minor > 0 => {
            ("approved", "partially_refunded")
        }
        PaymentState::Approved { .. } => ("approved", "accredited"),
        PaymentState::Declined { reason } => ("rejected", decline_detail(*reason)),
        PaymentState::Reversed { .. } => ("cancelled", "reversed"),
        PaymentState::Failed => return None,
    })
}

/// The word for a payment's state in a notification: that of its status, but for a payment that
/// was undone at once (reference, section 9.3).
pub(crate) fn notified_state(code: &str) -> &'static str {
    match code {
        "approved" => "approved",
        "declined" => "rejected",
        "reversed" => "reversed",
        "pending" | "sending" => "in_process",
        _ => "",
    }
}

/// The detail of a rejection.
pub(crate) const fn decline_detail(reason: DeclineReason) -> &'static str {
    match reason {
        DeclineReason::Generic => "cc_rejected_other_reason",
        DeclineReason::InsufficientFunds => "cc_rejected_insufficient_amount",
        DeclineReason::CallIssuer => "cc_rejected_call_for_authorize",
        DeclineReason::SecurityCode => "cc_rejected_bad_filled_security_code",
        DeclineReason::Expired => "cc_rejected_bad_filled_date",
        DeclineReason::BadForm => "cc_rejected_bad_filled_other",
        DeclineReason::CardNumber => "cc_rejected_bad_filled_card_number",
        DeclineReason::Inactive | DeclineReason::Restricted => "cc_rejected_card_disabled",
        DeclineReason::Installments => "cc_rejected_invalid_installments",
        DeclineReason::Duplicate => "cc_rejected_duplicated_payment",
        DeclineReason::KindNotAccepted => "cc_rejected_card_type_not_allowed",
        DeclineReason::TooManyTries => "cc_rejected_max_attempts",
        DeclineReason::Blocked => "cc_rejected_blacklist",
        DeclineReason::BrandNotSupported => "cc_rejected_card_error",
        DeclineReason::AmountRule => "cc_amount_rate_limit_exceeded",
        DeclineReason::HighRisk | DeclineReason::Authentication => "cc_rejected_high_risk",
    }
}
