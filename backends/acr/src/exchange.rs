//! The registry's own tokens, for a token of Entra's.
//!
//! Source: Azure Container Registry, "ACR's OAuth 2.0 authorization server" (AAD-OAuth).

use pullpass::http::{Reply, SentSecrets};
use pullpass::{Context, Error, ErrorKind};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

use crate::challenge;
use crate::identity::Identity;
use crate::registry::LoginServer;

/// A refresh token of the registry's: what its logins have for a password.
pub(crate) async fn refresh_token(
    server: &LoginServer,
    token: &SecretString,
    identity: &Identity<'_>,
    cx: &Context,
) -> Result<SecretString, Error> {
    let mut form = vec![
        ("grant_type", "access_token"),
        ("service", server.service()),
        ("access_token", token.expose_secret()),
    ];
    form.extend(identity.tenant_id().map(|tenant| ("tenant", tenant)));
    let reply = post(server, "/oauth2/exchange", form, identity, cx).await?;
    #[derive(Deserialize)]
    struct Answer {
        refresh_token: Option<String>,
    }
    let answer: Answer = match reply.is_success() {
        true => reply.json()?,
        false => {
            return Err(
                refused(&reply, server, identity, &SentSecrets::from_secret(token), cx).await
            );
        }
    };
    given(answer.refresh_token, "a refresh token", &reply)
}

/// A token to pull one repository with, for a refresh token.
pub(crate) async fn access_token(
    server: &LoginServer,
    refresh_token: &SecretString,
    repository: &str,
    identity: &Identity<'_>,
    cx: &Context,
) -> Result<SecretString, Error> {
    let scope = format!("repository:{repository}:pull");
    let form = vec![
        ("grant_type", "refresh_token"),
        ("service", server.service()),
        ("scope", scope.as_str()),
        ("refresh_token", refresh_token.expose_secret()),
    ];
    let reply = post(server, "/oauth2/token", form, identity, cx).await?;
    #[derive(Deserialize)]
    struct Answer {
        access_token: Option<String>,
    }
    let answer: Answer = match reply.is_success() {
        true => reply.json()?,
        false => {
            return Err(refused(
                &reply,
                server,
                identity,
                &SentSecrets::from_secret(refresh_token),
                cx,
            )
            .await);
        }
    };
    given(answer.access_token, "an access token", &reply)
}

async fn post(
    server: &LoginServer,
    path: &str,
    form: Vec<(&str, &str)>,
    identity: &Identity<'_>,
    cx: &Context,
) -> Result<Reply, Error> {
    // Never to where a challenge points: to the registry that the image's host proves.
    let url = Url::parse(&format!("https://{}{path}", server.authority))
        .map_err(|_| Error::config(format!("`{}` is no host", server.authority)))?;
    cx.http.post(url).form(form).send().await.map_err(|error| {
        error.context(format!(
            "the registry `{}` could not be asked for {identity}",
            server.authority
        ))
    })
}

fn given(token: Option<String>, what: &str, reply: &Reply) -> Result<SecretString, Error> {
    token.filter(|token| !token.is_empty()).map(SecretString::from).ok_or_else(|| {
        Error::protocol(format!("`{}` answered {} without {what}", reply.target(), reply.status()))
            .with_hint("check what stands between this node and the registry")
    })
}

/// Explains a refusal; where the answer says little, the registry's challenge may say more.
async fn refused(
    reply: &Reply,
    server: &LoginServer,
    identity: &Identity<'_>,
    sent: &SentSecrets,
    cx: &Context,
) -> Error {
    let (status, registry) = (reply.status(), &server.authority);
    let body: ErrorBody = reply.json().unwrap_or_default();
    let code =
        body.errors.first().and_then(|error| Some(sent.quote([error.code.as_deref()?])[0].clone()));
    let kind = match (status, reply.kind()) {
        // The registry's own "no" has a code; without one somebody else says it.
        (401 | 403, _) if code.is_none() => ErrorKind::Protocol,
        (400, _) if code.is_some() => ErrorKind::Denied,
        (_, kind) => kind,
    };
    let verb = match kind {
        ErrorKind::Unavailable => "could not serve",
        _ => "refused",
    };
    let mut what = format!("the registry `{registry}` {verb} {identity}: HTTP {status}");
    if let Some(code) = code.filter(|code| !code.is_empty()) {
        what.push(' ');
        what.push_str(&code);
    }
    let mut error = Error::new(kind, what);
    if let Some(message) = body.errors.first().and_then(|error| error.message.as_deref()) {
        error = error.with_source(sent.quote([message])[0].clone());
    }
    match kind {
        ErrorKind::Unavailable => error.with_hint(reply.hint_unavailable()),
        ErrorKind::Denied if status == 403 => error.with_hint(format!(
            "the registry's firewall may not let this node in, or the identity lacks the role \
             AcrPull on `{registry}`"
        )),
        ErrorKind::Denied => error.with_hint(format!(
            "give the identity the role AcrPull on `{registry}` (or Container Registry Repository \
             Reader, where the registry uses ABAC); a new assignment may take minutes"
        )),
        _ => match challenge::odd(server, cx).await {
            Some(odd) => {
                error.with_source(odd).with_hint("this host does not answer as a registry of ACR")
            }
            None => error.with_hint("check what stands between this node and the registry"),
        },
    }
}

/// Errors in the registry's form (OCI distribution specification, "Error codes").
#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    errors: Vec<RegistryError>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RegistryError {
    code: Option<String>,
    message: Option<String>,
}
