//! Identity bindings, as the options that AKS sets name them.

use std::path::PathBuf;

use pullpass::text::is_dns_label;
use pullpass::{Error, Options};
use url::{Host, Url};

/// Identity bindings: the API server replaces Entra.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) sni_name: String,
    /// An address, or a name that is looked up.
    pub(crate) api_server: String,
    pub(crate) default_client_id: Option<String>,
    pub(crate) default_tenant_id: Option<String>,
    pub(crate) ca_file: PathBuf,
}

pub(super) fn read(options: &Options) -> Result<Option<Binding>, Error> {
    // For features that are off, AKS passes flags with an empty value.
    let value = |name: &str| options.non_empty(name).map(str::to_owned);
    let Some(sni_name) = value("ib-sni-name") else {
        let others = ["ib-apiserver-ip", "ib-default-client-id", "ib-default-tenant-id"];
        return match others.into_iter().find(|other| value(other).is_some()) {
            Some(other) => Err(Error::config(format!(
                "`--ib-sni-name` must be set: `--{other}` has no effect without it"
            ))
            .with_hint(format!(
                "set `--ib-sni-name` to the host name that the API server uses for identity \
                 bindings, or remove `--{other}`"
            ))),
            None => Ok(None),
        };
    };
    let is_name = |text: &str| text.split('.').all(is_dns_label);
    if sni_name.contains("://") {
        return Err(Error::config("`--ib-sni-name` must not contain a protocol prefix")
            .with_hint("write the host name only"));
    }
    // A URL reads more texts as an address than look like one, and an address is not looked up.
    let is_domain = Url::parse(&format!("https://{sni_name}/"))
        .is_ok_and(|url| matches!(url.host(), Some(Host::Domain(_))));
    if !is_name(&sni_name) || !is_domain {
        return Err(Error::config("`--ib-sni-name` is not a host name").with_hint(
            "write the host name \
                           only",
        ));
    }
    let api_server = value("ib-apiserver-ip").ok_or_else(|| {
        Error::config("`--ib-apiserver-ip` must be set because `--ib-sni-name` is set")
            .with_hint("write the API server's IP address, or a host name that resolves to it")
    })?;
    if api_server.parse::<std::net::IpAddr>().is_err() && !is_name(&api_server) {
        return Err(Error::config("`--ib-apiserver-ip` is neither an IP address nor a host name")
            .with_hint("write the API server's IP address, or a host name that resolves to it"));
    }
    let ca_file = options.path("ib-ca-file").unwrap_or_default();
    Ok(Some(Binding {
        sni_name,
        api_server,
        default_client_id: value("ib-default-client-id"),
        default_tenant_id: value("ib-default-tenant-id"),
        ca_file,
    }))
}
