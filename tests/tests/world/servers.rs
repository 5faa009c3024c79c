//! The servers at a place.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::routing::get;
use pullpass_tests::server::Socket;
use pullpass_tests::world::{Certificate, Trial, World};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Any name will do: a server only sees it in the `Host` header.
const NAME: &str = "registry.example";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(one_router_serves_many_places),
        Trial::of(a_program_without_tls_stands_behind_tls),
        Trial::of(a_program_with_its_own_tls_stands_under_a_name),
        Trial::of(the_system_bundle_holds_the_worlds_ca_alone),
    ]
}

/// Answers with the host that it was asked for, and counts requests.
fn router() -> (Router, Arc<std::sync::Mutex<Vec<String>>>) {
    let seen = Arc::<std::sync::Mutex<Vec<String>>>::default();
    type Seen = State<Arc<std::sync::Mutex<Vec<String>>>>;
    let answer = async |State(seen): Seen, headers: HeaderMap| {
        let host = headers[header::HOST].to_str().unwrap().to_owned();
        seen.lock().unwrap().push(host.clone());
        host
    };
    (Router::new().route("/", get(answer)).with_state(Arc::clone(&seen)), seen)
}

fn fetch(world: &World, url: &str) -> Result<String, reqwest::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { world.client().get(url).send().await?.text().await })
}

fn one_router_serves_many_places(world: &World) {
    let (router, seen) = router();
    let secure = ["api.ecr.us-west-2.amazonaws.com", "sts.us-west-2.amazonaws.com:8443"];
    let plain = ["169.254.169.254", "169.254.170.23:8080", "[fd00:ec2::254]", "imds.example"];
    let servers: Vec<_> = secure
        .iter()
        .map(|place| world.https(place, router.clone()))
        .chain(plain.iter().map(|place| world.http(place, router.clone())))
        .collect();
    for (server, place) in servers.iter().zip(secure.iter().chain(&plain)) {
        let scheme = if secure.contains(place) { "https" } else { "http" };
        assert_eq!(server.url(), format!("{scheme}://{place}"));
        assert_eq!(server.authority(), *place);
        assert_eq!(fetch(world, server.url()).unwrap(), *place);
    }
    assert_eq!(*seen.lock().unwrap(), [secure.as_slice(), &plain].concat());
    // A certificate is for its own name.
    let other = format!("https://{NAME}");
    let _wrong = world.http_to(&format!("{NAME}:443"), servers[0].address());
    assert!(fetch(world, &other).unwrap_err().is_connect());
}

fn a_program_without_tls_stands_behind_tls(world: &World) {
    let (router, seen) = router();
    let program = Socket::bind(None).serve(router);
    let _secure = world.https_to(NAME, program.address());
    let _plain = world.http_to(NAME, program.address());
    for url in [format!("https://{NAME}"), format!("http://{NAME}")] {
        assert_eq!(fetch(world, &url).unwrap(), NAME);
    }
    assert_eq!(seen.lock().unwrap().len(), 2);
    drop(program);
    assert!(fetch(world, &format!("https://{NAME}")).is_err());
}

fn a_program_with_its_own_tls_stands_under_a_name(world: &World) {
    let certificate = world.certificate(&[NAME, "other.example"]);
    // On the name's own address and port, or on any other with TLS in front.
    let own = SocketAddr::from((world.address_of(NAME), 443));
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    for address in [own, any] {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let config = config(&certificate);
        let program = thread::spawn(move || answer_once(&listener, config));
        let (_forward, name) = if address == own {
            (None, NAME)
        } else {
            (Some(world.http_to("other.example:443", address)), "other.example")
        };
        assert_eq!(fetch(world, &format!("https://{name}")).unwrap(), "hello");
        program.join().unwrap();
    }
}

fn config(certificate: &Certificate) -> Arc<ServerConfig> {
    let chain = vec![CertificateDer::from_pem_file(&certificate.certificate).unwrap()];
    let key = PrivateKeyDer::from_pem_file(&certificate.key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).unwrap())
}

/// As small as a program with TLS gets.
fn answer_once(listener: &TcpListener, config: Arc<ServerConfig>) {
    let (socket, _) = listener.accept().unwrap();
    let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), socket);
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        request.extend(byte);
    }
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";
    stream.write_all(answer).unwrap();
    stream.conn.send_close_notify();
    stream.flush().unwrap();
}

fn the_system_bundle_holds_the_worlds_ca_alone(world: &World) {
    let bundles = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];
    let ours = fs::read(world.ca().pem_file()).unwrap();
    let found: Vec<_> = bundles.iter().filter(|bundle| Path::new(bundle).exists()).collect();
    assert!(!found.is_empty());
    for bundle in found {
        assert!(fs::read(bundle).unwrap() == ours, "{bundle}");
    }
}
