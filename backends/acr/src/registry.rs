//! Which hosts are ACR registries: the whole host is compared, label by label.

use pullpass::text::is_dns_label;

/// The audience of every registry in every cloud; a registry that refuses tokens for Azure
/// Resource Manager takes no other.
/// Source: Azure Container Registry, "Authenticate with Microsoft Entra ID".
pub(crate) const AUDIENCE: &str = "https://containerregistry.azure.net";

/// How the hosts of a cloud's registries end, and their port if it is not that of HTTPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suffix {
    domain: String,
    port: Option<u16>,
}

impl Suffix {
    /// Reads `DOMAIN[:PORT]`: at least two labels, or every host would match. `None` where it is
    /// not one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim_start_matches('.').to_ascii_lowercase();
        let (domain, port) = match text.split_once(':') {
            Some((domain, port)) => (domain, Some(port.parse().ok()?)),
            None => (&*text, None),
        };
        let is_domain = domain.split('.').count() >= 2 && domain.split('.').all(is_dns_label);
        is_domain.then(|| Self { domain: domain.to_owned(), port })
    }

    /// Whether `port` is that of a registry with this ending. Only there does the name of a host
    /// prove whose it is: on another port, another server may answer.
    fn is_on_port(&self, port: Option<u16>) -> bool {
        match self.port {
            Some(own) => port == Some(own),
            None => matches!(port, None | Some(443)),
        }
    }
}

/// A registry's login server: the host that takes the login, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LoginServer {
    host: String,
    /// Where it is not that of HTTPS.
    port: Option<u16>,
}

impl LoginServer {
    /// Its host name, by which its tokens call the registry.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// `host[:port]`.
    pub(crate) fn authority(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }
}

/// What a host is to Azure Container Registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// A login server.
    LoginServer(LoginServer),
    /// The host of a login server, on another port.
    OtherPort,
    /// `NAME.REGION.data.SUFFIX`: where layers are fetched from, with a link from the login
    /// server that needs no login.
    Data,
    /// Not an ACR registry.
    Foreign,
}

/// Reads a host name in lower case, and its port.
///
/// The forms of a login server: `NAME.SUFFIX`, with a hyphen in the name where it carries a
/// hash ("Domain name label scope" of the ACR documentation), and `NAME.REGION.geo.SUFFIX`
/// (regional endpoints).
pub(crate) fn read(host: &str, port: Option<u16>, suffixes: &[Suffix]) -> Host {
    let mut found = Host::Foreign;
    for suffix in suffixes {
        let Some(front) = host.strip_suffix(&*suffix.domain).and_then(|it| it.strip_suffix('.'))
        else {
            continue;
        };
        let is_login_server = match front.split('.').collect::<Vec<_>>()[..] {
            [name] => is_name(name),
            [name, region, "geo"] => is_name(name) && is_region(region),
            [name, region, "data"] if is_name(name) && is_region(region) => return Host::Data,
            _ => false,
        };
        match is_login_server {
            true if suffix.is_on_port(port) => {
                let host = host.to_owned();
                return Host::LoginServer(LoginServer { host, port: suffix.port });
            }
            true => found = Host::OtherPort,
            false => {}
        }
    }
    found
}

/// Letters and digits, and one hyphen before the hash.
fn is_name(label: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_alphanumeric());
    match label.split_once('-') {
        Some((name, hash)) => plain(name) && plain(hash),
        None => plain(label),
    }
}

fn is_region(label: &str) -> bool {
    !label.is_empty() && label.bytes().all(|c| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_host(host: &str) -> Host {
        on_port(host, None)
    }

    fn on_port(host: &str, port: Option<u16>) -> Host {
        let suffixes =
            ["azurecr.io", "azurecr.cn", "azurecr.us", "azurecr.my.cloud", "azurecr.my.lab:8443"];
        read(host, port, &suffixes.map(|suffix| Suffix::parse(suffix).unwrap()))
    }

    #[test]
    fn login_servers() {
        for host in [
            "foo.azurecr.io",
            "foo.azurecr.cn",
            "foo.azurecr.us",
            "foo.azurecr.my.cloud",
            "foo-a1b2c3d4e5f6g7h8.azurecr.io",
            "foo.eastus.geo.azurecr.io",
            "foo-a1b2.westeurope.geo.azurecr.us",
        ] {
            let expected = LoginServer { host: host.to_owned(), port: None };
            assert_eq!(read_host(host), Host::LoginServer(expected), "{host}");
        }
    }

    #[test]
    fn a_host_is_a_login_server_on_its_own_port_alone() {
        for (host, port, authority) in [
            ("foo.azurecr.io", Some(443), Some("foo.azurecr.io")),
            ("foo.eastus.geo.azurecr.io", Some(443), Some("foo.eastus.geo.azurecr.io")),
            ("foo.azurecr.my.lab", Some(8443), Some("foo.azurecr.my.lab:8443")),
            ("foo.azurecr.io", Some(80), None),
            ("foo.azurecr.io", Some(8443), None),
            ("foo.azurecr.my.lab", None, None),
            ("foo.azurecr.my.lab", Some(443), None),
        ] {
            let found = match on_port(host, port) {
                Host::LoginServer(server) => Some(server.authority()),
                other => {
                    assert_eq!(other, Host::OtherPort, "{host} {port:?}");
                    None
                }
            };
            assert_eq!(found.as_deref(), authority, "{host} {port:?}");
        }
        assert_eq!(on_port("foo.example", Some(80)), Host::Foreign);
    }

    #[test]
    fn suffixes() {
        for text in ["azurecr.my.cloud", ".AzureCR.my.cloud", "azurecr.my.cloud:8443"] {
            assert!(Suffix::parse(text).is_some(), "{text}");
        }
        for text in
            ["", "cloud", "azurecr..cloud", "a.b:", "a.b:x", "a.b:70000", "a.b/c", "*.b.c", "-a.b"]
        {
            assert_eq!(Suffix::parse(text), None, "{text}");
        }
    }

    #[test]
    fn data_endpoints_need_no_login() {
        for host in ["foo.eastus.data.azurecr.io", "foo-a1.westeurope.data.azurecr.us"] {
            assert_eq!(read_host(host), Host::Data, "{host}");
        }
    }

    #[test]
    fn nothing_else_is_azures() {
        for host in [
            "docker.io",
            "azurecr.io",
            ".azurecr.io",
            "foo.azurecr.de",
            "foo.azurecr.io.example",
            "foo.azurecr.io.evil.example",
            "foo.azurecr.io.azurecr.cn",
            "foo-azurecr-io.azurecr.cn.example",
            "fooazurecr.io",
            "a.b.azurecr.io",
            "foo.eastus.blob.azurecr.io",
            "x.foo.eastus.geo.azurecr.io",
            "foo.east.us.geo.azurecr.io",
            "-foo.azurecr.io",
            "foo-.azurecr.io",
            "foo-a-b.azurecr.io",
            "foo_.azurecr.io",
            "evil.example",
            "foo.azurecr.other.cloud",
        ] {
            assert_eq!(read_host(host), Host::Foreign, "{host}");
        }
    }
}
