//! Failures on demand: what the next payments end with, whatever else would decide.

use cobro_domain::TerminalId;
use cobro_domain::scenario::Scenario;

/// A failure that somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What happens.
    pub scenario: Scenario,
    /// The outcome's word, as it was asked for.
    pub word: String,
    /// On which terminal; anywhere when absent.
    pub terminal: Option<TerminalId>,
    /// How many more times.
    pub times: i64,
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

    /// The scenario for a payment that begins now, if one is set for it; counts it down.
    pub(crate) fn take(&mut self, terminal: Option<&TerminalId>) -> Option<Scenario> {
        let fits = |fault: &Fault| fault.terminal.is_none() || fault.terminal.as_ref() == terminal;
        let place = self.set.iter().position(fits)?;
        let fault = self.set.get_mut(place)?;
        fault.times -= 1;
        let (scenario, spent) = (fault.scenario, fault.times <= 0);
        if spent {
            self.set.remove(place);
        }
        Some(scenario)
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

    pub(crate) fn take_fault(&self, terminal: Option<&TerminalId>) -> Option<Scenario> {
        let mut set = self.faults().lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        set.take(terminal)
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
            scenario: Scenario::Fail,
            word: "error".into(),
            terminal: terminal.cloned(),
            times,
        };
        let mut faults = Faults::default();
        faults.replace(vec![fault(Some(&here), 1), fault(None, 2)]);
        assert_eq!(faults.take(Some(&there)), Some(Scenario::Fail));
        assert_eq!(faults.list().len(), 2);
        assert_eq!(faults.take(Some(&here)), Some(Scenario::Fail));
        assert_eq!(faults.list(), [fault(None, 1)]);
        assert_eq!(faults.take(None), Some(Scenario::Fail));
        assert_eq!(faults.take(None), None);
    }
}
