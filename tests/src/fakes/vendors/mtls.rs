//! A TLS front that only accepts clients with a certificate: TLS ends here, and the bytes are
//! passed on to a plain server on loopback.

use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use crate::tls::TestCa;

/// TLS under a certificate of `ca` for that host; the client's must be one of `clients`.
pub(super) fn config(host: &str, ca: &TestCa, clients: &TestCa) -> Arc<ServerConfig> {
    let (certificate, key) = ca.certificate(&[host, "localhost"]);
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(clients.pem_file()).unwrap()).unwrap();
    let provider = Arc::new(default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate], key)
        .unwrap();
    Arc::new(config)
}

/// A bound port that does not answer yet.
pub(super) struct Bound {
    listener: StdListener,
    authority: String,
}

impl Bound {
    pub(super) fn new(host: &str, address: SocketAddr) -> Self {
        let listener = StdListener::bind(address).expect("a port to listen on");
        listener.set_nonblocking(true).unwrap();
        let authority = match listener.local_addr().unwrap().port() {
            443 => host.to_owned(),
            port => format!("{host}:{port}"),
        };
        Self { listener, authority }
    }

    pub(super) fn url(&self) -> String {
        format!("https://{}", self.authority)
    }

    pub(super) fn forward(self, to: SocketAddr, config: Arc<ServerConfig>) -> Front {
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(self.listener).unwrap();
                tokio::select! {
                    () = forward(listener, TlsAcceptor::from(config), to) => {}
                    _ = stopped => {}
                }
            });
        });
        Front { stop: Some(stop), thread: Some(thread) }
    }
}

/// The running door, gone when dropped.
pub(super) struct Front {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Front {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn forward(listener: TcpListener, acceptor: TlsAcceptor, to: SocketAddr) {
    while let Ok((stream, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            // Who has no certificate ends here.
            let Ok(mut near) = acceptor.accept(stream).await else { return };
            if let Ok(mut far) = TcpStream::connect(to).await {
                let _ = copy_bidirectional(&mut near, &mut far).await;
            }
        });
    }
}
