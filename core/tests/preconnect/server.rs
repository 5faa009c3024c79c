//! A TLS server that notes what each connection brings, and when.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use pullpass::http::HttpConfig;
use pullpass::{ClientCertificate, Roots};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;
use url::Url;

/// What a server does with its connections.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// It answers every request.
    Answer,
    /// It closes its first connection after the handshake, and answers on all others.
    CutFirst,
    /// It sends an answer on its first connection before any request, and answers on all others.
    SpeakFirst,
    /// It takes connections and says nothing, not even a handshake.
    Hang,
    /// It is not there: connections are refused.
    Refuse,
    /// It requires a client certificate.
    WantCertificate,
}

/// Its name, which no DNS knows.
pub(crate) const NAME: &str = "service.example";

/// One connection.
#[derive(Clone, Copy, Default)]
pub(crate) struct Connection {
    pub(crate) handshake: Option<Instant>,
    /// When the first byte of a request came.
    pub(crate) request: Option<Instant>,
}

pub(crate) struct Server {
    address: SocketAddr,
    folder: TempDir,
    connections: Arc<Mutex<Vec<Connection>>>,
}

impl Server {
    pub(crate) fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            folder: tempfile::tempdir().unwrap(),
            connections: Arc::default(),
        };
        let tls = server.make_certificates(behaviour == Behaviour::WantCertificate);
        let connections = Arc::clone(&server.connections);
        if behaviour != Behaviour::Refuse {
            // It ends with the process of the test.
            thread::spawn(move || accept(&listener, behaviour, &tls, &connections));
        }
        server
    }

    pub(crate) fn url(&self) -> Url {
        Url::parse(&format!("https://{}/token?secret=1", self.address)).unwrap()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A client that trusts this server and has a certificate for it; its retries are quick.
    pub(crate) fn client_config(&self) -> HttpConfig {
        let file = |name: &str| self.folder.path().join(name);
        HttpConfig {
            roots: Roots::Only { file: file("ca.pem"), named_by: "caFile" },
            client_certificate: Some(ClientCertificate {
                certificate: file("client.pem"),
                key: file("client.key"),
            }),
            connect_timeout: Duration::from_millis(500),
            retries: 2,
            initial_backoff: Duration::from_millis(1),
            ..HttpConfig::default()
        }
    }

    pub(crate) fn connections(&self) -> Vec<Connection> {
        self.connections.lock().unwrap().clone()
    }

    /// Waits until a handshake is done, and the client has had time to see its result.
    pub(crate) async fn wait_for_handshake(&self) {
        while !self.connections().iter().any(|it| it.handshake.is_some()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    fn make_certificates(&self, want_client: bool) -> Arc<ServerConfig> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let write = |name: &str, text: String| {
            let file: PathBuf = self.folder.path().join(name);
            std::fs::write(file, text).unwrap();
        };
        write("ca.pem", issuer.pem());
        let issue = |names: &[&str]| {
            let key = KeyPair::generate().unwrap();
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            let params = CertificateParams::new(names).unwrap();
            (params.signed_by(&key, &issuer).unwrap(), key)
        };
        let (client, client_key) = issue(&["client.example"]);
        write("client.pem", client.pem());
        write("client.key", client_key.serialize_pem());
        let mut roots = RootCertStore::empty();
        roots.add(issuer.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match want_client {
            false => builder.with_no_client_auth(),
            true => builder.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                    .build()
                    .unwrap(),
            ),
        };
        let (certificate, key) = issue(&["127.0.0.1", NAME]);
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        Arc::new(builder.with_single_cert(vec![certificate.der().clone()], key).unwrap())
    }
}

fn accept(
    listener: &TcpListener,
    behaviour: Behaviour,
    tls: &Arc<ServerConfig>,
    connections: &Arc<Mutex<Vec<Connection>>>,
) {
    for (number, stream) in listener.incoming().map_while(Result::ok).enumerate() {
        connections.lock().unwrap().push(Connection::default());
        let (tls, connections) = (Arc::clone(tls), Arc::clone(connections));
        thread::spawn(move || {
            let note = |change: &dyn Fn(&mut Connection)| {
                change(&mut connections.lock().unwrap()[number]);
            };
            if behaviour == Behaviour::Hang {
                thread::sleep(Duration::from_secs(60));
            }
            let behaviour = if number == 0 { behaviour } else { Behaviour::Answer };
            let _ = converse(stream, &tls, behaviour, note);
        });
    }
}

fn converse(
    mut stream: TcpStream,
    tls: &Arc<ServerConfig>,
    behaviour: Behaviour,
    note: impl Fn(&dyn Fn(&mut Connection)),
) -> io::Result<()> {
    let mut session = ServerConnection::new(Arc::clone(tls)).map_err(io::Error::other)?;
    while session.is_handshaking() {
        session.complete_io(&mut stream)?;
    }
    note(&|it| it.handshake = Some(Instant::now()));
    if behaviour == Behaviour::CutFirst {
        return Ok(());
    }
    let mut stream = StreamOwned::new(session, stream);
    if behaviour == Behaviour::SpeakFirst {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n\"forged\"")?;
        stream.flush()?;
    }
    let mut request = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        note(&|it| it.request = it.request.or(Some(Instant::now())));
        request.extend_from_slice(&buffer[..count]);
        if request.ends_with(b"\r\n\r\n") {
            request.clear();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")?;
            stream.flush()?;
        }
    }
}
