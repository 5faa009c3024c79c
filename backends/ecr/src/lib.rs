#![doc = include_str!("../docs.md")]

mod aws;
mod credentials;
mod endpoint;
mod environment;
mod error_codes;
mod error_response;
mod exchange;
mod hosts;
mod identity;
mod partition;
mod profiles;
mod registry;
mod response;
mod roles;
mod session_name;
mod settings;
mod transport;

use pullpass::{
    Annotation, CacheType, Context, Error, OptionSpec, Options, Plugin, Provider, Request,
    Response, Variable, async_trait,
};

use crate::aws::Aws;
use crate::identity::{AUDIENCE, Identity};
use crate::settings::Settings;

/// The annotation that names a service account's role, unless the operator names another.
const ROLE_ANNOTATION: &str = "eks.amazonaws.com/ecr-role-arn";

/// The plugin's static facts.
pub static PLUGIN: Plugin =
    Plugin::new("ecr-credential-provider", |options, cx| Ok(Box::new(Ecr::new(options, cx)?)))
        .version(env!("CARGO_PKG_VERSION"))
        .summary("Pulls from Amazon ECR and ECR Public, as the node or as the pod's IAM role")
        .match_images(&[
            "*.dkr.ecr.*.amazonaws.com",
            "*.dkr.ecr-fips.*.amazonaws.com",
            "*.dkr-ecr.*.on.aws",
            "*.dkr-ecr-fips.*.on.aws",
            "*.dkr.ecr.*.amazonaws.com.cn",
            "*.dkr-ecr.*.on.amazonwebservices.com.cn",
            "*.dkr.ecr.*.amazonaws.eu",
            "*.dkr.ecr-fips.*.amazonaws.eu",
            "*.dkr.ecr.*.c2s.ic.gov",
            "*.dkr.ecr.*.sc2s.sgov.gov",
            "*.dkr.ecr.*.cloud.adc-e.uk",
            "*.dkr.ecr.*.csp.hci.ic.gov",
            "public.ecr.aws",
            "ecr-public.aws.com",
        ])
        .options(&[
            OptionSpec::value(
                "role-arn",
                "ARN",
                "the role for pods whose service account names none",
            )
            .env("AWS_ECR_ROLE_ARN"),
            OptionSpec::value(
                "role",
                "ACCOUNT=ARN",
                "the role for that account's registries, for pods and for the node",
            )
            .repeated(),
            OptionSpec::value(
                "role-annotation",
                "KEY",
                "the annotation that names a pod's role; of several, the first that the service \
                 account has is used",
            )
            .default(ROLE_ANNOTATION)
            .repeated(),
            OptionSpec::value(
                "without-role",
                "HOW",
                "a pod for which no role is named: `refuse` it, or let it pull as the `node`",
            )
            .default("refuse"),
            OptionSpec::value(
                "host",
                "HOST=REGION",
                "a mirror or cache that accepts ECR's logins, and the region of its registry",
            )
            .repeated(),
            OptionSpec::switch(
                "ipv4-api",
                "call IPv4 endpoints for dual-stack registries too; PrivateLink has no others",
            ),
            OptionSpec::positional(
                "ignored",
                "ARGUMENT",
                "ignored, as in the Go plugin that this one replaces",
            )
            .repeated()
            .ignored(),
        ])
        .annotations(&[Annotation::new(
            ROLE_ANNOTATION,
            "the ARN of the IAM role that the service account's pods pull as",
        )])
        .environment(&[
            Variable::new(
                "AWS_PROFILE, AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE",
                "the node's profile: keys, a role, or a `credential_process`",
            ),
            Variable::new(
                "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN",
                "the node's keys",
            ),
            Variable::new(
                "AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_SESSION_NAME",
                "the node's role, assumed with a token from a file",
            ),
            Variable::new(
                "AWS_CONTAINER_CREDENTIALS_*, AWS_CONTAINER_AUTHORIZATION_TOKEN*",
                "the agent that the node asks for its credentials, and the token for it",
            ),
            Variable::new(
                "AWS_EC2_METADATA_*",
                "whether and where the node asks the instance metadata service",
            ),
            Variable::new(
                "AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT",
                "`true`: use such endpoints for all registries, not only for those whose host \
                 names them",
            ),
            Variable::new(
                "AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_ECR, _ECR_PUBLIC, _STS",
                "another endpoint, such as a PrivateLink endpoint",
            ),
            Variable::new(
                "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
                "`true`: ignore `AWS_ENDPOINT_URL*` and the profile's `endpoint_url`",
            ),
            Variable::new(
                "AWS_REGION, AWS_DEFAULT_REGION",
                "the region whose STS is called for \
                 ECR Public",
            ),
            Variable::new(
                "AWS_MAX_ATTEMPTS, AWS_RETRY_MODE",
                "how often a call to AWS is tried, and how long it waits in between",
            ),
            Variable::new(
                "AWS_CA_BUNDLE",
                "CA certificates in PEM; takes precedence over SSL_CERT_FILE",
            ),
        ])
        .cache_type(CacheType::ServiceAccount)
        .audience(AUDIENCE);

/// The provider, with the operator's settings.
struct Ecr(Settings);

impl Ecr {
    fn new(options: &Options, cx: &Context) -> Result<Self, Error> {
        Settings::parse(options, &cx.env).map(Self)
    }
}

#[async_trait]
impl Provider for Ecr {
    async fn credentials(&self, request: &Request, cx: &Context) -> Result<Response, Error> {
        let Self(settings) = self;
        // The host decides first: for a host that is not a known Amazon ECR registry no
        // server is called, and no token is used.
        let registry = settings.hosts.find_registry(&request.image)?;
        let account = request.service_account.as_ref();
        let identity = Identity::choose(&settings.roles, account, &registry)?;
        let aws = Aws::load(&registry, settings, cx).await?;
        let credentials = credentials::obtain(&identity, settings, &aws, cx).await?;
        let token = exchange::fetch_token(&registry, credentials, &identity, &aws).await?;
        response::build(&request.image, &token, &cx.clock)
    }
}
