//! What the services for managed identities have in common: how they are asked.

use pullpass::http::header::HeaderName;
use pullpass::http::{Reply, RequestBuilder};
use pullpass::{Error, ErrorKind};
use url::Url;

use crate::identity::Identity;
use crate::registry::AUDIENCE;
use crate::settings::ManagedId;
use crate::token_service::TokenService;

/// It proves that no browser or proxy was tricked into the request.
pub(super) const METADATA: HeaderName = HeaderName::from_static("metadata");

/// The URL of a token for registries. `resource_id` is the service's name for that parameter.
pub(super) fn with_query(mut url: Url, version: &str, id: &ManagedId, resource_id: &str) -> Url {
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

/// Sends the request. `hint` says what to do when there is no answer.
pub(super) async fn send(
    request: RequestBuilder<'_>,
    service: &TokenService,
    hint: &str,
    identity: &Identity<'_>,
) -> Result<Reply, Error> {
    request.send().await.map_err(|error| {
        let is_unavailable = error.kind() == ErrorKind::Unavailable;
        let error = error.context(format!("cannot get a token from {service} for {identity}"));
        match is_unavailable {
            true => error.with_hint(hint),
            false => error,
        }
    })
}
