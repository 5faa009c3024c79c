//! Which image is on which registry: by its host, or because the operator said so.

use pullpass::{Error, Image};

use crate::partition::is_region;
use crate::registry::Registry;

/// The hosts that the operator named, besides Amazon's own.
pub(crate) struct Hosts(Vec<(String, Registry)>);

impl Hosts {
    /// Reads `HOST[:PORT]=WHERE`, each a value of `--host`.
    ///
    /// # Errors
    /// Of kind Config, when one is not of that form.
    pub(crate) fn parse(values: &[String]) -> Result<Self, Error> {
        let mut hosts: Vec<(String, Registry)> = Vec::new();
        for value in values {
            let (host, place) =
                value.split_once('=').ok_or_else(|| invalid("`--host`", "has no region"))?;
            let image = Image::parse(host).map_err(|_| invalid("`--host`", "has no valid host"))?;
            let which = format!("`--host` for `{}`", image.registry());
            let invalid = |why| invalid(&which, why);
            if !image.repository().is_empty() {
                return Err(invalid("has a path, but a login is for a whole host"));
            }
            if Registry::from_host(image.host()).is_some() && image.is_on_https_port() {
                return Err(invalid(
                    "names an Amazon ECR registry, whose host already contains its region",
                ));
            }
            let place = place.to_ascii_lowercase();
            let registry = match place.as_str() {
                "public" => Registry::Public { dual_stack: false },
                region if is_region(region) => Registry::in_region(region),
                host => Registry::from_host(host)
                    .ok_or_else(|| invalid("names neither a region nor an Amazon ECR registry"))?,
            };
            if hosts.iter().any(|(known, _)| image.is_on(known)) {
                return Err(invalid("is given twice"));
            }
            hosts.push((host.to_owned(), registry));
        }
        Ok(Self(hosts))
    }

    /// The registry that `image` is on.
    ///
    /// # Errors
    /// Of kind Config, when it is not an Amazon ECR registry and the operator did not name it: a token
    /// would be sent to an unknown server.
    pub(crate) fn find_registry(&self, image: &Image) -> Result<Registry, Error> {
        let named = self.0.iter().find(|(host, _)| image.is_on(host));
        if let Some((_, registry)) = named {
            return Ok(registry.clone());
        }
        let host = image.registry();
        match Registry::from_host(image.host()) {
            Some(registry) if image.is_on_https_port() => return Ok(registry),
            Some(_) => {
                return Err(Error::config(format!("`{host}` is not a port of Amazon ECR"))
                    .with_hint(format!(
                        "Amazon's registries are on port 443 only: remove the port from the \
                         image's name; if the host is a proxy of your own, name it: \
                         `--host {host}=REGION`"
                    )));
            }
            None => {}
        }
        let error = Error::config(format!("`{host}` is not a registry of Amazon ECR"));
        Err(match image.host().contains(".dkr.ecr") || image.host().contains(".dkr-ecr") {
            true => error.with_hint(
                "check the name: a registry's host is \
                 ACCOUNT.dkr.ecr[-fips].REGION.amazonaws.com, or for dual-stack \
                 ACCOUNT.dkr-ecr[-fips].REGION.on.aws; other partitions have other suffixes",
            ),
            false => error.with_hint(format!(
                "remove it from this provider's `matchImages`; if it is a mirror or cache that \
                 accepts ECR logins, name it: `--host {host}=REGION`"
            )),
        })
    }
}

/// `which` value is not valid. The value itself is not shown: it may hold a password.
fn invalid(which: &str, why: &str) -> Error {
    Error::config(format!("{which} {why}")).with_hint(
        "write HOST[:PORT]=REGION, as in `cache.example.com=us-west-2`; in place of the region \
         you can write a registry's host, or `public`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(values: &[&str]) -> Result<Hosts, Error> {
        Hosts::parse(&values.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    fn region(hosts: &Hosts, image: &str) -> Option<String> {
        let image = Image::parse(image).unwrap();
        hosts.find_registry(&image).ok().map(|registry| registry.region().to_owned())
    }

    #[test]
    fn a_named_host_has_the_registry_that_the_operator_says() {
        let hosts = hosts(&[
            "cache.example.com=us-west-2",
            "mirror.example:5000=111122223333.dkr-ecr-fips.us-east-1.on.aws",
            "pub.example=public",
        ])
        .unwrap();
        assert_eq!(region(&hosts, "cache.example.com/a").as_deref(), Some("us-west-2"));
        assert_eq!(region(&hosts, "CACHE.example.com/a").as_deref(), Some("us-west-2"));
        assert_eq!(region(&hosts, "cache.example.com:444/a"), None, "another port");
        assert_eq!(region(&hosts, "x.cache.example.com/a"), None, "another host");
        let image = Image::parse("mirror.example:5000/a").unwrap();
        let mirror = hosts.find_registry(&image).unwrap();
        assert_eq!(mirror.account(), Some("111122223333"));
        assert!(mirror.fips() && mirror.dual_stack());
        let image = Image::parse("pub.example/a").unwrap();
        assert_eq!(hosts.find_registry(&image).unwrap(), Registry::Public { dual_stack: false });
    }

    #[test]
    fn amazons_registries_are_on_one_port_unless_the_operator_names_another() {
        let amazons = "111122223333.dkr.ecr.us-west-2.amazonaws.com";
        let none = hosts(&[]).unwrap();
        for port in ["", ":443"] {
            assert!(region(&none, &format!("{amazons}{port}/a")).is_some(), "{port}");
            assert!(region(&none, &format!("public.ecr.aws{port}/a")).is_some(), "{port}");
        }
        for port in [":80", ":8443", ":5000", ":4430"] {
            let image = format!("{amazons}{port}/a");
            let error = none.find_registry(&Image::parse(&image).unwrap()).unwrap_err().render();
            assert!(error.contains("remove the port"), "{port}: {error}");
            assert_eq!(region(&none, &format!("public.ecr.aws{port}/a")), None, "{port}");
        }
        let named = hosts(&[&format!("{amazons}:5000=us-east-1")]).unwrap();
        assert_eq!(region(&named, &format!("{amazons}:5000/a")).as_deref(), Some("us-east-1"));
        assert_eq!(region(&named, &format!("{amazons}/a")).as_deref(), Some("us-west-2"));
        assert!(hosts(&[&format!("{amazons}:443=us-east-1")]).is_err(), "its own port");
    }

    #[test]
    fn mistakes_repeat_no_value() {
        for value in [
            "u:hunter2pass@h.example=us-west-2",
            "https://u:hunter2pass@h.example=us-west-2",
            "h.example/u:hunter2pass@x=us-west-2",
            "h.example=hunter2pass!",
            "hunter2pass",
        ] {
            let error = hosts(&[value]).err().unwrap().render();
            assert!(!error.contains("hunter2pass"), "{value}: {error}");
            assert!(error.contains("`--host`") && error.contains("HOST[:PORT]=REGION"), "{error}");
        }
        let error = hosts(&["h.example:5000=nowhere"]).err().unwrap().render();
        assert!(error.contains("`--host` for `h.example:5000` names neither"), "{error}");
    }

    #[test]
    fn nothing_else_is_believed() {
        for value in [
            "cache.example.com",
            "=us-west-2",
            "cache.example.com=",
            "cache.example.com=us west",
            "cache.example.com=evil.example",
            "cache.example.com/path=us-west-2",
            "https://cache.example.com=us-west-2",
            "111122223333.dkr.ecr.us-east-1.amazonaws.com=us-west-2",
        ] {
            assert!(hosts(&[value]).is_err(), "{value}");
        }
        assert!(hosts(&["a.example=us-west-2", "A.example=us-west-1"]).is_err(), "twice");
        let error = hosts(&[]).unwrap().find_registry(&Image::parse("reg.example/a").unwrap());
        assert!(error.unwrap_err().render().contains("--host reg.example=REGION"));
    }
}
