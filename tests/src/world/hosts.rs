//! Who has which address in a world: names in its `/etc/hosts`, addresses on its `lo`.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr};

use super::files::Files;
use super::network;
use super::place::Host;

/// For names that are here. Each has an address of its own, so that all can be on the same port.
const HERE: Ipv4Addr = Ipv4Addr::new(127, 1, 0, 0);
/// For names that swallow packets: everything in 127/8 is always here, and the range for
/// benchmarks (RFC 2544) is unused.
const NOWHERE: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 0);

/// The hosts known so far.
pub(super) struct Hosts {
    files: Files,
    names: HashMap<String, IpAddr>,
    /// Addresses that `lo` was given, besides the loopback ones.
    own: HashSet<IpAddr>,
    /// Addresses that swallow packets.
    holes: HashSet<IpAddr>,
}

impl Hosts {
    pub(super) fn new(files: Files) -> Self {
        Self { files, names: HashMap::new(), own: HashSet::new(), holes: HashSet::new() }
    }

    /// The address of a host on this machine, given to it if it has none.
    pub(super) fn here(&mut self, host: &Host) -> IpAddr {
        let address = match host {
            Host::Name(name) => match self.names.get(name) {
                Some(address) => *address,
                None => self.name(name, HERE).into(),
            },
            Host::Address(address) => *address,
        };
        assert!(!self.holes.contains(&address), "`{host}` is a black hole");
        if !address.is_loopback() && self.own.insert(address) {
            network::add_address(address);
        }
        address
    }

    /// Makes a host swallow packets.
    pub(super) fn nowhere(&mut self, host: &Host) {
        let address = match host {
            Host::Name(name) => {
                assert!(!self.names.contains_key(name), "`{name}` has an address already");
                self.name(name, NOWHERE)
            }
            Host::Address(IpAddr::V4(address)) => *address,
            Host::Address(IpAddr::V6(address)) => panic!("{address}: only IPv4 has black holes"),
        };
        let here = address.is_loopback() || self.own.contains(&address.into());
        assert!(!here, "{address} is this machine's own already");
        if self.holes.insert(address.into()) {
            network::swallow(address);
        }
    }

    /// Gives a new name the next address of a network.
    fn name(&mut self, name: &str, network: Ipv4Addr) -> Ipv4Addr {
        let number = u32::try_from(self.names.len() + 1).unwrap();
        assert!(number < 0xffff, "a world has 65534 names at most");
        let address = Ipv4Addr::from_bits(network.to_bits() + number);
        self.files.add_host(address, name);
        self.names.insert(name.to_owned(), address.into());
        address
    }
}
