//! Registries whose images are pulled from an ACR registry: `--registry-mirror`.

use pullpass::{Error, Image};

use crate::registry::{self, Host, LoginServer, Suffix};

/// The mirrors that the operator named.
pub(crate) struct Mirrors(Vec<Mirror>);

struct Mirror {
    /// `host[:port]` of the images.
    source: String,
    target: Target,
}

/// Where a mirror's images really are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The registry.
    pub(crate) server: LoginServer,
    /// The path in front of the image's own repository, for a registry that caches several others.
    pub(crate) prefix: Option<String>,
}

impl Mirrors {
    /// Reads `SOURCE:TARGET[/PREFIX][,...]`, each a value of `--registry-mirror`. A source may
    /// have a port: the target begins after the last colon.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](pullpass::ErrorKind::Config) when an entry is not of that form, or its
    /// target is not an ACR registry.
    pub(crate) fn parse(values: &[String], suffixes: &[Suffix]) -> Result<Self, Error> {
        let mut mirrors: Vec<Mirror> = Vec::new();
        let entries = values.iter().flat_map(|value| value.split(','));
        for entry in entries.map(|entry| entry.replace(' ', "")).filter(|entry| !entry.is_empty()) {
            let unnamed = |why| invalid("`--registry-mirror`", why);
            if entry.contains("://") {
                return Err(unnamed("has a scheme"));
            }
            let (source, target) =
                entry.rsplit_once(':').ok_or_else(|| unnamed("has no target"))?;
            if target.bytes().all(|c| c.is_ascii_digit()) {
                return Err(unnamed("ends in a port"));
            }
            let image = Image::parse(source).map_err(|_| unnamed("has no valid source"))?;
            let which = format!("`--registry-mirror` of `{}`", image.registry());
            let invalid = |why| invalid(&which, why);
            if !image.repository().is_empty() {
                return Err(invalid("has a path, but a login is for a whole host"));
            }
            let (host, prefix) = match target.split_once('/') {
                Some((host, prefix)) => (host, Some(prefix.trim_end_matches('/'))),
                None => (target, None),
            };
            let host = host.to_ascii_lowercase();
            let Host::LoginServer(server) = registry::read(&host, None, suffixes) else {
                return Err(invalid("has a target that is not a registry of this cloud"));
            };
            if mirrors.iter().any(|known| image.is_on(&known.source)) {
                return Err(invalid("repeats a source"));
            }
            let prefix = prefix.filter(|prefix| !prefix.is_empty()).map(str::to_owned);
            let target = Target { server, prefix };
            mirrors.push(Mirror { source: source.to_owned(), target });
        }
        Ok(Self(mirrors))
    }

    /// The target for `image`, if its host, with its port, is the source of a mirror.
    pub(crate) fn target_of(&self, image: &Image) -> Option<&Target> {
        self.0.iter().find(|mirror| image.is_on(&mirror.source)).map(|mirror| &mirror.target)
    }
}

/// `which` entry is not valid. The entry itself is not shown: it may hold a password.
fn invalid(which: &str, why: &str) -> Error {
    Error::config(format!("{which} {why}")).with_hint(
        "write SOURCE:TARGET[/PATH], as in `mcr.microsoft.com:mine.azurecr.io`, without `https://` \
         and without a port of the target; several with commas, or the option several times",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mirrors(values: &[&str]) -> Result<Mirrors, Error> {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        Mirrors::parse(&values, &[Suffix::parse("azurecr.io").unwrap()])
    }

    fn target(mirrors: &Mirrors, image: &str) -> Option<String> {
        let image = Image::parse(image).unwrap();
        mirrors.target_of(&image).map(|target| target.server.host().to_owned())
    }

    #[test]
    fn mistakes_repeat_no_value() {
        for value in [
            "u:hunter2pass@mcr.example:abc.azurecr.io",
            "mcr.example/hunter2pass:abc.azurecr.io",
            "mcr.example:u:hunter2pass@abc.azurecr.io",
            "https://hunter2pass",
            "hunter2pass",
        ] {
            let error = mirrors(&[value]).err().unwrap().render();
            assert!(!error.contains("hunter2pass"), "{value}: {error}");
            assert!(error.contains("`--registry-mirror`"), "{error}");
            assert!(error.contains("SOURCE:TARGET[/PATH]"), "{error}");
        }
    }

    #[test]
    fn a_target_may_have_a_prefix() {
        let mirrors =
            mirrors(&["mcr.microsoft.com:abc.azurecr.io/aks-managed-repository"]).unwrap();
        let image = Image::parse("mcr.microsoft.com/oss/pause").unwrap();
        let target = mirrors.target_of(&image).unwrap();
        assert_eq!(target.server.host(), "abc.azurecr.io");
        assert_eq!(target.prefix.as_deref(), Some("aks-managed-repository"));
    }

    #[test]
    fn a_mirror_is_the_whole_host_with_its_port() {
        for values in [
            &["mcr.microsoft.com:abc.azurecr.io, localhost:5000:def.azurecr.io"][..],
            &["mcr.microsoft.com:abc.azurecr.io", "localhost:5000:def.azurecr.io"],
        ] {
            let mirrors = mirrors(values).unwrap();
            let target_host = |image| target(&mirrors, image);
            assert_eq!(
                target_host("mcr.microsoft.com/bar/image").as_deref(),
                Some("abc.azurecr.io")
            );
            assert_eq!(
                target_host("MCR.microsoft.com/bar/image").as_deref(),
                Some("abc.azurecr.io")
            );
            assert_eq!(target_host("localhost:5000/a").as_deref(), Some("def.azurecr.io"));
            assert_eq!(target_host("localhost/a"), None);
            assert_eq!(target_host("mcr.microsoft.com.evil.example/a"), None);
            assert_eq!(target_host("foo.azurecr.io/bar/image"), None);
        }
        assert!(mirrors(&[""]).unwrap().0.is_empty());
    }

    #[test]
    fn mistakes_are_errors_and_not_dropped() {
        for value in [
            "aaa",
            "aaa:bbb",
            ":abc.azurecr.io",
            "mcr.microsoft.com:evil.example",
            "mcr.microsoft.com/path:abc.azurecr.io",
            "a.example:abc.azurecr.io,A.example:def.azurecr.io",
        ] {
            assert!(mirrors(&[value]).is_err(), "{value}");
        }
    }
}
