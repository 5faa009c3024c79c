//! Which audiences a Kubernetes API server may accept.
//!
//! Source: kube-apiserver flags `--api-audiences` (by default the issuer) and
//! `--service-account-issuer`; the defaults of distributions; what managed services call their
//! API servers and issuers ("Cluster endpoint" and "OIDC issuer" in their documentation).

use std::net::Ipv6Addr;

use url::{Host, Url};

/// Names that API servers have without a domain: k3s, RKE2 and MicroK8s take their own, older
/// installers set `api`.
const NAMES: [&str; 8] =
    ["api", "apiserver", "k3s", "kube-apiserver", "kubernetes", "localhost", "microk8s", "rke2"];

/// Below these domains, managed services have API servers and issuers, and nothing else: AKS
/// (public, Government, China), GKE, DigitalOcean, Linode, OVHcloud, Scaleway.
const DOMAINS: [&str; 12] = [
    "azmk8s.io",
    "prod-aks.azure.com",
    "cx.aks.containerservice.azure.us",
    "cx.prod.service.azk8s.cn",
    "gke.goog",
    "k8s.ondigitalocean.com",
    "linodelke.net",
    "k8s.ovh.net",
    "api.k8s.fr-par.scw.cloud",
    "api.k8s.nl-ams.scw.cloud",
    "api.k8s.pl-waw.scw.cloud",
    // The issuers of GKE are paths of it.
    "container.googleapis.com",
];

/// Whether the API server of the cluster with `issuer` may accept a token for `audience`:
/// it is the issuer, a name of the service `kubernetes`, a managed service's name of one, or an
/// address, such as the cluster IP.
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
        // URLs read a bare number as an address; here it is only a number.
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
        || DOMAINS.iter().any(|domain| is_at_or_below(host, domain))
        || is_eks(host)
}

fn is_at_or_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// An API server or an issuer of EKS: `ID.gr7.REGION.eks.amazonaws.com`,
/// `oidc.eks.REGION.amazonaws.com`, and `ID.eks-cluster.REGION.api.aws`, `oidc-eks.REGION.api.aws`
/// with IPv6. `pods.eks.amazonaws.com` is EKS Pod Identity's audience.
fn is_eks(host: &str) -> bool {
    let host = host.strip_suffix(".cn").unwrap_or(host);
    let api_server = host.strip_suffix(".eks.amazonaws.com");
    let dual_stack = host.strip_suffix(".api.aws");
    api_server.is_some_and(|labels| labels.contains('.'))
        || host.ends_with(".amazonaws.com") && host.starts_with("oidc.eks.")
        || dual_stack.is_some_and(|labels| {
            labels.split('.').any(|it| it == "eks-cluster" || it == "oidc-eks")
        })
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
            "https://shop-dns-1a2b3c4d.hcp.westeurope.azmk8s.io",
            "https://Shop-dns-1a2b3c4d.hcp.westeurope.azmk8s.io:443/",
            "shop-1a2b3c4d.privatelink.westeurope.azmk8s.io",
            "https://westeurope.oic.prod-aks.azure.com/tenant/cluster/",
            "https://shop.hcp.usgovvirginia.cx.aks.containerservice.azure.us",
            "https://container.googleapis.com/v1/projects/p/locations/europe-west4/clusters/c",
            "https://gke-0123-456.europe-west4.gke.goog",
            "https://0A9D8FA06B1F6CEB05E4210D0A7A089F.gr7.us-west-2.eks.amazonaws.com",
            "https://0A9D.yl4.cn-north-1.eks.amazonaws.com.cn",
            "https://oidc.eks.us-west-2.amazonaws.com/id/0A9D",
            "https://0A9D.eks-cluster.us-west-2.api.aws",
            "https://oidc-eks.us-west-2.api.aws/id/0A9D",
            "https://1b2c.k8s.ondigitalocean.com",
            "https://1b2c.eu-west-1.linodelke.net:443",
            "https://x1y2.c1.gra9.k8s.ovh.net",
            "https://1b2c.api.k8s.fr-par.scw.cloud:6443",
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
            "pods.eks.amazonaws.com",
            "shop.azurecr.io",
            "https://containerregistry.azure.net",
            "azmk8s.io.registry.example",
            "notazmk8s.io",
            "europe-west4-docker.pkg.dev",
            "123456789012.dkr.ecr.us-west-2.amazonaws.com",
            "123456789012.dkr-ecr.us-west-2.on.aws",
            "ecr.us-west-2.api.aws",
            "eks.us-west-2.amazonaws.com",
            "registry.digitalocean.com",
            "rg.fr-par.scw.cloud",
        ] {
            assert!(!is_for_api_server(audience, ISSUER), "{audience}");
        }
        assert!(!is_for_api_server("vault", ""));
    }
}
