//! The namespace's network: `lo` and its addresses, places where packets vanish, and a count of
//! what was tried.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::thread;
use std::time::{Duration, Instant};

use super::namespace;

/// How long the kernel may take for an address.
const PATIENCE: Duration = Duration::from_secs(20);

/// Brings `lo` up. There is nothing else, and no route.
pub(super) fn start() {
    ip(&["link", "set", "lo", "up"]);
}

/// Makes an address one of this machine's.
pub(super) fn add_address(address: IpAddr) {
    match address {
        IpAddr::V4(address) => ip(&["address", "add", &format!("{address}/32"), "dev", "lo"]),
        IpAddr::V6(address) => {
            ip(&["address", "add", &format!("{address}/128"), "dev", "lo", "nodad"]);
            wait_for(address);
        }
    }
}

/// The kernel takes up an IPv6 address a moment after it was added.
fn wait_for(address: Ipv6Addr) {
    let began = Instant::now();
    while !has_local_route(&fs::read_to_string("/proc/net/ipv6_route").unwrap(), address) {
        assert!(began.elapsed() < PATIENCE, "{address} did not come up");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Does the table (destination, its length, and flags in the last column but one) lead to that
/// address on this machine?
fn has_local_route(table: &str, address: Ipv6Addr) -> bool {
    const LOCAL: u32 = 0x8000_0000;
    let start = format!("{:032x} 80 ", address.to_bits());
    table.lines().filter(|line| line.starts_with(&start)).any(|line| {
        let flags = line.split_whitespace().rev().nth(1).unwrap_or_default();
        u32::from_str_radix(flags, 16).is_ok_and(|flags| flags & LOCAL != 0)
    })
}

/// Routes an address to `lo` without making it this machine's. The kernel silently drops what comes
/// in for another machine, as a firewall does.
pub(super) fn swallow(address: Ipv4Addr) {
    ip(&["route", "add", &format!("{address}/32"), "dev", "lo", "src", "127.0.0.1"]);
}

fn ip(args: &[&str]) {
    namespace::run("ip", "iproute2", args);
}

/// What was tried in a world since it began, by the kernel's own counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    /// TCP connections that sent their first packet, to whomever.
    pub connections: u64,
    /// UDP datagrams sent: questions to the nameserver and its answers.
    pub datagrams: u64,
    /// Connections and datagrams that ended before the first packet, since no route led there.
    pub unroutable: u64,
}

pub(super) fn attempts() -> Attempts {
    let ipv4 = fs::read_to_string("/proc/net/snmp").unwrap();
    let ipv6 = fs::read_to_string("/proc/net/snmp6").unwrap_or_default();
    let (ipv4, ipv6) = (|name: &str| paired(&ipv4, name), |name: &str| listed(&ipv6, name));
    Attempts {
        connections: ipv4("Tcp:ActiveOpens"),
        datagrams: ipv4("Udp:OutDatagrams") + ipv6("Udp6OutDatagrams"),
        unroutable: ipv4("Ip:OutNoRoutes") + ipv6("Ip6OutNoRoutes"),
    }
}

/// A counter of `/proc/net/snmp`: a line of names above a line of values, per protocol.
fn paired(text: &str, counter: &str) -> u64 {
    let (protocol, name) = counter.split_once(':').unwrap();
    let mut lines = text.lines().filter_map(|line| line.split_once(": "));
    let mut line = || lines.find(|(title, _)| *title == protocol).map(|(_, rest)| rest.split(' '));
    let (Some(mut names), Some(mut values)) = (line(), line()) else {
        panic!("the kernel counts no {protocol}");
    };
    let at = names.position(|known| known == name);
    let value = at.and_then(|at| values.nth(at)).and_then(|value| value.parse().ok());
    value.unwrap_or_else(|| panic!("the kernel does not count `{counter}`"))
}

/// A counter of `/proc/net/snmp6`: a name and a value per line. A kernel without IPv6 has none.
fn listed(text: &str, name: &str) -> u64 {
    let mut lines = text.lines().filter_map(|line| line.split_once(char::is_whitespace));
    let value = lines.find(|(known, _)| *known == name);
    value.map_or(0, |(_, value)| value.trim().parse().unwrap())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_found_by_name() {
        let text = "Ip: Forwarding OutNoRoutes\nIp: 2 7\nTcp: MaxConn ActiveOpens\nTcp: -1 42\n";
        assert_eq!(paired(text, "Ip:OutNoRoutes"), 7);
        assert_eq!(paired(text, "Tcp:ActiveOpens"), 42);
        let text = "Ip6InReceives      \t9\nIp6OutNoRoutes    \t3\n";
        assert_eq!(listed(text, "Ip6OutNoRoutes"), 3);
        assert_eq!(listed(text, "Udp6OutDatagrams"), 0);
    }

    #[test]
    fn only_a_local_route_leads_to_this_machine() {
        let row = |length: &str, flags: &str| {
            let none = "0".repeat(32);
            let address = "fd000ec2000000000000000000000254";
            format!(
                "{address} {length} {none} 00 {none} 00000000 00000002 00000000 {flags}    lo\n"
            )
        };
        let address = "fd00:ec2::254".parse().unwrap();
        assert!(has_local_route(&(row("80", "00000001") + &row("80", "80200001")), address));
        assert!(!has_local_route(&row("80", "00000001"), address));
        assert!(!has_local_route(&row("40", "80200001"), address));
        assert!(!has_local_route(&row("80", "80200001"), "fd00:ec2::23".parse().unwrap()));
    }

    #[test]
    fn a_counter_that_is_gone_is_not_taken_for_nothing() {
        let lost = || paired("Tcp: MaxConn\nTcp: -1\n", "Tcp:ActiveOpens");
        assert!(std::panic::catch_unwind(lost).is_err());
    }
}
