//! A nameserver that knows no name (RFC 1035, RFC 2308): programs continue at once instead of
//! waiting, whatever resolver they have, and the test sees what they asked.

use std::net::UdpSocket;
use std::sync::{Arc, Mutex};
use std::thread;

/// Where it listens: the only `nameserver` of the world's `/etc/resolv.conf`.
pub(super) const ADDRESS: &str = "127.0.0.1";

/// A header's length in bytes.
const HEADER: usize = 12;

/// The running server, which ends with the process.
pub(super) struct Nameserver {
    asked: Arc<Mutex<Vec<String>>>,
}

impl Nameserver {
    pub(super) fn start() -> Self {
        let socket = UdpSocket::bind((ADDRESS, 53)).expect("port 53 is free in a new namespace");
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            let mut buffer = [0; 1500];
            while let Ok((length, peer)) = socket.recv_from(&mut buffer) {
                if let Some((name, answer)) = deny(&buffer[..length]) {
                    log.lock().unwrap().push(name);
                    let _ = socket.send_to(&answer, peer);
                }
            }
        });
        Self { asked }
    }

    /// The names asked for so far.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// The name in a query, and the answer that there is none. `None` for what is not a query.
fn deny(query: &[u8]) -> Option<(String, Vec<u8>)> {
    let header = query.get(..HEADER)?;
    let mut labels = Vec::new();
    let mut at = HEADER;
    loop {
        let length = usize::from(*query.get(at)?);
        let label = query.get(at + 1..at + 1 + length)?;
        at += 1 + length;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(label).into_owned());
    }
    let question = query.get(HEADER..at + 4)?;
    let mut answer = header[..2].to_vec();
    // A response, recursion as desired and available, NXDOMAIN; one question, no records.
    answer.extend([0x80 | header[2] & 0x79, 0x83, 0, 1, 0, 0, 0, 0, 0, 0]);
    answer.extend(question);
    Some((labels.join("."), answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_answered_with_its_own_question() {
        let mut query = vec![0xab, 0xcd, 0x01, 0x20, 0, 1, 0, 0, 0, 0, 0, 1];
        query.extend(b"\x06nosuch\x07example\x00\x00\x01\x00\x01");
        let question = query.len();
        // An EDNS record, as resolvers send it, is not given back.
        query.extend([0, 0, 41, 5, 0xdc, 0, 0, 0, 0, 0, 0]);
        let (name, answer) = deny(&query).unwrap();
        assert_eq!(name, "nosuch.example");
        assert_eq!(answer[..HEADER], [0xab, 0xcd, 0x81, 0x83, 0, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(answer[HEADER..], query[HEADER..question]);
    }

    #[test]
    fn garbage_is_not_answered() {
        for query in [&b""[..], b"short", b"twelve bytes", b"twelve bytes\x3fabc"] {
            assert_eq!(deny(query), None);
        }
    }
}
