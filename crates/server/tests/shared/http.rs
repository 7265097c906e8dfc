//! A blocking HTTP/1.1 client that sends exactly what it is told, also what no client should.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// Longer than anything takes; an answer that never comes fails the test instead of hanging it.
pub(crate) const AMPLE: Duration = Duration::from_secs(60);

/// A request to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Vec<u8>>,
}

impl Call {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self { method: method.into(), target: target.into(), headers: Vec::new(), body: None }
    }

    pub(crate) fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// A body without a content type.
    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head.push_str("host: 127.0.0.1\r\n");
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = &self.body {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend(self.body.iter().flatten());
        bytes
    }
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("{error}: {} {}", self.status, self.text()),
        }
    }

    /// The body of an answer with this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

/// A connection that is kept alive.
#[derive(Debug)]
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) fn open(address: &str) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(AMPLE))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Sends a request and reads its answer.
    pub(crate) fn send(&mut self, call: &Call) -> std::io::Result<Answer> {
        // The server may answer and close before it has read a large body.
        let sent = self.0.get_mut().write_all(&call.bytes());
        let answer = read_answer(&mut self.0);
        if answer.is_err() {
            sent?;
        }
        answer
    }

    /// Sends the request of a stream that does not end, and reads the head of the answer.
    pub(crate) fn stream(mut self, call: &Call) -> (Answer, Events) {
        self.0.get_mut().write_all(&call.bytes()).unwrap();
        let (status, headers) = read_head(&mut self.0).unwrap();
        assert_eq!(status, 200);
        let events = Events { reader: self.0, seen: String::new() };
        (Answer { status, headers, body: Vec::new() }, events)
    }
}

/// Server-sent events of an endless, chunked answer.
#[derive(Debug)]
pub(crate) struct Events {
    reader: BufReader<TcpStream>,
    seen: String,
}

impl Events {
    /// The next event's name and data, and `None` when the stream ends.
    pub(crate) fn next(&mut self) -> Option<(String, Value)> {
        loop {
            while let Some((event, rest)) = self.seen.split_once("\n\n") {
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
                let found = field("event: ").zip(field("data: "));
                let found = found.map(|(name, data)| {
                    (name.to_owned(), serde_json::from_str(data).unwrap_or_default())
                });
                self.seen = rest.to_owned();
                if found.is_some() {
                    return found;
                }
            }
            let chunk = read_chunk(&mut self.reader).unwrap();
            if chunk.is_empty() {
                return None;
            }
            self.seen.push_str(&String::from_utf8(chunk).unwrap());
        }
    }

    /// Skips events until one is what is waited for.
    #[track_caller]
    pub(crate) fn wait(&mut self, wanted: impl Fn(&str, &Value) -> bool) -> Value {
        loop {
            let Some((name, data)) = self.next() else { panic!("the stream ended") };
            if wanted(&name, &data) {
                return data;
            }
        }
    }
}

fn broken(what: &str) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::UnexpectedEof, what.to_owned())
}

fn read_line(reader: &mut impl BufRead) -> std::io::Result<String> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Err(broken("the connection was closed"));
    }
    Ok(line.trim_end().to_owned())
}

type Headers = Vec<(String, String)>;

pub(crate) fn read_headers(reader: &mut impl BufRead) -> std::io::Result<Headers> {
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader)?;
        let Some((name, value)) = line.split_once(':') else { return Ok(headers) };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn read_head(reader: &mut impl BufRead) -> std::io::Result<(u16, Headers)> {
    let line = read_line(reader)?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| broken("no status line"))?;
    Ok((status, read_headers(reader)?))
}

fn read_chunk(reader: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let size = read_line(reader)?;
    let size = usize::from_str_radix(&size, 16).map_err(|_| broken("no chunk size"))?;
    let mut chunk = vec![0; size];
    reader.read_exact(&mut chunk)?;
    read_line(reader)?;
    Ok(chunk)
}

fn read_answer(reader: &mut impl BufRead) -> std::io::Result<Answer> {
    let (status, headers) = read_head(reader)?;
    let field = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, v)| v);
    let mut body = Vec::new();
    if let Some(length) = field("content-length").and_then(|length| length.parse().ok()) {
        body.resize(length, 0);
        reader.read_exact(&mut body)?;
    } else if field("transfer-encoding").is_some() {
        loop {
            let chunk = read_chunk(reader)?;
            if chunk.is_empty() {
                break;
            }
            body.extend(chunk);
        }
    } else if status != 204 {
        reader.read_to_end(&mut body)?;
    }
    Ok(Answer { status, headers, body })
}
