//! Which registry an image's login comes from: its own host, or a mirror that the operator named.

use pullpass::{Error, Image};

use crate::cloud::{self, Cloud};
use crate::mirror::{Mirrors, Target};
use crate::registry::{self, Host, LoginServer, Suffix};

/// Where the login for an image comes from.
pub(crate) struct LoginTarget {
    /// The registry.
    pub(crate) server: LoginServer,
    /// Whether the image names another host, which the operator mapped to this registry.
    pub(crate) mirrored: bool,
    /// The image's repository there.
    pub(crate) repository: String,
}

impl LoginTarget {
    /// The registry for the image; `None` when the host is not an ACR registry.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](pullpass::ErrorKind::Config) when the host needs no login, belongs to
    /// another cloud, or has another port than that of HTTPS.
    pub(crate) fn find(
        image: &Image,
        mirrors: &Mirrors,
        cloud: &Cloud,
    ) -> Result<Option<Self>, Error> {
        let repository = image.repository().to_owned();
        if let Some(Target { server, prefix }) = mirrors.target_of(image) {
            let repository = match prefix {
                Some(prefix) => format!("{prefix}/{repository}"),
                None => repository,
            };
            return Ok(Some(Self { server: server.clone(), mirrored: true, repository }));
        }
        let read = |suffixes: &[Suffix]| registry::read(image.host(), image.port(), suffixes);
        match read(&cloud.suffixes) {
            Host::OtherPort => Err(Error::config(format!(
                "`{}` is not the HTTPS port of an ACR registry",
                image.registry()
            ))
            .with_hint(format!(
                "remove the port from the image's name; if it is a mirror of that registry, add \
                 `--registry-mirror {}:{}`",
                image.registry(),
                image.host()
            ))),
            Host::LoginServer(server) => Ok(Some(Self { server, mirrored: false, repository })),
            Host::Data => Err(Error::config(format!("`{}` needs no login", image.registry()))
                .with_hint("remove data endpoints from this provider's `matchImages`")),
            Host::Foreign if read(&cloud::known_suffixes()) != Host::Foreign => {
                Err(Error::config(format!("`{}` is a registry of another cloud", image.registry()))
                    .with_hint(
                        "an identity belongs to one cloud: check `cloud` in `azure.json`, or \
                         `--cloud`",
                    ))
            }
            // As the Go plugin: `matchImages` may hold hosts that are mirrored on some nodes.
            Host::Foreign => Ok(None),
        }
    }
}
