//! What Entra and what stands for it answered: the token, or an error of ours with who was
//! refused, the status, AADSTS code and correlation ID, and what to do.
//!
//! Source: Microsoft identity platform, "Microsoft Entra authentication and authorization
//! error codes".

use pullpass::http::{Reply, SentSecrets};
use pullpass::{Error, ErrorKind, one_line};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use crate::identity::Identity;

/// What stands for Entra with identity bindings.
pub(crate) const API_SERVER: &str = "the API server";

/// The longest description that is repeated, in characters.
const LONGEST_WORDS: usize = 220;

/// The token of an answer in OAuth's form (RFC 6749 §5.1).
///
/// # Errors
/// Of kind Protocol, when there is none; else as [`entra`].
pub(crate) fn access_token(
    reply: &Reply,
    service: &str,
    identity: &Identity<'_>,
    sent: &SentSecrets,
) -> Result<SecretString, Error> {
    if !reply.is_success() {
        return Err(entra(reply, service, identity, sent));
    }
    #[derive(Deserialize)]
    struct Answer {
        access_token: Option<String>,
    }
    let answer: Answer = reply.json()?;
    answer.access_token.filter(|token| !token.is_empty()).map(SecretString::from).ok_or_else(|| {
        Error::protocol(format!("{service} answered {} without a token", reply.status()))
            .with_hint(format!("check what stands between this node and {service}"))
    })
}

/// Explains an answer that is no token.
pub(crate) fn entra(
    reply: &Reply,
    service: &str,
    identity: &Identity<'_>,
    sent: &SentSecrets,
) -> Error {
    let status = reply.status();
    if reply.is_success() {
        return Error::protocol(format!("{service} answered {status} with no token"))
            .with_hint(format!("check what stands between this node and {service}"));
    }
    let body = ErrorBody::read(reply);
    let code = body.code();
    let (kind, hint) = match code.as_deref() {
        Some(code) => {
            by_code(code, identity).unwrap_or_else(|| by_status(status, service, identity, &body))
        }
        None => by_status(status, service, identity, &body),
    };
    let verb = match kind {
        ErrorKind::Unavailable => "could not serve",
        _ => "refused",
    };
    let mut what = format!("{service} {verb} {identity}: HTTP {status}");
    for part in [code.as_deref(), body.error.as_deref()].into_iter().flatten() {
        what.push(' ');
        what.push_str(&sent.quote([part])[0]);
    }
    let mut error = Error::new(kind, what);
    if let Some(words) = body.words() {
        error =
            error.with_source(format!("`{}` says: {}", reply.target(), sent.quote([&words])[0]));
    }
    match kind {
        ErrorKind::Unavailable => error.with_hint(format!("{hint}{}", reply.hint_unavailable())),
        _ => error.with_hint(hint),
    }
}

/// An error of Entra's, of the metadata services, which have some of its fields, or of an API
/// server, which has a message.
#[derive(Default)]
struct ErrorBody {
    error: Option<String>,
    /// `message` of App Service, and of an API server.
    error_description: Option<String>,
    /// Entra's numbers.
    error_codes: Vec<u64>,
    correlation_id: Option<String>,
}

impl ErrorBody {
    /// Whatever of it is there: a field of another shape must not hide the others.
    fn read(reply: &Reply) -> Self {
        let Ok(body) = reply.json::<Value>() else { return Self::default() };
        let text = |names: &[&str]| {
            names.iter().find_map(|name| body.get(name)?.as_str().map(str::to_owned))
        };
        let codes = body.get("error_codes").and_then(Value::as_array);
        Self {
            error: text(&["error"]),
            error_description: text(&["error_description", "message"]),
            error_codes: codes.into_iter().flatten().filter_map(Value::as_u64).collect(),
            correlation_id: text(&["correlation_id", "correlationId"]),
        }
    }
}

impl ErrorBody {
    /// `AADSTS` and a number.
    fn code(&self) -> Option<String> {
        // Arc's agent puts the HTTP status there.
        if let Some(code) = self.error_codes.iter().find(|code| **code > 999) {
            return Some(format!("AADSTS{code}"));
        }
        let description = self.error_description.as_deref()?;
        let digits = description.split_once("AADSTS")?.1;
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len()).min(10);
        (end > 0).then(|| format!("AADSTS{}", &digits[..end]))
    }

    /// The description's first sentence, and the ID by which Microsoft finds the attempt.
    fn words(&self) -> Option<String> {
        let description = self.error_description.as_deref()?;
        // What follows is trace IDs, each on a line of its own, or after its name.
        let first = description.lines().next().unwrap_or_default();
        let first = first.split(" Trace ID:").next().unwrap_or_default().trim();
        // Long ones may not push out what follows.
        let first: String = first.chars().take(LONGEST_WORDS).collect();
        Some(match &self.correlation_id {
            Some(id) => format!("{first} (correlation ID {id})"),
            None => first,
        })
    }
}

/// Who must act on a code, and how; `None` where the status says as much.
fn by_code(code: &str, identity: &Identity<'_>) -> Option<(ErrorKind, String)> {
    let federated = || match identity {
        Identity::Pod { token, .. } | Identity::BoundPod { token, .. } => {
            let claims = token.claims();
            format!(
                "add a federated credential to the application, exactly: issuer `{}`, subject \
                 `{}`, audience `{}`",
                one_line(&claims.issuer),
                one_line(&claims.subject),
                one_line(&claims.audience.join(", "))
            )
        }
        _ => "add a federated credential for the token's issuer, subject and audience to the \
              application"
            .to_owned(),
    };
    let (kind, hint) = match code {
        "AADSTS70021" | "AADSTS70025" | "AADSTS700211" | "AADSTS700212" | "AADSTS700213"
        | "AADSTS7002138" => {
            return Some((ErrorKind::Denied, federated()));
        }
        "AADSTS501661" => (
            ErrorKind::Denied,
            "Entra cannot fetch the issuer's keys: its discovery document must be public",
        ),
        "AADSTS500011" => {
            (ErrorKind::Denied, "this tenant or cloud knows no container registries: check both")
        }
        "AADSTS7000112" => (ErrorKind::Denied, "the application is disabled: enable it"),
        "AADSTS90038" => {
            (ErrorKind::Config, "the tenant is in another cloud: check `cloud` and the tenant ID")
        }
        "AADSTS700016" => (
            ErrorKind::Denied,
            "the application is not in this tenant: check the client ID and the tenant ID",
        ),
        "AADSTS90002" | "AADSTS900023" => {
            (ErrorKind::Denied, "there is no such tenant in this cloud: check tenant ID and cloud")
        }
        "AADSTS7000215" | "AADSTS7000222" => {
            (ErrorKind::Denied, "the client secret is wrong or has expired: make a new one")
        }
        "AADSTS700024" => {
            (ErrorKind::Identity, "the token is used outside of its time; check this node's clock")
        }
        "AADSTS5002730" => (
            ErrorKind::Config,
            "Entra takes no signature of this kind: use a certificate with an RSA key",
        ),
        "AADSTS50013" | "AADSTS700027" | "AADSTS7000272" => (
            ErrorKind::Denied,
            "Entra cannot verify the signature: the issuer's keys, or the application's \
             certificate, are others",
        ),
        "AADSTS50196" | "AADSTS90006" | "AADSTS90012" | "AADSTS90024" | "AADSTS90033"
        | "AADSTS90055" => (ErrorKind::Unavailable, "Entra limits or lacks capacity; "),
        _ => return None,
    };
    Some((kind, hint.to_owned()))
}

fn by_status(
    status: u16,
    service: &str,
    identity: &Identity<'_>,
    body: &ErrorBody,
) -> (ErrorKind, String) {
    let text = |text: &str| text.to_owned();
    let managed = matches!(identity, Identity::Managed { .. });
    match status {
        400 | 404 if managed && body.error_description.is_some() => (
            ErrorKind::Identity,
            text(
                "the identity is not assigned to this machine, or several are and none is named: \
                 assign it, or name it by `userAssignedIdentityID` or `--managed-identity`",
            ),
        ),
        403 if service == "IMDS" => {
            (ErrorKind::Denied, text("something on this machine stands before IMDS: a proxy"))
        }
        404 | 410 if service == "IMDS" => {
            (ErrorKind::Unavailable, text("the identity is new here, or IMDS is being updated; "))
        }
        408 | 429 | 500..=599 => (ErrorKind::Unavailable, String::new()),
        401 | 403 if service == API_SERVER => (
            ErrorKind::Denied,
            text(
                "bind the identity to this service account: an identity binding, and the verb \
                 `use-managed-identity` on it",
            ),
        ),
        _ if body.code().is_some() => {
            (ErrorKind::Denied, text("look the code up at https://login.microsoftonline.com/error"))
        }
        401 | 403 if body.error.is_some() || body.error_description.is_some() => (
            ErrorKind::Denied,
            text("check the identity, and that no proxy stands between this node and the service"),
        ),
        _ if body.error.is_some() => (ErrorKind::Denied, text("check the identity that is named")),
        _ => (
            ErrorKind::Protocol,
            format!(
                "no answer that Azure documents; check what stands between this node and {service}"
            ),
        ),
    }
}
