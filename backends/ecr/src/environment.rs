//! Variables of the SDK's that are checked before it sees them: what it cannot read it passes
//! over in silence, or ends the process for.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Settings reference".

use aws_sdk_ecr::config::retry::RetryConfig;
use pullpass::{Env, Error};

use crate::endpoint;

/// Of those that are `true` or `false`. One that is misread would open what was to be closed.
const SWITCHES: [&str; 4] = [
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
];

/// Of those that name an endpoint.
const ENDPOINTS: [&str; 4] =
    ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECR", "AWS_ENDPOINT_URL_ECR_PUBLIC", STS_ENDPOINT];
const STS_ENDPOINT: &str = "AWS_ENDPOINT_URL_STS";

/// Of those that name who hands out the node's credentials.
const AGENTS: [&str; 2] =
    ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_EC2_METADATA_SERVICE_ENDPOINT"];

/// The address family of the metadata service.
const METADATA_MODE: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE";

/// The most attempts that fit into a run.
const MOST_ATTEMPTS: u32 = 20;

/// # Errors
/// Of kind Config, when a variable is set to something that it cannot be.
pub(crate) fn check(env: &Env) -> Result<(), Error> {
    for name in SWITCHES {
        if let Some(value) = env.text(name)?
            && !["true", "false"].iter().any(|word| value.eq_ignore_ascii_case(word))
        {
            return Err(invalid(name, "neither `true` nor `false`"));
        }
    }
    for name in ENDPOINTS {
        if let Some(value) = env.text(name)?
            && endpoint::parse(value).is_none()
        {
            return Err(invalid(name, "not an `https://` URL, or holds a user or password"));
        }
    }
    for name in AGENTS {
        if let Some(value) = env.text(name)?
            && endpoint::parse(value).is_none()
        {
            return Err(invalid(name, "no URL of an agent on this machine"));
        }
    }
    if let Some(mode) = env.text(METADATA_MODE)?
        && !["IPv4", "IPv6"].iter().any(|known| mode.eq_ignore_ascii_case(known))
    {
        return Err(invalid(METADATA_MODE, "neither `IPv4` nor `IPv6`"));
    }
    // The SDK for Go reads them; passed over, they would leave the node with other keys.
    for (old, new) in
        [("AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID"), ("AWS_SECRET_KEY", "AWS_SECRET_ACCESS_KEY")]
    {
        if env.os(old).is_some() && env.os(new).is_none() {
            return Err(invalid(old, &format!("not read: set `{new}`")));
        }
    }
    match (env.os("AWS_ACCESS_KEY_ID"), env.os("AWS_SECRET_ACCESS_KEY")) {
        (Some(_), None) => Err(incomplete("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")),
        (None, Some(_)) => Err(incomplete("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")),
        _ => Ok(()),
    }
}

/// How often AWS is asked: the variables, else the SDK's own standard. (What a profile says of
/// it is not read: the SDK ends the process where it cannot be.)
///
/// # Errors
/// Of kind Config, when a variable is set to something that it cannot be.
pub(crate) fn retries(env: &Env) -> Result<RetryConfig, Error> {
    let retries = match env.text("AWS_RETRY_MODE")? {
        None => RetryConfig::standard(),
        // The modes of the other SDKs differ in what they retry, not in being asked to.
        Some(mode) if mode.eq_ignore_ascii_case("standard") => RetryConfig::standard(),
        Some(mode) if mode.eq_ignore_ascii_case("legacy") => RetryConfig::standard(),
        Some(mode) if mode.eq_ignore_ascii_case("adaptive") => RetryConfig::adaptive(),
        Some(_) => return Err(invalid("AWS_RETRY_MODE", "neither `standard` nor `adaptive`")),
    };
    let attempts = match env.text("AWS_MAX_ATTEMPTS")? {
        None => return Ok(retries),
        Some(text) => text.parse().ok().filter(|attempts| (1..=MOST_ATTEMPTS).contains(attempts)),
    };
    let attempts = attempts.ok_or_else(|| {
        invalid("AWS_MAX_ATTEMPTS", &format!("no number from 1 to {MOST_ATTEMPTS}"))
    })?;
    Ok(retries.with_max_attempts(attempts))
}

/// Whether the environment names an endpoint for STS: the SDK takes none together with FIPS or
/// dual-stack.
pub(crate) fn has_sts_endpoint(env: &Env) -> bool {
    [STS_ENDPOINT, "AWS_ENDPOINT_URL"].iter().any(|name| env.os(name).is_some())
}

fn invalid(name: &str, what: &str) -> Error {
    Error::config(format!("`{name}` is {what}"))
        .with_hint("correct the `env` of this provider in the CredentialProviderConfig")
}

fn incomplete(set: &str, missing: &str) -> Error {
    Error::config(format!("`{set}` is set without `{missing}`"))
        .with_hint("set both in this provider's `env`, or neither")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_one(name: &str, value: &str) -> Result<(), Error> {
        let env = Env::from_iter([(name, value)]);
        check(&env).and_then(|()| retries(&env).map(drop))
    }

    #[test]
    fn what_the_sdk_would_pass_over_or_die_of_is_refused() {
        for (name, value) in [
            ("AWS_USE_FIPS_ENDPOINT", "yes"),
            ("AWS_USE_DUALSTACK_ENDPOINT", "1"),
            ("AWS_EC2_METADATA_DISABLED", "on"),
            ("AWS_ENDPOINT_URL_ECR", "foo"),
            ("AWS_ENDPOINT_URL", "ftp://example.com"),
            ("AWS_ENDPOINT_URL_STS", "https://sts.example.com\n"),
            ("AWS_ENDPOINT_URL_STS", "https://me:hunter2@sts.example.com"),
            ("AWS_ENDPOINT_URL_STS", "http://10.9.9.9"),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "localhost"),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "127.0.0.1:8080"),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://me:hunter2@169.254.170.23/v1"),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://metadata.example"),
            ("AWS_ACCESS_KEY_ID", "AKIA"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("AWS_ACCESS_KEY", "AKIA"),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv5"),
            ("AWS_MAX_ATTEMPTS", "0"),
            ("AWS_MAX_ATTEMPTS", "zero"),
            ("AWS_MAX_ATTEMPTS", "4000000000"),
            ("AWS_RETRY_MODE", "sometimes"),
        ] {
            let error = check_one(name, value).unwrap_err().render();
            assert!(error.contains(&format!("`{name}`")), "{name}={value}: {error}");
        }
        for (name, value) in [
            ("AWS_USE_FIPS_ENDPOINT", "True"),
            ("AWS_USE_FIPS_ENDPOINT", ""),
            ("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1"),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://[fd00:ec2::23]/v1/credentials"),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://[fd00:ec2::254]"),
            ("AWS_MAX_ATTEMPTS", "1"),
            ("AWS_RETRY_MODE", "legacy"),
        ] {
            assert!(check_one(name, value).is_ok(), "{name}={value}");
        }
    }
}
