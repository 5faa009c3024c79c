//! The names of AWS's API endpoints, both ways: which service, region and variant a host
//! means, and the host of each. From the endpoint rules of the SDKs.

/// What can be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Amazon ECR.
    Ecr,
    /// Amazon ECR Public.
    EcrPublic,
    /// AWS Security Token Service.
    Sts,
    /// The instance metadata service of EC2.
    Imds,
    /// The credentials endpoint of ECS, or the agent of EKS Pod Identity.
    Container,
}

impl Service {
    /// The service's name in a credential scope; empty for those that are not signed to.
    pub fn signing_name(self) -> &'static str {
        match self {
            Self::Ecr => "ecr",
            Self::EcrPublic => "ecr-public",
            Self::Sts => "sts",
            Self::Imds | Self::Container => "",
        }
    }
}

/// One API endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// ECR, ECR Public or STS.
    pub service: Service,
    /// The region, as in a credential scope.
    pub region: String,
    /// The variant with FIPS 140 cryptography.
    pub fips: bool,
    /// The variant that has IPv6 too.
    pub dual_stack: bool,
}

impl Endpoint {
    /// The plain endpoint of a region.
    pub fn new(service: Service, region: &str) -> Self {
        Self { service, region: region.to_owned(), fips: false, dual_stack: false }
    }

    /// With FIPS.
    pub fn fips(mut self) -> Self {
        self.fips = true;
        self
    }

    /// With IPv6.
    pub fn dual_stack(mut self) -> Self {
        self.dual_stack = true;
        self
    }

    /// The endpoint of that name; `None` if no rule makes it.
    pub fn parse(host: &str) -> Option<Self> {
        // The global endpoint of old; it belongs to us-east-1.
        if host == "sts.amazonaws.com" {
            return Some(Self::new(Service::Sts, "us-east-1"));
        }
        [Service::Ecr, Service::EcrPublic, Service::Sts].into_iter().find_map(|service| {
            [(false, false), (false, true), (true, false), (true, true)].into_iter().find_map(
                |(fips, dual_stack)| {
                    let rest = host.strip_prefix(label(service, fips, dual_stack))?;
                    let (region, suffix) = rest.strip_prefix('.')?.split_once('.')?;
                    let partition = Partition::of(region);
                    let right = if dual_stack { partition.dual_stack } else { partition.dns };
                    let named = is_region(region) && suffix == right;
                    let region = region.to_owned();
                    named.then_some(Self { service, region, fips, dual_stack })
                },
            )
        })
    }

    /// Its name.
    pub fn host(&self) -> String {
        let partition = Partition::of(&self.region);
        let plain_is_fips = self.service == Service::Sts && partition.id == "aws-us-gov";
        let fips = self.fips && (self.dual_stack || !plain_is_fips);
        let suffix = if self.dual_stack { partition.dual_stack } else { partition.dns };
        format!("{}.{}.{suffix}", label(self.service, fips, self.dual_stack), self.region)
    }

    /// The partition's name, as in ARNs.
    pub fn partition(&self) -> &'static str {
        Partition::of(&self.region).id
    }
}

/// The host of an account's private registry in a region.
pub(super) fn registry_host(account: &str, region: &str) -> String {
    format!("{account}.dkr.ecr.{region}.{}", Partition::of(region).dns)
}

fn label(service: Service, fips: bool, dual_stack: bool) -> &'static str {
    match (service, fips, dual_stack) {
        (Service::Ecr, false, false) => "api.ecr",
        (Service::Ecr, true, false) => "api.ecr-fips",
        (Service::Ecr, false, true) => "ecr",
        (Service::Ecr, true, true) => "ecr-fips",
        (Service::EcrPublic, false, false) => "api.ecr-public",
        (Service::EcrPublic, true, false) => "api.ecr-public-fips",
        (Service::EcrPublic, false, true) => "ecr-public",
        (Service::EcrPublic, true, true) => "ecr-public-fips",
        (_, false, _) => "sts",
        (_, true, _) => "sts-fips",
    }
}

fn is_region(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(allowed)
}

struct Partition {
    id: &'static str,
    prefix: &'static str,
    dns: &'static str,
    dual_stack: &'static str,
}

impl Partition {
    fn of(region: &str) -> &'static Self {
        let known = PARTITIONS.iter().find(|partition| region.starts_with(partition.prefix));
        known.expect("the last prefix is empty")
    }

    const fn new(
        id: &'static str,
        prefix: &'static str,
        dns: &'static str,
        dual_stack: &'static str,
    ) -> Self {
        Self { id, prefix, dns, dual_stack }
    }
}

/// By the prefix of their regions; a region that no other claims is in `aws`.
const PARTITIONS: [Partition; 8] = [
    Partition::new("aws-us-gov", "us-gov-", "amazonaws.com", "api.aws"),
    Partition::new("aws-cn", "cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    Partition::new("aws-eusc", "eusc-", "amazonaws.eu", "api.amazonwebservices.eu"),
    Partition::new("aws-iso", "us-iso-", "c2s.ic.gov", "api.aws.ic.gov"),
    Partition::new("aws-iso-b", "us-isob-", "sc2s.sgov.gov", "api.aws.scloud"),
    Partition::new("aws-iso-e", "eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
    Partition::new("aws-iso-f", "us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"),
    Partition::new("aws", "", "amazonaws.com", "api.aws"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_and_written() {
        let ecr = |region: &str| Endpoint::new(Service::Ecr, region);
        let public = |region: &str| Endpoint::new(Service::EcrPublic, region);
        let sts = |region: &str| Endpoint::new(Service::Sts, region);
        let cases = [
            (ecr("us-west-2"), "api.ecr.us-west-2.amazonaws.com"),
            (ecr("us-west-2").fips(), "api.ecr-fips.us-west-2.amazonaws.com"),
            (ecr("us-west-2").dual_stack(), "ecr.us-west-2.api.aws"),
            (ecr("us-west-2").fips().dual_stack(), "ecr-fips.us-west-2.api.aws"),
            (ecr("cn-north-1"), "api.ecr.cn-north-1.amazonaws.com.cn"),
            (ecr("cn-north-1").dual_stack(), "ecr.cn-north-1.api.amazonwebservices.com.cn"),
            (ecr("us-gov-west-1").fips(), "api.ecr-fips.us-gov-west-1.amazonaws.com"),
            (ecr("eusc-de-east-1"), "api.ecr.eusc-de-east-1.amazonaws.eu"),
            (ecr("us-iso-east-1"), "api.ecr.us-iso-east-1.c2s.ic.gov"),
            (ecr("us-isob-east-1"), "api.ecr.us-isob-east-1.sc2s.sgov.gov"),
            (ecr("eu-isoe-west-1"), "api.ecr.eu-isoe-west-1.cloud.adc-e.uk"),
            (ecr("us-isof-south-1"), "api.ecr.us-isof-south-1.csp.hci.ic.gov"),
            (public("us-east-1"), "api.ecr-public.us-east-1.amazonaws.com"),
            (public("us-east-1").dual_stack(), "ecr-public.us-east-1.api.aws"),
            (sts("eu-central-1"), "sts.eu-central-1.amazonaws.com"),
            (sts("us-east-2").fips(), "sts-fips.us-east-2.amazonaws.com"),
            (sts("us-east-2").dual_stack(), "sts.us-east-2.api.aws"),
            (sts("cn-north-1"), "sts.cn-north-1.amazonaws.com.cn"),
        ];
        for (endpoint, host) in cases {
            assert_eq!(endpoint.host(), host);
            assert_eq!(Endpoint::parse(host), Some(endpoint), "{host}");
        }
        // In GovCloud the plain name is the FIPS endpoint.
        assert_eq!(sts("us-gov-west-1").fips().host(), "sts.us-gov-west-1.amazonaws.com");
        assert_eq!(Endpoint::parse("sts.amazonaws.com"), Some(sts("us-east-1")));
    }

    #[test]
    fn other_names_are_no_endpoints() {
        for host in [
            "",
            "127.0.0.1:8080",
            "api.ecr.amazonaws.com",
            "api.ecr..amazonaws.com",
            "api.ecr.us-west-2.api.aws",
            "ecr.us-west-2.amazonaws.com",
            "api.ecr.cn-north-1.amazonaws.com",
            "api.ecr.us-west-2.amazonaws.com.cn",
            "api.ecr.us-west-2.amazonaws.com.example.com",
            "api.ecr.US-WEST-2.amazonaws.com",
            "123456789012.dkr.ecr.us-west-2.amazonaws.com",
            "api.ecr.us-west-2.amazonaws.com:443",
        ] {
            assert_eq!(Endpoint::parse(host), None, "{host}");
        }
    }
}
