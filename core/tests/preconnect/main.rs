//! Connections that are opened before their call, as servers see them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod server;

use std::future::ready;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use pullpass::http::{Http, HttpConfig, ProxyMode};
use pullpass::{Clock, Context, Deadline, Env, Error, Roots};
use tokio::time::sleep;
use url::Url;

use self::server::{Behaviour, NAME, Server};

/// Where nothing can be waited for.
const A_WHILE: Duration = Duration::from_millis(100);

fn client(config: HttpConfig) -> Http {
    let deadline = Deadline::after(Duration::from_secs(30));
    Context::new(Env::from_iter([("", ""); 0]), Clock::system(), deadline).http.with_config(config)
}

/// Connects, waits for another call, and makes the call; and the instant when its turn began.
async fn call_after(
    other: impl Future<Output = ()>,
    http: &Http,
    url: &Url,
) -> (Result<(), Error>, Instant) {
    http.preconnect(url);
    other.await;
    let turn = Instant::now();
    (http.get(url.clone()).send().await.map(drop), turn)
}

#[tokio::test]
async fn the_call_finds_its_connection_open_and_nothing_was_sent_before() {
    for behaviour in [Behaviour::Answer, Behaviour::WantCertificate] {
        let server = Server::start(behaviour);
        let http = client(server.client_config());
        let (result, turn) = call_after(server.wait_for_handshake(), &http, &server.url()).await;
        result.unwrap();
        http.get(server.url()).send().await.unwrap();
        let [only] = server.connections()[..] else { panic!("not one connection") };
        assert!(only.handshake.unwrap() < turn, "the handshake was not before its turn");
        assert!(only.request.unwrap() >= turn, "a request was sent before its turn");
    }
}

#[tokio::test]
async fn a_connection_without_a_call_is_sent_nothing() {
    let server = Server::start(Behaviour::Answer);
    let http = client(server.client_config());
    for _ in 0..3 {
        http.preconnect(&server.url());
        sleep(A_WHILE).await;
    }
    server.wait_for_handshake().await;
    let [only] = server.connections()[..] else { panic!("not one connection") };
    assert!(only.request.is_none());
}

/// Over TLS 1.3 the client's handshake ends before the server has seen its certificate.
#[tokio::test]
async fn a_client_without_a_certificate_is_refused_as_before() {
    let server = Server::start(Behaviour::WantCertificate);
    let config = HttpConfig { client_certificate: None, ..server.client_config() };
    let alone = client(config.clone()).get(server.url()).send().await.err().unwrap();
    let (result, _) = call_after(sleep(A_WHILE), &client(config), &server.url()).await;
    assert_eq!(without_time(&result.unwrap_err()), without_time(&alone));
}

#[tokio::test]
async fn a_connection_that_is_still_being_opened_is_waited_for() {
    let server = Server::start(Behaviour::Answer);
    let http = client(server.client_config());
    let (result, _) = call_after(ready(()), &http, &server.url()).await;
    result.unwrap();
    assert_eq!(server.connections().len(), 1);
}

#[tokio::test]
async fn a_connection_that_the_server_cut_before_its_turn_is_replaced() {
    let server = Server::start(Behaviour::CutFirst);
    // Not even one retry.
    let http = client(HttpConfig { retries: 0, ..server.client_config() });
    let (result, _) = call_after(server.wait_for_handshake(), &http, &server.url()).await;
    result.unwrap();
    let connections = server.connections();
    let requests: Vec<_> = connections.iter().map(|it| it.request.is_some()).collect();
    assert_eq!(requests, [false, true]);
}

/// An answer to nothing is not taken for the call's.
#[tokio::test]
async fn a_connection_on_which_the_server_speaks_first_is_replaced() {
    let server = Server::start(Behaviour::SpeakFirst);
    let http = client(HttpConfig { retries: 0, ..server.client_config() });
    http.preconnect(&server.url());
    server.wait_for_handshake().await;
    let reply = http.get(server.url()).send().await.unwrap();
    assert_eq!(reply.body(), b"{}");
    let requests: Vec<_> = server.connections().iter().map(|it| it.request.is_some()).collect();
    assert_eq!(requests, [false, true]);
}

/// The error is that of the call, to the word and with as many attempts.
#[tokio::test]
async fn a_failed_connection_is_forgotten_and_the_call_fails_by_itself() {
    let stranger = Server::start(Behaviour::Answer);
    let refuses = Server::start(Behaviour::Refuse);
    let answers = Server::start(Behaviour::Answer);
    let hangs = Server::start(Behaviour::Hang);
    let not_trusted =
        HttpConfig { roots: stranger.client_config().roots, ..answers.client_config() };
    // How many connections a server sees: of the call alone, of a call after its connection
    // failed, and of a call whose connection is still being opened: it is the call's first.
    for (server, config, alone, after_failure, still_opening) in [
        (&refuses, refuses.client_config(), 0, 0, 0),
        (&answers, not_trusted, 1, 2, 2),
        (&hangs, hangs.client_config(), 3, 4, 3),
    ] {
        let url = server.url();
        let error = client(config.clone()).get(url.clone()).send().await.err().unwrap();
        let mut seen = server.connections().len();
        assert_eq!(seen, alone);
        for (pending, expected) in
            [(Duration::from_millis(900), after_failure), (A_WHILE, still_opening)]
        {
            let (result, _) = call_after(sleep(pending), &client(config.clone()), &url).await;
            assert_eq!(without_time(&result.unwrap_err()), without_time(&error));
            assert_eq!(server.connections().len() - seen, expected);
            seen += expected;
        }
    }
}

/// What is printed, without how long it took.
fn without_time(error: &Error) -> String {
    let text = error.render();
    let Some((before, rest)) = text.split_once(" in ") else { return text };
    let (_, after) = rest.split_once(" s").unwrap();
    format!("{before} in N s{after}")
}

#[tokio::test]
async fn a_proxy_is_asked_for_the_connection_once() {
    let server = Server::start(Behaviour::Answer);
    let (proxy, asked) = start_proxy(server.address());
    let proxy = Url::parse(&format!("http://me:pass@{proxy}")).unwrap();
    let config = HttpConfig { proxy: ProxyMode::Through(proxy), ..server.client_config() };
    let url = Url::parse(&format!("https://{NAME}/token")).unwrap();
    let (result, turn) = call_after(server.wait_for_handshake(), &client(config), &url).await;
    result.unwrap();
    let heads: Vec<_> = asked.try_iter().collect();
    let [head] = &heads[..] else { panic!("{heads:?}") };
    assert_eq!(head[0], format!("CONNECT {NAME}:443 HTTP/1.1"));
    assert!(
        head.iter()
            .any(|line| line.eq_ignore_ascii_case("proxy-authorization: Basic bWU6cGFzcw==")),
        "{head:?}"
    );
    let [only] = server.connections()[..] else { panic!("not one connection") };
    assert!(only.handshake.unwrap() < turn && only.request.unwrap() >= turn);
}

/// A proxy that connects to `server` whatever it is asked for, and the heads that it was sent.
fn start_proxy(server: SocketAddr) -> (SocketAddr, Receiver<Vec<String>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, heads) = channel();
    thread::spawn(move || {
        for mut near in listener.incoming().map_while(Result::ok) {
            let lines = BufReader::new(&near).lines().map_while(Result::ok);
            sender.send(lines.take_while(|line| !line.is_empty()).collect()).unwrap();
            near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            let far = TcpStream::connect(server).unwrap();
            for (mut from, mut to) in [
                (near.try_clone().unwrap(), far.try_clone().unwrap()),
                (far.try_clone().unwrap(), near.try_clone().unwrap()),
            ] {
                thread::spawn(move || std::io::copy(&mut from, &mut to));
            }
        }
    });
    (address, heads)
}

/// A hung server takes no more of the run than it does by itself.
#[tokio::test]
async fn waiting_for_a_connection_is_within_the_calls_limits() {
    let server = Server::start(Behaviour::Hang);
    let config = HttpConfig {
        connect_timeout: Duration::from_secs(20),
        attempt_timeout: Duration::from_millis(200),
        retries: 0,
        ..server.client_config()
    };
    let (result, turn) = call_after(sleep(A_WHILE), &client(config), &server.url()).await;
    assert!(result.unwrap_err().render().contains("no answer from"));
    assert!(turn.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn settings_that_are_wrong_are_the_calls_to_report() {
    let server = Server::start(Behaviour::Answer);
    let missing = Roots::Only { file: "/nonexistent".into(), named_by: "caFile" };
    let http = client(HttpConfig { roots: missing, ..server.client_config() });
    let (result, _) = call_after(sleep(A_WHILE), &http, &server.url()).await;
    assert!(result.unwrap_err().render().contains("/nonexistent"));
    assert_eq!(server.connections().len(), 0);
}

#[tokio::test]
async fn plain_http_is_left_alone() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    client(HttpConfig::default()).preconnect(&Url::parse(&url).unwrap());
    sleep(A_WHILE).await;
    assert!(listener.accept().is_err(), "it was connected to");
}

#[test]
fn without_a_runtime_nothing_is_opened() {
    let server = Server::start(Behaviour::Answer);
    client(server.client_config()).preconnect(&server.url());
    assert_eq!(server.connections().len(), 0);
}
