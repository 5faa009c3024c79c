//! Hosts that are nearly a cloud's registry, or that a plugin does not answer for.

use pullpass::Plugin;
use pullpass::secrecy::ExposeSecret as _;
use pullpass_kubelet::lints::Lint;
use pullpass_kubelet::pattern::Pattern;
use pullpass_kubelet::{CredentialProvider, Spanned};

use crate::plugins::PLUGINS;

/// Registries of the clouds that a plugin answers for only with an option, or after other hosts
/// have been added to its default patterns.
const FURTHER_PATTERNS: [&str; 4] =
    ["*.azurecr.us", "*.azurecr.cn", "*.*.geo.azurecr.us", "*.*.geo.azurecr.cn"];

/// Patterns of a cloud that closed in 2021. AKS still writes them on every node.
const CLOSED_PATTERNS: [&str; 2] = ["*.azurecr.de", "*.*.geo.azurecr.de"];

/// A domain is recognized by its longest label; shorter labels are similar to too many others.
const SHORTEST_TOLD: usize = 6;

/// Patterns of all clouds' registries.
fn patterns() -> impl Iterator<Item = &'static str> {
    PLUGINS.iter().flat_map(|plugin| plugin.match_images).copied().chain(FURTHER_PATTERNS)
}

/// The fixed domain of a pattern's host: the labels after the last one with a `*`.
fn domain(host: &str) -> &str {
    match host.rfind('*') {
        Some(star) => host[star..].split_once('.').map_or("", |(_, domain)| domain),
        None => host,
    }
}

/// A host without its port and path.
fn host(pattern: &str) -> &str {
    let host = pattern.split('/').next().unwrap_or_default();
    host.split(':').next().unwrap_or_default()
}

/// Warns of a domain that is misspelt, or that the cloud does not have.
pub(super) fn check(pattern: &Spanned<Pattern>, lints: &mut Vec<Lint>) {
    let host = host(pattern.as_str());
    let near =
        Some(host).filter(|host| !CLOSED_PATTERNS.contains(host)).and_then(find_near_domains);
    let Some(known) = near else { return };
    lints.push(Lint::warning(
        "misspelt-registry",
        &pattern.location,
        format!("`{host}` looks like a registry of `{}`, but is not one", known[0]),
        format!("did you mean {}?", list(&known)),
    ));
}

pub(super) fn list(domains: &[&str]) -> String {
    domains.iter().map(|domain| format!("`{domain}`")).collect::<Vec<String>>().join(" or ")
}

/// Whether a host is a domain, or below it.
fn is_under(host: &str, domain: &str) -> bool {
    let rest = host.strip_suffix(domain).filter(|_| !domain.is_empty());
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The domains that were probably meant, if `host` has no domain of a cloud.
fn find_near_domains(host: &str) -> Option<Vec<&'static str>> {
    if patterns().map(domain).any(|domain| is_under(host, domain)) {
        return None;
    }
    let labels: Vec<&str> = host.split('.').collect();
    let mut near = Vec::new();
    for known in patterns().map(domain).filter(|domain| !domain.is_empty()) {
        let main = known.split('.').max_by_key(|label| label.len()).unwrap_or_default();
        if main.len() < SHORTEST_TOLD || near.contains(&known) {
            continue;
        }
        let after = known.split_once(main).map_or("", |(_, after)| after);
        let is_meant = labels.iter().enumerate().any(|(index, label)| {
            let rest = labels[index + 1..].join(".");
            let same_end = format!(".{rest}") == after;
            let looks_public = labels[index + 1..].iter().all(|label| label.len() <= 3);
            match *label == main {
                // The right name with another ending, such as `azurecr.de`.
                true => !rest.is_empty() && looks_public && !same_end,
                false => same_end && is_one_letter_off(label, main),
            }
        });
        if is_meant {
            near.push(known);
        }
    }
    (!near.is_empty()).then_some(near)
}

/// Whether one letter is missing, added, replaced, or swapped with the next.
fn is_one_letter_off(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[start..], &b[start..]);
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[..a.len() - end], &b[..b.len() - end]);
    match (a, b) {
        ([], [_]) | ([_], []) | ([_], [_]) => true,
        ([x, y], [p, q]) => x == q && y == p,
        _ => false,
    }
}

/// Warns of patterns that cover only images which the plugin refuses.
pub(super) fn check_answered(
    plugin: &Plugin,
    provider: &CredentialProvider,
    lints: &mut Vec<Lint>,
) {
    if plugin.match_images.is_empty() {
        return;
    }
    for pattern in &provider.match_images {
        let host = host(pattern.as_str());
        // An option names mirrors and the operator's own hosts.
        let is_named = provider.args.iter().any(|arg| arg.expose_secret().contains(host));
        let known = || plugin.match_images.iter().copied().chain(FURTHER_PATTERNS);
        if is_named || known().any(|known| may_overlap(host, known)) {
            continue;
        }
        // An option may assign hosts that belong to no cloud to this one.
        let is_own = known().map(domain).any(|domain| is_under(host, domain));
        if !is_own && !patterns().any(|other| may_overlap(host, other)) {
            continue;
        }
        lints.push(Lint::warning(
            "host-not-answered",
            &pattern.location,
            format!("`{}` has no credentials for images of `{host}`", plugin.name),
            format!("the registries that it serves are {}", list(plugin.match_images)),
        ));
    }
}

/// Whether two patterns of hosts may cover the same host.
pub(super) fn may_overlap(a: &str, b: &str) -> bool {
    let (a, b): (Vec<&str>, Vec<&str>) = (a.split('.').collect(), b.split('.').collect());
    a.len() == b.len()
        && a.iter()
            .zip(&b)
            .all(|(a, b)| a == b || a.contains('*') && fits(a, b) || b.contains('*') && fits(b, a))
}

/// Whether a label with a `*` can match another one, by what is before and after the `*`.
fn fits(glob: &str, label: &str) -> bool {
    if label.contains('*') {
        return true;
    }
    let before = glob.split('*').next().unwrap_or_default();
    let after = glob.rsplit('*').next().unwrap_or_default();
    label.len() >= before.len() + after.len() && label.starts_with(before) && label.ends_with(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_domains() {
        for (host, expected) in [
            ("*.dkr.ecr.*.amaonaws.com", "amazonaws.com"),
            ("123.dkr.ecr.eu-west-1.amazonaws.cn", "amazonaws.com"),
            ("foo.azurecr.de", "azurecr.io"),
            ("foo.azruecr.io", "azurecr.io"),
        ] {
            let found = find_near_domains(host).unwrap_or_default();
            assert!(found.contains(&expected), "{host}: {found:?}");
        }
        for host in [
            "registry.example",
            "ghcr.io",
            "quay.io",
            "gcr.io",
            "*.pkg.dev",
            "*.dkr.ecr.*.amazonaws.com.cn",
            "foo.azurecr.us",
            "azurecr.mirror.corp.example",
            "*.*",
            "*",
            "",
        ] {
            assert_eq!(find_near_domains(host), None, "{host}");
        }
    }

    #[test]
    fn patterns_that_cover_the_same() {
        for (a, b, expected) in [
            ("*.azurecr.io", "foo.azurecr.io", true),
            ("*.*.io", "*.azurecr.io", true),
            ("a-*.io", "*-b.io", true),
            ("*.dkr.ecr.amazonaws.com", "*.dkr.ecr.*.amazonaws.com", false),
            ("docker.io", "gcr.io", false),
        ] {
            assert_eq!(may_overlap(a, b), expected, "{a} {b}");
        }
    }
}
