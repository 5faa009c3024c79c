//! The clouds of Azure: where identities are asked for, and how registries end.
//!
//! Source: Microsoft Entra, "National clouds"; Azure Container Registry, "Registry endpoints".

use pullpass::{Context, Error};
use serde::Deserialize;
use url::Url;

use crate::settings::Settings;

/// One cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cloud {
    /// Microsoft Entra ID, or what stands for it: scheme and host.
    pub(crate) authority: Url,
    /// How the hosts of its registries end.
    pub(crate) suffixes: Vec<String>,
}

/// A cloud that everybody knows.
struct Known {
    /// What `cloud` may call it, as in `azure.json`.
    names: &'static [&'static str],
    authority: &'static str,
    suffix: &'static str,
}

const KNOWN: [Known; 3] = [
    Known {
        names: &["azurecloud", "azurepubliccloud"],
        authority: "https://login.microsoftonline.com",
        suffix: "azurecr.io",
    },
    Known {
        names: &["azureusgovernment", "azureusgovernmentcloud"],
        authority: "https://login.microsoftonline.us",
        suffix: "azurecr.us",
    },
    Known {
        names: &["azurechinacloud"],
        authority: "https://login.chinacloudapi.cn",
        suffix: "azurecr.cn",
    },
];

/// How registries end in the clouds that everybody knows.
pub(crate) fn known_suffixes() -> Vec<String> {
    KNOWN.iter().map(|known| known.suffix.to_owned()).collect()
}

impl Cloud {
    /// The cloud that the settings name. Makes a call only where `azure.json` names the
    /// resource manager and no cloud that everybody knows.
    ///
    /// # Errors
    /// Of kind Config, when it is unknown, or described in a file that cannot be read.
    pub(crate) async fn of(settings: &Settings, cx: &Context) -> Result<Self, Error> {
        let name = settings.cloud.as_deref().unwrap_or("AzureCloud");
        let known = KNOWN.iter().find(|known| known.names.contains(&&*name.to_ascii_lowercase()));
        let is_known = settings.cloud.is_some() && known.is_some();
        let mut described = match is_known {
            true => Description::default(),
            false => Description::read(cx)?,
        };
        if let (false, Some(manager)) = (is_known, &settings.resource_manager)
            && settings.authority_host.as_ref().or(described.authority.as_ref()).is_none()
        {
            let asked = Description::ask(manager, settings.cloud.as_deref(), cx).await?;
            described.suffix = described.suffix.or(asked.suffix);
            described.authority = asked.authority;
        }
        let authority = match (&settings.authority_host, &described.authority, known) {
            (Some(named), ..) => authority(named, "`--authority-host`")?,
            (None, Some(described), _) => authority(described, "`activeDirectoryEndpoint`")?,
            (None, None, Some(known)) => authority(known.authority, "the table of clouds")?,
            (None, None, None) => {
                return Err(Error::config(format!("the cloud `{name}` is not known")).with_hint(
                    "name AzureCloud, AzureUSGovernment or AzureChinaCloud; describe another one \
                     by `--authority-host` and `--registry-suffix`, or in the file that \
                     `AZURE_ENVIRONMENT_FILEPATH` names",
                ));
            }
        };
        // Its own alone: an identity's token is nothing for another cloud's registries. Where no
        // cloud is named, the authority tells it.
        let of = |known: &&Known| {
            Url::parse(known.authority).is_ok_and(|url| url.origin() == authority.origin())
        };
        let own = match settings.cloud.is_some() {
            true => known,
            false => KNOWN.iter().find(of),
        };
        let mut suffixes: Vec<String> = own.iter().map(|known| known.suffix.to_owned()).collect();
        for suffix in settings.registry_suffixes.iter().chain(&described.suffix) {
            suffixes.push(own_suffix(suffix)?);
        }
        Ok(Self { authority, suffixes })
    }
}

/// A cloud that is described in a file, as for Azure Stack Hub.
#[derive(Default, Deserialize)]
struct Description {
    #[serde(rename = "activeDirectoryEndpoint")]
    authority: Option<String>,
    #[serde(rename = "containerRegistryDNSSuffix")]
    suffix: Option<String>,
}

impl Description {
    fn read(cx: &Context) -> Result<Self, Error> {
        let Some(path) = cx.env.os("AZURE_ENVIRONMENT_FILEPATH") else {
            return Ok(Self::default());
        };
        let hint = "`AZURE_ENVIRONMENT_FILEPATH` names the JSON file that describes the cloud";
        let bytes = pullpass::file::read(path.as_ref()).map_err(|error| error.with_hint(hint))?;
        let described: Self = serde_json::from_slice(&bytes).map_err(|error| {
            Error::config(format!(
                "the cloud's description is not valid JSON (line {}, column {})",
                error.line(),
                error.column()
            ))
            .with_hint(hint)
        })?;
        let some = |text: Option<String>| text.filter(|text| !text.is_empty());
        Ok(Self { authority: some(described.authority), suffix: some(described.suffix) })
    }

    /// Of several clouds the one of that name; without a name the first.
    async fn ask(manager: &str, name: Option<&str>, cx: &Context) -> Result<Self, Error> {
        let mut url = authority(manager, "`resourceManagerEndpoint`")?;
        url.set_path("/metadata/endpoints");
        url.set_query(Some("api-version=2019-05-01"));
        let reply = cx.http.get(url).send().await?;
        let hint = "`resourceManagerEndpoint` in `azure.json` names what describes the cloud";
        if !reply.is_success() {
            let what = format!("`{}` answered {}", reply.target(), reply.status());
            return Err(Error::new(reply.kind(), what).with_hint(hint));
        }
        let clouds: Vec<Metadata> = reply.json()?;
        let is_asked =
            |cloud: &Metadata| name.is_none_or(|it| it.eq_ignore_ascii_case(&cloud.name));
        let cloud = clouds.into_iter().find(is_asked).ok_or_else(|| {
            let name = name.unwrap_or_default();
            Error::config(format!("`{}` describes no cloud `{name}`", reply.target()))
                .with_hint(hint)
        })?;
        Ok(Self {
            authority: Some(cloud.authentication.login_endpoint),
            suffix: cloud.suffixes.acr_login_server.filter(|suffix| !suffix.is_empty()),
        })
    }
}

/// What a cloud's resource manager says of it, and maybe of others.
/// Source: Azure Resource Manager, "metadata/endpoints", version 2019-05-01.
#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    name: String,
    authentication: Authentication,
    #[serde(default)]
    suffixes: Suffixes,
}

#[derive(Deserialize)]
struct Authentication {
    #[serde(rename = "loginEndpoint")]
    login_endpoint: String,
}

#[derive(Default, Deserialize)]
struct Suffixes {
    #[serde(rename = "acrLoginServer")]
    acr_login_server: Option<String>,
}

fn authority(text: &str, named_by: &str) -> Result<Url, Error> {
    let url = Url::parse(text).ok().filter(|url| {
        let is_bare = url.username().is_empty() && url.password().is_none() && url.path() == "/";
        url.scheme() == "https" && url.host().is_some() && is_bare
    });
    url.ok_or_else(|| {
        Error::config(format!("{named_by} names no `https://` URL of a host alone")).with_hint(
            "such as `https://login.microsoftonline.com`; AD FS, with a path, is not supported",
        )
    })
}

/// The ending of a custom cloud's registries: at least two labels, or every host would do.
fn own_suffix(text: &str) -> Result<String, Error> {
    let suffix = text.trim_start_matches('.').to_ascii_lowercase();
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
    };
    match suffix.split('.').count() >= 2 && suffix.split('.').all(is_label) {
        true => Ok(suffix),
        false => Err(Error::config(format!("`{text}` cannot be the end of a registry's host"))
            .with_hint("as in `--registry-suffix azurecr.my.cloud`")),
    }
}
