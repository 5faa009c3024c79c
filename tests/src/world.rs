//! A test's own machine, so that an unmodified plugin reaches fakes under their real names and
//! addresses, and nothing else.
//!
//! A test target with `harness = false` hands its trials to [`main`]. Each runs in a process of its
//! own, in its own user, network, mount and process namespace: trials run side by side, what they
//! start dies with them, and nothing gets out. It needs Linux, `unshare` and `mount` of util-linux
//! and `ip` of iproute2; it does not need root where user namespaces are allowed.
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use axum::{Router, routing::get};
//! use pullpass_tests::world::{self, Trial, World};
//!
//! fn main() -> ExitCode {
//!     world::main(&["oidc-credential-provider"], vec![Trial::of(a_refused_image_makes_no_call)])
//! }
//!
//! fn a_refused_image_makes_no_call(world: &World) {
//!     let _api = world.https("api.example.com", Router::new().route("/", get(async || "hello")));
//!     let before = world.attempts();
//!     let run = world.plugin("oidc-credential-provider").run(b"{}");
//!     assert_ne!(run.code, Some(0));
//!     assert_eq!(world.attempts(), before);
//! }
//! ```
//!
//! What such a machine is like:
//!
//! - A host name has the loopback address that [`World::address_of`] gave it, in `/etc/hosts`. Every
//!   other name does not exist, which the world's own nameserver says at once.
//! - The world's CA is the system's only one, for every program that reads the system's bundle.
//! - There is no route: other addresses are unreachable at once. [`World::black_hole`] makes one
//!   that swallows packets instead.

mod files;
mod harness;
mod hosts;
mod nameserver;
pub(crate) mod namespace;
mod network;
mod place;

pub use harness::{Trial, main};
pub(crate) use harness::{end_with_parent, prepare_inside};
pub use network::Attempts;

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use tempfile::TempDir;

use self::files::Files;
use self::hosts::Hosts;
use self::nameserver::Nameserver;
use self::place::{Host, Place};
use crate::latency::Latency;
use crate::plugin::PluginCommand;
use crate::server::{Server, Socket};
use crate::tls::TestCa;

/// The world that a trial runs in. A server is up for as long as its [`Server`] is held.
///
/// Where a method takes a place, that is a host with or without a port: `api.example.com`,
/// `registry.example:5000`, `169.254.169.254`, `[fd00:ec2::254]:80`.
pub struct World {
    ca: TestCa,
    folder: TempDir,
    hosts: Mutex<Hosts>,
    nameserver: Nameserver,
    plugins: &'static [&'static str],
    distant: Mutex<Vec<(String, Latency)>>,
}

impl World {
    /// Furnishes the namespace that this process is in.
    pub(crate) fn enter(plugins: &'static [&'static str]) -> Self {
        network::start();
        let (ca, folder) = (TestCa::new(), TempDir::new().unwrap());
        let files = Files::mount(folder.path(), &ca.pem_file());
        let hosts = Mutex::new(Hosts::new(files));
        Self {
            ca,
            folder,
            hosts,
            nameserver: Nameserver::start(),
            plugins,
            distant: Mutex::default(),
        }
    }

    /// The plugin of that name, which must be one of those given to [`main`].
    pub fn plugin(&self, name: &str) -> PluginCommand {
        assert!(self.plugins.contains(&name), "`world::main` was not told of the plugin `{name}`");
        PluginCommand::new(name)
    }

    /// Serves over TLS at a place, by default port 443. A clone of the router serves the same state
    /// at another place.
    pub fn https(&self, place: &str, router: Router) -> Server {
        self.https_socket(place).serve(router)
    }

    /// Serves plain HTTP at a place, by default port 80.
    pub fn http(&self, place: &str, router: Router) -> Server {
        self.http_socket(place).serve(router)
    }

    /// Puts a program that speaks plain HTTP on `to` behind TLS at a place, by default port 443.
    pub fn https_to(&self, place: &str, to: SocketAddr) -> Server {
        self.https_socket(place).forward(to)
    }

    /// Puts a program on `to` at a place, by default port 80, every byte as it comes: plain HTTP,
    /// or the program's own TLS (see [`World::certificate`]) where the place says port 443.
    pub fn http_to(&self, place: &str, to: SocketAddr) -> Server {
        self.http_socket(place).forward(to)
    }

    /// As [`World::https`], for a fake that starts on a socket it is given.
    pub fn https_socket(&self, place: &str) -> Socket {
        self.socket(place, Some(&self.ca))
    }

    /// As [`World::http`], for a fake that starts on a socket it is given.
    pub fn http_socket(&self, place: &str) -> Socket {
        self.socket(place, None)
    }

    fn socket(&self, place: &str, ca: Option<&TestCa>) -> Socket {
        let place = Place::parse(place);
        let address = self.hosts().here(&place.host);
        let port = place.port.unwrap_or(if ca.is_some() { 443 } else { 80 });
        let host = place.host.to_string();
        let distant = self.distant.lock().unwrap();
        let latency = distant.iter().find(|(known, _)| *known == host);
        let latency = latency.map(|(_, latency)| latency.clone());
        Socket::bind_as(&host, (address, port).into(), ca).with_latency(latency)
    }

    /// Puts the servers of these hosts, which start later, so far away, and returns what comes to
    /// them.
    pub fn put_away(&self, hosts: &[&str], round_trip: Duration) -> Latency {
        let latency = Latency::new(round_trip);
        let hosts = hosts.iter().map(|host| ((*host).to_owned(), latency.clone()));
        self.distant.lock().unwrap().extend(hosts);
        latency
    }

    /// The address of a host on this machine, from now on: a name gets a loopback address of its
    /// own, an IP address is itself. Programs may bind it; where no program listens, connections
    /// are refused.
    pub fn address_of(&self, host: &str) -> IpAddr {
        self.hosts().here(&Host::parse(host))
    }

    /// Makes a host swallow every packet, so that a connect hangs until its own timeout. The host
    /// is a name that is new here, or an IPv4 address that is not this machine's.
    pub fn black_hole(&self, host: &str) {
        self.hosts().nowhere(&Host::parse(host));
    }

    /// An empty folder at that absolute path, for programs that only look there. The content of the
    /// nearest folder above it is hidden in this world.
    pub fn folder(&self, path: &str) -> PathBuf {
        let path = PathBuf::from(path);
        let there = path.ancestors().find(|above| above.is_dir());
        let there = there.filter(|above| above.parent().is_some());
        let there = there.unwrap_or_else(|| panic!("the machine has no folder to put {path:?} in"));
        // Or names, trust and the plugins themselves would be out of sight.
        let needed = ["/etc", "/usr", "/tmp", "/dev", "/proc"].map(std::path::Path::new);
        assert!(!needed.contains(&there), "{path:?} would cover {there:?}");
        namespace::mount(&["-t", "tmpfs", "tmpfs", there.to_str().unwrap()]);
        fs::create_dir_all(&path).unwrap();
        path
    }

    /// A panic in there changed nothing, and the test may be about it.
    fn hosts(&self) -> MutexGuard<'_, Hosts> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A certificate for these hosts and its key, as PEM files, for a program that does TLS itself
    /// (on [`World::address_of`], or through [`World::http_to`]).
    pub fn certificate(&self, hosts: &[&str]) -> Certificate {
        let (certificate, key) = self.ca.certificate(hosts);
        let name = hosts.first().expect("a certificate is for somebody");
        let file = |kind: &str, text: String| {
            let file = self.folder.path().join(format!("{name}.{kind}.pem"));
            fs::write(&file, text).unwrap();
            file
        };
        Certificate { certificate: file("certificate", certificate), key: file("key", key) }
    }

    /// The CA that everything here trusts.
    pub fn ca(&self) -> &TestCa {
        &self.ca
    }

    /// An HTTP client of the test's own, or for a fake's calls: it trusts the world's CA.
    pub fn client(&self) -> reqwest::Client {
        self.ca.client()
    }

    /// What everything in this world, the test and its fakes included, tried to reach so far. The
    /// same before and after a run of a plugin: it made no call.
    pub fn attempts(&self) -> Attempts {
        network::attempts()
    }

    /// The names that programs asked the nameserver for: those that are in no `/etc/hosts`, in the
    /// order of asking, each as often as it was asked.
    pub fn unknown_names(&self) -> Vec<String> {
        self.nameserver.asked()
    }
}

/// The files that [`World::certificate`] wrote.
pub struct Certificate {
    /// The certificate, without its CA's.
    pub certificate: PathBuf,
    /// The private key, in PKCS #8.
    pub key: PathBuf,
}
