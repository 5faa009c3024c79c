#![doc = include_str!("../docs.md")]

mod azure_json;
mod challenge;
mod cloud;
mod credentials;
mod error_codes;
mod error_response;
mod exchange;
mod identity;
mod login_target;
mod mirror;
mod registry;
mod response;
mod settings;
mod token_service;

use pullpass::{
    Annotation, CacheKey, CacheType, Context, Error, OptionSpec, Options, Plugin, Provider,
    Request, Response, Variable, WithoutToken, async_trait,
};

use tracing::debug;

use crate::cloud::Cloud;
use crate::credentials::Credential;
use crate::exchange::Exchange;
use crate::identity::Identity;
use crate::login_target::LoginTarget;
use crate::mirror::Mirrors;
use crate::settings::Settings;

/// The plugin's static facts.
pub static PLUGIN: Plugin = Plugin::new("acr-credential-provider", |options, cx| {
    Ok(Box::new(Acr { settings: Settings::read(options, &cx.env)?, mirrors: mirrors(options) }))
})
.version(env!("CARGO_PKG_VERSION"))
.summary("Pulls from Azure Container Registry, as the node, the pod or a service principal")
.match_images(&["*.azurecr.io", "*.*.geo.azurecr.io"])
.options(OPTIONS)
.annotations(&[
    Annotation::new(
        identity::CLIENT_ID,
        "the client ID of the application, or managed identity, that the pods pull as",
    ),
    Annotation::new(identity::TENANT_ID, "the tenant of that application"),
])
.environment(&[
    Variable::new(
        "AZURE_ENVIRONMENT_FILEPATH",
        "a JSON file that describes a cloud, as on Azure Stack Hub",
    ),
    Variable::new(
        "IDENTITY_ENDPOINT, IDENTITY_HEADER, IMDS_ENDPOINT",
        "the endpoints for managed identities on App Service and Arc",
    ),
    Variable::new(
        "AZURE_FEDERATED_TOKEN_FILE",
        "a file with the node's token, used with a client ID and no other credential",
    ),
    Variable::new(
        "AZURE_AUTHORITY_HOST",
        "the URL of Entra in another cloud, used when no cloud is set",
    ),
])
.cache_type(CacheType::ServiceAccount)
.audience(cloud::AUDIENCE);

const OPTIONS: &[OptionSpec] = &[
    OptionSpec::positional("cloud-config", "AZURE_JSON", "the cloud provider's configuration file"),
    OptionSpec::value("cloud", "NAME", "AzureCloud, AzureUSGovernment or AzureChinaCloud"),
    OptionSpec::value("authority-host", "URL", "the URL of Entra in another cloud"),
    OptionSpec::value(
        "registry-suffix",
        "SUFFIX",
        "the domain of registries in another cloud, with the port if it is not 443",
    )
    .repeated(),
    OptionSpec::value("tenant-id", "ID", "the identity's tenant").env("AZURE_TENANT_ID"),
    OptionSpec::value(
        "managed-identity",
        "ID",
        "the node's managed identity: `system`, a client ID, `object:ID` or a resource ID",
    ),
    OptionSpec::value("client-id", "ID", "the client ID of the node's service principal")
        .env("AZURE_CLIENT_ID"),
    OptionSpec::value("client-secret-file", "FILE", "a file with the service principal's secret"),
    OptionSpec::value(
        "client-certificate",
        "FILE",
        "a PEM file with the service principal's certificate and key",
    ),
    OptionSpec::value(
        "token-file",
        "FILE",
        "a file with a token of an issuer that the service principal trusts",
    ),
    OptionSpec::switch(
        "static-service-principal",
        "give the service principal's ID and secret to the kubelet as the login",
    ),
    OptionSpec::value("pod-client-id", "ID", "the client ID for pods without the annotation"),
    OptionSpec::value(
        "registry-mirror",
        "SOURCE:TARGET[/PATH]",
        "log in at the TARGET registry, as the node, for images of the SOURCE host",
    )
    .repeated(),
    OptionSpec::value("r", "SOURCE:TARGET", "the same as --registry-mirror").repeated(),
    WithoutToken::option(
        "a request without a token: `node`, `anonymous` or `refuse` [default: node; with \
         --ib-sni-name: refuse]",
    ),
    OptionSpec::switch("repository-scope", "request a token for the image's repository only"),
    OptionSpec::value(
        "max-cache",
        "DURATION",
        "cache an answer for at most this \
                       long",
    )
    .default("1h"),
    OptionSpec::switch(
        "anonymous-key",
        "add an empty login for `*.azurecr.*`, as the Go plugin does",
    ),
    OptionSpec::value("ib-sni-name", "NAME", "identity bindings: the name in the TLS handshake"),
    OptionSpec::value(
        "ib-apiserver-ip",
        "ADDRESS",
        "identity bindings: the API server, by address or name",
    ),
    OptionSpec::value(
        "ib-default-client-id",
        "ID",
        "identity bindings: the client ID for pods without the annotation",
    ),
    OptionSpec::value(
        "ib-default-tenant-id",
        "ID",
        "identity bindings: the tenant of that identity",
    ),
    OptionSpec::value("ib-ca-file", "FILE", "identity bindings: the API server's CA")
        .default("/etc/kubernetes/certs/ca.crt"),
    OptionSpec::value("v", "LEVEL", "ignored; see --log").ignored(),
    OptionSpec::value("vmodule", "PATTERNS", "ignored; see --log").ignored(),
    OptionSpec::value("log-flush-frequency", "DURATION", "ignored").ignored(),
];

/// The values of `--registry-mirror` and `-r`.
fn mirrors(options: &Options) -> Vec<String> {
    [options.values("registry-mirror"), options.values("r")].concat()
}

/// The provider, with the operator's settings.
struct Acr {
    settings: Settings,
    mirrors: Vec<String>,
}

#[async_trait]
impl Provider for Acr {
    async fn credentials(&self, request: &Request, cx: &Context) -> Result<Response, Error> {
        let (settings, image) = (&self.settings, &request.image);
        let cloud = Cloud::find(&settings.cloud, cx).await?;
        let mirrors = Mirrors::parse(&self.mirrors, &cloud.suffixes)?;
        // The host decides first: no identity is used, and no token sent, for an unknown host.
        let Some(target) = LoginTarget::find(image, &mirrors, &cloud)? else {
            debug!("`{}` is neither an ACR registry nor the source of a mirror", image.registry());
            return Ok(Response::none());
        };
        let account = request.service_account.as_ref();
        let identity = Identity::choose(settings, account, target.mirrored, cloud.audience)?;
        debug!("requesting a login to `{}` for {identity}", target.server.host());
        if target.mirrored && identity.is_static() {
            return Err(Error::config(
                "`--static-service-principal` cannot be used for a mirrored host",
            )
            .with_hint(
                "the container runtime may send the secret to the mirror's source: remove one of \
                 the two options",
            ));
        }
        let exchange = Exchange { server: &target.server, identity: &identity, cx };
        if identity.is_exchanged() {
            exchange.preconnect()?;
        }
        let token = match credentials::credential(&identity, &cloud, cx).await? {
            Credential::Token(token) => token,
            Credential::Login { username, password } => {
                return response::with_secret(&username, &password, image, &target, settings);
            }
            Credential::Nothing => return Ok(Response::none()),
        };
        let mut token = exchange.refresh_token(&token).await?;
        let mut key = CacheKey::Registry;
        if settings.repository_scope {
            token = exchange.access_token(&token, &target.repository).await?;
            key = CacheKey::Image;
        }
        response::with_token(&token, key, image, &target, settings, &cx.clock)
    }
}
