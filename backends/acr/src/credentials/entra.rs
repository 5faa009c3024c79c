//! Microsoft Entra ID, through Azure's own crate on our HTTP client. It asks once; retries
//! are our client's.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{Secret, TokenCredential};
use azure_core::http::{ClientMethodOptions, ClientOptions, RetryOptions, Transport};
use azure_identity::{
    ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions,
    ClientSecretCredential, ClientSecretCredentialOptions,
};
use pullpass::http::SentSecrets;
use pullpass::{Context, Error, SigningKey, file};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::token_response::read_error;
use super::transport::Http;
use crate::cloud::Cloud;
use crate::identity::Identity;
use crate::registry::AUDIENCE;
use crate::settings::{Principal, Proof};
use crate::token_service::TokenService;

/// How long an assertion of ours holds; Entra takes up to 24 hours.
const ASSERTION_LIFETIME: Duration = Duration::from_secs(600);

/// A token for an application that trusts the issuer of `assertion`.
pub(super) async fn token_for_assertion(
    assertion: &SecretString,
    client_id: &str,
    tenant_id: &str,
    identity: &Identity<'_>,
    cloud: &Cloud,
    cx: &Context,
) -> Result<SecretString, Error> {
    let http = Http::new(cx);
    let options = ClientAssertionCredentialOptions { client_options: client_options(&http, cloud) };
    let credential = ClientAssertionCredential::new(
        tenant_id.to_owned(),
        client_id.to_owned(),
        Assertion(assertion.clone()),
        Some(options),
    );
    request_token(credential, http, identity, cloud, &SentSecrets::from_secret(assertion)).await
}

/// A token for a service principal.
pub(super) async fn token_for_principal(
    principal: &Principal,
    tenant_id: &str,
    identity: &Identity<'_>,
    cloud: &Cloud,
    cx: &Context,
) -> Result<SecretString, Error> {
    let assertion = match &principal.proof {
        Proof::Secret(secret) | Proof::StaticSecret(secret) => {
            let http = Http::new(cx);
            let options =
                ClientSecretCredentialOptions { client_options: client_options(&http, cloud) };
            let credential = ClientSecretCredential::new(
                tenant_id,
                principal.client_id.clone(),
                Secret::new(secret.expose_secret().to_owned()),
                Some(options),
            );
            return request_token(
                credential,
                http,
                identity,
                cloud,
                &SentSecrets::from_secret(secret),
            )
            .await;
        }
        Proof::TokenFile(path) => {
            let hint = "the file must hold a token of an issuer that the application trusts";
            let text = file::read_text(path).map_err(|error| error.with_hint(hint))?;
            if text.trim().is_empty() {
                return Err(Error::config(format!("`{}` is empty", path.display())).with_hint(hint));
            }
            SecretString::from(text.trim())
        }
        Proof::Certificate(path) => {
            sign_assertion(path, &principal.client_id, tenant_id, cloud, cx.clock.now())?
        }
    };
    token_for_assertion(&assertion, &principal.client_id, tenant_id, identity, cloud, cx).await
}

/// Source: Microsoft identity platform, "Certificate credentials".
fn sign_assertion(
    path: &std::path::Path,
    client_id: &str,
    tenant_id: &str,
    cloud: &Cloud,
    now: SystemTime,
) -> Result<SecretString, Error> {
    let hint = "the file must hold the certificate and its private key, both in PEM; `openssl \
                pkcs12 -noenc` converts a PKCS#12 file (.pfx)";
    let key = SigningKey::from_pem_file(path).map_err(|error| error.with_hint(hint))?;
    let thumbprint = key.certificate_sha256().ok_or_else(|| {
        Error::config(format!("`{}` holds no certificate", path.display())).with_hint(hint)
    })?;
    let endpoint = token_endpoint(cloud, tenant_id)?;
    let claims = [("aud", endpoint.as_str()), ("iss", client_id), ("sub", client_id)];
    let text = |(name, value): (&str, &str)| (name.to_owned(), value.into());
    let header = [("x5t#S256", &*thumbprint)].map(text);
    key.sign_jwt(
        header.into_iter().collect(),
        claims.map(text).into_iter().collect(),
        now,
        ASSERTION_LIFETIME,
    )
}

fn token_endpoint(cloud: &Cloud, tenant_id: &str) -> Result<Url, Error> {
    cloud
        .authority
        .join(&format!("/{tenant_id}/oauth2/v2.0/token"))
        .map_err(|_| Error::config("the tenant ID is not valid"))
}

fn client_options(http: &Http, cloud: &Cloud) -> ClientOptions {
    let mut custom = CustomConfiguration::default();
    custom.authority_host = cloud.authority.to_string();
    ClientOptions {
        transport: Some(Transport::new(Arc::new(http.clone()))),
        retry: RetryOptions::none(),
        cloud: Some(Arc::new(CloudConfiguration::Custom(custom))),
        ..ClientOptions::default()
    }
}

async fn request_token<C: TokenCredential>(
    credential: azure_core::Result<Arc<C>>,
    http: Http,
    identity: &Identity<'_>,
    cloud: &Cloud,
    sent: &SentSecrets,
) -> Result<SecretString, Error> {
    let host = cloud.authority.host_str().unwrap_or_default().to_owned();
    let entra = TokenService::Entra { host };
    let credential = credential.map_err(|error| {
        Error::config(format!("cannot request a token from Entra for {identity}"))
            .with_source(error.to_string())
    })?;
    match credential.get_token(&[&format!("{AUDIENCE}/.default")], None).await {
        Ok(token) if token.token.secret().is_empty() => {
            Err(Error::protocol(format!("{entra} answered without a token"))
                .with_hint("check for a proxy or firewall between this node and Entra"))
        }
        Ok(token) => Ok(token.token.secret().to_owned().into()),
        // What came back says more than what the crate makes of it.
        Err(error) => Err(match http.last() {
            Some(reply) => read_error(&reply, &entra, identity, sent),
            None => match Error::find_in(&error) {
                Some(ours) => {
                    ours.clone().context(format!("cannot get a token from {entra} for {identity}"))
                }
                None => Error::config(format!("cannot request a token from Entra for {identity}"))
                    .with_source(error.to_string()),
            },
        }),
    }
}

/// The pod's token, or one that was made for the occasion.
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
