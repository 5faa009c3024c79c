//! The SDK, set up for one registry: its environment and profile, our transport and clock,
//! and the endpoints that the registry's host asks for.

use std::time::{Duration, SystemTime};

use aws_config::BehaviorVersion;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ecr::config::{IdentityCache, Region, StalledStreamProtectionConfig};
use aws_smithy_async::time::TimeSource;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;
use pullpass::http::{HttpConfig, SentSecrets};
use pullpass::{Clock, Context, Error};

use crate::endpoint::{self, Endpoints, FixedEndpoint};
use crate::environment::Environment;
use crate::partition::{AWS, AWS_US_GOV, Partition, is_region};
use crate::profiles::Profiles;
use crate::registry::Registry;
use crate::settings::Settings;
use crate::transport::{RetryStatuses, Transport};

/// The longest that a connection to AWS may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Where ECR has FIPS endpoints, besides GovCloud.
/// Source: Amazon ECR endpoints and quotas.
const FIPS_REGIONS: [&str; 4] = ["us-east-1", "us-east-2", "us-west-1", "us-west-2"];

/// Who requested FIPS.
pub(crate) enum Fips {
    /// The registry's host.
    ByHost,
    /// The operator, for every registry.
    BySwitch,
}

/// AWS as one registry needs it.
pub(crate) struct Aws {
    config: SdkConfig,
    /// How sources of credentials reach AWS.
    sources: ProviderConfig,
    /// The node's profile.
    profiles: Profiles,
    /// The secrets that a server's words must not repeat.
    sent: SentSecrets,
    /// Whether calls to AWS go through a proxy.
    has_proxy: bool,
    fips_by_host: bool,
    /// Where the registry's API is.
    registry: Endpoints,
    /// Where roles are assumed: in the registry's region, except for ECR Public.
    sts: Endpoints,
}

impl Aws {
    /// Reads the SDK's environment variables and the profile; makes no call.
    ///
    /// # Errors
    /// Of kind Config, when they contradict the registry.
    pub(crate) async fn load(
        registry: &Registry,
        settings: &Settings,
        cx: &Context,
    ) -> Result<Self, Error> {
        let Settings { ipv4_api, environment, .. } = settings;
        let sts_region = sts_region(registry, environment)?;
        let profiles = Profiles::read(environment).await?;
        let http = cx.http.with_config(http_config(environment));
        let transport = Transport::new(http, cx.deadline);
        let clock = SdkClock(cx.clock.clone());
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(transport.clone())
            .time_source(clock.clone())
            .sleep_impl(transport.sleep())
            .retry_config(environment.retries.clone())
            .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).build())
            .profile_files(profiles.files.clone())
            .profile_name(profiles.name.clone())
            .region(Region::new(registry.region().to_owned()))
            // They are looked up once, when they are needed.
            .no_credentials()
            .identity_cache(IdentityCache::no_cache())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .load()
            .await;
        let fips = registry.fips() || config.use_fips().unwrap_or_default();
        let dual_stack =
            !ipv4_api && (registry.dual_stack() || config.use_dual_stack().unwrap_or_default());
        if fips && matches!(registry, Registry::Public { .. }) {
            return Err(Error::config("ECR Public has no FIPS endpoint").with_hint(
                "remove ECR Public from `matchImages`, or turn off FIPS in this provider's `env` \
                 (`AWS_USE_FIPS_ENDPOINT`) and profile (`use_fips_endpoint`)",
            ));
        }
        let endpoints = |region: &str| Endpoints {
            partition: registry.partition(),
            region: region.to_owned(),
            fips,
            dual_stack,
        };
        let registry_endpoints = endpoints(registry.region());
        let api = named_endpoint(&config, registry).unwrap_or_else(|| match registry {
            Registry::Private(_) => registry_endpoints.ecr(),
            Registry::Public { .. } => registry_endpoints.ecr_public(),
        });
        if let Some(api) = endpoint::parse(&api) {
            transport.set_registry_api(api);
        }
        let sources = ProviderConfig::without_region()
            .with_sleep_impl(transport.sleep())
            .with_http_client(transport)
            .with_time_source(clock)
            .with_behavior_version(config.behavior_version())
            .with_region(Some(Region::new(sts_region.clone())))
            .with_retry_config(environment.retries.clone());
        // The SDK refuses a named endpoint together with these, and the name takes precedence.
        let sources = match environment.has_sts_endpoint || profiles.has_endpoints() {
            true => sources,
            false => sources.with_use_fips(Some(fips)).with_use_dual_stack(Some(dual_stack)),
        };
        Ok(Self {
            registry: registry_endpoints,
            sts: endpoints(&sts_region),
            sources,
            profiles,
            sent: cx.http.sent_secrets().clone(),
            has_proxy: cx.http.has_proxy("https"),
            fips_by_host: registry.fips(),
            config,
        })
    }

    /// For the sources of the node's credentials.
    pub(crate) fn sources(&self) -> &ProviderConfig {
        &self.sources
    }

    /// The node's profile.
    pub(crate) fn profiles(&self) -> &Profiles {
        &self.profiles
    }

    /// What no words of a server may repeat.
    pub(crate) fn sent_secrets(&self) -> &SentSecrets {
        &self.sent
    }

    /// Whether calls to AWS go through a proxy; `NO_PROXY` may still exempt some.
    pub(crate) fn has_proxy(&self) -> bool {
        self.has_proxy
    }

    /// Where roles are assumed.
    pub(crate) fn sts_region(&self) -> &str {
        &self.sts.region
    }

    /// Who asks for FIPS, in a region for which no FIPS endpoint of ECR is documented.
    pub(crate) fn fips_where_undocumented(&self) -> Option<Fips> {
        let is_documented = self.registry.partition == &AWS_US_GOV
            || FIPS_REGIONS.contains(&self.registry.region.as_str());
        match self.registry.fips && !is_documented {
            true if self.fips_by_host => Some(Fips::ByHost),
            true => Some(Fips::BySwitch),
            false => None,
        }
    }

    /// Whether dual-stack endpoints are called.
    pub(crate) fn dual_stack(&self) -> bool {
        self.registry.dual_stack
    }

    /// Amazon ECR with these credentials.
    pub(crate) fn ecr(&self, credentials: Credentials) -> aws_sdk_ecr::Client {
        let config = aws_sdk_ecr::config::Builder::from(&self.config)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_resolver(FixedEndpoint(self.registry.ecr()))
            .retry_classifier(RetryStatuses)
            .build();
        aws_sdk_ecr::Client::from_conf(config)
    }

    /// Amazon ECR Public with these credentials.
    pub(crate) fn ecr_public(&self, credentials: Credentials) -> aws_sdk_ecrpublic::Client {
        let config = aws_sdk_ecrpublic::config::Builder::from(&self.config)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_resolver(FixedEndpoint(self.registry.ecr_public()))
            .retry_classifier(RetryStatuses)
            .build();
        aws_sdk_ecrpublic::Client::from_conf(config)
    }

    /// AWS STS with these credentials, or without for a web identity.
    pub(crate) fn sts(&self, credentials: Option<Credentials>) -> aws_sdk_sts::Client {
        let mut config = aws_sdk_sts::config::Builder::from(&self.config)
            .region(Region::new(self.sts.region.clone()))
            .endpoint_resolver(FixedEndpoint(self.sts.sts()))
            .retry_classifier(RetryStatuses);
        if let Some(credentials) = credentials {
            config = config.credentials_provider(SharedCredentialsProvider::new(credentials));
        }
        aws_sdk_sts::Client::from_conf(config.build())
    }
}

/// The limits of one attempt.
fn http_config(environment: &Environment) -> HttpConfig {
    HttpConfig {
        roots: environment.roots.clone(),
        connect_timeout: CONNECT_TIMEOUT,
        attempt_timeout: Duration::from_secs(8),
        ..HttpConfig::default()
    }
}

/// The endpoint that the operator names for the registry's API, found as the SDK's clients find
/// it.
fn named_endpoint(config: &SdkConfig, registry: &Registry) -> Option<String> {
    let service = match registry {
        Registry::Private(_) => "ECR",
        Registry::Public { .. } => "ECR PUBLIC",
    };
    let key = ServiceConfigKey::builder().service_id(service);
    let key = key.env("AWS_ENDPOINT_URL").profile("endpoint_url").build().ok()?;
    let named = config.service_config().and_then(|settings| settings.load_config(key));
    named.or_else(|| config.endpoint_url().map(str::to_owned)).filter(|url| !url.is_empty())
}

/// ECR Public does not say where the node is. A role is assumed where the environment says,
/// since not every account has STS enabled in every region.
fn sts_region(registry: &Registry, environment: &Environment) -> Result<String, Error> {
    if let Registry::Private(private) = registry {
        return Ok(private.region.clone());
    }
    let Some(region) = &environment.region else { return Ok(Registry::PUBLIC_REGION.to_owned()) };
    if !is_region(region) {
        return Err(Error::config("`AWS_REGION` or `AWS_DEFAULT_REGION` is not a region")
            .with_hint("set it to a region such as `us-east-1` in this provider's `env`"));
    }
    let partition = Partition::for_region(region);
    if partition != &AWS {
        return Err(Error::config(format!(
            "ECR Public accepts credentials of partition `aws` only, and `{region}` is in `{}`",
            partition.id
        ))
        .with_hint(
            "remove ECR Public from this provider's `matchImages`: its images can be pulled \
             without a login",
        ));
    }
    Ok(region.clone())
}

/// The run's clock as the SDK sees it.
#[derive(Clone, Debug)]
struct SdkClock(Clock);

impl TimeSource for SdkClock {
    fn now(&self) -> SystemTime {
        self.0.now()
    }
}
