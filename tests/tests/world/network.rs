//! Which addresses there are.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use axum::Router;
use pullpass_tests::world::{Trial, World};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(without_a_route_a_connect_fails_at_once),
        Trial::of(a_served_address_opens_no_other),
        Trial::of(where_nobody_listens_a_connect_is_refused),
        Trial::of(a_black_hole_answers_nothing),
        Trial::of(a_black_hole_is_not_served),
    ]
}

fn connect(address: &str) -> Result<(), ErrorKind> {
    let address: SocketAddr = address.parse().unwrap();
    let connected = TcpStream::connect_timeout(&address, Duration::from_millis(500));
    connected.map(|_| ()).map_err(|error| error.kind())
}

fn without_a_route_a_connect_fails_at_once(world: &World) {
    let addresses =
        ["192.0.2.1:443", "169.254.169.254:80", "[2001:db8::1]:443", "[fd00:ec2::254]:80"];
    for (address, tried) in addresses.into_iter().zip(1..) {
        assert_eq!(connect(address), Err(ErrorKind::NetworkUnreachable), "{address}");
        let attempts = world.attempts();
        assert!(attempts.unroutable >= tried, "{address}: {attempts:?}");
        assert_eq!((attempts.connections, attempts.datagrams), (0, 0), "{address}");
    }
}

fn a_served_address_opens_no_other(world: &World) {
    let _servers = [
        world.http("169.254.169.254", Router::new()),
        world.http("169.254.170.2:8080", Router::new()),
        world.http("[fd00:ec2::254]", Router::new()),
    ];
    for address in ["169.254.169.254:80", "169.254.170.2:8080", "[fd00:ec2::254]:80"] {
        assert_eq!(connect(address), Ok(()), "{address}");
    }
    for address in ["169.254.169.253:80", "169.254.170.23:80", "[fd00:ec2::23]:80"] {
        assert_eq!(connect(address), Err(ErrorKind::NetworkUnreachable), "{address}");
    }
    assert_eq!(world.attempts().connections, 3);
}

fn where_nobody_listens_a_connect_is_refused(world: &World) {
    let named = world.address_of("down.example");
    let metadata = world.address_of("169.254.169.254");
    for address in [named, metadata] {
        let address = SocketAddr::from((address, 443)).to_string();
        assert_eq!(connect(&address), Err(ErrorKind::ConnectionRefused), "{address}");
    }
    let stopped = world.https("down.example", Router::new());
    let address = stopped.address().to_string();
    assert_eq!(connect(&address), Ok(()));
    drop(stopped);
    assert_eq!(connect(&address), Err(ErrorKind::ConnectionRefused));
}

fn a_black_hole_answers_nothing(world: &World) {
    world.black_hole("169.254.169.254");
    assert_eq!(connect("169.254.169.254:80"), Err(ErrorKind::TimedOut));
    assert_eq!(world.attempts().connections, 1);
    assert_eq!(connect("169.254.169.253:80"), Err(ErrorKind::NetworkUnreachable));
    // What is served stays reachable.
    let server = world.http("api.example.com", Router::new());
    assert_eq!(connect(&server.address().to_string()), Ok(()));
}

fn a_black_hole_is_not_served(world: &World) {
    let refused = |work: &dyn Fn()| catch_unwind(AssertUnwindSafe(work)).is_err();
    let _served = world.http("api.example.com", Router::new());
    world.address_of("169.254.170.2");
    for host in ["api.example.com", "169.254.170.2", "127.0.0.1", "fd00:ec2::254"] {
        assert!(refused(&|| world.black_hole(host)), "{host}");
    }
    for host in ["gone.example.com", "169.254.169.254"] {
        world.black_hole(host);
        assert!(refused(&|| drop(world.http(host, Router::new()))), "{host}");
    }
}
