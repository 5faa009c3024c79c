//! The only place that decides when a request may go over `http://`.
//!
//! Without TLS anyone on the network path can read a credential and impersonate the server. So
//! each call that needs the exception names it, and it only applies to addresses on the machine
//! or its host.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// A class of addresses that may be called over `http://`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Plaintext {
    /// This machine: 127.0.0.0/8, `::1`, and the name `localhost`.
    Loopback,
    /// This machine, or the metadata service of the cloud that it runs on: link-local
    /// addresses (169.254.0.0/16, fe80::/10), the IPv6 networks that AWS (fd00:ec2::/32) and
    /// Google (fd20:ce::/32) have for theirs, and Google's name `metadata.google.internal`.
    Metadata,
}

impl Plaintext {
    /// Whether the host of `url` is of this class.
    pub fn allows(self, url: &Url) -> bool {
        match self {
            Self::Loopback => is_loopback(url),
            Self::Metadata => is_loopback(url) || is_metadata(url),
        }
    }

    /// For messages: which addresses those are.
    pub(super) fn description(self) -> &'static str {
        match self {
            Self::Loopback => "a loopback address",
            Self::Metadata => "a loopback, link-local or metadata address",
        }
    }
}

/// Whether the host of `url` is this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => without_dot(name) == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => match address.to_ipv4_mapped() {
            Some(address) => address.is_loopback(),
            None => address.is_loopback(),
        },
        None => false,
    }
}

/// Whether the host of `url` is a metadata service's, by address or by Google's name.
pub fn is_metadata(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => without_dot(name) == GOOGLE_METADATA,
        Some(Host::Ipv4(address)) => is_metadata_address(address.into()),
        Some(Host::Ipv6(address)) => is_metadata_address(address.into()),
        None => false,
    }
}

/// The name of Google's metadata server.
/// Source: Compute Engine, "About VM metadata".
const GOOGLE_METADATA: &str = "metadata.google.internal";

fn is_metadata_address(address: IpAddr) -> bool {
    let v6 = match address {
        IpAddr::V4(address) => return Ipv4Addr::is_link_local(&address),
        IpAddr::V6(address) => address,
    };
    match v6.to_ipv4_mapped() {
        Some(address) => address.is_link_local(),
        None => v6.is_unicast_link_local() || is_cloud_network(v6),
    }
}

/// AWS: EC2, "Access instance metadata" (fd00:ec2::254), and the agent of EKS Pod Identity
/// (fd00:ec2::23); Google: Compute Engine, "IPv6 metadata" (fd20:ce::254).
fn is_cloud_network(address: Ipv6Addr) -> bool {
    matches!(address.segments(), [0xfd00, 0x0ec2, ..] | [0xfd20, 0x00ce, ..])
}

fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Host, and whether it is loopback, and whether a metadata service.
    const HOSTS: &[(&str, bool, bool)] = &[
        ("127.0.0.1", true, false),
        ("127.255.0.9:8080", true, false),
        ("2130706433", true, false),
        ("localhost", true, false),
        ("LOCALHOST.:80", true, false),
        ("[::1]", true, false),
        ("[::ffff:127.0.0.1]", true, false),
        ("169.254.169.254", false, true),
        ("169.254.170.2", false, true),
        ("[fe80::1]", false, true),
        ("[fd00:ec2::254]", false, true),
        ("[fd20:ce::254]", false, true),
        ("[::ffff:169.254.169.254]", false, true),
        ("metadata.google.internal", false, true),
        ("metadata.google.internal.", false, true),
        ("0.0.0.0", false, false),
        ("[::]", false, false),
        ("128.0.0.1", false, false),
        ("10.0.0.1", false, false),
        ("169.253.169.254", false, false),
        ("[fd00::254]", false, false),
        ("[fec0::1]", false, false),
        ("[::7f00:1]", false, false),
        ("localhost.example", false, false),
        ("x.localhost", false, false),
        ("metadata.google.internal.example", false, false),
        ("127.0.0.1.example", false, false),
    ];

    #[test]
    fn each_class_has_its_hosts_and_no_others() {
        for (host, loopback, metadata) in HOSTS {
            let url = Url::parse(&format!("http://{host}/")).unwrap();
            assert_eq!(is_loopback(&url), *loopback, "{host}");
            assert_eq!(is_metadata(&url), *metadata, "{host}");
            assert_eq!(Plaintext::Loopback.allows(&url), *loopback, "{host}");
            assert_eq!(Plaintext::Metadata.allows(&url), *loopback || *metadata, "{host}");
        }
    }
}
