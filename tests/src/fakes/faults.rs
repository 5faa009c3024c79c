//! Servers that misbehave, for tables of what a plugin must survive. Plain threads and sockets, as
//! an HTTP library would not send half an answer.

#[cfg(test)]
mod tests;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How often a server that waits looks whether it may go.
const PAUSE: Duration = Duration::from_millis(20);

/// What a server does to a request. A TLS fault is a correct answer under a wrong certificate:
/// see [`Fault::start_tls`].
#[derive(Clone, Debug)]
pub enum Fault {
    /// No program listens.
    Refused,
    /// Takes the request and says nothing.
    Silent,
    /// Sends the head at once and then a byte of the body every tenth of a second.
    SlowBody,
    /// A whole answer with this status, these headers and this body.
    Answer {
        /// The status code.
        status: u16,
        /// Headers besides `Content-Length`.
        headers: Vec<(String, String)>,
        /// The body.
        body: String,
    },
    /// 200 and a JSON text of so many bytes.
    BigBody(usize),
    /// 200 and the announcement of so many bytes, of which none come.
    AnnouncedBody(usize),
    /// 200 and endless chunks.
    EndlessBody,
    /// Announces more than it sends, then closes.
    CutBody,
    /// Closes before the first byte of an answer.
    Hangup,
    /// One after another, one per request; the last stays.
    Sequence(Vec<Fault>),
}

impl Fault {
    /// An answer of JSON.
    pub fn json(status: u16, body: impl Into<String>) -> Self {
        Self::Answer {
            status,
            headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
            body: body.into(),
        }
    }

    /// A status with an empty body.
    pub fn status(status: u16) -> Self {
        Self::Answer { status, headers: Vec::new(), body: String::new() }
    }

    /// 200 with a web page, as a proxy's log-in form.
    pub fn html() -> Self {
        Self::Answer {
            status: 200,
            headers: vec![("Content-Type".to_owned(), "text/html".to_owned())],
            body: "<!doctype html><title>Sign in</title><p>Welcome".to_owned(),
        }
    }

    /// A redirect of this status (302, 307, 308) to `location`.
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::status(status).with_header("Location", location)
    }

    /// 429 with `Retry-After` in seconds.
    pub fn retry_after_seconds(seconds: u64) -> Self {
        Self::status(429).with_header("Retry-After", &seconds.to_string())
    }

    /// 429 with `Retry-After` as a date so many seconds ahead (RFC 9110 section 10.2.3).
    pub fn retry_after_date(seconds: u64) -> Self {
        let date = SystemTime::now() + Duration::from_secs(seconds);
        Self::status(429).with_header("Retry-After", &httpdate::fmt_http_date(date))
    }

    /// The same answer with a header more; only an [`Fault::Answer`] has headers.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        match &mut self {
            Self::Answer { headers, .. } => headers.push((name.to_owned(), value.to_owned())),
            other => panic!("{other:?} has no headers"),
        }
        self
    }

    /// Starts it on plain http.
    pub fn start(self) -> FaultServer {
        FaultServer::start(self, None)
    }

    /// Starts it on https under a configuration of [`crate::tls::TestCa::server_config`]: by
    /// another CA than the client trusts, or for another name.
    pub fn start_tls(self, tls: Arc<ServerConfig>) -> FaultServer {
        FaultServer::start(self, Some(tls))
    }
}

/// A request as it came: head and body.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The request line and the headers.
    pub head: String,
    /// The body, as far as `Content-Length` promised it.
    pub body: String,
}

/// A running fault; gone when dropped.
pub struct FaultServer {
    address: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    fault: Fault,
    tls: Option<Arc<ServerConfig>>,
    seen: Mutex<Vec<Seen>>,
    stop: AtomicBool,
}

impl FaultServer {
    fn start(fault: Fault, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on 127.0.0.1");
        let address = listener.local_addr().unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let refused = matches!(fault, Fault::Refused);
        let (seen, stop) = (Mutex::default(), AtomicBool::new(false));
        let shared = Arc::new(Shared { fault, tls, seen, stop });
        let thread = (!refused).then(|| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || accept(&listener, &shared))
        });
        Self { address, scheme, shared, thread }
    }

    /// Scheme, host and port.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// The requests that arrived whole.
    pub fn requests(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = TcpStream::connect(self.address);
            let _ = thread.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stopped() {
            return;
        }
        let Ok(stream) = stream else { continue };
        let shared = Arc::clone(shared);
        // Not joined: each ends within a pause of the stop, and writes only to its own socket.
        thread::spawn(move || {
            let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
            let _ = match &shared.tls {
                None => shared.converse(stream),
                Some(tls) => ServerConnection::new(Arc::clone(tls))
                    .map_err(io::Error::other)
                    .and_then(|session| shared.converse(StreamOwned::new(session, stream))),
            };
        });
    }
}

impl Shared {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn converse(&self, mut stream: impl Read + Write) -> io::Result<()> {
        let seen = read_request(&mut stream)?;
        let count = {
            let mut all = self.seen.lock().unwrap();
            all.push(seen);
            all.len()
        };
        let fault = match &self.fault {
            Fault::Sequence(faults) => &faults[(count - 1).min(faults.len() - 1)],
            fault => fault,
        };
        self.answer(fault, &mut stream)?;
        stream.flush()
    }

    fn answer(&self, fault: &Fault, stream: &mut impl Write) -> io::Result<()> {
        match fault {
            Fault::Refused | Fault::Hangup | Fault::Sequence(_) => Ok(()),
            Fault::Silent => {
                while !self.stopped() {
                    thread::sleep(PAUSE);
                }
                Ok(())
            }
            Fault::SlowBody => {
                stream.write_all(&head(200, &[], Some(100_000)))?;
                while !self.stopped() {
                    stream.write_all(b" ")?;
                    stream.flush()?;
                    thread::sleep(Duration::from_millis(100));
                }
                Ok(())
            }
            Fault::Answer { status, headers, body } => {
                stream.write_all(&head(*status, headers, Some(body.len())))?;
                stream.write_all(body.as_bytes())
            }
            Fault::AnnouncedBody(size) => stream.write_all(&head(200, &[], Some(*size))),
            Fault::BigBody(size) => {
                stream.write_all(&head(200, &[], Some(*size)))?;
                let filling = size.saturating_sub(2);
                stream.write_all(b"\"")?;
                io::copy(&mut io::repeat(b'a').take(filling as u64), stream)?;
                stream.write_all(b"\"")
            }
            Fault::EndlessBody => {
                stream.write_all(&head(200, &[], None))?;
                let chunk = [&b"4000\r\n"[..], &[b' '; 0x4000], b"\r\n"].concat();
                while !self.stopped() {
                    stream.write_all(&chunk)?;
                }
                Ok(())
            }
            Fault::CutBody => {
                stream.write_all(&head(200, &[], Some(1000)))?;
                stream.write_all(b"{\"access_token\":\"ey")
            }
        }
    }
}

/// An answer's head; the type is JSON unless the headers name one.
fn head(status: u16, headers: &[(String, String)], length: Option<usize>) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} Fault\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        head.push_str("Content-Type: application/json\r\n");
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    match length {
        Some(length) => head.push_str(&format!("Content-Length: {length}\r\n")),
        None => head.push_str("Transfer-Encoding: chunked\r\n"),
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// Reads a head and as much body as `Content-Length` names, so that closing later never resets a
/// connection with unread bytes in it.
fn read_request(stream: &mut impl Read) -> io::Result<Seen> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&buffer[..count]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        });
        let length: usize = length.unwrap_or(0);
        if bytes.len() >= end + 4 + length {
            let body = String::from_utf8_lossy(&bytes[end + 4..end + 4 + length]).into_owned();
            return Ok(Seen { head, body });
        }
    }
}
