//! A cloud as a file or its own resource manager describes it, as for Azure Stack Hub.

use pullpass::{Context, Error};
use serde::Deserialize;

use super::endpoint::parse_authority;

/// A cloud that is described in a file, as for Azure Stack Hub.
#[derive(Default, Deserialize)]
pub(super) struct Description {
    #[serde(rename = "activeDirectoryEndpoint")]
    pub(super) authority: Option<String>,
    #[serde(rename = "containerRegistryDNSSuffix")]
    pub(super) suffix: Option<String>,
}

impl Description {
    /// Reads the file that `AZURE_ENVIRONMENT_FILEPATH` names, if it is set.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](pullpass::ErrorKind::Config) when it cannot be read.
    pub(super) fn read(cx: &Context) -> Result<Self, Error> {
        let Some(path) = cx.env.os("AZURE_ENVIRONMENT_FILEPATH") else {
            return Ok(Self::default());
        };
        let hint = "`AZURE_ENVIRONMENT_FILEPATH` names the JSON file that describes the cloud";
        let text =
            pullpass::file::read_config(path.as_ref()).map_err(|error| error.with_hint(hint))?;
        let described: Self = serde_json::from_str(&text).map_err(|error| {
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

    /// Asks a cloud's resource manager. Of several clouds it takes the one with that name; without
    /// a name the first.
    ///
    /// # Errors
    /// When it cannot be reached, or does not know that cloud.
    pub(super) async fn request(
        manager: &str,
        name: Option<&str>,
        cx: &Context,
    ) -> Result<Self, Error> {
        let mut url = parse_authority(manager, "`resourceManagerEndpoint`")?;
        url.set_path("/metadata/endpoints");
        url.set_query(Some("api-version=2019-05-01"));
        let reply = cx.http.get(url).send().await?;
        let hint = "`resourceManagerEndpoint` in `azure.json` must be the cloud's resource manager";
        if !reply.is_success() {
            let what = format!("`{}` answered {}", reply.target(), reply.status());
            return Err(Error::new(reply.kind(), what).with_hint(hint));
        }
        let clouds: Vec<Metadata> = reply.json()?;
        let is_asked =
            |cloud: &Metadata| name.is_none_or(|it| it.eq_ignore_ascii_case(&cloud.name));
        let cloud = clouds.into_iter().find(is_asked).ok_or_else(|| {
            Error::config(format!("`{}` does not describe the configured cloud", reply.target()))
                .with_hint(hint)
        })?;
        Ok(Self {
            authority: Some(cloud.authentication.login_endpoint),
            suffix: cloud.suffixes.acr_login_server.filter(|suffix| !suffix.is_empty()),
        })
    }
}

/// What a cloud's resource manager says about it, and maybe about others.
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
