//! The variables that AWS's SDKs read, checked before this SDK sees them: it silently ignores
//! values that it cannot read, or ends the process.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Settings reference".

use std::path::PathBuf;

use aws_sdk_ecr::config::retry::RetryConfig;
use pullpass::{Env, Error, Roots};

use crate::endpoint;

/// Those that are `true` or `false`. If one were misread, it would allow what it was set to forbid.
const SWITCHES: [&str; 4] = [
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    METADATA_DISABLED,
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
];
const METADATA_DISABLED: &str = "AWS_EC2_METADATA_DISABLED";

/// Those that name an endpoint.
const ENDPOINTS: [&str; 4] =
    [ENDPOINT, "AWS_ENDPOINT_URL_ECR", "AWS_ENDPOINT_URL_ECR_PUBLIC", STS_ENDPOINT];
const ENDPOINT: &str = "AWS_ENDPOINT_URL";
const STS_ENDPOINT: &str = "AWS_ENDPOINT_URL_STS";

/// Those that name the service that returns the node's credentials.
const AGENTS: [&str; 2] = [CONTAINER_FULL_URI, "AWS_EC2_METADATA_SERVICE_ENDPOINT"];
const CONTAINER_FULL_URI: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const CONTAINER_RELATIVE_URI: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";

/// The address family of the metadata service.
const METADATA_MODE: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE";

/// The most attempts that fit into a run.
const MOST_ATTEMPTS: u32 = 20;

/// The values of the variables that the SDK does not read itself.
pub(crate) struct Environment {
    /// How many attempts a call to AWS has.
    pub(crate) retries: RetryConfig,
    /// Which CA certificates are trusted.
    pub(crate) roots: Roots,
    /// The region in which STS is called for ECR Public, as it was written.
    pub(crate) region: Option<String>,
    /// Whether an endpoint for STS is named: the SDK accepts none together with FIPS or dual-stack.
    pub(crate) has_sts_endpoint: bool,
    /// The profile that is named.
    pub(crate) profile: Option<String>,
    /// Where the config file and the credentials file are.
    pub(crate) config_file: Option<PathBuf>,
    pub(crate) credentials_file: Option<PathBuf>,
    /// Where the files are unless they are named.
    pub(crate) home: Option<PathBuf>,
    /// The file with the node's own token, and whether a role for it is named.
    pub(crate) web_identity_token_file: Option<PathBuf>,
    pub(crate) has_web_identity_role: bool,
    /// Whether the address of a container credentials endpoint is named, and the file with the
    /// token for it.
    pub(crate) has_container_endpoint: bool,
    pub(crate) container_token_file: Option<PathBuf>,
    /// Whether the metadata service must not be called.
    pub(crate) metadata_disabled: bool,
}

impl Environment {
    /// Reads the variables; an empty one is treated as unset, as in AWS's other SDKs.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](pullpass::ErrorKind::Config) when the value of one is not valid.
    pub(crate) fn parse(env: &Env) -> Result<Self, Error> {
        check_values(env)?;
        check_keys(env)?;
        let text = |name| env.text(name).map(|value| value.map(str::to_owned));
        let first = |one, other| Ok(text(one)?.or(text(other)?));
        let path = |name| env.os(name).map(PathBuf::from);
        let is_set = |name| env.os(name).is_some();
        Ok(Self {
            retries: parse_retries(env)?,
            // As in AWS's other SDKs; the one for Rust does not read it.
            roots: match path("AWS_CA_BUNDLE") {
                Some(file) => Roots::Only { file, named_by: "AWS_CA_BUNDLE" },
                None => Roots::System,
            },
            region: first("AWS_REGION", "AWS_DEFAULT_REGION")?,
            has_sts_endpoint: is_set(STS_ENDPOINT) || is_set(ENDPOINT),
            profile: first("AWS_PROFILE", "AWS_DEFAULT_PROFILE")?,
            config_file: path("AWS_CONFIG_FILE"),
            credentials_file: path("AWS_SHARED_CREDENTIALS_FILE"),
            home: path("HOME"),
            web_identity_token_file: path("AWS_WEB_IDENTITY_TOKEN_FILE"),
            has_web_identity_role: is_set("AWS_ROLE_ARN"),
            has_container_endpoint: is_set(CONTAINER_RELATIVE_URI) || is_set(CONTAINER_FULL_URI),
            container_token_file: path("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
            metadata_disabled: env
                .os(METADATA_DISABLED)
                .is_some_and(|value| value.eq_ignore_ascii_case("true")),
        })
    }
}

fn check_values(env: &Env) -> Result<(), Error> {
    for name in SWITCHES {
        check(env, name, is_boolean, "neither `true` nor `false`")?;
    }
    let is_endpoint = |value: &str| endpoint::parse(value).is_some();
    for name in ENDPOINTS {
        check(env, name, is_endpoint, "not an `https://` URL, or holds a user or password")?;
    }
    for name in AGENTS {
        check(env, name, is_endpoint, "not the URL of an agent on this machine")?;
    }
    let is_mode = |value: &str| ["IPv4", "IPv6"].iter().any(|it| value.eq_ignore_ascii_case(it));
    check(env, METADATA_MODE, is_mode, "neither `IPv4` nor `IPv6`")
}

fn check(
    env: &Env,
    name: &str,
    is_valid: impl Fn(&str) -> bool,
    invalid_is: &str,
) -> Result<(), Error> {
    match env.text(name)? {
        Some(value) if !is_valid(value) => Err(invalid(name, invalid_is)),
        _ => Ok(()),
    }
}

/// Whether a setting says yes or no, in AWS's words for it.
pub(crate) fn is_boolean(value: &str) -> bool {
    ["true", "false"].iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// The node's keys: both or neither, and not under the names that the SDK for Go reads. If they
/// were ignored, the node would use other credentials.
fn check_keys(env: &Env) -> Result<(), Error> {
    let (key_id, secret) = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
    for (old, new) in [("AWS_ACCESS_KEY", key_id), ("AWS_SECRET_KEY", secret)] {
        if env.os(old).is_some() && env.os(new).is_none() {
            return Err(invalid(old, &format!("not read: set `{new}`")));
        }
    }
    let incomplete = |set: &str, missing: &str| {
        Err(Error::config(format!("`{set}` is set without `{missing}`"))
            .with_hint("set both in this provider's `env`, or neither"))
    };
    match (env.os(key_id), env.os(secret)) {
        (Some(_), None) => incomplete(key_id, secret),
        (None, Some(_)) => incomplete(secret, key_id),
        _ => Ok(()),
    }
}

/// How many attempts a call has: by the variables, else the SDK's default. (A profile's value
/// is not read: the SDK ends the process at one that is not valid.)
fn parse_retries(env: &Env) -> Result<RetryConfig, Error> {
    let retries = match env.text("AWS_RETRY_MODE")?.map(str::to_ascii_lowercase).as_deref() {
        // The modes of the other SDKs differ in what they retry; each of them does retry.
        None | Some("standard" | "legacy") => RetryConfig::standard(),
        Some("adaptive") => RetryConfig::adaptive(),
        Some(_) => return Err(invalid("AWS_RETRY_MODE", "neither `standard` nor `adaptive`")),
    };
    let Some(text) = env.text("AWS_MAX_ATTEMPTS")? else { return Ok(retries) };
    match text.parse() {
        Ok(attempts) if (1..=MOST_ATTEMPTS).contains(&attempts) => {
            Ok(retries.with_max_attempts(attempts))
        }
        _ => {
            let what = format!("not a number from 1 to {MOST_ATTEMPTS}");
            Err(invalid("AWS_MAX_ATTEMPTS", &what))
        }
    }
}

fn invalid(name: &str, what: &str) -> Error {
    Error::config(format!("`{name}` is {what}"))
        .with_hint("correct the `env` of this provider in the CredentialProviderConfig")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_one(name: &str, value: &str) -> Result<(), Error> {
        Environment::parse(&Env::from_iter([(name, value)])).map(drop)
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
