//! Which hosts are Amazon's registries. By grammar: each part of the host is read
//! separately, and parts that do not fit together are refused.

use std::fmt;

use crate::partition::{AWS, AWS_US_GOV, Partition, is_region};

/// The account's number, in digits.
const ACCOUNT_DIGITS: usize = 12;

/// A registry that ECR or ECR Public serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Registry {
    /// Amazon ECR: one per account and region.
    Private(Private),
    /// Amazon ECR Public: one registry for all, whose tokens come from `us-east-1`.
    Public {
        /// Whether the host is the dual-stack one.
        dual_stack: bool,
    },
}

/// A registry of Amazon ECR, as its host describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Private {
    /// The account that owns it; unknown if the operator named only a region.
    pub(crate) account: Option<String>,
    /// Where it is.
    pub(crate) region: String,
    /// The region's partition.
    pub(crate) partition: &'static Partition,
    /// Whether its host is a FIPS host.
    pub(crate) fips: bool,
    /// Whether its host is a dual-stack host.
    pub(crate) dual_stack: bool,
}

impl Registry {
    /// The region that issues ECR Public's tokens.
    pub(crate) const PUBLIC_REGION: &'static str = "us-east-1";

    /// Reads a host name in lower case; `None` when it is not an Amazon ECR registry.
    ///
    /// The forms, with `ACCOUNT` in 12 digits: `ACCOUNT.dkr.ecr[-fips].REGION.SUFFIX` over
    /// IPv4, `ACCOUNT.dkr-ecr[-fips].REGION.SUFFIX` for dual-stack, each with its own
    /// suffixes; `public.ecr.aws` and, dual-stack, `ecr-public.aws.com`.
    pub(crate) fn from_host(host: &str) -> Option<Self> {
        match host {
            "public.ecr.aws" => return Some(Self::Public { dual_stack: false }),
            "ecr-public.aws.com" => return Some(Self::Public { dual_stack: true }),
            _ => {}
        }
        let (account, rest) = host.split_once('.')?;
        if account.len() != ACCOUNT_DIGITS || !account.bytes().all(|c| c.is_ascii_digit()) {
            return None;
        }
        let (dual_stack, rest) = match rest.strip_prefix("dkr.") {
            Some(rest) => (false, rest),
            None => (true, rest.strip_prefix("dkr-")?),
        };
        let (service, rest) = rest.split_once('.')?;
        let fips = match service {
            "ecr" => false,
            "ecr-fips" => true,
            _ => return None,
        };
        let (region, suffix) = rest.split_once('.')?;
        if !is_region(region) {
            return None;
        }
        Some(Self::Private(Private {
            account: Some(account.to_owned()),
            region: region.to_owned(),
            partition: partition(region, suffix, dual_stack)?,
            fips,
            dual_stack,
        }))
    }

    /// The registries of `region` whose account does not matter, over IPv4.
    pub(crate) fn in_region(region: &str) -> Self {
        Self::Private(Private {
            account: None,
            region: region.to_owned(),
            partition: Partition::for_region(region),
            fips: false,
            dual_stack: false,
        })
    }

    /// The partition whose credentials it accepts.
    pub(crate) fn partition(&self) -> &'static Partition {
        match self {
            Self::Private(private) => private.partition,
            Self::Public { .. } => &AWS,
        }
    }

    /// The region that its tokens come from.
    pub(crate) fn region(&self) -> &str {
        match self {
            Self::Private(private) => &private.region,
            Self::Public { .. } => Self::PUBLIC_REGION,
        }
    }

    /// The account that owns it, if known.
    pub(crate) fn account(&self) -> Option<&str> {
        match self {
            Self::Private(private) => private.account.as_deref(),
            Self::Public { .. } => None,
        }
    }

    /// Whether its host asks for FIPS.
    pub(crate) fn fips(&self) -> bool {
        matches!(self, Self::Private(private) if private.fips)
    }

    /// Whether its host asks for dual-stack.
    pub(crate) fn dual_stack(&self) -> bool {
        match self {
            Self::Private(private) => private.dual_stack,
            Self::Public { dual_stack } => *dual_stack,
        }
    }
}

/// For messages.
impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Private(private) => write!(f, "ECR in `{}`", private.region),
            Self::Public { .. } => f.write_str("ECR Public"),
        }
    }
}

/// The partition that has both this region and this suffix. A region that no partition
/// claims may be a new one of any, so only the suffix decides.
fn partition(region: &str, suffix: &str, dual_stack: bool) -> Option<&'static Partition> {
    let has_suffix = |partition: &&'static Partition| match dual_stack {
        false => partition.dns == suffix,
        true => partition.registry_dual_stack == Some(suffix),
    };
    let claimed = Partition::for_region(region);
    match claimed == &AWS {
        false => Some(claimed).filter(has_suffix),
        // GovCloud shares the suffixes of `aws`, but claims its own regions.
        true => Partition::all().filter(has_suffix).find(|partition| *partition != &AWS_US_GOV),
    }
}

#[cfg(test)]
mod tests;
