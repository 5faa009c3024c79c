//! Servers that are some way off: a relay in front of them that holds every byte back, and notes
//! what each TLS connection brings.

use std::io;
use std::net::{Ipv4Addr, TcpListener as StdListener};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::sleep_until;

use crate::plugin::PluginRun;

/// The way to some servers, and what went along it. A clone is the same one.
#[derive(Clone)]
pub struct Latency {
    round_trip: Duration,
    connections: Arc<Mutex<Vec<Connection>>>,
}

/// A connection to one of those servers. The instants are those at which it leaves the client.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Whose name the server has.
    pub host: String,
    /// When it was opened.
    pub opened: Instant,
    /// When the client had its part of the TLS 1.3 handshake done.
    pub handshake: Option<Instant>,
    /// When each request began.
    pub requests: Vec<Instant>,
}

impl Latency {
    /// A way that takes so long there and back.
    pub fn new(round_trip: Duration) -> Self {
        Self { round_trip, connections: Arc::default() }
    }

    /// The connections so far, in the order of opening.
    pub fn connections(&self) -> Vec<Connection> {
        self.connections.lock().unwrap().clone()
    }

    /// The only connection to that host.
    pub fn only(&self, host: &str) -> Connection {
        let mut all = self.connections();
        all.retain(|connection| connection.host == host);
        match <[Connection; 1]>::try_from(all) {
            Ok([only]) => only,
            Err(all) => panic!("not one connection to {host}: {all:?}"),
        }
    }

    /// How many round trips fit into that time.
    pub fn round_trips(&self, time: Duration) -> u128 {
        time.as_nanos() / self.round_trip.as_nanos()
    }

    /// Checks a run of one call to each of two hosts, the second of which was connected to while
    /// the first one's answer was pending: TCP, TLS and a request at the first host, and a request
    /// at the second.
    pub fn check_two_calls(&self, run: &PluginRun, first: &str, second: &str) {
        assert_eq!(self.round_trips(run.duration), 4, "{:?}", run.duration);
        let (first, second) = (self.only(first), self.only(second));
        assert_eq!((first.requests.len(), second.requests.len()), (1, 1));
        let answered = first.requests[0] + self.round_trip;
        assert!(second.handshake.unwrap() < answered, "connected to after the answer");
        assert!(second.requests[0] >= answered, "sent before the answer");
    }

    /// Puts this link between a socket and the server for it; the result is the near end
    /// for the server.
    pub(crate) fn lead_to(&self, host: &str, far: TcpListener) -> TcpListener {
        let near = StdListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        near.set_nonblocking(true).unwrap();
        let near = TcpListener::from_std(near).unwrap();
        let (latency, host, server) = (self.clone(), host.to_owned(), near.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((client, _)) = far.accept().await {
                let note = latency.open(&host);
                if let Ok(server) = TcpStream::connect(server).await {
                    latency.relay(client, server, note);
                }
            }
        });
        near
    }

    fn open(&self, host: &str) -> Note {
        let mut all = self.connections.lock().unwrap();
        all.push(Connection {
            host: host.to_owned(),
            opened: Instant::now(),
            handshake: None,
            requests: Vec::new(),
        });
        Note { connections: Arc::clone(&self.connections), number: all.len() - 1 }
    }

    fn relay(&self, client: TcpStream, server: TcpStream, note: Note) {
        for stream in [&client, &server] {
            let _ = stream.set_nodelay(true);
        }
        // The kernel has answered the client already, a round trip too soon.
        let established = Instant::now() + self.round_trip;
        let half = self.round_trip / 2;
        let ((client_reads, client_writes), (server_reads, server_writes)) =
            (client.into_split(), server.into_split());
        let mut records = Records::default();
        let note_bytes = move |bytes: &[u8]| {
            for record in records.read(bytes) {
                note.add(record);
            }
        };
        carry(client_reads, server_writes, note_bytes, move |now| now.max(established) + half);
        carry(server_reads, client_writes, |_| {}, move |now| now + half);
    }
}

/// Carries bytes to the other end, each chunk at its time.
fn carry(
    mut from: OwnedReadHalf,
    to: OwnedWriteHalf,
    mut note: impl FnMut(&[u8]) + Send + 'static,
    arrival: impl Fn(Instant) -> Instant + Send + 'static,
) {
    let (sender, chunks) = unbounded_channel();
    tokio::spawn(async move {
        let mut buffer = vec![0; 0x4000];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            note(&buffer[..count]);
            send(&sender, arrival(Instant::now()), &buffer[..count]);
        }
        send(&sender, arrival(Instant::now()), &[]);
    });
    tokio::spawn(deliver(chunks, to));
}

fn send(sender: &UnboundedSender<(Instant, Vec<u8>)>, arrival: Instant, bytes: &[u8]) {
    let _ = sender.send((arrival, bytes.to_vec()));
}

/// An empty chunk is the end.
async fn deliver(
    mut chunks: UnboundedReceiver<(Instant, Vec<u8>)>,
    mut to: OwnedWriteHalf,
) -> io::Result<()> {
    while let Some((arrival, bytes)) = chunks.recv().await {
        sleep_until(arrival.into()).await;
        match bytes.as_slice() {
            [] => to.shutdown().await?,
            bytes => to.write_all(bytes).await?,
        }
    }
    Ok(())
}

/// Where a connection's events are noted.
struct Note {
    connections: Arc<Mutex<Vec<Connection>>>,
    number: usize,
}

impl Note {
    fn add(&self, record: Record) {
        let mut all = self.connections.lock().unwrap();
        let connection = &mut all[self.number];
        match (record, connection.handshake) {
            (Record::Other, _) => {}
            (Record::Encrypted, None) => connection.handshake = Some(Instant::now()),
            (Record::Encrypted, Some(_)) => connection.requests.push(Instant::now()),
        }
    }
}

/// What the client's side of a TLS 1.3 connection is made of (RFC 8446 §5.1): the end of the
/// handshake is the first encrypted record, and a request of less than 16 KiB is one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Record {
    Encrypted,
    /// In the clear, or an alert: too short for anything else.
    Other,
}

/// Takes records out of a stream.
#[derive(Default)]
struct Records {
    /// The head of the next record, as far as it is there.
    head: Vec<u8>,
    /// What is left of the last one's content.
    left: usize,
}

impl Records {
    const HEAD: usize = 5;
    const APPLICATION_DATA: u8 = 23;
    /// An alert has two bytes, its type, and the cipher's tag.
    const ALERT: usize = 2 + 1 + 16;

    fn read(&mut self, mut bytes: &[u8]) -> Vec<Record> {
        let mut found = Vec::new();
        while !bytes.is_empty() {
            let skipped = self.left.min(bytes.len());
            bytes = &bytes[skipped..];
            self.left -= skipped;
            let taken = bytes.len().min(Self::HEAD - self.head.len());
            self.head.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            if let [kind, _, _, high, low] = self.head[..] {
                self.left = usize::from(u16::from_be_bytes([high, low]));
                self.head.clear();
                found.push(match kind == Self::APPLICATION_DATA && self.left > Self::ALERT {
                    true => Record::Encrypted,
                    false => Record::Other,
                });
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_found_however_the_stream_is_cut() {
        let record = |kind: u8, length: usize| {
            let mut record = vec![kind, 3, 3];
            record.extend(u16::try_from(length).unwrap().to_be_bytes());
            record.resize(Records::HEAD + length, 23);
            record
        };
        let stream =
            [record(22, 200), record(20, 1), record(23, 53), record(23, 700), record(23, 19)];
        let expected =
            [Record::Other, Record::Other, Record::Encrypted, Record::Encrypted, Record::Other];
        let stream = stream.concat();
        for size in [1, 2, 5, 7, 100, stream.len()] {
            let mut records = Records::default();
            let found: Vec<_> = stream.chunks(size).flat_map(|it| records.read(it)).collect();
            assert_eq!(found, expected, "chunks of {size}");
        }
    }
}
