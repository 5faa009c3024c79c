#![doc = include_str!("../docs.md")]

mod credentials;
mod credentials_file;
mod error_codes;
mod error_response;
mod exchange;
mod identity;
mod pool;
mod registry;
mod response;
mod settings;
mod universe;

use pullpass::{
    Annotation, CacheType, Context, Error, OptionSpec, Plugin, Provider, Request, Response,
    Variable, WithoutToken, async_trait,
};
use tracing::debug;

use crate::identity::Identity;
use crate::settings::Settings;

/// The plugin's static facts.
pub static PLUGIN: Plugin = Plugin::new("gar-credential-provider", |options, _| {
    Ok(Box::new(Gar { settings: Settings::read(options)? }))
})
.version(env!("CARGO_PKG_VERSION"))
.summary("Pulls from Google Artifact Registry, as the node, the pod or by a key")
.match_images(registry::PATTERNS)
.options(OPTIONS)
.annotations(&[
    Annotation::new(
        identity::OPT_IN,
        "`true`: with --identity-provider, the pods pull as themselves",
    )
    .with_option("identity-provider"),
    Annotation::new(
        identity::SERVICE_ACCOUNT,
        "the Google service account that the pods impersonate",
    )
    .with_option("service-account"),
    Annotation::new(
        identity::PROVIDER,
        "the provider of a workload identity pool; must match --allow-provider",
    )
    .with_option("allow-provider"),
])
.environment(&[Variable::new("GCE_METADATA_HOST", "another metadata server, as HOST[:PORT]")])
.cache_type(CacheType::ServiceAccount)
.audience(pool::TOKEN_AUDIENCE);

const OPTIONS: &[OptionSpec] = &[
    OptionSpec::positional(
        "command",
        "COMMAND",
        "`get-credentials`, as for the Go plugin; optional",
    ),
    OptionSpec::value(
        "credentials",
        "FILE",
        "the node's key, or the pods' `external_account` file",
    )
    .env("GOOGLE_APPLICATION_CREDENTIALS"),
    OptionSpec::value(
        "workload-identity-provider",
        "PROVIDER",
        "the provider that pods' tokens are exchanged at: \
         projects/N/locations/global/workloadIdentityPools/P/providers/X",
    ),
    OptionSpec::value("project-id", "ID", "on GKE or in a fleet: the project of the pods' pool"),
    OptionSpec::value("identity-provider", "URL", "on GKE or in a fleet: the cluster's issuer"),
    OptionSpec::value(
        "allow-provider",
        "PATTERN",
        "allow annotations to name such a provider; NUMBER, POOL and PROVIDER may be `*`",
    )
    .repeated(),
    OptionSpec::value(
        "service-account",
        "EMAIL",
        "the Google service account that pods without the annotation impersonate",
    ),
    WithoutToken::option(
        "a request without a token: `node`, `anonymous` or `refuse` [default: node; with \
         --workload-identity-provider: refuse]",
    ),
    OptionSpec::value(
        "without-annotation",
        "HOW",
        "with --identity-provider, a pod that has not opted in: `refuse`, `node` or `pod`",
    )
    .default("refuse"),
    OptionSpec::value(
        "without-pool",
        "HOW",
        "a request with a token, but without a pool for it: \
                       `refuse` or `node`",
    )
    .default("refuse"),
    OptionSpec::value(
        "host",
        "HOST",
        "a mirror, or a registry of another universe, that accepts Google logins",
    )
    .repeated(),
    OptionSpec::value(
        "universe-domain",
        "DOMAIN",
        "the domain of another cloud's APIs [default: \
                       googleapis.com]",
    )
    .env("GOOGLE_CLOUD_UNIVERSE_DOMAIN"),
    OptionSpec::value(
        "sts-url",
        "URL",
        "the token endpoint of STS, if your network has its own \
                       name for it",
    ),
    OptionSpec::value(
        "iam-credentials-url",
        "URL",
        "the IAM Service Account Credentials API, without `/v1`, if your network has its own name \
         for it",
    ),
    OptionSpec::switch("token-username", "answer with user `_token`, as the Go plugin does"),
    OptionSpec::value(
        "max-cache",
        "DURATION",
        "cache an answer for at most this long, and never longer than its token lives",
    )
    .env("KUBE_SIDECAR_CACHE_DURATION"),
    OptionSpec::value(
        "cache-key",
        "KEY",
        "cache an answer per `image`, `registry` or `global` [default: registry]",
    )
    .env("KUBE_SIDECAR_CACHE_TYPE"),
    OptionSpec::value("authFlow", "FLOW", "`gcr`, as for the Go plugin"),
    OptionSpec::value("a", "FLOW", "the same as --authFlow"),
    OptionSpec::value("v", "LEVEL", "ignored; see --log").ignored(),
    OptionSpec::value("vmodule", "PATTERNS", "ignored; see --log").ignored(),
    OptionSpec::value("log-flush-frequency", "DURATION", "ignored").ignored(),
];

/// The provider, with the operator's settings.
struct Gar {
    settings: Settings,
}

#[async_trait]
impl Provider for Gar {
    async fn credentials(&self, request: &Request, cx: &Context) -> Result<Response, Error> {
        let (settings, image) = (&self.settings, &request.image);
        // The host decides first: no identity is used, and no token sent, for an unknown host.
        settings.hosts.check(image, &settings.universe)?;
        let identity = Identity::choose(settings, request.service_account.as_ref())?;
        debug!("requesting a login to `{}` for {identity}", image.registry());
        let Some(token) = credentials::access_token(&identity, settings, cx).await? else {
            return Ok(Response::none());
        };
        let login = exchange::login(&token, settings)?;
        Ok(response::for_image(login, token.expires, image, settings, &cx.clock))
    }
}
