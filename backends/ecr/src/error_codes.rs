//! AWS's error codes: who must act, and how.
//!
//! Source: the API references' "Common Errors" and the errors of each operation.

use pullpass::{Claims, Diagnosis, ErrorKind, one_line};

use crate::identity::{AUDIENCE, Identity};
use crate::registry::Registry;
use crate::roles::Role;

/// For `AssumeRoleWithWebIdentity`.
pub(crate) fn diagnose_web_identity(code: &str, role: &Role, claims: &Claims) -> Option<Diagnosis> {
    let (issuer, subject) = (one_line(&claims.issuer), one_line(&claims.subject));
    let audience = one_line(&claims.audience.join(", "));
    let named_by = &role.named_by;
    let by_convention = match audience == AUDIENCE {
        true => String::new(),
        false => format!(
            "; by convention `serviceAccountTokenAudience` and the provider have `{AUDIENCE}`"
        ),
    };
    Some(match code {
        "AccessDenied" | "AccessDeniedException" => Diagnosis::new(
            ErrorKind::Denied,
            format!(
                "the role's trust policy must allow sts:AssumeRoleWithWebIdentity to the OIDC \
                 provider of `{issuer}`, with `sub` = `{subject}` and `aud` = `{audience}`; \
                 {named_by} names the role"
            ),
        ),
        "InvalidIdentityToken" | "InvalidIdentityTokenException" => Diagnosis::new(
            ErrorKind::Denied,
            format!(
                "IAM in the role's account needs an OIDC provider for `{issuer}` with the audience \
                 `{audience}`, and AWS must be able to fetch that issuer's keys{by_convention}"
            ),
        ),
        "IDPRejectedClaim" | "IDPRejectedClaimException" => Diagnosis::new(
            ErrorKind::Denied,
            format!(
                "the issuer `{issuer}` rejected this token: check that the cluster's current \
                 keys are published there"
            ),
        ),
        "IDPCommunicationError" | "IDPCommunicationErrorException" => Diagnosis::new(
            ErrorKind::Unavailable,
            format!("AWS could not fetch the keys of `{issuer}`; they must be public"),
        ),
        "ExpiredTokenException" | "ExpiredToken" => Diagnosis::new(
            ErrorKind::Identity,
            "the kubelet renews tokens by itself; check this node's clock",
        ),
        "ValidationError" => Diagnosis::new(
            ErrorKind::Identity,
            format!("check the role's ARN; {named_by} names it"),
        ),
        _ => return diagnose_common(code),
    })
}

/// For `AssumeRole`.
pub(crate) fn diagnose_assume_role(code: &str, role: &Role) -> Option<Diagnosis> {
    match code {
        "AccessDenied" | "AccessDeniedException" => Some(Diagnosis::new(
            ErrorKind::Denied,
            format!(
                "allow sts:AssumeRole on `{}` to the node, in an IAM policy and in the role's \
                 trust policy",
                role.arn
            ),
        )),
        _ => diagnose_common(code),
    }
}

/// For both, when the SDK requests a role that the node's environment or profile names.
pub(crate) fn diagnose_node_role(code: &str) -> Option<Diagnosis> {
    let diagnosis = match code {
        "AccessDenied" | "AccessDeniedException" => Diagnosis::new(
            ErrorKind::Denied,
            "the role that `AWS_ROLE_ARN` or the profile names must allow this caller in its trust \
             policy",
        ),
        "InvalidIdentityToken" | "InvalidIdentityTokenException" => Diagnosis::new(
            ErrorKind::Denied,
            "IAM in the role's account needs an OIDC provider for the issuer and the audience of \
             the token in `AWS_WEB_IDENTITY_TOKEN_FILE`",
        ),
        "IDPRejectedClaim" | "IDPRejectedClaimException" => Diagnosis::new(
            ErrorKind::Denied,
            "the issuer rejected the token: check that its \
                 current keys are published",
        ),
        "IDPCommunicationError" | "IDPCommunicationErrorException" => Diagnosis::new(
            ErrorKind::Unavailable,
            "AWS could not fetch the keys of the token's issuer; they must be public",
        ),
        "ValidationError" => Diagnosis::new(
            ErrorKind::Config,
            "check the role's ARN in `AWS_ROLE_ARN` or the profile",
        ),
        _ => return diagnose_common(code),
    };
    Some(diagnosis)
}

/// For `GetAuthorizationToken`.
pub(crate) fn diagnose_authorization_token(
    code: &str,
    registry: &Registry,
    identity: &Identity<'_>,
) -> Option<Diagnosis> {
    let name = match identity {
        Identity::Node => "the node's role".to_owned(),
        Identity::NodeInRole(role) | Identity::Pod(role, _) => format!("`{}`", role.arn),
    };
    match (code, registry) {
        ("AccessDenied" | "AccessDeniedException", Registry::Private(_)) => Some(Diagnosis::new(
            ErrorKind::Denied,
            format!("allow ecr:GetAuthorizationToken on `*` in an IAM policy of {name}"),
        )),
        ("AccessDenied" | "AccessDeniedException", Registry::Public { .. }) => {
            Some(Diagnosis::new(
                ErrorKind::Denied,
                format!(
                    "allow ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken in an \
                     IAM policy of {name}, or remove ECR Public from `matchImages`: it can be \
                     pulled from without a login"
                ),
            ))
        }
        ("UnrecognizedClientException" | "InvalidClientTokenId", Registry::Public { .. }) => {
            Some(Diagnosis::new(
                ErrorKind::Denied,
                "ECR Public accepts credentials of partition `aws` only; in other partitions \
                 remove it from `matchImages`",
            ))
        }
        _ => diagnose_common(code),
    }
}

/// For every operation.
fn diagnose_common(code: &str) -> Option<Diagnosis> {
    let diagnosis = match code {
        "UnrecognizedClientException" | "InvalidClientTokenId" | "InvalidAccessKeyId" => {
            Diagnosis::new(
                ErrorKind::Denied,
                "AWS does not know these credentials: the key was deleted, the session token is \
                 missing, or they belong to another partition",
            )
        }
        "InvalidSignatureException" | "SignatureDoesNotMatch" => Diagnosis::new(
            ErrorKind::Denied,
            "the secret key does not belong to this access key, or this node's clock is wrong",
        ),
        "RequestExpired" | "RequestTimeTooSkewed" | "SignatureExpired" => Diagnosis::new(
            ErrorKind::Denied,
            "this node's clock is off by more than a few minutes: correct it",
        ),
        "ExpiredToken" | "ExpiredTokenException" => Diagnosis::new(
            ErrorKind::Identity,
            "the credentials on this node have expired; check what renews them",
        ),
        "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "IncompleteSignature"
        | "IncompleteSignatureException" => Diagnosis::new(
            ErrorKind::Protocol,
            "the request arrived without its signature; check the proxies between this node \
             and AWS",
        ),
        "RegionDisabledException" | "RegionDisabled" | "OptInRequired" => Diagnosis::new(
            ErrorKind::Denied,
            "the region is not enabled for this account: enable it, and STS in it",
        ),
        "AccessDenied" | "AccessDeniedException" => Diagnosis::new(
            ErrorKind::Denied,
            "the identity lacks a permission; the message from AWS names it",
        ),
        "MalformedPolicyDocument"
        | "PackedPolicyTooLarge"
        | "MalformedPolicyDocumentException"
        | "PackedPolicyTooLargeException" => Diagnosis::new(
            ErrorKind::Protocol,
            "this plugin sends no policy; check for a proxy between this node and STS",
        ),
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "LimitExceededException"
        | "SlowDown" => Diagnosis::new(
            ErrorKind::Unavailable,
            "AWS limits calls per account and region; the kubelet tries the pull again later",
        ),
        "ServerException"
        | "RequestTimeout"
        | "RequestTimeoutException"
        | "InternalFailure"
        | "ServiceUnavailable"
        | "InternalServerError"
        | "ServiceUnavailableException" => Diagnosis::new(
            ErrorKind::Unavailable,
            "AWS is overloaded or broken; the kubelet tries the pull again later",
        ),
        _ => return None,
    };
    Some(diagnosis)
}
