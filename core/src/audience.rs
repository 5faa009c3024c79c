//! Which audiences a Kubernetes API server may accept.
//!
//! Source: kube-apiserver flags `--api-audiences` (by default the issuer) and
//! `--service-account-issuer`; the defaults of distributions.

use std::net::Ipv6Addr;

use url::{Host, Url};

/// Names that API servers go by without a domain: k3s, RKE2 and MicroK8s take their own, older
/// installers set `api`.
const NAMES: [&str; 8] =
    ["api", "apiserver", "k3s", "kube-apiserver", "kubernetes", "localhost", "microk8s", "rke2"];

/// Whether a token for `audience` may be good for the API server of the cluster of `issuer`:
/// it is the issuer, a name of the service `kubernetes`, or an address, such as the cluster IP.
/// In any case of letters, with or without a scheme, a port and a slash at the end. An empty
/// audience names no service, so it may be.
pub fn is_for_api_server(audience: &str, issuer: &str) -> bool {
    let audience = audience.trim().to_ascii_lowercase();
    if audience.is_empty() || audience.parse::<Ipv6Addr>().is_ok() {
        return true;
    }
    let has_scheme = audience.contains("://");
    // What is not a URL or a host, such as `//x` or `a b`, is its own name; with brackets it is an
    // address that URLs do not have, such as one with a zone.
    let Some(url) = parse(&audience) else {
        return audience.contains('[') || NAMES.contains(&audience.as_str());
    };
    if parse(&issuer.trim().to_ascii_lowercase()).is_some_and(|issuer| is_same(&url, &issuer)) {
        return true;
    }
    match url.host() {
        // A bare number is an address to URLs, and here it is a number.
        Some(Host::Ipv4(_)) => has_scheme || audience.contains('.'),
        Some(Host::Ipv6(_)) => true,
        Some(Host::Domain(host)) => is_api_server(host.trim_end_matches('.')),
        None => false,
    }
}

fn parse(text: &str) -> Option<Url> {
    match text.contains("://") {
        true => Url::parse(text).ok(),
        false => Url::parse(&format!("https://{text}")).ok(),
    }
    .filter(Url::has_host)
}

/// Whether host, port and path are the same, whatever the scheme.
fn is_same(one: &Url, other: &Url) -> bool {
    let parts = |url: &Url| {
        let host = url.host_str().unwrap_or_default().trim_end_matches('.').to_owned();
        (host, url.port().filter(|port| *port != 443), url.path().trim_end_matches('/').to_owned())
    };
    parts(one) == parts(other)
}

/// The service `kubernetes` in the namespace `default` under each of its names in the cluster's
/// DNS, whatever the cluster's domain is.
fn is_api_server(host: &str) -> bool {
    NAMES.contains(&host)
        || host == "kubernetes.default"
        || host
            .strip_prefix("kubernetes.default.svc")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://Issuer.example/id/";

    #[test]
    fn audiences_of_the_api_server() {
        for audience in [
            "https://kubernetes.default.svc",
            "https://kubernetes.default.svc.cluster.local",
            "https://kubernetes.default.svc.corp.example:443/",
            "HTTPS://Kubernetes.Default.SVC",
            "kubernetes.default.svc",
            "kubernetes.default.svc.",
            "Kubernetes.default",
            "https://kubernetes.default",
            "https://kubernetes",
            "kubernetes",
            "k3s",
            "K3S",
            "rke2",
            "api",
            " api ",
            "https://10.96.0.1",
            "https://10.43.0.1:443",
            "10.96.0.1",
            "https://[fd00::1]",
            "https://issuer.example/id",
            "https://issuer.example/id/",
            "https://issuer.example:443/id",
            "issuer.example/id",
            "https://issuer.example./id",
            "",
            " ",
            "fd00::1",
            "https://0x0a600001",
            "https://[fe80::1%25eth0]",
            "10.1",
            "https://010.0.0.1",
            "localhost",
            "https://localhost:6443",
            "microk8s",
        ] {
            assert!(is_for_api_server(audience, ISSUER), "{audience}");
        }
    }

    #[test]
    fn audiences_of_others() {
        for audience in [
            "sts.amazonaws.com",
            "api://AzureADTokenExchange",
            "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x",
            "https://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p",
            "my-project.svc.id.goog",
            "registry.example",
            "registry.example:5000",
            "https://registry.shop.svc",
            "https://kubernetes.default.svcx",
            "kubernetes.default.example",
            "https://kubernetes.registry.example",
            "https://issuer.example",
            "vault",
            "1234567890",
        ] {
            assert!(!is_for_api_server(audience, ISSUER), "{audience}");
        }
        assert!(!is_for_api_server("vault", ""));
    }
}
