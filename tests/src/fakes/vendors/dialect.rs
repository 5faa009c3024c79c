//! The dialects: whose they are, and what is fixed in each.

use super::answer::{Served, Shape};
use super::visit::Visit;
use super::{
    ArtifactKeeper, Artifactory, Broker, Chainguard, Cloudsmith, Dex, DockerHub, Entra, GoogleSts,
    HarborBridge, Ibm, KeycloakClientAssertion, KeycloakJwtGrant, OAuth, Quay, Vault, Yandex,
};

/// A vendor, and what is set up there.
#[derive(Clone)]
pub enum Dialect {
    /// JFrog Artifactory: JSON with the names of RFC 8693.
    Artifactory(Artifactory),
    /// artifact-keeper's exchange for CI tokens.
    ArtifactKeeper(ArtifactKeeper),
    /// A broker like gawsoftpl's.
    Broker(Broker),
    /// Chainguard's STS.
    Chainguard(Chainguard),
    /// Cloudsmith.
    Cloudsmith(Cloudsmith),
    /// Dex: RFC 8693 with a connector.
    Dex(Dex),
    /// Docker Hub.
    DockerHub(DockerHub),
    /// Entra ID and those like it: the pod's token is the client's assertion.
    Entra(Entra),
    /// Google's STS, and a service account's token from it.
    GoogleSts(GoogleSts),
    /// The Harbor workload identity bridge.
    HarborBridge(HarborBridge),
    /// IBM Cloud.
    Ibm(Ibm),
    /// Keycloak: the pod's token is the client's assertion.
    KeycloakClientAssertion(KeycloakClientAssertion),
    /// Keycloak: RFC 7523, the pod's token is the grant.
    KeycloakJwtGrant(KeycloakJwtGrant),
    /// Any token endpoint, with discovery and every kind of client authentication.
    OAuth(OAuth),
    /// Quay.
    Quay(Quay),
    /// Vault and OpenBao.
    Vault(Vault),
    /// Yandex Cloud.
    Yandex(Yandex),
}

impl Dialect {
    /// The path of the (first) call.
    pub(super) fn path(&self) -> String {
        match self {
            Self::Artifactory(_) => "/access/api/v1/oidc/token".to_owned(),
            Self::ArtifactKeeper(_) => "/api/v1/auth/ci/token".to_owned(),
            Self::Broker(broker) => broker.path.clone(),
            Self::Chainguard(_) => "/sts/exchange".to_owned(),
            Self::Cloudsmith(cloudsmith) => format!("/openid/{}/", cloudsmith.org),
            Self::Dex(dex) => format!("{}/token", dex.prefix),
            Self::DockerHub(_) | Self::Yandex(_) => "/oauth/token".to_owned(),
            Self::Entra(entra) => format!("/{}/oauth2/v2.0/token", entra.tenant),
            Self::GoogleSts(_) => "/v1/token".to_owned(),
            Self::HarborBridge(_) => "/v1/credentials".to_owned(),
            Self::Ibm(_) => "/identity/token".to_owned(),
            Self::KeycloakClientAssertion(keycloak) => realm_path(&keycloak.realm),
            Self::KeycloakJwtGrant(keycloak) => realm_path(&keycloak.realm),
            Self::OAuth(oauth) => format!("{}/token", oauth.prefix),
            Self::Quay(_) => "/oauth2/federation/robot/token".to_owned(),
            Self::Vault(vault) => format!("/v1/auth/{}/login", vault.auth_mount),
        }
    }

    /// The `aud` of a pod's token, where the vendor dictates it.
    pub(super) fn audience(&self, url: &str) -> Option<String> {
        match self {
            Self::KeycloakClientAssertion(keycloak) => Some(realm(url, &keycloak.realm)),
            Self::KeycloakJwtGrant(keycloak) => Some(realm(url, &keycloak.realm)),
            _ => None,
        }
    }

    /// How long a password usually lives, in seconds. Where the facts name no time, the comment says
    /// so.
    pub(super) fn lifetime(&self) -> i64 {
        match self {
            Self::ArtifactKeeper(_) => 900,
            Self::DockerHub(_) | Self::KeycloakClientAssertion(_) | Self::KeycloakJwtGrant(_) => {
                300
            }
            // Dex's default for `idTokens`, from its documents.
            Self::Dex(_) => 86_400,
            Self::Entra(_) | Self::GoogleSts(_) => 3599,
            // Of these only Quay's, Chainguard's, IBM's and the bridge's hour is known; Artifactory,
            // Cloudsmith, Yandex, Vault and brokers are set by their administrators.
            _ => 3600,
        }
    }

    pub(super) fn shape(&self) -> Shape {
        match self {
            Self::Artifactory(_) => Shape::CodedErrors,
            Self::ArtifactKeeper(_) => Shape::CodeMessage,
            Self::Broker(_) | Self::HarborBridge(_) => Shape::Text,
            Self::Chainguard(_) => Shape::Grpc,
            Self::Cloudsmith(_) => Shape::Detail,
            Self::Ibm(_) => Shape::Ibm,
            Self::Quay(_) => Shape::Error,
            Self::Vault(_) => Shape::VaultErrors,
            _ => Shape::OAuth,
        }
    }

    pub(super) fn needs_client_certificate(&self) -> bool {
        match self {
            Self::HarborBridge(bridge) => bridge.mtls,
            Self::OAuth(oauth) => oauth.client.is_mtls(),
            _ => false,
        }
    }

    pub(super) async fn answer(&self, visit: &Visit<'_>) -> Served {
        match self {
            Self::Artifactory(artifactory) => artifactory.answer(visit).await,
            Self::ArtifactKeeper(keeper) => keeper.answer(visit).await,
            Self::Broker(broker) => broker.answer(visit).await,
            Self::Chainguard(chainguard) => chainguard.answer(visit).await,
            Self::Cloudsmith(cloudsmith) => cloudsmith.answer(visit).await,
            Self::Dex(dex) => dex.answer(visit).await,
            Self::DockerHub(hub) => hub.answer(visit).await,
            Self::Entra(entra) => entra.answer(visit).await,
            Self::GoogleSts(google) => google.answer(visit).await,
            Self::HarborBridge(bridge) => bridge.answer(visit).await,
            Self::Ibm(ibm) => ibm.answer(visit).await,
            Self::KeycloakClientAssertion(keycloak) => keycloak.answer(visit).await,
            Self::KeycloakJwtGrant(keycloak) => keycloak.answer(visit).await,
            Self::OAuth(oauth) => oauth.answer(visit).await,
            Self::Quay(quay) => quay.answer(visit).await,
            Self::Vault(vault) => vault.answer(visit).await,
            Self::Yandex(yandex) => yandex.answer(visit).await,
        }
    }
}

/// The issuer of a realm.
fn realm(url: &str, name: &str) -> String {
    format!("{url}/realms/{name}")
}

fn realm_path(name: &str) -> String {
    format!("/realms/{name}/protocol/openid-connect/token")
}
