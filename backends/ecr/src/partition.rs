//! The partitions of AWS: the names under which each has its registries and its APIs.
//!
//! Source: AWS General Reference, "Service endpoints" and "Amazon ECR endpoints and
//! quotas"; a test compares the API names with the SDK's own resolvers.

/// One partition.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Partition {
    /// As in an ARN: `arn:aws-cn:...`.
    pub(crate) id: &'static str,
    /// What its regions begin with; empty for the partition that has the rest.
    region_prefix: &'static str,
    /// The end of its registries' hosts and of its APIs' hosts over IPv4.
    pub(crate) dns: &'static str,
    /// The end of its dual-stack registries' hosts, if AWS documents any.
    pub(crate) registry_dual_stack: Option<&'static str>,
    /// The end of its APIs' dual-stack hosts.
    pub(crate) api_dual_stack: &'static str,
}

/// The partition that also takes every region which no other claims, new ones too.
pub(crate) static AWS: Partition = Partition {
    id: "aws",
    region_prefix: "",
    dns: "amazonaws.com",
    registry_dual_stack: Some("on.aws"),
    api_dual_stack: "api.aws",
};

/// The partition whose endpoint names have one exception, in STS.
pub(crate) static AWS_US_GOV: Partition = Partition {
    id: "aws-us-gov",
    region_prefix: "us-gov-",
    dns: "amazonaws.com",
    registry_dual_stack: Some("on.aws"),
    api_dual_stack: "api.aws",
};

static OTHERS: [Partition; 6] = [
    Partition {
        id: "aws-cn",
        region_prefix: "cn-",
        dns: "amazonaws.com.cn",
        registry_dual_stack: Some("on.amazonwebservices.com.cn"),
        api_dual_stack: "api.amazonwebservices.com.cn",
    },
    Partition {
        id: "aws-eusc",
        region_prefix: "eusc-",
        dns: "amazonaws.eu",
        registry_dual_stack: None,
        api_dual_stack: "api.amazonwebservices.eu",
    },
    Partition {
        id: "aws-iso",
        region_prefix: "us-iso-",
        dns: "c2s.ic.gov",
        registry_dual_stack: None,
        api_dual_stack: "api.aws.ic.gov",
    },
    Partition {
        id: "aws-iso-b",
        region_prefix: "us-isob-",
        dns: "sc2s.sgov.gov",
        registry_dual_stack: None,
        api_dual_stack: "api.aws.scloud",
    },
    Partition {
        id: "aws-iso-e",
        region_prefix: "eu-isoe-",
        dns: "cloud.adc-e.uk",
        registry_dual_stack: None,
        api_dual_stack: "api.cloud-aws.adc-e.uk",
    },
    Partition {
        id: "aws-iso-f",
        region_prefix: "us-isof-",
        dns: "csp.hci.ic.gov",
        registry_dual_stack: None,
        api_dual_stack: "api.aws.hci.ic.gov",
    },
];

impl Partition {
    /// Every partition; the one that has the rest comes last.
    pub(crate) fn all() -> impl Iterator<Item = &'static Self> {
        OTHERS.iter().chain([&AWS_US_GOV, &AWS])
    }

    /// The partition of a region, by its name.
    pub(crate) fn for_region(region: &str) -> &'static Self {
        Self::all().find(|partition| region.starts_with(partition.region_prefix)).unwrap_or(&AWS)
    }

    /// The partition of this ID, as in an ARN.
    pub(crate) fn from_id(id: &str) -> Option<&'static Self> {
        Self::all().find(|partition| partition.id == id)
    }
}

/// Whether `text` can be a region: words and a number with hyphens between them, in lower
/// case. Not any label: `sts.s3.amazonaws.com` would be the host of a bucket.
pub(crate) fn is_region(text: &str) -> bool {
    let Some((words, number)) = text.rsplit_once('-') else { return false };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|c| c.is_ascii_lowercase());
    let is_number = !number.is_empty() && number.bytes().all(|c| c.is_ascii_digit());
    text.len() <= 63 && is_number && words.split('-').count() >= 2 && words.split('-').all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_tells_its_partition() {
        for (region, id) in [
            ("us-west-2", "aws"),
            ("lala-land-1", "aws"),
            ("us-gov-west-1", "aws-us-gov"),
            ("cn-north-1", "aws-cn"),
            ("eusc-de-east-1", "aws-eusc"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("us-isof-south-1", "aws-iso-f"),
        ] {
            assert_eq!(Partition::for_region(region).id, id, "{region}");
        }
    }

    #[test]
    fn a_region_is_one_label() {
        for region in ["us-west-2", "lala-land-1", "us-gov-east-1", "ap-southeast-12"] {
            assert!(is_region(region), "{region}");
        }
        for text in [
            "",
            "-us",
            "us.west",
            "US-WEST-2",
            "us-west-2!",
            "#us",
            "s3",
            "s3-us-west-2",
            "dualstack",
            "us-west",
            "us--2",
            "a_b-c-1",
            "2",
            &format!("{}-b-1", "a".repeat(64)),
        ] {
            assert!(!is_region(text), "{text}");
        }
    }
}
