//! What a container runtime does with a login: the registry's challenge, its token server, then
//! manifest and blobs, each by its digest (OCI distribution specification, "Pulling").

use reqwest::{Response, StatusCode, header};
use serde_json::Value;
use url::Url;

use crate::demo::Result;
use crate::demo::world::{REPOSITORY, TAG, World};
use crate::image::digest;

/// A user name and a password, in the order in which the kubelet would try them.
pub(super) type Logins = [(String, String)];

/// A client of the demonstration's registry.
pub(super) struct Puller {
    client: reqwest::Client,
    base: String,
}

/// An image that arrived.
pub(super) struct Pulled {
    /// The manifest's digest.
    pub(super) digest: String,
    /// Name, size and digest of each part.
    pub(super) parts: Vec<(String, usize, String)>,
}

impl Puller {
    pub(super) fn new(world: &World) -> Self {
        let base = format!("{}/v2/{REPOSITORY}", world.registry.url());
        Self { client: world.ca.client(), base }
    }

    /// Asks without a login; returns the registry's words.
    pub(super) async fn refused_without_login(&self) -> Result<String> {
        let response = self.fetch(&format!("manifests/{TAG}"), None).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Err(format!("the registry let in a stranger: {}", response.status()));
        }
        let body: Value = response.json().await.map_err(text)?;
        Ok(body["errors"][0]["message"].as_str().unwrap_or_default().to_owned())
    }

    /// Pulls with the first login that the registry's token server takes.
    pub(super) async fn pull(&self, logins: &Logins) -> Result<Pulled> {
        let bearer = self.bearer(logins).await?;
        let manifest = self.bytes(&format!("manifests/{TAG}"), &bearer).await?;
        let manifest_digest = digest(&manifest);
        let by_digest = self.bytes(&format!("manifests/{manifest_digest}"), &bearer).await?;
        if by_digest != manifest {
            return Err("tag and digest name different manifests".to_owned());
        }
        let mut parts = vec![("manifest".to_owned(), manifest.len(), manifest_digest.clone())];

        let manifest: Value =
            serde_json::from_slice(&manifest).map_err(|error| error.to_string())?;
        let layers = manifest["layers"].as_array().map(Vec::as_slice).unwrap_or_default();
        let blobs = std::iter::once(("config", &manifest["config"]))
            .chain(layers.iter().map(|layer| ("layer", layer)));
        for (name, descriptor) in blobs {
            let wanted = descriptor["digest"].as_str().unwrap_or_default();
            let blob = self.bytes(&format!("blobs/{wanted}"), &bearer).await?;
            if digest(&blob) != wanted || descriptor["size"] != blob.len() {
                return Err(format!("the {name} is not what the manifest says"));
            }
            parts.push((name.to_owned(), blob.len(), wanted.to_owned()));
        }
        Ok(Pulled { digest: manifest_digest, parts })
    }

    /// Follows the challenge. The realm is the registry's to choose, as for every runtime.
    async fn bearer(&self, logins: &Logins) -> Result<String> {
        let response = self.fetch(&format!("manifests/{TAG}"), None).await?;
        let challenge = response.headers().get(header::WWW_AUTHENTICATE);
        let challenge = challenge.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let field = |name: &str| {
            let (_, rest) = challenge.split_once(&format!("{name}=\""))?;
            rest.split_once('"').map(|(value, _)| value)
        };
        let (Some(realm), Some(service), Some(scope)) =
            (field("realm"), field("service"), field("scope"))
        else {
            return Err(format!("a challenge that is no Bearer challenge: `{challenge}`"));
        };
        let mut refusal = "the plugin returned no login".to_owned();
        for (user, password) in logins {
            let url = Url::parse_with_params(realm, [("service", service), ("scope", scope)]);
            let url = url.map_err(|error| format!("the realm `{realm}`: {error}"))?;
            let request = self.client.get(url);
            let response = request.basic_auth(user, Some(password)).send().await.map_err(text)?;
            let accepted = response.status().is_success();
            let body: Value = response.json().await.map_err(text)?;
            match body["token"].as_str() {
                Some(token) if accepted => return Ok(token.to_owned()),
                _ => refusal = format!("the login was refused: {}", body["errors"][0]["message"]),
            }
        }
        Err(refusal)
    }

    async fn bytes(&self, path: &str, bearer: &str) -> Result<Vec<u8>> {
        let response = self.fetch(path, Some(bearer)).await?;
        let status = response.status();
        if !status.is_success() {
            return Err(format!("the registry answers {status} for {path}"));
        }
        Ok(response.bytes().await.map_err(text)?.to_vec())
    }

    async fn fetch(&self, path: &str, bearer: Option<&str>) -> Result<Response> {
        let mut request = self.client.get(format!("{}/{path}", self.base));
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        request.send().await.map_err(text)
    }
}

fn text(error: reqwest::Error) -> String {
    format!("the registry cannot be reached: {error}")
}
