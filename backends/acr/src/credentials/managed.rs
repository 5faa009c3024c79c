//! Managed identities. Azure's crate is not used: it supports neither Arc nor a resource ID on App
//! Service, and retries the metadata service for up to 72 s, which cannot be changed.
//!
//! Source: Microsoft Entra, "How managed identities work with Azure virtual machines";
//! Azure Arc, "Authenticate against Azure resources with Azure Arc-enabled servers"; App
//! Service, "REST endpoint reference".

mod arc;
mod query;
mod source;

use std::time::Duration;

use pullpass::http::header::HeaderName;
use pullpass::http::{Http, HttpConfig, Plaintext};
use pullpass::{Context, Error};
use secrecy::SecretString;
use url::Url;

use self::query::{METADATA, send, with_query};
use self::source::Source;
use super::token_response::read_token;
use crate::identity::Identity;
use crate::settings::ManagedId;
use crate::token_service::TokenService;

/// The metadata service of a virtual machine.
const IMDS: &str = "http://169.254.169.254/metadata/identity/oauth2/token";

/// Statuses after which IMDS may be called again: the identity does not exist yet, IMDS is being
/// updated.
const IMDS_TRANSIENT: &[u16] = &[404, 410];

const IDENTITY_HEADER: HeaderName = HeaderName::from_static("x-identity-header");

pub(super) async fn access_token(
    id: &ManagedId,
    identity: &Identity<'_>,
    cx: &Context,
) -> Result<SecretString, Error> {
    match Source::find(cx)? {
        Source::AppService { endpoint, header } => {
            app_service_token(endpoint, &header, id, identity, cx).await
        }
        Source::Arc { endpoint } => {
            arc::access_token(
                with_query(endpoint, "2020-06-01", id, "msi_res_id"),
                id,
                identity,
                cx,
            )
            .await
        }
        Source::Imds => imds_token(id, identity, cx).await,
    }
}

async fn app_service_token(
    endpoint: Url,
    header: &SecretString,
    id: &ManagedId,
    identity: &Identity<'_>,
    cx: &Context,
) -> Result<SecretString, Error> {
    let service = TokenService::AppService;
    let url = with_query(endpoint, "2019-08-01", id, "mi_res_id");
    let request =
        cx.http.get(url).plaintext(Plaintext::Metadata).secret_header(IDENTITY_HEADER, header);
    let hint = "`IDENTITY_ENDPOINT` is its address; on a virtual machine unset this variable";
    let reply = send(request, &service, hint, identity).await?;
    read_token(&reply, &service, identity, cx)
}

async fn imds_token(
    id: &ManagedId,
    identity: &Identity<'_>,
    cx: &Context,
) -> Result<SecretString, Error> {
    let service = TokenService::Imds;
    let endpoint = Url::parse(IMDS).map_err(|_| {
        Error::config(format!("`{IMDS}` is not a URL")).with_hint("please report this")
    })?;
    let url = with_query(endpoint, "2018-02-01", id, "msi_res_id");
    let http = imds_client(cx);
    let request = http
        .get(url)
        .plaintext(Plaintext::Metadata)
        .retry_on(IMDS_TRANSIENT)
        .header(METADATA, "true");
    let hint = "on an Azure virtual machine, let this node reach 169.254.169.254 (network policy, \
                iptables, routes); other machines have no IMDS: configure another identity";
    let reply = send(request, &service, hint, identity).await?;
    read_token(&reply, &service, identity, cx)
}

/// Azure asks for at least one second between attempts. Several plugins may run on one machine at
/// once, so the pauses grow.
fn imds_client(cx: &Context) -> Http {
    cx.http.with_config(HttpConfig {
        connect_timeout: Duration::from_secs(2),
        timeout: Duration::from_secs(40),
        retries: 4,
        initial_backoff: Duration::from_secs(2),
        ..HttpConfig::default()
    })
}
