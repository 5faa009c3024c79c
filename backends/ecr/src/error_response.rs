//! The error for a call to AWS that failed: whom AWS refused, where, with which status and code,
//! and what to do.

use std::error::Error as StdError;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use pullpass::http::{SentSecrets, ServerError, status_kind};
use pullpass::{Diagnosis, Error, ErrorKind, causes};

use crate::aws::{Aws, Fips};
use crate::identity::Identity;
use crate::transport::ResponseUrl;

/// The call that failed.
pub(crate) struct Operation<'a> {
    /// Which AWS service, and where.
    pub(crate) service: String,
    /// For whom.
    pub(crate) identity: &'a Identity<'a>,
    pub(crate) aws: &'a Aws,
}

/// The error for a call that failed. `diagnose` knows the service's error codes.
pub(crate) fn service_error<E>(
    error: &SdkError<E, HttpResponse>,
    operation: &Operation<'_>,
    diagnose: impl Fn(&str) -> Option<Diagnosis>,
) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let Operation { service, identity, aws } = operation;
    if let Some(failure) = Error::find_in(error) {
        return connection_error(failure, service, identity, aws);
    }
    let metadata = error.as_service_error().map(ProvideErrorMetadata::meta);
    let Some(raw) = error.raw_response() else {
        // Not with the SDK's messages: some of them hold the whole request.
        let (kind, why) = match error {
            SdkError::TimeoutError(_) => {
                (ErrorKind::Unavailable, "the time limit of the AWS SDK was reached")
            }
            SdkError::ConstructionFailure(_) => {
                (ErrorKind::Config, "the request could not be made")
            }
            _ => (ErrorKind::Config, "the request could not be sent"),
        };
        return Error::new(kind, format!("the call to {service} for {identity} failed"))
            .with_source(why)
            .with_hint("check this provider's `env` and the AWS profile");
    };
    let status = raw.status().as_u16();
    let url = raw.extension::<ResponseUrl>().map_or("AWS", |by| by.0.as_str());
    if raw.status().is_success() {
        return Error::protocol(format!(
            "`{url}` answered {status}, but the answer does not come from {service}"
        ))
        .with_hint("check for a proxy or a login page between this node and AWS");
    }
    let in_xml = |name| raw.body().bytes().and_then(|body| xml_element(body, name));
    let code = metadata
        .and_then(|metadata| metadata.code())
        .or_else(|| in_xml("Code"))
        .filter(|code| is_code(code));
    let message = metadata.and_then(|metadata| metadata.message()).or_else(|| in_xml("Message"));
    ServerError::new(url, status, aws.sent_secrets())
        .service(service)
        .subject(identity)
        .code(code.unwrap_or_default())
        .words(message.and_then(first_line).unwrap_or_default())
        .diagnosis(code.and_then(diagnose).unwrap_or_else(|| diagnose_status(status)))
        .into_error()
}

/// The SDK's messages for a failure in one line, without those that only announce the next one.
/// (Its own rendering would print whole replies.) Parts of them come from servers, so they are
/// quoted like servers' words.
pub(crate) fn describe(error: &(dyn StdError + 'static), sent: &SentSecrets) -> String {
    let mut words: Vec<String> = Vec::new();
    for cause in causes(error).map(ToString::to_string) {
        let says_nothing = EMPTY_WORDS.contains(&cause.as_str());
        let repeats = words.last().is_some_and(|last| last.contains(&cause));
        if !says_nothing && !repeats {
            words.push(cause);
        }
    }
    let [words] = sent.quote([&words.join(": ")]);
    words
}

/// What the SDK puts above the cause that explains the failure.
const EMPTY_WORDS: [&str; 6] = [
    "dispatch failure",
    "io error",
    "user error",
    "service error",
    "the credential provider was not enabled",
    "an error occurred while loading credentials",
];

/// AWS's own sentence without what follows it: for a wrong signature AWS repeats the request that it
/// would have signed, the session token included.
fn first_line(message: &str) -> Option<&str> {
    let (own, _) = message.split_once("The Canonical String").unwrap_or((message, ""));
    own.lines().map(str::trim).find(|line| !line.is_empty())
}

fn connection_error(failure: &Error, service: &str, identity: &Identity<'_>, aws: &Aws) -> Error {
    let error = failure.clone().context(format!("the call to {service} for {identity} failed"));
    if failure.kind() != ErrorKind::Unavailable || aws.has_proxy() {
        // Check the proxy first; the hint names it.
        return error;
    }
    let hint = match (aws.fips_where_undocumented(), aws.dual_stack()) {
        (Some(Fips::ByHost), _) => {
            "ECR has FIPS endpoints in us-east-1, us-east-2, us-west-1, us-west-2 and GovCloud; \
             elsewhere name the registry without `-fips`"
        }
        (Some(Fips::BySwitch), _) => {
            "`AWS_USE_FIPS_ENDPOINT` or the profile asks for FIPS; ECR has it in us-east-1, \
             us-east-2, us-west-1, us-west-2 and GovCloud: elsewhere unset it for this provider"
        }
        (None, true) => {
            "check the network path from this node to the dual-stack endpoint; PrivateLink \
             endpoints are IPv4 only: to use them, set `--ipv4-api`"
        }
        (None, false) => return error,
    };
    error.with_hint(hint)
}

/// By the status, if the code is unknown.
fn diagnose_status(status: u16) -> Diagnosis {
    let kind = status_kind(status);
    let hint = match kind {
        ErrorKind::Denied => {
            "check these credentials and their permissions, and check for a proxy or firewall \
             between this node and AWS"
        }
        ErrorKind::Unavailable => {
            "AWS, or a proxy in front of it, is overloaded or broken; the kubelet tries the pull \
             again later"
        }
        _ => {
            "AWS does not document this answer; check for a proxy or firewall between this node \
             and AWS"
        }
    };
    Diagnosis::new(kind, hint)
}

/// The first XML element of that name: some of AWS's own front ends answer in XML,
/// whatever the service's format is.
fn xml_element<'a>(body: &'a [u8], name: &str) -> Option<&'a str> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
}

fn is_code(code: &str) -> bool {
    (1..=80).contains(&code.len())
        && code.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_'))
}
