//! Google's error codes: who must act, and how.
//!
//! Source: IAM, "Troubleshoot Workload Identity Federation"; RFC 6749 §5.2 and RFC 8693 §2.2.2.

use pullpass::oauth::ErrorBody;
use pullpass::{Diagnosis, ErrorKind, one_line};

use crate::credentials_file::Key;
use crate::identity::Pod;

/// The longest `google.subject`, in bytes.
/// Source: IAM, "Workload Identity Federation", "Attribute mappings".
const LONGEST_SUBJECT: usize = 127;

/// For the Security Token Service.
pub(crate) fn diagnose_sts(body: &ErrorBody, pod: &Pod<'_>) -> Option<Diagnosis> {
    let claims = pod.token.claims();
    let has = format!(
        "the token has `aud` `{}` and `iss` `{}`; {}",
        one_line(&claims.audience.join("`, `")),
        one_line(&claims.issuer),
        pod.pool.expects()
    );
    let pool = pod.pool.display_name();
    let (kind, hint) = match body.error()? {
        "invalid_grant" if body.mentions(&["expired", "stale", "issued in the future"]) => (
            ErrorKind::Identity,
            format!("the token has expired or is not yet valid: check this node's clock; {has}"),
        ),
        "invalid_grant" if body.mentions(&["connecting to the given credential's issuer"]) => (
            ErrorKind::Denied,
            format!(
                "Google cannot fetch the keys of `{}`: if it cannot reach this issuer, upload the \
                 keys to the provider (`--jwk-json-path`)",
                one_line(&claims.issuer)
            ),
        ),
        // Both are correct, as far as can be known here.
        "invalid_grant" if pod.pool.takes(&claims.audience) => (
            ErrorKind::Denied,
            format!(
                "{has}; if both are right, the provider has other keys than the cluster: upload \
                 those of `kubectl get --raw /openid/v1/jwks` again (`--jwk-json-path`)"
            ),
        ),
        "invalid_grant" => (
            ErrorKind::Denied,
            format!("{has}; `tokenAttributes.serviceAccountTokenAudience` sets the token's `aud`"),
        ),
        "invalid_target" => (
            ErrorKind::Denied,
            format!("check that pool and provider exist and are enabled: {pool}"),
        ),
        "invalid_request" if claims.subject.len() > LONGEST_SUBJECT => (
            ErrorKind::Denied,
            format!(
                "Google accepts subjects of up to {LONGEST_SUBJECT} bytes, but this one has {}: \
                 map another claim to `google.subject`",
                claims.subject.len()
            ),
        ),
        "invalid_request" => (
            if pod.by_annotation { ErrorKind::Identity } else { ErrorKind::Config },
            format!("check the provider's name, with the project's number: {pool}; {has}"),
        ),
        "unauthorized_client" => (
            ErrorKind::Denied,
            format!(
                "the provider's attribute condition rejects `{}`: {pool}",
                one_line(&claims.subject)
            ),
        ),
        "PERMISSION_DENIED" => (
            ErrorKind::Denied,
            "enable the Security Token Service API in the pool's project".to_owned(),
        ),
        _ => return None,
    };
    Some(Diagnosis::new(kind, hint))
}

/// For the IAM Service Account Credentials API.
pub(crate) fn diagnose_iam(
    status: u16,
    body: &ErrorBody,
    email: &str,
    pod: &Pod<'_>,
) -> Option<Diagnosis> {
    let claims = pod.token.claims();
    let names = claims.namespace.as_deref().zip(claims.service_account.as_deref());
    let member = pod.pool.member(&claims.subject, names);
    let (kind, hint) = match (body.error()?, status) {
        ("PERMISSION_DENIED", _) if body.mentions(&["has not been used", "is disabled"]) => (
            ErrorKind::Denied,
            "enable the IAM Service Account Credentials API in the service account's project"
                .to_owned(),
        ),
        ("PERMISSION_DENIED", _) | (_, 403) => (
            ErrorKind::Denied,
            format!("grant roles/iam.workloadIdentityUser on `{email}` to `{member}`"),
        ),
        ("NOT_FOUND", _) | (_, 404) => (
            ErrorKind::Denied,
            format!("the service account `{email}` does not exist: check its name"),
        ),
        ("UNAUTHENTICATED", _) | (_, 401) => (
            ErrorKind::Denied,
            "the federated token was rejected: check that the pool and the service account are in \
             the same universe"
                .to_owned(),
        ),
        ("INVALID_ARGUMENT", _) => (
            ErrorKind::Config,
            "check `token_lifetime_seconds` (an hour at most, unless the organisation allows \
             more), and the service account's name"
                .to_owned(),
        ),
        _ => return None,
    };
    Some(Diagnosis::new(kind, hint))
}

/// For the token endpoint for keys.
pub(crate) fn diagnose_key(body: &ErrorBody, key: &Key) -> Option<Diagnosis> {
    let email = &key.email;
    let (kind, hint) = match body.error()? {
        "invalid_grant" if body.mentions(&["reasonable timeframe", "expired"]) => {
            (ErrorKind::Config, "check this node's clock".to_owned())
        }
        "invalid_grant" if body.mentions(&["account not found"]) => (
            ErrorKind::Denied,
            format!("the service account `{email}` does not exist in this universe"),
        ),
        "invalid_grant" => (
            ErrorKind::Denied,
            format!(
                "the key does not belong to `{email}`, or was deleted: create a new one with \
                 `gcloud iam service-accounts keys create`"
            ),
        ),
        "disabled_client" | "unauthorized_client" | "invalid_client" => {
            (ErrorKind::Denied, format!("the service account `{email}` is disabled: enable it"))
        }
        _ => return None,
    };
    Some(Diagnosis::new(kind, hint))
}
