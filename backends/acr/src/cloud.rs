//! The clouds of Azure: Entra's host, and the domain of the registries.
//!
//! Source: Microsoft Entra, "National clouds"; Azure Container Registry, "Registry endpoints".

mod description;
mod endpoint;

use pullpass::{Context, Error};
use url::Url;

use self::description::Description;
pub(crate) use self::endpoint::{parse_authority, parse_suffix};
use crate::registry::Suffix;

/// The operator's settings for the cloud.
pub(crate) struct CloudSettings {
    pub(crate) name: Option<String>,
    pub(crate) authority: Option<Url>,
    pub(crate) suffixes: Vec<Suffix>,
    /// What describes the cloud; used if the cloud is not known by name.
    pub(crate) resource_manager: Option<String>,
}

/// One cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cloud {
    /// The URL of Microsoft Entra ID, or the service that replaces it: scheme and host.
    pub(crate) authority: Url,
    /// How the hosts of its registries end.
    pub(crate) suffixes: Vec<Suffix>,
    /// The audience of federated tokens, where it is known.
    pub(crate) audience: Option<&'static str>,
}

/// A cloud that is known by name.
struct Known {
    /// Its names in `cloud` of `azure.json`.
    names: &'static [&'static str],
    authority: &'static str,
    suffix: &'static str,
    audience: &'static str,
}

/// What Entra expects in the token of a federated issuer, in the public cloud.
/// Source: Microsoft Entra, "Configure an app to trust an external identity provider".
pub(crate) const AUDIENCE: &str = "api://AzureADTokenExchange";

const KNOWN: [Known; 3] = [
    Known {
        names: &["azurecloud", "azurepubliccloud"],
        authority: "https://login.microsoftonline.com",
        suffix: "azurecr.io",
        audience: AUDIENCE,
    },
    Known {
        names: &["azureusgovernment", "azureusgovernmentcloud"],
        authority: "https://login.microsoftonline.us",
        suffix: "azurecr.us",
        audience: "api://AzureADTokenExchangeUSGov",
    },
    Known {
        names: &["azurechinacloud"],
        authority: "https://login.chinacloudapi.cn",
        suffix: "azurecr.cn",
        audience: "api://AzureADTokenExchangeChina",
    },
];

/// The registry suffixes of the clouds that are known by name.
pub(crate) fn known_suffixes() -> Vec<Suffix> {
    KNOWN.iter().filter_map(|known| Suffix::parse(known.suffix)).collect()
}

impl Cloud {
    /// Finds the cloud that the settings name. Makes a call only when `azure.json` names a resource
    /// manager and no known cloud.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](pullpass::ErrorKind::Config) when it is unknown, or its description
    /// cannot be read.
    pub(crate) async fn find(settings: &CloudSettings, cx: &Context) -> Result<Self, Error> {
        let name = settings.name.as_deref().unwrap_or("AzureCloud");
        let known = KNOWN.iter().find(|known| known.names.contains(&&*name.to_ascii_lowercase()));
        let is_known = settings.name.is_some() && known.is_some();
        let mut described = match is_known {
            true => Description::default(),
            false => Description::read(cx)?,
        };
        if let (false, Some(manager)) = (is_known, &settings.resource_manager)
            && settings.authority.is_none()
            && described.authority.is_none()
        {
            let answer = Description::request(manager, settings.name.as_deref(), cx).await?;
            described.suffix = described.suffix.or(answer.suffix);
            described.authority = answer.authority;
        }
        let authority = match (&settings.authority, &described.authority, known) {
            (Some(named), ..) => named.clone(),
            (None, Some(described), _) => parse_authority(described, "`activeDirectoryEndpoint`")?,
            (None, None, Some(known)) => parse_authority(known.authority, "the table of clouds")?,
            (None, None, None) => {
                return Err(Error::config("`--cloud` (or `cloud` in `azure.json`) is not known")
                    .with_hint(
                        "use AzureCloud, AzureUSGovernment or AzureChinaCloud; describe another \
                         cloud with `--authority-host` and `--registry-suffix`, or in the file \
                         that `AZURE_ENVIRONMENT_FILEPATH` names",
                    ));
            }
        };
        // Only this cloud's suffix: its tokens must not go to another cloud's registries. Without a
        // name, the authority decides which cloud it is.
        let own = match settings.name.is_some() {
            true => known,
            false => KNOWN.iter().find(|known| {
                Url::parse(known.authority).is_ok_and(|url| url.origin() == authority.origin())
            }),
        };
        let mut suffixes: Vec<Suffix> =
            own.iter().filter_map(|known| Suffix::parse(known.suffix)).collect();
        suffixes.extend(settings.suffixes.iter().cloned());
        if let Some(suffix) = &described.suffix {
            suffixes.push(parse_suffix(suffix, "the description of the cloud")?);
        }
        Ok(Self { authority, suffixes, audience: own.map(|known| known.audience) })
    }
}
