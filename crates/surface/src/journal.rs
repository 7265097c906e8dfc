//! The request journal: what was asked and answered, per world, bounded in bytes, redacted when
//! it is shown.
//!
//! Keeping an entry is cheap; what it costs to hide secrets is paid by whoever looks. The journal
//! therefore holds what was sent as it was sent, card codes of test cards included, and belongs to
//! the sandbox alone: do not install [`record`] where real cards are taken.

mod record;
pub(crate) mod redact;

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use serde_json::{Value, json};

pub use record::{REQUEST_BYTES_MAX, Recorder, RequestId, WorldSlot, record};

/// Bytes of a body that are shown.
pub const BODY_SHOWN_MAX: usize = 16 * 1024;

/// Bytes of a body that are kept; more than is shown, since redaction can shorten a text.
const BODY_KEPT_MAX: usize = 4 * BODY_SHOWN_MAX;

/// Headers of one message, copied into one piece of memory.
///
/// Header values share the buffer that they were read into; a journal of such values would hold
/// far more memory than it counts.
#[derive(Clone, Default)]
pub struct Headers(Box<[u8]>);

impl From<&HeaderMap> for Headers {
    fn from(headers: &HeaderMap) -> Self {
        Self(redact::pack(headers))
    }
}

/// One request and its answer, with all their secrets; deliberately without `Debug`.
#[derive(Clone, Default)]
pub struct Entry {
    /// When the request came, in microseconds since 1970 (UTC), by whichever clock the caller
    /// keeps.
    pub at_us: i64,
    /// Which surface it was for.
    pub dialect: Cow<'static, str>,
    /// The host that was asked for.
    pub host: Box<str>,
    /// The method.
    pub method: Cow<'static, str>,
    /// The path, with the query.
    pub path: Box<str>,
    /// The status of the answer.
    pub status: u16,
    /// How long the answer took, in microseconds.
    pub duration_us: u64,
    /// The request's headers.
    pub request_headers: Headers,
    /// The request's body.
    pub request_body: Bytes,
    /// The answer's headers.
    pub response_headers: Headers,
    /// The answer's body.
    pub response_body: Bytes,
}

impl Entry {
    /// The memory that the entry holds, in bytes.
    fn size(&self) -> usize {
        size_of::<Self>()
            .saturating_add(self.host.len())
            .saturating_add(self.path.len())
            .saturating_add(self.request_headers.0.len())
            .saturating_add(self.response_headers.0.len())
            .saturating_add(self.request_body.len())
            .saturating_add(self.response_body.len())
    }
}

/// An entry with its place in its world's journal; deliberately without `Debug`.
#[derive(Clone)]
pub struct Record {
    /// Counts the entries of a world from 1; a page's cursor.
    pub id: u64,
    /// What happened.
    pub entry: Arc<Entry>,
}

/// The last requests of each world.
pub struct Journal {
    bytes_max: usize,
    worlds: RwLock<HashMap<Box<str>, Arc<Mutex<Ring>>>>,
}

#[derive(Default)]
struct Ring {
    /// Oldest first, by rising id.
    records: VecDeque<Record>,
    bytes: usize,
    last_id: u64,
}

impl Journal {
    /// An empty journal that keeps at most `bytes_max` bytes per world.
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes_max, worlds: RwLock::default() }
    }

    /// Appends to a world's journal and drops what no longer fits, the oldest first. Bodies are
    /// copied, or cut, or left out when they are pages or pictures.
    pub fn push(&self, world: &str, mut entry: Entry) {
        entry.request_body = kept(entry.request_body, &entry.request_headers);
        entry.response_body = kept(entry.response_body, &entry.response_headers);
        let size = entry.size();
        let entry = Arc::new(entry);
        let ring = self.ring(world).unwrap_or_else(|| self.new_ring(world));
        let mut ring = lock(&ring);
        ring.last_id = ring.last_id.saturating_add(1);
        let record = Record { id: ring.last_id, entry };
        ring.records.push_back(record);
        ring.bytes = ring.bytes.saturating_add(size);
        while ring.bytes > self.bytes_max {
            let Some(oldest) = ring.records.pop_front() else { break };
            ring.bytes = ring.bytes.saturating_sub(oldest.entry.size());
        }
    }

    /// A page of a world's journal, newest first: records older than `cursor`, at most `limit`,
    /// and the cursor of the next page when there is one. A world without entries has none.
    pub fn list(
        &self,
        world: &str,
        cursor: Option<u64>,
        limit: usize,
    ) -> (Vec<Record>, Option<u64>) {
        let Some(ring) = self.ring(world) else { return (Vec::new(), None) };
        let ring = lock(&ring);
        let end = match cursor {
            Some(cursor) => ring.records.partition_point(|record| record.id < cursor),
            None => ring.records.len(),
        };
        let page: Vec<Record> = ring.records.range(..end).rev().take(limit).cloned().collect();
        let next = if page.len() < end { page.last().map(|record| record.id) } else { None };
        (page, next)
    }

    /// Forgets a world.
    pub fn remove_world(&self, world: &str) {
        self.worlds.write().unwrap_or_else(PoisonError::into_inner).remove(world);
    }

    fn ring(&self, world: &str) -> Option<Arc<Mutex<Ring>>> {
        self.worlds.read().unwrap_or_else(PoisonError::into_inner).get(world).cloned()
    }

    fn new_ring(&self, world: &str) -> Arc<Mutex<Ring>> {
        let mut worlds = self.worlds.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(worlds.entry(world.into()).or_default())
    }
}

/// A ring is never left half changed, so one that a panic poisoned is still good.
fn lock(ring: &Mutex<Ring>) -> MutexGuard<'_, Ring> {
    ring.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is kept of a body: a copy of its own, since the bytes may be part of a larger buffer.
fn kept(body: Bytes, headers: &Headers) -> Bytes {
    let media_type = redact::unpack(&headers.0)
        .find(|(name, _)| *name == header::CONTENT_TYPE.as_str())
        .map(|(_, value)| value);
    if !media_type.is_none_or(|media_type| is_shown(media_type.as_bytes())) {
        return Bytes::new();
    }
    match body.get(..BODY_KEPT_MAX) {
        Some(head) if body.len() > head.len() => {
            // Half a card number is not recognised as one, so it does not stay at the end.
            let end = head
                .iter()
                .rposition(|byte| !byte.is_ascii_digit() && !matches!(byte, b' ' | b'-'));
            Bytes::copy_from_slice(head.get(..=end.unwrap_or(0)).unwrap_or_default())
        }
        _ => Bytes::copy_from_slice(&body),
    }
}

/// Whether bodies of a media type are for a reader of the journal: JSON, forms and plain text.
fn is_shown(media_type: &[u8]) -> bool {
    let essence = media_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    const SHOWN: [&[u8]; 3] =
        [b"application/json", b"application/x-www-form-urlencoded", b"text/plain"];
    let suffix = essence.len().checked_sub(5).and_then(|at| essence.get(at..));
    SHOWN.iter().any(|shown| essence.eq_ignore_ascii_case(shown))
        || suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case(b"+json"))
}

/// Whether the body under this `Content-Type` is for the journal; without one it is.
fn is_shown_header(media_type: Option<&HeaderValue>) -> bool {
    media_type.is_none_or(|media_type| is_shown(media_type.as_bytes()))
}

/// A record in the form of the control API, redacted: `id`, `at`, `dialect`, `host`, `method`,
/// `path`, `status`, `duration_us`, and `request` and `response` with `headers` and `body` (JSON
/// where it is JSON, else text; `null` for none). `time` prints microseconds since 1970.
pub fn render(record: &Record, time: impl Fn(i64) -> String) -> Value {
    let entry = &record.entry;
    let message = |headers: &Headers, body: &Bytes| {
        json!({
            "headers": redact::headers(redact::unpack(&headers.0)),
            "body": redact::body(body, BODY_SHOWN_MAX),
        })
    };
    json!({
        "id": format!("req_{}", record.id),
        "at": time(entry.at_us),
        "dialect": entry.dialect,
        "host": entry.host,
        "method": entry.method,
        "path": redact::target(&entry.path),
        "status": entry.status,
        "duration_us": entry.duration_us,
        "request": message(&entry.request_headers, &entry.request_body),
        "response": message(&entry.response_headers, &entry.response_body),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, body: &str) -> Entry {
        Entry {
            path: path.into(),
            request_body: Bytes::copy_from_slice(body.as_bytes()),
            ..Entry::default()
        }
    }

    fn paths(records: &[Record]) -> Vec<&str> {
        records.iter().map(|record| &*record.entry.path).collect()
    }

    #[test]
    fn pages_are_newest_first_without_gap_or_repeat() {
        let journal = Journal::new(1 << 20);
        for path in ["/1", "/2", "/3", "/4", "/5"] {
            journal.push("a", entry(path, ""));
        }
        let (page, next) = journal.list("a", None, 2);
        assert_eq!((paths(&page), next), (vec!["/5", "/4"], Some(4)));
        journal.push("a", entry("/6", ""));
        let (page, next) = journal.list("a", next, 2);
        assert_eq!((paths(&page), next), (vec!["/3", "/2"], Some(2)));
        let (page, next) = journal.list("a", next, 2);
        assert_eq!((paths(&page), next), (vec!["/1"], None));
        let (page, next) = journal.list("a", None, 6);
        assert_eq!((page.len(), next), (6, None));
        assert_eq!(journal.list("a", Some(1), 6).0.len(), 0);
        assert_eq!(journal.list("a", Some(99), 1).0[0].id, 6);
    }

    #[test]
    fn worlds_are_apart() {
        let journal = Journal::new(1 << 20);
        journal.push("a", entry("/a", ""));
        journal.push("b", entry("/b", ""));
        assert_eq!(paths(&journal.list("a", None, 9).0), ["/a"]);
        journal.remove_world("a");
        assert!(journal.list("a", None, 9).0.is_empty());
        assert_eq!(paths(&journal.list("b", None, 9).0), ["/b"]);
    }

    #[test]
    fn the_ring_is_bounded_in_bytes() {
        let body = "x".repeat(1_000);
        let each = entry("/1", &body).size();
        // One byte short of a fourth.
        let journal = Journal::new(4 * each - 1);
        for count in 1..=10 {
            journal.push("a", entry("/1", &body));
            assert_eq!(journal.list("a", None, 99).0.len(), count.min(3));
        }
        assert_eq!(journal.list("a", None, 99).0[0].id, 10);
        journal.push("a", entry("/1", &"x".repeat(4 * each)));
        assert!(journal.list("a", None, 99).0.is_empty(), "what never fits is not kept");
        journal.push("a", entry("/2", ""));
        assert_eq!(paths(&journal.list("a", None, 99).0), ["/2"]);
    }

    #[test]
    fn many_may_write_at_once() {
        let journal = Journal::new(1 << 22);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..250).for_each(|_| journal.push("a", entry("/", ""))));
            }
        });
        let ids: Vec<u64> = journal.list("a", None, 2_000).0.iter().map(|r| r.id).collect();
        assert_eq!(ids, (1..=1_000).rev().collect::<Vec<u64>>());
    }

    #[test]
    fn bodies_are_kept_on_their_own_and_cut() {
        let read = Bytes::from(vec![b'x'; 100_000]);
        let none = Headers::default();
        let part = kept(read.slice(10..20), &none);
        assert_eq!(&part[..], b"xxxxxxxxxx");
        assert_ne!(part.as_ptr(), read.slice(10..20).as_ptr());
        assert_eq!(kept(read, &none).len(), BODY_KEPT_MAX);
        let mut long = vec![b'x'; BODY_KEPT_MAX - 11];
        long.extend_from_slice(b"411111 11111111111");
        assert_eq!(kept(long.into(), &none).len(), BODY_KEPT_MAX - 11);
    }

    #[test]
    fn only_texts_are_kept() {
        let table = [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/problem+json", true),
            ("application/x-www-form-urlencoded", true),
            ("text/plain;charset=utf-8", true),
            ("text/html; charset=utf-8", false),
            ("image/png", false),
            ("json", false),
        ];
        for (media_type, is_kept) in table {
            let headers =
                HeaderMap::from_iter([(header::CONTENT_TYPE, media_type.parse().unwrap())]);
            let body = kept(Bytes::from_static(b"x"), &Headers::from(&headers));
            assert_eq!(!body.is_empty(), is_kept, "{media_type}");
        }
    }

    #[test]
    fn a_record_is_rendered_for_the_control_api() {
        let headers = HeaderMap::from_iter([(
            header::AUTHORIZATION,
            HeaderValue::from_static("Bearer 0123456789abcdef"),
        )]);
        let entry = Entry {
            at_us: 7,
            dialect: "x".into(),
            host: "localhost".into(),
            method: "POST".into(),
            path: "/p?cvv=1".into(),
            status: 201,
            duration_us: 5,
            request_headers: Headers::from(&headers),
            request_body: Bytes::from_static(
                br#"{"amount":1500,"card_number":"4111111111111111"}"#,
            ),
            response_headers: Headers::default(),
            response_body: Bytes::new(),
        };
        let record = Record { id: 3, entry: Arc::new(entry) };
        assert_eq!(
            render(&record, |us| format!("t{us}")),
            json!({
                "id": "req_3", "at": "t7", "dialect": "x", "host": "localhost", "method": "POST",
                "path": "/p?cvv=****", "status": 201, "duration_us": 5,
                "request": {
                    "headers": {"authorization": "Bearer ****cdef"},
                    "body": {"amount": 1500, "card_number": "411111******1111"},
                },
                "response": {"headers": {}, "body": null},
            })
        );
    }
}
