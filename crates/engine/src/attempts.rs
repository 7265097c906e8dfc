//! The attempts of a delivery. Its row has the request and the answer of the last one; the answer
//! carries what went before, so that a delivery that is taken at once is one small row.

use cobro_domain::Timestamp;
use cobro_domain::event::{Delivery, DeliveryState};
use serde_json::{Map, Value, json};

/// How many earlier attempts are kept: more than any dialect's schedule has.
const EARLIER_MAX: usize = 32;

/// How much of each text of an earlier attempt is kept, in bytes.
const EARLIER_TEXT_BYTES: usize = 2 * 1_024;

/// One attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// Which one, from 1.
    pub number: i64,
    /// When it was recorded, in the world's time (RFC 3339); `None` for rows of older programs.
    pub at: Option<String>,
    /// When it was due, likewise.
    pub due_at: Option<String>,
    /// What was sent: `headers` and `body`; null when nothing was.
    pub request: Value,
    /// What was answered: `status` and `body`, or `error` and `message`; null when nothing was.
    pub response: Value,
}

/// Every attempt that was made, the last one at the end.
pub fn attempts(delivery: &Delivery) -> Vec<Attempt> {
    if delivery.attempts == 0 {
        return Vec::new();
    }
    let mut last = object(&delivery.response);
    let earlier = last.remove("earlier");
    let kept: Vec<Value> = match earlier {
        Some(Value::Array(kept)) => kept,
        _ => Vec::new(),
    };
    let count = i64::try_from(kept.len()).unwrap_or(0);
    let first = delivery.attempts.saturating_sub(count);
    let mut all: Vec<Attempt> = (first..)
        .zip(kept)
        .map(|(number, mut one)| {
            let request = one.as_object_mut().and_then(|one| one.remove("request"));
            let answer = one.as_object().cloned().unwrap_or_default();
            attempt(number, request.unwrap_or_default(), answer)
        })
        .collect();
    let request = serde_json::from_str(&delivery.request).unwrap_or_default();
    all.push(attempt(delivery.attempts, request, last));
    all
}

/// The answer to the last attempt alone.
pub fn last_answer(delivery: &Delivery) -> Option<Value> {
    attempts(delivery).pop().map(|last| last.response).filter(|answer| !answer.is_null())
}

fn attempt(number: i64, request: Value, mut answer: Map<String, Value>) -> Attempt {
    let time = |answer: &mut Map<String, Value>, name: &str| match answer.remove(name) {
        Some(Value::String(time)) => Some(time),
        _ => None,
    };
    let (at, due_at) = (time(&mut answer, "at"), time(&mut answer, "due_at"));
    let response = if answer.is_empty() { Value::Null } else { Value::Object(answer) };
    Attempt { number, at, due_at, request, response }
}

/// The text that a delivery's row keeps of a new answer: with its times, and with the attempts that
/// went before.
pub(crate) fn kept(before: &Delivery, answer: &str, now: Timestamp) -> String {
    let mut kept = object(answer);
    kept.insert("at".to_owned(), json!(now.to_string()));
    if let DeliveryState::Waiting { next_at } = before.state {
        kept.insert("due_at".to_owned(), json!(next_at.to_string()));
    }
    if before.attempts > 0 {
        let mut last = object(&before.response);
        let mut earlier = match last.remove("earlier") {
            Some(Value::Array(earlier)) => earlier,
            _ => Vec::new(),
        };
        let request: Value = serde_json::from_str(&before.request).unwrap_or_default();
        last.insert("request".to_owned(), request);
        let mut last = Value::Object(last);
        shorten(&mut last);
        earlier.push(last);
        let surplus = earlier.len().saturating_sub(EARLIER_MAX);
        earlier.drain(..surplus);
        kept.insert("earlier".to_owned(), Value::Array(earlier));
    }
    Value::Object(kept).to_string()
}

fn object(text: &str) -> Map<String, Value> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => object,
        _ => Map::new(),
    }
}

/// Cuts every text in a value.
fn shorten(value: &mut Value) {
    match value {
        Value::String(text) => text.truncate(text.floor_char_boundary(EARLIER_TEXT_BYTES)),
        Value::Array(list) => list.iter_mut().for_each(shorten),
        Value::Object(object) => object.values_mut().for_each(shorten),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cobro_domain::{DeliveryId, EventId, MerchantId};

    fn waiting(seconds: i64) -> DeliveryState {
        DeliveryState::Waiting { next_at: Timestamp::default().plus_seconds(seconds) }
    }

    fn delivery() -> Delivery {
        Delivery {
            merchant: MerchantId::from_slice(&[1; 16]).unwrap(),
            id: DeliveryId::from_slice(&[2; 16]).unwrap(),
            lane: 0,
            event: EventId::from_slice(&[3; 16]).unwrap(),
            slot: 0,
            url: "http://127.0.0.1:3000/".to_owned(),
            attempts: 0,
            state: waiting(0),
            request: String::new(),
            response: String::new(),
            created_at: Timestamp::default(),
        }
    }

    /// A delivery after attempts with these answers, one a minute.
    fn after(answers: &[&str]) -> Delivery {
        let mut delivery = delivery();
        for (number, answer) in (0_i64..).zip(answers) {
            let now = Timestamp::default().plus_seconds(number * 60 + 1);
            delivery.response = kept(&delivery, answer, now);
            delivery.request = format!(r#"{{"headers":{{}},"body":"{number}"}}"#);
            delivery.attempts += 1;
            delivery.state = waiting((number + 1) * 60);
        }
        delivery
    }

    #[test]
    fn every_attempt_is_there_with_its_times() {
        assert_eq!(attempts(&after(&[])), []);
        let delivery = after(&[r#"{"status":500,"body":"x"}"#, r#"{"error":"timeout"}"#, "{}"]);
        let all = attempts(&delivery);
        let at = |seconds: i64| Some(Timestamp::default().plus_seconds(seconds).to_string());
        let numbers: Vec<i64> = all.iter().map(|one| one.number).collect();
        assert_eq!(numbers, [1, 2, 3]);
        let expected = [
            (at(1), at(0), "0", json!({"status": 500, "body": "x"})),
            (at(61), at(60), "1", json!({"error": "timeout"})),
            (at(121), at(120), "2", Value::Null),
        ];
        for (one, (at, due_at, body, response)) in all.iter().zip(expected) {
            assert_eq!((&one.at, &one.due_at), (&at, &due_at));
            assert_eq!((&one.request["body"], &one.response), (&json!(body), &response));
        }
        assert_eq!(last_answer(&delivery), None);
    }

    #[test]
    fn rows_of_older_programs_are_read_as_they_are() {
        let mut delivery = delivery();
        delivery.attempts = 3;
        delivery.response = r#"{"status":200,"body":""}"#.to_owned();
        let all = attempts(&delivery);
        assert_eq!((all.len(), all[0].number, &all[0].at), (1, 3, &None));
        assert_eq!(last_answer(&delivery), Some(json!({"status": 200, "body": ""})));
        delivery.response = "not JSON".to_owned();
        assert_eq!(last_answer(&delivery), None);
    }

    #[test]
    fn what_is_kept_has_a_limit() {
        let long = format!(r#"{{"status":500,"body":"{}"}}"#, "é".repeat(9_000));
        let delivery = after(&vec![long.as_str(); 40]);
        let all = attempts(&delivery);
        assert_eq!(all.len(), EARLIER_MAX + 1);
        assert_eq!((all[0].number, all.last().unwrap().number), (8, 40));
        assert!(delivery.response.len() < (EARLIER_MAX + 16) * (EARLIER_TEXT_BYTES + 256));
    }
}
