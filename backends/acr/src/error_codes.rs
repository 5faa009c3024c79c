//! What Azure's error codes mean: who must act, and how.
//!
//! Source: Microsoft identity platform, "Microsoft Entra authentication and authorization
//! error codes"; Azure Container Registry, "Troubleshoot registry login".

use pullpass::http::Reply;
use pullpass::{Diagnosis, ErrorKind, one_line};

use crate::error_response::{EntraErrorBody, RegistryErrorBody};
use crate::identity::Identity;
use crate::token_service::TokenService;

/// For an answer that is not in the service's own form.
const UNEXPECTED: &str = "unexpected answer: check for a proxy, a login page or a wrong URL";

/// For Entra, and the services that replace it.
pub(crate) fn diagnose_token_service(
    reply: &Reply,
    body: &EntraErrorBody,
    service: &TokenService,
    identity: &Identity<'_>,
) -> Diagnosis {
    let diagnosis = body
        .aadsts_code()
        .and_then(|code| diagnose_aadsts(&code, service, identity))
        .unwrap_or_else(|| diagnose_status(reply.status(), service, body));
    match diagnosis.kind {
        ErrorKind::Unavailable => {
            Diagnosis { hint: diagnosis.hint + &reply.hint_unavailable(), ..diagnosis }
        }
        _ => diagnosis,
    }
}

/// `None` if the code says no more than the status.
fn diagnose_aadsts(
    code: &str,
    service: &TokenService,
    identity: &Identity<'_>,
) -> Option<Diagnosis> {
    let (kind, hint) = match code {
        "AADSTS70021" | "AADSTS70025" | "AADSTS700211" | "AADSTS700212" | "AADSTS700213"
        | "AADSTS7002138" => {
            return Some(Diagnosis::new(
                ErrorKind::Denied,
                federated_credential(service, identity),
            ));
        }
        "AADSTS501661" => (
            ErrorKind::Denied,
            "Entra cannot fetch the issuer's keys: its discovery document must be public",
        ),
        "AADSTS500011" => (
            ErrorKind::Denied,
            "Entra does not know Azure Container Registry in this tenant: check the tenant ID and \
             `cloud`",
        ),
        "AADSTS7000112" => (ErrorKind::Denied, "the application is disabled: enable it"),
        "AADSTS90038" => {
            (ErrorKind::Config, "the tenant is in another cloud: check `cloud` and the tenant ID")
        }
        "AADSTS700016" => (
            ErrorKind::Denied,
            "the application is not in this tenant: check the client ID and the tenant ID",
        ),
        "AADSTS90002" | "AADSTS900023" => (
            ErrorKind::Denied,
            "this tenant does not exist in this cloud: check the tenant ID and `cloud`",
        ),
        "AADSTS7000215" | "AADSTS7000222" => {
            (ErrorKind::Denied, "the client secret is wrong or has expired: create a new one")
        }
        "AADSTS700024" => (
            ErrorKind::Identity,
            "the token has expired or is not yet valid: check this node's clock",
        ),
        "AADSTS5002730" => (
            ErrorKind::Config,
            "Entra does not support this signature algorithm: use a certificate with an RSA key",
        ),
        "AADSTS50013" | "AADSTS700027" | "AADSTS7000272" => (
            ErrorKind::Denied,
            "Entra cannot verify the signature: check the issuer's published keys, or the \
             certificate of the application",
        ),
        "AADSTS50196" | "AADSTS90006" | "AADSTS90012" | "AADSTS90024" | "AADSTS90033"
        | "AADSTS90055" => {
            (ErrorKind::Unavailable, "Entra is limiting this tenant's requests, or is overloaded; ")
        }
        _ => return None,
    };
    Some(Diagnosis::new(kind, hint))
}

/// What the application must trust; and, where the token is not for Entra's own audience, the
/// other place to look.
fn federated_credential(service: &TokenService, identity: &Identity<'_>) -> String {
    let (Identity::Pod { token, .. } | Identity::BoundPod { token, .. }) = identity else {
        return "add a federated credential for the token's issuer, subject and audience to the \
                application"
            .to_owned();
    };
    let claims = token.claims();
    let hint = format!(
        "add a federated credential to the application, exactly: issuer `{}`, subject `{}`, \
         audience `{}`",
        one_line(&claims.issuer),
        one_line(&claims.subject),
        one_line(&claims.audience.join(", "))
    );
    match service {
        TokenService::Entra { audience: Some(audience), .. } if !claims.is_for(audience) => {
            format!(
                "{hint}; or set `tokenAttributes.serviceAccountTokenAudience` to `{audience}`, \
                 which Entra expects in this cloud"
            )
        }
        _ => hint,
    }
}

fn diagnose_status(status: u16, service: &TokenService, body: &EntraErrorBody) -> Diagnosis {
    let (kind, hint) = match (status, service) {
        (400 | 404, service) if service.is_of_machine() && body.has_description() => (
            ErrorKind::Identity,
            "the identity is not assigned to this machine, or several are assigned and none is \
             selected: assign it, or select one with `userAssignedIdentityID` or \
             `--managed-identity`",
        ),
        (403, TokenService::Imds) => (
            ErrorKind::Denied,
            "something other than IMDS answered: check for a proxy or \
                 firewall on this machine",
        ),
        (404 | 410, TokenService::Imds) => (
            ErrorKind::Unavailable,
            "the identity was assigned only a moment ago, or IMDS is being updated; ",
        ),
        (408 | 429 | 500..=599, _) => (ErrorKind::Unavailable, ""),
        (401 | 403, TokenService::ApiServer) => (
            ErrorKind::Denied,
            "create an identity binding for this identity, and allow the service account the verb \
             `use-managed-identity` on it",
        ),
        _ if body.aadsts_code().is_some() => {
            (ErrorKind::Denied, "look the code up at https://login.microsoftonline.com/error")
        }
        (401 | 403, _) if body.error().is_some() || body.has_description() => (
            ErrorKind::Denied,
            "check the identity, and check for a proxy between this node and the service",
        ),
        _ if body.error().is_some() => (ErrorKind::Denied, "check the configured identity"),
        _ => (ErrorKind::Protocol, UNEXPECTED),
    };
    Diagnosis::new(kind, hint)
}

/// For the registry. Its own refusals have a code; without one, another server answered.
pub(crate) fn diagnose_registry(
    reply: &Reply,
    body: &RegistryErrorBody,
    registry: &str,
) -> Diagnosis {
    let kind = match (reply.status(), reply.kind()) {
        (401 | 403, _) if body.code().is_none() => ErrorKind::Protocol,
        (400, _) if body.code().is_some() => ErrorKind::Denied,
        (_, kind) => kind,
    };
    match kind {
        ErrorKind::Unavailable => Diagnosis::new(kind, reply.hint_unavailable()),
        ErrorKind::Denied if reply.status() == 403 => Diagnosis::new(
            kind,
            format!(
                "assign the role AcrPull on `{registry}` to the identity; if it has the role, \
                 check whether the registry's firewall blocks this node"
            ),
        ),
        ErrorKind::Denied => Diagnosis::new(
            kind,
            format!(
                "assign the role AcrPull on `{registry}` to the identity (or Container Registry \
                 Repository Reader, where the registry uses ABAC); a new assignment can take \
                 minutes"
            ),
        ),
        _ => Diagnosis::new(
            kind,
            "unexpected answer: check for a proxy, a login page or a wrong URL",
        ),
    }
}
