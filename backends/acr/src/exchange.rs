//! Exchanges an Entra token for the registry's own tokens.
//!
//! Source: Azure Container Registry, "ACR's OAuth 2.0 authorization server" (AAD-OAuth).

use pullpass::http::{Reply, ServerError};
use pullpass::{Context, Error, ErrorKind};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

use crate::challenge;
use crate::error_codes::diagnose_registry;
use crate::error_response::RegistryErrorBody;
use crate::identity::Identity;
use crate::registry::LoginServer;

/// A registry, and the identity that logs in.
pub(crate) struct Exchange<'a> {
    pub(crate) server: &'a LoginServer,
    pub(crate) identity: &'a Identity<'a>,
    pub(crate) cx: &'a Context,
}

/// One of its two answers.
#[derive(Deserialize)]
struct TokenResponse {
    refresh_token: Option<String>,
    access_token: Option<String>,
}

impl Exchange<'_> {
    /// Opens the connection to the registry, while the call for the Entra token is pending.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], when the registry's host cannot be part of a URL.
    pub(crate) fn preconnect(&self) -> Result<(), Error> {
        self.cx.http.preconnect(&self.url("/")?);
        Ok(())
    }

    /// Exchanges an Entra access token for a registry refresh token, which is the password of a
    /// login.
    pub(crate) async fn refresh_token(&self, token: &SecretString) -> Result<SecretString, Error> {
        let mut form = vec![
            ("grant_type", "access_token"),
            ("service", self.server.host()),
            ("access_token", token.expose_secret()),
        ];
        form.extend(self.identity.tenant_id().map(|tenant| ("tenant", tenant)));
        let reply = self.post("/oauth2/exchange", form, token).await?;
        let response: TokenResponse = reply.json()?;
        non_empty(response.refresh_token, "a refresh token", &reply)
    }

    /// A token to pull one repository with, for a refresh token.
    pub(crate) async fn access_token(
        &self,
        refresh_token: &SecretString,
        repository: &str,
    ) -> Result<SecretString, Error> {
        let scope = format!("repository:{repository}:pull");
        let form = vec![
            ("grant_type", "refresh_token"),
            ("service", self.server.host()),
            ("scope", scope.as_str()),
            ("refresh_token", refresh_token.expose_secret()),
        ];
        let reply = self.post("/oauth2/token", form, refresh_token).await?;
        let response: TokenResponse = reply.json()?;
        non_empty(response.access_token, "an access token", &reply)
    }

    async fn post(
        &self,
        path: &str,
        form: Vec<(&str, &str)>,
        token: &SecretString,
    ) -> Result<Reply, Error> {
        let call = self.cx.http.post(self.url(path)?).secret(token).form(form);
        let reply = call.send().await.map_err(|error| {
            let (host, identity) = (self.server.host(), self.identity);
            error.context(format!("cannot get a token from the registry `{host}` for {identity}"))
        })?;
        match reply.is_success() {
            true => Ok(reply),
            false => Err(self.explain(&reply).await),
        }
    }

    /// A URL of the registry that the image's host proves: never where a challenge points.
    fn url(&self, path: &str) -> Result<Url, Error> {
        Url::parse(&format!("https://{}{path}", self.server.authority())).map_err(|_| {
            Error::config(format!("`{}` is not a host name", self.server.host()))
                .with_hint("check the image's name, and the target of `--registry-mirror`")
        })
    }

    /// Explains an error answer; where the answer says little, the registry's challenge may say more.
    async fn explain(&self, reply: &Reply) -> Error {
        let host = self.server.host();
        let body = RegistryErrorBody::read(reply);
        let diagnosis = diagnose_registry(reply, &body, host);
        let is_protocol = diagnosis.kind == ErrorKind::Protocol;
        let error = reply
            .server_error()
            .service(format!("the registry `{host}`"))
            .subject(self.identity)
            .diagnosis(diagnosis);
        let error = body.code().into_iter().fold(error, ServerError::code);
        let error = body.message().into_iter().fold(error, ServerError::words).into_error();
        match is_protocol {
            true => match challenge::find_fault(self.server, self.cx).await {
                Some(fault) => error.with_source(fault).with_hint(
                    "this host does not answer like an ACR registry: check DNS, and check for a \
                     proxy or firewall",
                ),
                None => error,
            },
            false => error,
        }
    }
}

fn non_empty(token: Option<String>, what: &str, reply: &Reply) -> Result<SecretString, Error> {
    token
        .filter(|token| !token.is_empty())
        .map(SecretString::from)
        .ok_or_else(|| reply.unexpected(&format!("without {what}")))
}
