//! The names of the APIs, from what the registry's host says: its region and partition,
//! FIPS, dual-stack. The SDK's own resolvers are not used, for two reasons: they derive the
//! partition from the region alone, while the host's suffix proves it also for a region that they
//! do not know; and they parse a table of all partitions in every process.

use aws_smithy_runtime_api::client::endpoint::EndpointFuture;
use aws_smithy_types::endpoint::Endpoint;
use pullpass::Error;
use pullpass::http::Plaintext;
use pullpass::url::Url;

use crate::partition::{AWS, AWS_US_GOV, Partition};

/// Where the APIs of one registry are.
#[derive(Clone, Debug)]
pub(crate) struct Endpoints {
    pub(crate) partition: &'static Partition,
    pub(crate) region: String,
    pub(crate) fips: bool,
    pub(crate) dual_stack: bool,
}

impl Endpoints {
    /// Amazon ECR.
    pub(crate) fn ecr(&self) -> String {
        let fips = if self.fips { "-fips" } else { "" };
        match self.dual_stack {
            false => format!("https://api.ecr{fips}.{}.{}", self.region, self.partition.dns),
            true => format!("https://ecr{fips}.{}.{}", self.region, self.partition.api_dual_stack),
        }
    }

    /// AWS STS.
    pub(crate) fn sts(&self) -> String {
        // GovCloud's ordinary endpoints over IPv4 are its FIPS endpoints.
        let gov = self.partition == &AWS_US_GOV && !self.dual_stack;
        let fips = if self.fips && !gov { "-fips" } else { "" };
        let suffix = match self.dual_stack {
            false => self.partition.dns,
            true => self.partition.api_dual_stack,
        };
        format!("https://sts{fips}.{}.{suffix}", self.region)
    }

    /// Amazon ECR Public, which is in one partition and has no FIPS endpoint.
    pub(crate) fn ecr_public(&self) -> String {
        match self.dual_stack {
            false => format!("https://api.ecr-public.{}.{}", self.region, AWS.dns),
            true => format!("https://ecr-public.{}.{}", self.region, AWS.api_dual_stack),
        }
    }
}

/// One API's URL, for the SDK. What the operator set by `AWS_ENDPOINT_URL` or in a profile takes
/// precedence, also where the host asks for FIPS: it is the address that was asked for.
#[derive(Debug)]
pub(crate) struct FixedEndpoint(pub(crate) String);

impl FixedEndpoint {
    fn endpoint(&self, named: Option<&str>) -> EndpointFuture<'static> {
        // An empty variable is treated as unset, as in AWS's other SDKs.
        let url = named.filter(|url| !url.is_empty()).unwrap_or(&self.0);
        EndpointFuture::ready(match parse(url) {
            Some(url) => Ok(Endpoint::builder().url(String::from(url)).build()),
            None => Err(invalid_endpoint().into()),
        })
    }
}

/// An address that the operator may name: nothing in it that a URL would drop or hide, and
/// `http://` only to this machine and its metadata services.
pub(crate) fn parse(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_plain = text.bytes().all(|c| c.is_ascii_graphic());
    let hides = !url.username().is_empty() || url.password().is_some();
    let is_safe = match url.scheme() {
        "https" => url.host().is_some(),
        "http" => Plaintext::Metadata.allows(&url),
        _ => false,
    };
    (is_plain && !hides && is_safe).then_some(url)
}

/// The error for an address that the operator set for the SDK. The address is not shown: it may
/// hold a password.
pub(crate) fn invalid_endpoint() -> Error {
    Error::config("an endpoint URL is not valid").with_hint(
        "set `AWS_ENDPOINT_URL*` and the profile's `endpoint_url` to an `https://` URL \
         without user and password; `http://` is for addresses on this machine only",
    )
}

impl aws_sdk_ecr::config::endpoint::ResolveEndpoint for FixedEndpoint {
    fn resolve_endpoint<'a>(
        &'a self,
        params: &'a aws_sdk_ecr::config::endpoint::Params,
    ) -> EndpointFuture<'a> {
        self.endpoint(params.endpoint())
    }
}

impl aws_sdk_ecrpublic::config::endpoint::ResolveEndpoint for FixedEndpoint {
    fn resolve_endpoint<'a>(
        &'a self,
        params: &'a aws_sdk_ecrpublic::config::endpoint::Params,
    ) -> EndpointFuture<'a> {
        self.endpoint(params.endpoint())
    }
}

impl aws_sdk_sts::config::endpoint::ResolveEndpoint for FixedEndpoint {
    fn resolve_endpoint<'a>(
        &'a self,
        params: &'a aws_sdk_sts::config::endpoint::Params,
    ) -> EndpointFuture<'a> {
        self.endpoint(params.endpoint())
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecr::config::endpoint as ecr;
    use aws_sdk_ecrpublic::config::endpoint as ecr_public;
    use aws_sdk_sts::config::endpoint as sts;

    use super::*;

    /// Regions of every partition, and one that no partition claims.
    const REGIONS: [&str; 12] = [
        "us-east-1",
        "us-west-2",
        "eu-central-1",
        "mx-central-1",
        "us-gov-east-1",
        "us-gov-west-1",
        "cn-north-1",
        "eusc-de-east-1",
        "us-iso-east-1",
        "us-isob-east-1",
        "eu-isoe-west-1",
        "us-isof-south-1",
    ];

    /// What the SDK's own resolver returns for `PARAMS`.
    macro_rules! sdk {
        ($service:ident, $ours:expr) => {{
            let params = $service::Params::builder()
                .region($ours.region.clone())
                .use_fips($ours.fips)
                .use_dual_stack($ours.dual_stack)
                .build()
                .unwrap();
            let resolver = $service::DefaultResolver::new();
            let resolved = $service::ResolveEndpoint::resolve_endpoint(&resolver, &params);
            resolved.await.unwrap().url().to_owned()
        }};
    }

    fn all() -> impl Iterator<Item = Endpoints> {
        REGIONS.into_iter().chain(["lala-land-1"]).flat_map(|region| {
            [(false, false), (true, false), (false, true), (true, true)].map(
                |(fips, dual_stack)| {
                    let partition = Partition::for_region(region);
                    Endpoints { partition, region: region.to_owned(), fips, dual_stack }
                },
            )
        })
    }

    #[tokio::test]
    async fn the_names_are_those_of_the_sdk() {
        for ours in all() {
            assert_eq!(ours.ecr(), sdk!(ecr, ours), "{ours:?}");
            assert_eq!(ours.sts(), sdk!(sts, ours), "{ours:?}");
        }
        for dual_stack in [false, true] {
            let region = "us-east-1".to_owned();
            let ours = Endpoints { partition: &AWS, region, fips: false, dual_stack };
            assert_eq!(ours.ecr_public(), sdk!(ecr_public, ours));
        }
    }

    /// Where the SDK cannot know it: the host's suffix gives the partition.
    #[test]
    fn an_unknown_region_is_in_the_partition_of_its_host() {
        let partition = Partition::from_id("aws-cn").unwrap();
        let region = "lala-land-1".to_owned();
        let ours = Endpoints { partition, region, fips: false, dual_stack: false };
        assert_eq!(ours.ecr(), "https://api.ecr.lala-land-1.amazonaws.com.cn");
        assert_eq!(ours.sts(), "https://sts.lala-land-1.amazonaws.com.cn");
    }
}
