//! Who may be sent to next: one queue per endpoint, a bounded number of attempts at once.
//!
//! Nothing here waits or talks to anybody; the rules can be read and tested on their own.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use cobro_domain::MerchantId;

/// How many attempts run at once, over all endpoints.
pub(super) const IN_FLIGHT_MAX: usize = 256;

/// How many attempts run at once per origin (reliability reference, F33).
pub(super) const PER_ORIGIN_MAX: usize = 4;

/// How many deliveries per origin wait in memory; the others wait in the database.
pub(super) const WAITING_PER_ORIGIN_MAX: usize = 256;

/// What keeps first attempts in order: they tell one endpoint of one thing, as a rule of one intent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Chain {
    pub(super) merchant: MerchantId,
    pub(super) slot: i64,
    pub(super) subject: String,
}

/// Where a delivery waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The origin of its address.
    pub(super) origin: Arc<str>,
    /// Its order among first attempts; a retry has none and holds nobody up.
    pub(super) chain: Option<Chain>,
}

type Waiting<J> = VecDeque<(Place, J)>;

struct Origin<J> {
    first: Waiting<J>,
    again: Waiting<J>,
    /// How many wait here or behind an earlier one of their chain.
    waiting: usize,
    in_flight: usize,
    retries_in_flight: usize,
    in_ring: bool,
}

impl<J> Default for Origin<J> {
    fn default() -> Self {
        Self {
            first: VecDeque::new(),
            again: VecDeque::new(),
            waiting: 0,
            in_flight: 0,
            retries_in_flight: 0,
            in_ring: false,
        }
    }
}

impl<J> Origin<J> {
    fn take(&mut self, limit: usize) -> Option<(Place, J)> {
        if self.in_flight >= limit {
            return None;
        }
        // Retries get one place beside first attempts, and never more than half of them all.
        let owed = self.retries_in_flight == 0 && self.in_flight > 0;
        let taken = if (self.first.is_empty() || owed) && self.retries_in_flight < limit.div_ceil(2)
        {
            self.again.pop_front().or_else(|| self.first.pop_front())
        } else {
            self.first.pop_front()
        }?;
        self.waiting -= 1;
        self.in_flight += 1;
        if taken.0.chain.is_none() {
            self.retries_in_flight += 1;
        }
        Some(taken)
    }

    fn is_empty(&self) -> bool {
        self.waiting == 0 && self.in_flight == 0
    }
}

/// The queues of all origins.
pub(super) struct Queue<J> {
    origins: HashMap<Arc<str>, Origin<J>>,
    /// Origins with somebody to send to, in turn.
    ring: VecDeque<Arc<str>>,
    /// What waits behind an earlier first attempt of its chain. A chain is here as long as one of
    /// its attempts waits at its origin or runs.
    chains: HashMap<Chain, Waiting<J>>,
    in_flight: usize,
}

impl<J> Default for Queue<J> {
    fn default() -> Self {
        Self {
            origins: HashMap::new(),
            ring: VecDeque::new(),
            chains: HashMap::new(),
            in_flight: 0,
        }
    }
}

impl<J> Queue<J> {
    /// Whether one more may wait for this origin.
    pub(super) fn has_room(&self, origin: &str) -> bool {
        self.origins.get(origin).is_none_or(|it| it.waiting < WAITING_PER_ORIGIN_MAX)
    }

    /// Lets a delivery wait.
    pub(super) fn admit(&mut self, place: Place, job: J) {
        self.origins.entry(place.origin.clone()).or_default().waiting += 1;
        if let Some(chain) = &place.chain {
            match self.chains.entry(chain.clone()) {
                Entry::Occupied(mut behind) => return behind.get_mut().push_back((place, job)),
                Entry::Vacant(chain) => chain.insert(VecDeque::new()),
            };
        }
        self.enqueue(place, job);
    }

    /// The next delivery that may be sent; whoever gets it says [`Queue::finish`] in the end.
    pub(super) fn start(&mut self) -> Option<(Place, J)> {
        if self.in_flight >= IN_FLIGHT_MAX {
            return None;
        }
        // Many hanging endpoints must not take all places: the second half is given out singly.
        let limit = if self.in_flight < IN_FLIGHT_MAX / 2 { PER_ORIGIN_MAX } else { 1 };
        for _ in 0..self.ring.len() {
            let name = self.ring.pop_front()?;
            let Some(origin) = self.origins.get_mut(&name) else { continue };
            let taken = origin.take(limit);
            if origin.first.is_empty() && origin.again.is_empty() {
                origin.in_ring = false;
            } else {
                self.ring.push_back(name);
            }
            if taken.is_some() {
                self.in_flight += 1;
                return taken;
            }
        }
        None
    }

    /// An attempt has ended: its place is free, and the next one of its chain may go.
    pub(super) fn finish(&mut self, place: &Place) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if let Some(origin) = self.origins.get_mut(&place.origin) {
            origin.in_flight = origin.in_flight.saturating_sub(1);
            if place.chain.is_none() {
                origin.retries_in_flight = origin.retries_in_flight.saturating_sub(1);
            }
            if origin.is_empty() {
                self.origins.remove(&place.origin);
            }
        }
        if let Some(chain) = &place.chain {
            self.advance(chain);
        }
    }

    /// Takes out what waits and is meant by `which`; what runs goes on.
    pub(super) fn withdraw(&mut self, which: impl Fn(&J) -> bool) -> Vec<J> {
        let mut gone = Vec::new();
        for behind in self.chains.values_mut() {
            gone.extend(extract(behind, &which));
        }
        let mut heads = Vec::new();
        for origin in self.origins.values_mut() {
            heads.extend(extract(&mut origin.first, &which));
            gone.extend(extract(&mut origin.again, &which));
        }
        let chains: Vec<Chain> =
            heads.iter().filter_map(|(place, _)| place.chain.clone()).collect();
        gone.extend(heads);
        for (place, _) in &gone {
            if let Some(origin) = self.origins.get_mut(&place.origin) {
                origin.waiting -= 1;
            }
        }
        for chain in chains {
            self.advance(&chain);
        }
        self.origins.retain(|_, origin| !origin.is_empty());
        self.ring.retain(|name| self.origins.contains_key(name));
        gone.into_iter().map(|(_, job)| job).collect()
    }

    fn advance(&mut self, chain: &Chain) {
        match self.chains.get_mut(chain).and_then(VecDeque::pop_front) {
            Some((place, job)) => self.enqueue(place, job),
            None => {
                self.chains.remove(chain);
            }
        }
    }

    fn enqueue(&mut self, place: Place, job: J) {
        let origin = self.origins.entry(place.origin.clone()).or_default();
        if !origin.in_ring {
            origin.in_ring = true;
            self.ring.push_back(place.origin.clone());
        }
        let waiting = if place.chain.is_some() { &mut origin.first } else { &mut origin.again };
        waiting.push_back((place, job));
    }
}

fn extract<J>(from: &mut Waiting<J>, which: impl Fn(&J) -> bool) -> Waiting<J> {
    let (gone, left) = std::mem::take(from).into_iter().partition(|(_, job)| which(job));
    *from = left;
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merchant() -> MerchantId {
        MerchantId::from_slice(&[7; 16]).unwrap()
    }

    fn first(origin: &str, slot: i64, subject: &str) -> Place {
        let chain = Chain { merchant: merchant(), slot, subject: subject.to_owned() };
        Place { origin: origin.into(), chain: Some(chain) }
    }

    fn retry(origin: &str) -> Place {
        Place { origin: origin.into(), chain: None }
    }

    fn started(queue: &mut Queue<u32>) -> Vec<(Place, u32)> {
        std::iter::from_fn(|| queue.start()).collect()
    }

    fn numbers(started: &[(Place, u32)]) -> Vec<u32> {
        started.iter().map(|(_, number)| *number).collect()
    }

    #[test]
    fn first_attempts_of_a_chain_wait_for_each_other_and_for_nothing_else() {
        let mut queue = Queue::default();
        queue.admit(first("a", 0, "x"), 1);
        queue.admit(first("a", 0, "x"), 2);
        queue.admit(first("a", 0, "y"), 3);
        queue.admit(first("b", 1, "x"), 4);
        queue.admit(retry("a"), 5);
        queue.admit(first("b", 0, "x"), 6);
        let running = started(&mut queue);
        let mut all = numbers(&running);
        all.sort_unstable();
        assert_eq!(all, [1, 3, 4, 5]);
        for (place, number) in &running {
            queue.finish(place);
            let next = numbers(&started(&mut queue));
            assert_eq!(next, if *number == 1 { vec![2] } else { vec![] }, "after {number}");
        }
        // The address was changed in between: the order holds all the same.
        queue.finish(&first("a", 0, "x"));
        assert_eq!(numbers(&started(&mut queue)), [6]);
        queue.finish(&first("b", 0, "x"));
        assert!(queue.origins.is_empty() && queue.chains.is_empty() && queue.in_flight == 0);
    }

    #[test]
    fn an_origin_gets_four_places_and_retries_half_of_them() {
        let mut queue = Queue::default();
        for number in 0..10 {
            queue.admit(retry("a"), number);
        }
        assert_eq!(numbers(&started(&mut queue)), [0, 1]);
        for number in 10..20 {
            queue.admit(first("a", 0, &number.to_string()), number);
        }
        assert_eq!(numbers(&started(&mut queue)), [10, 11]);
        // Neither kind starves while the other one waits.
        queue.finish(&retry("a"));
        queue.finish(&retry("a"));
        assert_eq!(numbers(&started(&mut queue)), [2, 12]);
        queue.finish(&first("a", 0, "10"));
        assert_eq!(numbers(&started(&mut queue)), [13]);
    }

    #[test]
    fn hanging_origins_leave_places_for_others() {
        let mut queue = Queue::default();
        for number in 0..100_u32 {
            for times in 0..50 {
                let place = first(&format!("hang{number}"), 0, &format!("{number} {times}"));
                queue.admit(place, number);
            }
        }
        let hanging = started(&mut queue);
        assert!(hanging.len() < IN_FLIGHT_MAX, "{}", hanging.len());
        assert!((0..100).all(|number| numbers(&hanging).contains(&number)));
        for number in 0..30 {
            queue.admit(first("well", 0, &number.to_string()), number);
            let place = queue.start().map(|(place, _)| place).unwrap();
            assert_eq!(place.origin.as_ref(), "well");
            queue.finish(&place);
        }
    }

    #[test]
    fn places_are_bounded_overall_and_waiting_by_origin() {
        let mut queue = Queue::default();
        let numbers = 0..u32::try_from(IN_FLIGHT_MAX).unwrap() + 10;
        for number in numbers {
            queue.admit(retry(&number.to_string()), number);
        }
        let running = started(&mut queue);
        assert_eq!(running.len(), IN_FLIGHT_MAX);
        queue.finish(&running[0].0);
        assert_eq!(started(&mut queue).len(), 1);

        let mut queue = Queue::default();
        for number in 0..u32::try_from(WAITING_PER_ORIGIN_MAX).unwrap() {
            assert!(queue.has_room("a"), "{number}");
            queue.admit(first("a", 0, "x"), number);
        }
        assert!(!queue.has_room("a") && queue.has_room("b"));
        assert_eq!(started(&mut queue).len(), 1);
        assert!(queue.has_room("a"));
    }

    #[test]
    fn what_is_withdrawn_leaves_no_trace_and_what_runs_goes_on() {
        let mut queue = Queue::default();
        queue.admit(first("a", 0, "x"), 1);
        assert_eq!(numbers(&started(&mut queue)), [1]);
        for (place, number) in [
            (first("a", 0, "x"), 2),
            (first("a", 0, "x"), 3),
            (first("a", 0, "y"), 4),
            (first("a", 0, "y"), 5),
            (retry("b"), 6),
            (retry("b"), 7),
        ] {
            queue.admit(place, number);
        }
        let mut gone = queue.withdraw(|number| [2, 4, 6].contains(number));
        gone.sort_unstable();
        assert_eq!(gone, [2, 4, 6]);
        let mut running = numbers(&started(&mut queue));
        running.sort_unstable();
        assert_eq!(running, [5, 7]);
        assert_eq!(queue.withdraw(|_| true), [3]);
        for place in [first("a", 0, "x"), first("a", 0, "y"), retry("b")] {
            queue.finish(&place);
        }
        assert!(queue.origins.is_empty() && queue.chains.is_empty() && queue.ring.is_empty());
    }
}
