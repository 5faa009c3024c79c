//! Which hosts are registries of Azure. By label, over the whole host.

/// The audience of every registry in every cloud; a registry that refuses tokens for Azure
/// Resource Manager takes no other.
/// Source: Azure Container Registry, "Authenticate with Microsoft Entra ID".
pub(crate) const AUDIENCE: &str = "https://containerregistry.azure.net";

/// A registry's login server: the host that takes the login, in lower case. Its tokens call the
/// registry by the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LoginServer(String);

impl LoginServer {
    /// Its host name.
    pub(crate) fn host(&self) -> &str {
        &self.0
    }
}

/// What a host is to Azure Container Registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// A login server.
    LoginServer(LoginServer),
    /// `NAME.REGION.data.SUFFIX`: where layers are fetched from, with a link of the login
    /// server's that needs no login.
    Data,
    /// None of Azure's.
    Foreign,
}

/// Reads a host name in lower case.
///
/// The forms of a login server: `NAME.SUFFIX`, with a hyphen in the name where it carries a
/// hash ("Domain name label scope" of the ACR documentation), and `NAME.REGION.geo.SUFFIX`
/// (regional endpoints).
pub(crate) fn read(host: &str, suffixes: &[String]) -> Host {
    let login_server = Host::LoginServer(LoginServer(host.to_owned()));
    for suffix in suffixes {
        let Some(front) = host.strip_suffix(suffix.as_str()).and_then(|it| it.strip_suffix('.'))
        else {
            continue;
        };
        match front.split('.').collect::<Vec<_>>()[..] {
            [name] if is_name(name) => return login_server,
            [name, region, "geo"] if is_name(name) && is_region(region) => return login_server,
            [name, region, "data"] if is_name(name) && is_region(region) => return Host::Data,
            _ => {}
        }
    }
    Host::Foreign
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

    fn of(host: &str) -> Host {
        let suffixes = ["azurecr.io", "azurecr.cn", "azurecr.us", "azurecr.my.cloud"];
        read(host, &suffixes.map(str::to_owned))
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
            let expected = LoginServer(host.to_owned());
            assert_eq!(of(host), Host::LoginServer(expected), "{host}");
        }
    }

    #[test]
    fn data_endpoints_need_no_login() {
        for host in ["foo.eastus.data.azurecr.io", "foo-a1.westeurope.data.azurecr.us"] {
            assert_eq!(of(host), Host::Data, "{host}");
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
            assert_eq!(of(host), Host::Foreign, "{host}");
        }
    }
}
