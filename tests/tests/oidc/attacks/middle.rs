//! A proxy: it is asked where the operator says so, and reads nothing.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use pullpass_tests::tls::TestCa;
use serde_json::json;

use super::*;

/// A proxy that leads every tunnel to one server, and remembers whom it was asked for and what
/// passed in the clear.
struct Middle {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Middle {
    fn leading_to(server: &FaultServer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (log, target) = (Arc::clone(&asked), authority(server));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut near, log, target) = (stream.unwrap(), Arc::clone(&log), target.clone());
                thread::spawn(move || {
                    let mut head = Vec::new();
                    let mut byte = [0];
                    while !head.ends_with(b"\r\n\r\n") && near.read(&mut byte).unwrap_or(0) == 1 {
                        head.push(byte[0]);
                    }
                    log.lock().unwrap().push(String::from_utf8_lossy(&head).into_owned());
                    let mut far = TcpStream::connect(target).unwrap();
                    let _ = near.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n");
                    let (mut from, mut to) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                    thread::spawn(move || std::io::copy(&mut from, &mut to));
                    let _ = std::io::copy(&mut far, &mut near);
                    let _ = near.shutdown(std::net::Shutdown::Both);
                });
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// No name server knows it: only the proxy could.
const ENDPOINT: &str = "https://sts.invalid/token";

fn exchange() -> Value {
    json!({"type": "tokenExchange", "endpoint": ENDPOINT})
}

#[test]
fn a_proxy_reads_the_token() {
    let (ca, stranger) = (TestCa::new(), TestCa::new());
    let evil = login().start_tls(stranger.server_config(&["sts.invalid"]));
    let middle = Middle::leading_to(&evil);
    let attempt = Attempt::new(exchange()).env("HTTPS_PROXY", middle.url.clone());
    let attempt = attempt.with(json!({"http": {"caFile": ca.pem_file()}}));
    attempt.fails(CONFIG, &["no trusted TLS connection"]);
    got_nothing(&evil);
    // The same by the profile's word, and with a proxy in order, which sees a name and no more.
    let by_profile = attempt.clone().with(json!({"http": {"proxy": middle.url}}));
    by_profile.fails(CONFIG, &["no trusted TLS connection"]);
    got_nothing(&evil);
    let right = login().start_tls(ca.server_config(&["sts.invalid"]));
    let middle = Middle::leading_to(&right);
    let attempt = attempt.with(json!({"http": {"proxy": middle.url}}));
    attempt.works(PASSWORD);
    let asked = middle.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].starts_with("CONNECT sts.invalid:443 HTTP/1.1\r\n"), "{}", asked[0]);
    let head = asked[0].to_lowercase();
    assert!(!head.contains("authorization") && !head.contains(&attempt.token.to_lowercase()));
    assert_eq!(right.requests().len(), 1);
}

#[test]
fn a_proxy_that_the_profile_does_not_want() {
    let proxy = Fault::status(407).start();
    // Others may set the node's environment; `none` in the profile overrides it.
    let attempt = Attempt::new(exchange()).with(json!({"http": {"proxy": "none", "retries": 0}}));
    let attempt = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"]
        .iter()
        .fold(attempt, |attempt, name| attempt.env(name, proxy.url()));
    attempt.fails(UNAVAILABLE, &["sts.invalid"]);
    got_nothing(&proxy);
    // A token in the clear is for loopback, and no proxy is on the way there.
    let server = endpoint();
    for mode in [json!("inherit"), json!(proxy.url())] {
        let attempt = Attempt::new(token_exchange(&server)).env("HTTP_PROXY", proxy.url());
        attempt.with(json!({"http": {"proxy": mode}})).works(PASSWORD);
    }
    got_nothing(&proxy);
    for wrong in ["direct", "socks5://127.0.0.1:1", "", "http://", "ftp://p:1"] {
        let attempt = Attempt::new(exchange()).with(json!({"http": {"proxy": wrong}}));
        attempt.fails(
            CONFIG,
            &["`http.proxy`: must be `inherit`, `none` or an `http://` or `https://` URL"],
        );
    }
}
