//! Which audiences a Kubernetes API server may accept.
//!
//! Source: kube-apiserver flags `--api-audiences` (by default the issuer) and
//! `--service-account-issuer`; the defaults of distributions.

use url::{Host, Url};

/// Names that API servers go by without a domain: k3s and RKE2 take `k3s` and `rke2`, older
/// installers set `api`.
const NAMES: [&str; 6] = ["api", "apiserver", "k3s", "kube-apiserver", "kubernetes", "rke2"];

/// Whether a token for `audience` may be good for the API server of the cluster of `issuer`:
/// it is the issuer, a name of the service `kubernetes`, or an address, such as the cluster IP.
/// In any case of letters, with or without a scheme, a port and a slash at the end.
pub fn is_for_api_server(audience: &str, issuer: &str) -> bool {
    let (audience, issuer) = (normalize(audience), normalize(issuer));
    if !issuer.is_empty() && audience == issuer {
        return true;
    }
    let url = match audience.contains("://") {
        true => Url::parse(&audience),
        false => Url::parse(&format!("https://{audience}")),
    };
    // What is not a URL or a host, such as `api://x`, is its own name.
    let Ok(url) = url else { return NAMES.contains(&audience.as_str()) };
    match url.host() {
        Some(Host::Ipv4(address)) => audience.contains(&address.to_string()),
        Some(Host::Ipv6(_)) => true,
        Some(Host::Domain(host)) => is_api_server(host.trim_end_matches('.')),
        None => false,
    }
}

fn normalize(text: &str) -> String {
    text.trim().trim_end_matches('/').to_ascii_lowercase()
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
            "",
        ] {
            assert!(!is_for_api_server(audience, ISSUER), "{audience}");
        }
        assert!(!is_for_api_server("vault", ""));
    }
}
