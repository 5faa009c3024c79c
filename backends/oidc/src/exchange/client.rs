//! The client's own authentication, out of the file.

use super::CompileContext;
use crate::profile::raw::{RawAlgorithm, RawClient, RawMethod};
use crate::profile::{Client, PrivateKey, Secret};

/// The client.
///
/// # Errors
/// A text on what is wrong.
pub(super) fn client(
    raw: Option<RawClient>,
    context: &CompileContext<'_>,
) -> Result<Client, String> {
    let Some(raw) = raw else { return Ok(Client::None) };
    let text = |what: &str, text: &Option<crate::profile::field::Text>| {
        text.as_ref().map(|text| context.constant(what, text)).transpose()
    };
    let id = text("clientAuth.clientId", &raw.client_id)?;
    if id.as_deref() == Some("") {
        return Err("`clientAuth.clientId` is empty".to_owned());
    }
    let secret = text("clientAuth.secretFile", &raw.secret_file)?.map(|it| context.folder.join(it));
    let key = text("clientAuth.keyFile", &raw.key_file)?.map(|it| context.folder.join(it));
    let has_key_fields =
        raw.key_id.is_some() || raw.algorithm.is_some() || raw.audience.is_some() || key.is_some();
    if has_key_fields && raw.method != RawMethod::PrivateKeyJwt {
        return Err("`keyFile`, `keyId`, `algorithm` and `audience` of `clientAuth` are for the \
                    method `privateKeyJwt`"
            .to_owned());
    }
    let takes_secret = matches!(raw.method, RawMethod::Basic | RawMethod::Post);
    if secret.is_some() && !takes_secret {
        return Err("`clientAuth.secretFile` is not used by this method".to_owned());
    }
    let with_secret = |id: Option<String>| match (id, secret) {
        (Some(client_id), Some(file)) => Ok(Secret { client_id, file }),
        _ => Err("`clientAuth` needs `clientId` and `secretFile`".to_owned()),
    };
    match raw.method {
        RawMethod::None => Ok(id.map_or(Client::None, Client::Public)),
        RawMethod::Basic => Ok(Client::Basic(with_secret(id)?)),
        RawMethod::Post => Ok(Client::Post(with_secret(id)?)),
        RawMethod::ServiceAccountToken => Ok(Client::PodToken(id)),
        RawMethod::Mtls if !context.has_certificate => {
            Err("`clientAuth` by `mtls` needs `http.clientCertFile`".to_owned())
        }
        // The name goes along (RFC 8705 §2).
        RawMethod::Mtls => Ok(Client::Public(id.ok_or("`clientAuth` by `mtls` needs `clientId`")?)),
        RawMethod::PrivateKeyJwt => match (id, key) {
            (Some(client_id), Some(file)) => Ok(Client::PrivateKey(PrivateKey {
                client_id,
                file,
                key_id: text("clientAuth.keyId", &raw.key_id)?,
                algorithm: raw.algorithm.map(|algorithm| match algorithm {
                    RawAlgorithm::RS256 => "RS256",
                    RawAlgorithm::PS256 => "PS256",
                    RawAlgorithm::ES256 => "ES256",
                }),
                audience: text("clientAuth.audience", &raw.audience)?,
            })),
            _ => Err("`clientAuth` by `privateKeyJwt` needs `clientId` and `keyFile`".to_owned()),
        },
    }
}
