//! What the simulated acquirer is asked to do: any outcome on demand.

use crate::payment::DeclineReason;

/// An outcome that a test asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scenario {
    /// Approve.
    Approve,
    /// Decline, and why.
    Decline(DeclineReason),
    /// Approve, and undo it in the same answer.
    Reverse,
    /// Fail without taking anything.
    Fail,
    /// Defer, then approve or decline once the world's clock has gone on.
    Defer {
        /// Whether it ends approved.
        approve: bool,
        /// After how many seconds.
        after_s: i64,
    },
    /// Take the money and never answer: the outcome stays unknown to us.
    Silence,
}

impl Scenario {
    /// The words that are stored: `decline:insufficient_funds`, `defer:approve:30`, …
    pub fn code(self) -> String {
        match self {
            Self::Approve => "approve".to_owned(),
            Self::Decline(reason) => format!("decline:{}", reason.code()),
            Self::Reverse => "reverse".to_owned(),
            Self::Fail => "fail".to_owned(),
            Self::Defer { approve: true, after_s } => format!("defer:approve:{after_s}"),
            Self::Defer { approve: false, after_s } => format!("defer:decline:{after_s}"),
            Self::Silence => "silence".to_owned(),
        }
    }

    /// The scenario of stored words.
    pub fn from_code(code: &str) -> Option<Self> {
        let mut words = code.split(':');
        let scenario = match (words.next()?, words.next(), words.next()) {
            ("approve", None, None) => Self::Approve,
            ("decline", Some(reason), None) => Self::Decline(DeclineReason::from_code(reason)?),
            ("reverse", None, None) => Self::Reverse,
            ("fail", None, None) => Self::Fail,
            ("defer", Some("approve"), Some(after)) => {
                Self::Defer { approve: true, after_s: after.parse().ok()? }
            }
            ("defer", Some("decline"), Some(after)) => {
                Self::Defer { approve: false, after_s: after.parse().ok()? }
            }
            ("silence", None, None) => Self::Silence,
            _ => return None,
        };
        words.next().is_none().then_some(scenario)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_back() {
        let table = [
            Scenario::Approve,
            Scenario::Decline(DeclineReason::InsufficientFunds),
            Scenario::Reverse,
            Scenario::Fail,
            Scenario::Defer { approve: true, after_s: 30 },
            Scenario::Defer { approve: false, after_s: 180 },
            Scenario::Silence,
        ];
        for scenario in table {
            assert_eq!(Scenario::from_code(&scenario.code()), Some(scenario));
        }
        for wrong in ["", "approve:1", "decline", "decline:nothing", "defer:approve:x", "defer"] {
            assert_eq!(Scenario::from_code(wrong), None, "{wrong}");
        }
    }
}
