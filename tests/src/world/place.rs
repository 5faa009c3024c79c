//! Hosts and ports, as tests write them.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// A name or an address.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// A DNS name, in lower case.
    Name(String),
    /// An IP address.
    Address(IpAddr),
}

impl Host {
    /// Reads a host without a port.
    pub(super) fn parse(text: &str) -> Self {
        if let Ok(address) = text.parse() {
            return Self::Address(address);
        }
        let bracketed = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        if let Some(address) = bracketed.and_then(|text| text.parse::<Ipv6Addr>().ok()) {
            return Self::Address(address.into());
        }
        // Upper case would be another line in the table of hosts for the same name.
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        let good = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(allowed);
        assert!(text.split('.').all(good), "`{text}` is no host");
        Self::Name(text.to_owned())
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => formatter.write_str(name),
            Self::Address(address) => address.fmt(formatter),
        }
    }
}

/// A host, and a port where one is named.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) host: Host,
    pub(super) port: Option<u16>,
}

impl Place {
    /// Reads `host` or `host:port`.
    pub(super) fn parse(text: &str) -> Self {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Self { host: Host::Address(address.ip()), port: Some(address.port()) };
        }
        let Some((host, port)) = text.rsplit_once(':').filter(|(host, _)| !host.contains(':'))
        else {
            return Self { host: Host::parse(text), port: None };
        };
        let port = port.parse().unwrap_or_else(|_| panic!("`{text}` has no port behind its colon"));
        Self { host: Host::parse(host), port: Some(port) }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    fn read(text: &str) -> (String, Option<u16>) {
        let place = Place::parse(text);
        (place.host.to_string(), place.port)
    }

    #[test]
    fn names_and_addresses_with_and_without_port() {
        assert_eq!(read("api.example.com"), ("api.example.com".to_owned(), None));
        assert_eq!(read("registry:5000"), ("registry".to_owned(), Some(5000)));
        assert_eq!(read("169.254.169.254"), ("169.254.169.254".to_owned(), None));
        assert_eq!(read("127.0.0.1:8080"), ("127.0.0.1".to_owned(), Some(8080)));
        assert_eq!(read("fd00:ec2::254"), ("fd00:ec2::254".to_owned(), None));
        assert_eq!(read("[fd00:ec2::254]"), ("fd00:ec2::254".to_owned(), None));
        assert_eq!(read("[fd00:ec2::254]:80"), ("fd00:ec2::254".to_owned(), Some(80)));
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for text in ["", "*.example.com", "API.example.com", "a b", "a..b", "a:http", "a:70000"] {
            assert!(catch_unwind(|| Place::parse(text)).is_err(), "{text}");
        }
    }
}
