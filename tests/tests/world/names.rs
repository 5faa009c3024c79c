//! Which names there are.

use std::net::{IpAddr, ToSocketAddrs as _};

use pullpass_tests::world::{Trial, World};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(every_name_has_an_address_of_its_own),
        Trial::of(an_unknown_name_is_denied_and_noted),
    ]
}

fn resolve(name: &str) -> std::io::Result<Vec<IpAddr>> {
    Ok((name, 443).to_socket_addrs()?.map(|address| address.ip()).collect())
}

fn every_name_has_an_address_of_its_own(world: &World) {
    let names =
        ["api.ecr.us-west-2.amazonaws.com", "login.microsoftonline.com", "localhost.example"];
    for name in names {
        let address = world.address_of(name);
        assert_eq!(resolve(name).unwrap(), [address], "{name}");
        assert_eq!(world.address_of(name), address, "it stays");
        let others = names.iter().filter(|other| **other != name);
        assert!(others.into_iter().all(|other| world.address_of(other) != address), "{name}");
    }
    assert_eq!(world.unknown_names(), Vec::<String>::new());
}

fn an_unknown_name_is_denied_and_noted(world: &World) {
    world.address_of("known.example");
    let error = resolve("nosuch.example").unwrap_err().to_string();
    // Not `Temporary failure in name resolution`: the program did not have to wait for an answer.
    assert!(error.contains("not known") || error.contains("does not resolve"), "{error}");
    assert!(world.unknown_names().contains(&"nosuch.example".to_owned()));
    assert!(world.attempts().datagrams > 0);
}
