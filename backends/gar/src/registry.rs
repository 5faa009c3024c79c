//! Which hosts are Google registries: the whole host is compared, label by label.

use pullpass::{Error, Image};

use crate::universe::Universe;

/// Google's hosts as patterns of `matchImages`: one `*` is one label.
pub(crate) const PATTERNS: &[&str] = &["gcr.io", "*.gcr.io", "*.pkg.dev", "docker.*.rep.pkg.dev"];

/// The same as keys of an answer: of `gcr.io` only the hosts that take a login.
const KEYS: &[&str] = &[
    "gcr.io",
    "us.gcr.io",
    "eu.gcr.io",
    "asia.gcr.io",
    "marketplace.gcr.io",
    "*.pkg.dev",
    "docker.*.rep.pkg.dev",
];

/// Registry hosts of universes that have one each; the operator names those of other universes.
const REGISTRIES: &[(&str, &[&str])] = &[("s3nsapis.fr", &["docker.s3nsregistry.fr"])];

/// The registries of a universe, as keys of an answer that is for all of them.
pub(crate) fn keys(universe: &Universe) -> &'static [&'static str] {
    match universe.is_public() {
        true => KEYS,
        false => {
            let known = REGISTRIES.iter().find(|(domain, _)| *domain == universe.domain());
            known.map_or(&[], |(_, hosts)| *hosts)
        }
    }
}

/// Whether a host name in lower case is a registry of this universe.
fn is_registry(host: &str, universe: &Universe) -> bool {
    match universe.is_public() {
        true => is_googles(host),
        false => keys(universe).contains(&host),
    }
}

/// The universe whose registry a host is, except the public one.
fn universe_of(host: &str) -> Option<&'static str> {
    REGISTRIES.iter().find(|(_, hosts)| hosts.contains(&host)).map(|(domain, _)| *domain)
}

/// The hosts that take a Google login.
pub(crate) struct Hosts {
    /// What the operator named, `host[:port]`.
    named: Vec<String>,
}

impl Hosts {
    /// Reads the values of `--host`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](pullpass::ErrorKind::Config) when one is not a host.
    pub(crate) fn parse(values: &[String]) -> Result<Self, Error> {
        for value in values {
            // The value itself is not shown: it may hold a password.
            let invalid = |what: &str| {
                Error::config(what).with_hint("write HOST or HOST:PORT, as in `mirror.example.com`")
            };
            let image = Image::parse(value).map_err(|_| invalid("`--host` is not a host"))?;
            if !image.repository().is_empty() {
                let host = image.registry();
                return Err(invalid(&format!(
                    "`--host` for `{host}` has a path, but a login is for a whole host"
                )));
            }
        }
        Ok(Self { named: values.to_vec() })
    }

    /// What the operator named.
    pub(crate) fn named(&self) -> &[String] {
        &self.named
    }

    /// Refuses an image on any other host: that server would get a token for every Google API.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](pullpass::ErrorKind::Config) when the host is neither a registry of
    /// this universe nor named by the operator.
    pub(crate) fn check(&self, image: &Image, universe: &Universe) -> Result<(), Error> {
        let is_named = self.named.iter().any(|host| image.is_on(host));
        let host = image.registry();
        if is_named {
            return Ok(());
        }
        if is_registry(image.host(), universe) {
            // Only on that port does the host's name prove whose server it is.
            return match image.is_on_https_port() {
                true => Ok(()),
                false => Err(Error::config(format!(
                    "`{host}` is not the HTTPS port of a Google registry"
                ))
                .with_hint(format!(
                    "remove the port from the image's name; if it is a mirror that accepts Google \
                     logins, add `--host {host}`"
                ))),
            };
        }
        if is_googles(image.host()) {
            let domain = universe.domain();
            return Err(Error::config(format!(
                "`{host}` is a registry of `googleapis.com`, but the universe is `{domain}`"
            ))
            .with_hint("an identity belongs to one universe: check `--universe-domain`"));
        }
        if let Some(domain) = universe_of(image.host()) {
            return Err(Error::config(format!(
                "`{host}` is a registry of the universe `{domain}`"
            ))
            .with_hint(format!("set `--universe-domain {domain}`")));
        }
        if image.host().ends_with(".gcr.io") {
            return Err(Error::config(format!(
                "`{host}` is not a Google registry that needs a login"
            ))
            .with_hint(
                "its images are public; to avoid this message, list `us.gcr.io`, `eu.gcr.io`, \
                 `asia.gcr.io` and `marketplace.gcr.io` in `matchImages` instead of `*.gcr.io`",
            ));
        }
        Err(Error::config(format!("`{host}` is not a Google registry")).with_hint(format!(
            "remove it from this provider's `matchImages`; if it is a mirror or a registry of \
             another universe that accepts Google logins, add `--host {host}`"
        )))
    }
}

/// Whether a host name in lower case is a Docker registry of Google's public cloud.
///
/// Source: Artifact Registry, "Locations", "Regional endpoints" and "Transition from Container
/// Registry".
fn is_googles(host: &str) -> bool {
    let labels: Vec<&str> = host.split('.').collect();
    match labels[..] {
        ["gcr", "io"] | ["us" | "eu" | "asia" | "marketplace", "gcr", "io"] => true,
        [name, "pkg", "dev"] => name.strip_suffix("-docker").is_some_and(is_location),
        ["docker", location, "rep", "pkg", "dev"] => is_location(location),
        _ => false,
    }
}

/// Whether a label has the form of a region (`us-east1`) or a multi-region (`europe`). There is no
/// list: Google adds locations, and whatever the label is, `pkg.dev` is Google's own domain, so no
/// one else can have a host below it.
fn is_location(label: &str) -> bool {
    label.starts_with(|c: char| c.is_ascii_lowercase())
        && !label.ends_with('-')
        && label.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_of_googles() {
        for host in [
            "us-docker.pkg.dev",
            "europe-docker.pkg.dev",
            "asia-docker.pkg.dev",
            "us-east1-docker.pkg.dev",
            "europe-west10-docker.pkg.dev",
            "northamerica-northeast1-docker.pkg.dev",
            "docker.us-east1.rep.pkg.dev",
            "docker.me-central2.rep.pkg.dev",
            // Not a location, and still Google's: it has no address.
            "evil-docker.pkg.dev",
            "gcr.io",
            "us.gcr.io",
            "eu.gcr.io",
            "asia.gcr.io",
            "marketplace.gcr.io",
        ] {
            assert!(is_googles(host), "{host}");
        }
    }

    #[test]
    fn nothing_else_is_googles() {
        for host in [
            "docker.io",
            "registry.k8s.io",
            "pkg.dev",
            "docker.pkg.dev",
            "-docker.pkg.dev",
            "us--docker.pkg.dev",
            "us-npm.pkg.dev",
            "us-docker.pkg.dev.evil.example",
            "evil-us-docker-pkg.dev",
            "x.us-docker.pkg.dev",
            "us-docker.pkg.dev.",
            "us-east1.rep.pkg.dev",
            "npm.us-east1.rep.pkg.dev",
            "docker.us.east1.rep.pkg.dev",
            "docker..rep.pkg.dev",
            "docker.us-east1.rep.pkg.dev.example",
            "evilgcr.io",
            "gcr.io.evil.example",
            "mirror.gcr.io",
            "k8s.gcr.io",
            "a.us.gcr.io",
            "container.cloud.google.com",
            "docker.s3nsregistry.fr",
        ] {
            assert!(!is_googles(host), "{host}");
        }
    }

    #[test]
    fn a_host_that_the_operator_named_is_believed_and_no_other() {
        let hosts = |values: &[&str]| {
            Hosts::parse(&values.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        let universe = Universe::default();
        let named = hosts(&["mirror.example:5000", "pull.example"]).unwrap();
        let check = |image: &str| named.check(&Image::parse(image).unwrap(), &universe);
        for image in [
            "mirror.example:5000/a",
            "pull.example/a/b",
            "PULL.example/a",
            "gcr.io/p/a",
            "gcr.io:443/p/a",
        ] {
            assert!(check(image).is_ok(), "{image}");
        }
        for image in [
            "mirror.example/a",
            "x.pull.example/a",
            "pull.example:444/a",
            "docker.io/a",
            "gcr.io:8443/a",
        ] {
            assert!(check(image).is_err(), "{image}");
        }
        let error = check("docker.io/library/nginx").unwrap_err().render();
        assert!(error.contains("--host docker.io"), "{error}");
        for value in ["", "https://mirror.example", "mirror.example/path", "a b"] {
            assert!(hosts(&[value]).is_err(), "{value}");
        }
    }

    #[test]
    fn mistakes_repeat_no_value() {
        for value in [
            "u:hunter2pass@m.example",
            "https://hunter2pass",
            "m.example/hunter2pass",
            "hunter2pass!",
        ] {
            let error = Hosts::parse(&[value.to_owned()]).err().unwrap().render();
            assert!(!error.contains("hunter2pass"), "{value}: {error}");
            assert!(error.contains("`--host`") && error.contains("HOST:PORT"), "{error}");
        }
    }

    #[test]
    fn another_universe_has_other_registries() {
        let hosts = Hosts::parse(&[]).unwrap();
        let s3ns = Universe::parse("s3nsapis.fr").unwrap();
        let check = |image: &str| hosts.check(&Image::parse(image).unwrap(), &s3ns);
        assert!(check("docker.s3nsregistry.fr/p/r/a").is_ok());
        assert_eq!(keys(&s3ns), ["docker.s3nsregistry.fr"]);
        let image = Image::parse("docker.s3nsregistry.fr/p/r/a").unwrap();
        let error = hosts.check(&image, &Universe::default()).unwrap_err().render();
        assert!(error.contains("--universe-domain s3nsapis.fr"), "{error}");
        let error = check("us-docker.pkg.dev/p/r/a").unwrap_err().render();
        assert!(error.contains("the universe is `s3nsapis.fr`"), "{error}");
    }
}
