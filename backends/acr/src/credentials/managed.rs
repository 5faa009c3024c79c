//! Managed identities. Not by Azure's crate: it knows neither Arc nor a resource ID on App
//! Service, and asks the metadata service for up to 72 s, whatever it is told.
//!
//! Source: Microsoft Entra, "How managed identities work with Azure virtual machines";
//! Azure Arc, "Authenticate against Azure resources with Azure Arc-enabled servers"; App
//! Service, "REST endpoint reference".

mod arc;

use std::path::Path;
use std::time::Duration;

use pullpass::http::header::HeaderName;
use pullpass::http::{Http, HttpConfig, Plaintext, RequestBuilder, SentSecrets};
use pullpass::{Context, Error, ErrorKind};
use secrecy::SecretString;
use url::Url;

use super::AUDIENCE;
use crate::error_response;
use crate::identity::Identity;
use crate::settings::ManagedId;

/// The metadata service of a virtual machine.
const IMDS: &str = "http://169.254.169.254/metadata/identity/oauth2/token";
/// The agent of an Arc-enabled server, where it says nothing else.
const HIMDS: &str = "http://127.0.0.1:40342/metadata/identity/oauth2/token";
/// Where the agent is installed.
const HIMDS_BINARY: &str = "/opt/azcmagent/bin/himds";

/// Statuses after which IMDS may be asked again: the identity is not there yet, IMDS is being
/// updated.
const IMDS_TRANSIENT: &[u16] = &[404, 410];

/// Who hands out this machine's tokens.
#[derive(Debug, PartialEq, Eq)]
enum Source {
    AppService { endpoint: Url, header: String },
    Arc { endpoint: Url },
    Imds,
}

pub(super) async fn token(
    id: &ManagedId,
    identity: &Identity<'_>,
    cx: &Context,
) -> Result<SecretString, Error> {
    match source(cx)? {
        Source::AppService { endpoint, header } => {
            let url = with_query(endpoint, "2019-08-01", id, "mi_res_id");
            let call = cx.http.get(url).plaintext(Plaintext::Metadata);
            let call = call.header(HeaderName::from_static("x-identity-header"), &header);
            let away = "`IDENTITY_ENDPOINT` names it; on a virtual machine take it out";
            let reply = send(call, "the App Service identity endpoint", away, identity).await?;
            let sent = SentSecrets::from_secret(&header.into());
            error_response::access_token(
                &reply,
                "the App Service identity endpoint",
                identity,
                &sent,
            )
        }
        Source::Arc { endpoint } => {
            arc::token(with_query(endpoint, "2020-06-01", id, "msi_res_id"), id, identity, cx).await
        }
        Source::Imds => {
            let endpoint = Url::parse(IMDS).map_err(|_| Error::config("IMDS has no URL"))?;
            let url = with_query(endpoint, "2018-02-01", id, "msi_res_id");
            let http = patient(cx);
            let call = http.get(url).plaintext(Plaintext::Metadata).retry_on(IMDS_TRANSIENT);
            let away = "on a machine of Azure, let this node reach 169.254.169.254 (network \
                        policy, iptables, routes); elsewhere there is no IMDS: name another \
                        identity";
            let reply = send(call.header(METADATA, "true"), "IMDS", away, identity).await?;
            error_response::access_token(&reply, "IMDS", identity, &SentSecrets::default())
        }
    }
}

const METADATA: HeaderName = HeaderName::from_static("metadata");

/// As Azure asks of its callers: a second between attempts at the least. Five of them may be at
/// it at once on one machine, so the pauses grow.
fn patient(cx: &Context) -> Http {
    cx.http.with_config(HttpConfig {
        connect_timeout: Duration::from_secs(2),
        timeout: Duration::from_secs(40),
        retries: 4,
        initial_backoff: Duration::from_secs(2),
        ..HttpConfig::default()
    })
}

/// `away` is what to do where nobody answers.
async fn send(
    call: RequestBuilder<'_>,
    service: &str,
    away: &str,
    identity: &Identity<'_>,
) -> Result<pullpass::http::Reply, Error> {
    call.send().await.map_err(|error| {
        let is_away = error.kind() == ErrorKind::Unavailable;
        let error = error.context(format!("{service} could not be asked for {identity}"));
        match is_away {
            true => error.with_hint(away),
            false => error,
        }
    })
}

fn with_query(mut url: Url, version: &str, id: &ManagedId, resource_id: &str) -> Url {
    {
        let mut query = url.query_pairs_mut();
        query.append_pair("api-version", version).append_pair("resource", AUDIENCE);
        match id {
            ManagedId::System => {}
            ManagedId::Client(id) => {
                query.append_pair("client_id", id);
            }
            ManagedId::Object(id) => {
                query.append_pair("object_id", id);
            }
            ManagedId::Resource(id) => {
                query.append_pair(resource_id, id);
            }
        }
    }
    url
}

/// In the order in which Azure's own libraries look.
fn source(cx: &Context) -> Result<Source, Error> {
    let endpoint = cx.env.text("IDENTITY_ENDPOINT")?;
    let header = cx.env.text("IDENTITY_HEADER")?;
    let unsupported = |what: &str, variable: &str| {
        Err(Error::config(format!("{what} has no managed identity for a node"))
            .with_hint(format!("`{variable}` is set in this provider's environment; take it out")))
    };
    if endpoint.is_some() && cx.env.os("IDENTITY_SERVER_THUMBPRINT").is_some() {
        return unsupported("Service Fabric", "IDENTITY_SERVER_THUMBPRINT");
    }
    let parse = |text: &str| {
        Url::parse(text).ok().filter(|url| url.host().is_some()).ok_or_else(|| {
            Error::config("`IDENTITY_ENDPOINT` is no URL")
                .with_hint("App Service and Arc set it; on a virtual machine take it out")
        })
    };
    match (endpoint, header) {
        (Some(endpoint), Some(header)) => Ok(Source::AppService {
            endpoint: arc::local(parse(endpoint)?)?,
            header: header.to_owned(),
        }),
        _ if cx.env.os("MSI_ENDPOINT").is_some() => {
            unsupported("Cloud Shell or Azure Machine Learning", "MSI_ENDPOINT")
        }
        (Some(endpoint), None) if cx.env.os("IMDS_ENDPOINT").is_some() => {
            Ok(Source::Arc { endpoint: arc::local(parse(endpoint)?)? })
        }
        _ if Path::new(HIMDS_BINARY).exists() => Ok(Source::Arc { endpoint: parse(HIMDS)? }),
        _ => Ok(Source::Imds),
    }
}
