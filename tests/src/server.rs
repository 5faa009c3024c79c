//! An axum server on loopback in a thread of its own, plain or with TLS, gone when dropped. Tests
//! need no runtime, and a test that blocks cannot stall a server.

use std::future::pending;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use axum::Router;
use axum::serve::Listener;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::tls::TestCa;

/// A bound port of 127.0.0.1 that does not answer yet, so that a server's own address can be part
/// of what it serves.
pub struct Socket {
    listener: StdListener,
    tls: Option<Arc<ServerConfig>>,
}

impl Socket {
    /// Binds a free port; with a CA, the server will speak TLS under a certificate of that CA.
    pub fn bind(ca: Option<&TestCa>) -> Self {
        let listener = StdListener::bind("127.0.0.1:0").expect("a free port on 127.0.0.1");
        listener.set_nonblocking(true).unwrap();
        Self { listener, tls: ca.map(|ca| ca.server_config(&["127.0.0.1", "localhost"])) }
    }

    /// `http://127.0.0.1:<port>` or `https://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.listener.local_addr().unwrap())
    }

    /// Starts to answer.
    pub fn serve(self, router: Router) -> Server {
        let url = self.url();
        let address = self.listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(self.listener).unwrap();
                let serving = async {
                    match self.tls {
                        None => axum::serve(listener, router).await,
                        Some(tls) => axum::serve(TlsListener::new(listener, tls), router).await,
                    }
                };
                // Not graceful: a client that keeps its connection must not keep the test.
                tokio::select! {
                    _ = serving => {}
                    _ = stopped => {}
                }
            });
        });
        Server { url, address, stop: Some(stop), thread: Some(thread) }
    }
}

/// A running server.
pub struct Server {
    url: String,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Scheme, host and port, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Host and port, as in an image's name.
    pub fn authority(&self) -> String {
        self.address.to_string()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Shakes hands in a task per connection, so that a client that says nothing blocks no other.
struct TlsListener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
}

impl TlsListener {
    fn new(listener: TcpListener, tls: Arc<ServerConfig>) -> Self {
        let address = listener.local_addr().unwrap();
        let (sender, ready) = mpsc::channel(16);
        let acceptor = TlsAcceptor::from(tls);
        tokio::spawn(async move {
            while let Ok((stream, peer)) = listener.accept().await {
                // Or the handshake waits for the client's delayed acknowledgement.
                let _ = stream.set_nodelay(true);
                let (sender, acceptor) = (sender.clone(), acceptor.clone());
                tokio::spawn(async move {
                    // A client that refuses the certificate is the client's to report.
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let _ = sender.send((stream, peer)).await;
                    }
                });
            }
        });
        Self { ready, address }
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            None => pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}
