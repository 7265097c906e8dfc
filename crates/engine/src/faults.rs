//! Failures on demand: what the next payments end with, whatever else would decide, and when the
//! acquirer says so.

use cobro_domain::scenario::Scenario;
use cobro_domain::{TerminalId, Timestamp};

/// A failure that somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What happens; what would happen anyhow when absent.
    pub scenario: Option<Scenario>,
    /// When the answer comes.
    pub pace: Pace,
    /// The outcome's word, as it was asked for.
    pub word: String,
    /// On which terminal; anywhere when absent.
    pub terminal: Option<TerminalId>,
    /// How many more times.
    pub times: i64,
}

/// When the acquirer answers a message that it has. Measured on the world's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Pace {
    /// At once.
    #[default]
    Prompt,
    /// After this many milliseconds.
    Slow {
        /// How long it takes.
        delay_ms: i64,
    },
    /// Never.
    Silent,
}

impl Pace {
    /// When the answer to what was sent at `sent_at` comes; `None` when it does not.
    pub(crate) fn answers_at(self, sent_at: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Prompt => Some(sent_at),
            Self::Slow { delay_ms } => Some(sent_at.plus_micros(delay_ms.saturating_mul(1000))),
            Self::Silent => None,
        }
    }
}

/// What a failure that was asked for does to one payment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mishap {
    /// What happens instead of what would.
    pub(crate) scenario: Option<Scenario>,
    /// When the answer comes.
    pub(crate) pace: Pace,
}

/// The failures that are set, in the order in which they were.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    set: Vec<Fault>,
}

impl Faults {
    /// Replaces what is set.
    pub(crate) fn replace(&mut self, faults: Vec<Fault>) {
        self.set = faults;
    }

    /// What is set.
    pub(crate) fn list(&self) -> Vec<Fault> {
        self.set.clone()
    }

    /// What happens to a payment that begins now, if something is set for it; counts it down.
    pub(crate) fn take(&mut self, terminal: Option<&TerminalId>) -> Option<Mishap> {
        let fits = |fault: &Fault| fault.terminal.is_none() || fault.terminal.as_ref() == terminal;
        let place = self.set.iter().position(fits)?;
        let fault = self.set.get_mut(place)?;
        fault.times -= 1;
        let mishap = Mishap { scenario: fault.scenario, pace: fault.pace };
        let spent = fault.times <= 0;
        if spent {
            self.set.remove(place);
        }
        Some(mishap)
    }
}

impl crate::world::World {
    /// Sets failures; an empty list clears them.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        let mut set = self.faults().lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        set.replace(faults);
    }

    /// The failures that are set.
    pub fn faults_set(&self) -> Vec<Fault> {
        self.faults().lock().unwrap_or_else(std::sync::PoisonError::into_inner).list()
    }

    pub(crate) fn has_faults(&self) -> bool {
        !self.faults_set().is_empty()
    }

    pub(crate) fn take_fault(&self, terminal: Option<&TerminalId>) -> Mishap {
        let mut set = self.faults().lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        set.take(terminal).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_count_down_and_keep_to_their_terminal() {
        let here = TerminalId("here".into());
        let there = TerminalId("there".into());
        let fault = |terminal: Option<&TerminalId>, times| Fault {
            scenario: Some(Scenario::Fail),
            pace: Pace::Slow { delay_ms: 20 },
            word: "error".into(),
            terminal: terminal.cloned(),
            times,
        };
        let mishap = Mishap { scenario: Some(Scenario::Fail), pace: Pace::Slow { delay_ms: 20 } };
        let mut faults = Faults::default();
        faults.replace(vec![fault(Some(&here), 1), fault(None, 2)]);
        assert_eq!(faults.take(Some(&there)), Some(mishap));
        assert_eq!(faults.list().len(), 2);
        assert_eq!(faults.take(Some(&here)), Some(mishap));
        assert_eq!(faults.list(), [fault(None, 1)]);
        assert_eq!(faults.take(None), Some(mishap));
        assert_eq!(faults.take(None), None);
    }

    #[test]
    fn answers_come_when_they_are_said_to() {
        let sent = Timestamp::from_micros(5);
        assert_eq!(Pace::Prompt.answers_at(sent), Some(sent));
        let slow = Pace::Slow { delay_ms: 2 };
        assert_eq!(slow.answers_at(sent), Some(Timestamp::from_micros(2_005)));
        assert_eq!(Pace::Silent.answers_at(sent), None);
    }
}
