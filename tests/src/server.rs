//! An axum server in a thread of its own, plain or with TLS, gone when dropped. Tests need no
//! runtime, and a test that blocks cannot stall a server.

use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use axum::Router;
use axum::serve::Listener;
use rustls::ServerConfig;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::latency::Latency;
use crate::tls::TestCa;

/// A bound port that does not answer yet, so that a server's own address can be part of what it
/// serves.
pub struct Socket {
    listener: StdListener,
    authority: String,
    tls: Option<Arc<ServerConfig>>,
    /// The way to it, where that takes time.
    latency: Option<Latency>,
}

impl Socket {
    /// Binds a free port of 127.0.0.1; with a CA, the server will speak TLS under a certificate of
    /// that CA.
    pub fn bind(ca: Option<&TestCa>) -> Self {
        let (listener, address) = listen((Ipv4Addr::LOCALHOST, 0).into());
        let tls = ca.map(|ca| ca.server_config(&["127.0.0.1", "localhost"]));
        Self { listener, authority: address.to_string(), tls, latency: None }
    }

    /// Binds exactly that address, as the host of that name; with a CA, its certificate is for
    /// `host` and nothing else. The host is a DNS name or an IP address without brackets.
    pub fn bind_as(host: &str, address: SocketAddr, ca: Option<&TestCa>) -> Self {
        let (listener, address) = listen(address);
        let default = if ca.is_some() { 443 } else { 80 };
        let mut authority = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        if address.port() != default {
            authority = format!("{authority}:{}", address.port());
        }
        let tls = ca.map(|ca| ca.server_config(&[host]));
        Self { listener, authority, tls, latency: None }
    }

    /// Puts it so far away.
    pub fn with_latency(mut self, latency: Option<Latency>) -> Self {
        self.latency = latency;
        self
    }

    /// Scheme, host and port, without a slash at the end. The scheme's own port is left out, as in
    /// every URL that a client writes.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.authority)
    }

    /// Starts to answer.
    pub fn serve(self, router: Router) -> Server {
        self.run(async move |listener, tls| {
            let _ = match tls {
                None => axum::serve(listener, router).await,
                Some(tls) => axum::serve(TlsListener::new(listener, tls), router).await,
            };
        })
    }

    /// Hands every connection's bytes to another program, without TLS if this socket has it.
    pub fn forward(self, to: SocketAddr) -> Server {
        self.run(async move |listener, tls| match tls {
            None => forward(listener, to).await,
            Some(tls) => forward(TlsListener::new(listener, tls), to).await,
        })
    }

    fn run<Work>(self, work: Work) -> Server
    where
        Work: AsyncFnOnce(TcpListener, Option<Arc<ServerConfig>>) + Send + 'static,
    {
        let (url, authority, host) = (self.url(), self.authority.clone(), self.authority);
        let address = self.listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let mut listener = TcpListener::from_std(self.listener).unwrap();
                if let Some(latency) = self.latency {
                    listener = latency.lead_to(&host, listener);
                }
                // Not graceful: a client that keeps its connection must not keep the test.
                tokio::select! {
                    () = work(listener, self.tls) => {}
                    _ = stopped => {}
                }
            });
        });
        Server { url, authority, address, stop: Some(stop), thread: Some(thread) }
    }
}

fn listen(address: SocketAddr) -> (StdListener, SocketAddr) {
    let listener = StdListener::bind(address)
        .unwrap_or_else(|error| panic!("cannot listen on {address}: {error}"));
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A running server.
pub struct Server {
    url: String,
    authority: String,
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
        self.authority.clone()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
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

async fn forward(mut from: impl Listener, to: SocketAddr) {
    loop {
        let (mut near, _) = from.accept().await;
        tokio::spawn(async move {
            // A program that is not there looks to the client like one that hangs up.
            if let Ok(mut far) = TcpStream::connect(to).await {
                let _ = copy_bidirectional(&mut near, &mut far).await;
            }
        });
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
