//! The clouds: how the hosts of Entra ID and of registries are called, and for what tokens are.

/// What every cloud calls its registries when a token is for them.
const REGISTRIES: &str = "https://containerregistry.azure.net";

/// One cloud (Microsoft Entra, "National clouds").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cloud {
    /// Hosts of Entra ID, the usual one first.
    pub authorities: Vec<String>,
    /// How registries' login servers end, without the first dot.
    pub registry_suffix: String,
    /// What Azure Resource Manager is called when a token is for it.
    pub resource_managers: Vec<String>,
    /// The audience of service account tokens, as documented for federation in this cloud.
    pub federation_audience: String,
    /// The `iss` of access tokens, before the tenant.
    pub token_issuer: String,
}

impl Cloud {
    /// Azure for everybody.
    pub fn public() -> Self {
        Self::with(
            &["login.microsoftonline.com"],
            "azurecr.io",
            &["https://management.azure.com", "https://management.core.windows.net"],
            "api://AzureADTokenExchange",
            "https://sts.windows.net",
        )
    }

    /// Azure for the United States' government.
    pub fn government() -> Self {
        Self::with(
            &["login.microsoftonline.us"],
            "azurecr.us",
            &["https://management.usgovcloudapi.net", "https://management.core.usgovcloudapi.net"],
            "api://AzureADTokenExchangeUSGov",
            "https://sts.windows.net",
        )
    }

    /// Azure in China, run by 21Vianet.
    pub fn china() -> Self {
        Self::with(
            &["login.chinacloudapi.cn", "login.partner.microsoftonline.cn"],
            "azurecr.cn",
            &["https://management.chinacloudapi.cn", "https://management.core.chinacloudapi.cn"],
            "api://AzureADTokenExchangeChina",
            "https://sts.chinacloudapi.cn",
        )
    }

    /// A custom cloud: the host of its authority, and how its registries end.
    pub fn custom(authority: &str, registry_suffix: &str) -> Self {
        let manager = format!("https://management.{registry_suffix}");
        let issuer = format!("https://{authority}");
        Self::with(
            &[authority],
            registry_suffix,
            &[&manager],
            "api://AzureADTokenExchange",
            &issuer,
        )
    }

    fn with(
        authorities: &[&str],
        registry_suffix: &str,
        resource_managers: &[&str],
        federation_audience: &str,
        token_issuer: &str,
    ) -> Self {
        let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        Self {
            authorities: owned(authorities),
            registry_suffix: registry_suffix.to_owned(),
            resource_managers: owned(resource_managers),
            federation_audience: federation_audience.to_owned(),
            token_issuer: token_issuer.to_owned(),
        }
    }

    /// What a token for that resource is good for; `None` if the cloud knows no such resource.
    pub(super) fn resource(&self, name: &str) -> Option<Resource> {
        let name = name.strip_suffix('/').unwrap_or(name);
        if name == REGISTRIES {
            return Some(Resource::Registries);
        }
        self.resource_managers.iter().any(|known| known == name).then_some(Resource::Manager)
    }
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    /// Container registries.
    Registries,
    /// Azure Resource Manager, which registries take too unless told not to.
    Manager,
}
