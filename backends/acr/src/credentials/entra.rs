//! Microsoft Entra ID, through Azure's own crate on our HTTP client. The crate sends each request
//! once; our client retries.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{Secret, TokenCredential};
use azure_core::http::{ClientMethodOptions, ClientOptions, RetryOptions, Transport};
use azure_identity::{
    ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions,
    ClientSecretCredential, ClientSecretCredentialOptions,
};
use pullpass::{Context, Error, SigningKey, file};
use secrecy::{ExposeSecret as _, SecretString};

use super::token_response::read_token;
use super::transport::HttpTransport;
use crate::cloud::Cloud;
use crate::identity::Identity;
use crate::registry::AUDIENCE;
use crate::settings::{Principal, Proof};
use crate::token_service::TokenService;

/// How long an assertion that is signed here is valid; Entra accepts up to 24 hours.
const ASSERTION_LIFETIME: Duration = Duration::from_secs(600);

/// Entra in one cloud, for one identity.
pub(super) struct Entra<'a> {
    cloud: &'a Cloud,
    identity: &'a Identity<'a>,
    cx: &'a Context,
    transport: HttpTransport,
}

impl<'a> Entra<'a> {
    pub(super) fn new(cloud: &'a Cloud, identity: &'a Identity<'a>, cx: &'a Context) -> Self {
        Self { cloud, identity, cx, transport: HttpTransport::new(cx) }
    }

    /// A token for an application that trusts the issuer of `assertion`.
    pub(super) async fn token_for_assertion(
        &self,
        assertion: &SecretString,
        client_id: &str,
        tenant_id: &str,
    ) -> Result<SecretString, Error> {
        let options = ClientAssertionCredentialOptions { client_options: self.client_options() };
        let credential = ClientAssertionCredential::new(
            tenant_id.to_owned(),
            client_id.to_owned(),
            Assertion(assertion.clone()),
            Some(options),
        );
        self.request_token(credential, assertion).await
    }

    /// A token for a service principal.
    pub(super) async fn token_for_principal(
        &self,
        principal: &Principal,
        tenant_id: &str,
    ) -> Result<SecretString, Error> {
        let client_id = &principal.client_id;
        let assertion = match &principal.proof {
            Proof::Secret(secret) | Proof::StaticSecret(secret) => {
                let options =
                    ClientSecretCredentialOptions { client_options: self.client_options() };
                let credential = ClientSecretCredential::new(
                    tenant_id,
                    client_id.clone(),
                    Secret::new(secret.expose_secret().to_owned()),
                    Some(options),
                );
                return self.request_token(credential, secret).await;
            }
            Proof::TokenFile(path) => file::read_secret(path).map_err(|error| {
                error.with_hint(
                    "the file must hold a token of an issuer that the application trusts",
                )
            })?,
            Proof::Certificate(path) => self.sign_assertion(path, client_id, tenant_id)?,
        };
        self.token_for_assertion(&assertion, client_id, tenant_id).await
    }

    /// Source: Microsoft identity platform, "Certificate credentials".
    fn sign_assertion(
        &self,
        path: &Path,
        client_id: &str,
        tenant_id: &str,
    ) -> Result<SecretString, Error> {
        let hint = "the file must hold the certificate and its private key, both in PEM; `openssl \
                    pkcs12 -noenc` converts a PKCS#12 file (.pfx)";
        let key = SigningKey::from_pem_file(path).map_err(|error| error.with_hint(hint))?;
        let thumbprint = key.certificate_sha256().ok_or_else(|| {
            Error::config(format!("`{}` has no certificate", path.display())).with_hint(hint)
        })?;
        let endpoint =
            self.cloud.authority.join(&format!("/{tenant_id}/oauth2/v2.0/token")).map_err(
                |_| {
                    Error::config("the tenant ID is not valid").with_hint(
                        "set `--tenant-id`, or `tenantId` in `azure.json`, to the tenant's GUID or \
                     domain name",
                    )
                },
            )?;
        let claims = [("aud", endpoint.as_str()), ("iss", client_id), ("sub", client_id)];
        let text = |(name, value): (&str, &str)| (name.to_owned(), value.into());
        let header = [("x5t#S256", &*thumbprint)].map(text);
        key.sign_jwt(
            header.into_iter().collect(),
            claims.map(text).into_iter().collect(),
            self.cx.clock.now(),
            ASSERTION_LIFETIME,
        )
    }

    fn client_options(&self) -> ClientOptions {
        let mut custom = CustomConfiguration::default();
        custom.authority_host = self.cloud.authority.to_string();
        ClientOptions {
            transport: Some(Transport::new(Arc::new(self.transport.clone()))),
            retry: RetryOptions::none(),
            cloud: Some(Arc::new(CloudConfiguration::Custom(custom))),
            ..ClientOptions::default()
        }
    }

    /// `proof` is the secret in the body that the crate sends.
    async fn request_token<C: TokenCredential>(
        &self,
        credential: azure_core::Result<Arc<C>>,
        proof: &SecretString,
    ) -> Result<SecretString, Error> {
        let (identity, sent) = (self.identity, self.cx.http.sent_secrets());
        sent.remember(proof.expose_secret());
        let host = self.cloud.authority.host_str().unwrap_or_default().to_owned();
        let service = TokenService::Entra { host, audience: self.cloud.audience };
        let cannot = |error: azure_core::Error| {
            let [words] = sent.quote([&error.to_string()]);
            Error::config(format!("cannot request a token from {service} for {identity}"))
                .with_source(words)
                .with_hint("check the tenant ID and the client ID")
        };
        let credential = credential.map_err(cannot)?;
        let result = credential.get_token(&[&format!("{AUDIENCE}/.default")], None).await;
        let error = match result {
            Ok(token) if !token.token.secret().is_empty() => {
                return Ok(token.token.secret().to_owned().into());
            }
            Ok(_) => None,
            Err(error) => Some(error),
        };
        // The answer itself says more than the crate's error.
        match (self.transport.last(), error) {
            (Some(reply), _) => read_token(&reply, &service, identity, self.cx),
            (None, Some(error)) => Err(match Error::find_in(&error) {
                Some(cause) => cause
                    .clone()
                    .context(format!("cannot get a token from {service} for {identity}")),
                None => cannot(error),
            }),
            (None, None) => Err(Error::protocol(format!("{service} did not answer"))
                .with_hint("check for a proxy or firewall between this node and Entra")),
        }
    }
}

/// The pod's token, or one that was signed here.
struct Assertion(SecretString);

impl fmt::Debug for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Assertion")
    }
}

#[pullpass::async_trait]
impl ClientAssertion for Assertion {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        Ok(self.0.expose_secret().to_owned())
    }
}
