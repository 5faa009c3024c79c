//! How the client itself authenticates at the token endpoint (RFC 6749 §2.3).

use std::path::PathBuf;

use super::compile_context::CompileContext;
use super::raw::{RawAlgorithm, RawClient, RawMethod};
use super::template::Template;

/// How the client authenticates.
pub(crate) enum ClientAuth {
    /// Not at all; or by its certificate alone (RFC 8705).
    None,
    /// Its name in the form, no secret.
    Public(String),
    /// `client_secret_basic`.
    Basic(ClientSecret),
    /// `client_secret_post`.
    Post(ClientSecret),
    /// `private_key_jwt` (RFC 7523 §2.2).
    PrivateKey(PrivateKey),
    /// The pod's token is the client's assertion.
    PodToken(Option<String>),
}

/// A client's name, and the file that holds its secret.
pub(crate) struct ClientSecret {
    pub(crate) client_id: String,
    pub(crate) file: PathBuf,
}

/// A client's name, and the key that signs its assertions.
pub(crate) struct PrivateKey {
    pub(crate) client_id: String,
    pub(crate) file: PathBuf,
    pub(crate) key_id: Option<String>,
    /// `alg`, where the profile names one.
    pub(crate) algorithm: Option<&'static str>,
    /// `aud`; else the token endpoint.
    pub(crate) audience: Option<String>,
}

/// The client.
///
/// # Errors
/// What is wrong, when a field of `clientAuth` is missing, or is not for its `method`.
pub(super) fn compile(
    raw: Option<RawClient>,
    context: &CompileContext<'_>,
) -> Result<ClientAuth, String> {
    let Some(raw) = raw else { return Ok(ClientAuth::None) };
    let text = |field: &str, template: Option<Template>| {
        template.map(|it| context.constant(&format!("clientAuth.{field}"), it)).transpose()
    };
    let path = |field: &str, template: Option<Template>| {
        template.map(|it| context.path(&format!("clientAuth.{field}"), it)).transpose()
    };
    let id = text("clientId", raw.client_id)?;
    if id.as_deref() == Some("") {
        return Err("`clientAuth.clientId` is empty".to_owned());
    }
    let secret = path("secretFile", raw.secret_file)?;
    let key = path("keyFile", raw.key_file)?;
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
        (Some(client_id), Some(file)) => Ok(ClientSecret { client_id, file }),
        _ => Err("`clientAuth` needs `clientId` and `secretFile`".to_owned()),
    };
    match raw.method {
        RawMethod::None => Ok(id.map_or(ClientAuth::None, ClientAuth::Public)),
        RawMethod::Basic => Ok(ClientAuth::Basic(with_secret(id)?)),
        RawMethod::Post => Ok(ClientAuth::Post(with_secret(id)?)),
        RawMethod::ServiceAccountToken => Ok(ClientAuth::PodToken(id)),
        RawMethod::Mtls if !context.has_certificate => {
            Err("`clientAuth` by `mtls` needs `http.clientCertFile`".to_owned())
        }
        // The name is sent too (RFC 8705 §2).
        RawMethod::Mtls => {
            Ok(ClientAuth::Public(id.ok_or("`clientAuth` by `mtls` needs `clientId`")?))
        }
        RawMethod::PrivateKeyJwt => match (id, key) {
            (Some(client_id), Some(file)) => Ok(ClientAuth::PrivateKey(PrivateKey {
                client_id,
                file,
                key_id: text("keyId", raw.key_id)?,
                algorithm: raw.algorithm.map(|algorithm| match algorithm {
                    RawAlgorithm::RS256 => "RS256",
                    RawAlgorithm::PS256 => "PS256",
                    RawAlgorithm::ES256 => "ES256",
                }),
                audience: text("audience", raw.audience)?,
            })),
            _ => Err("`clientAuth` by `privateKeyJwt` needs `clientId` and `keyFile`".to_owned()),
        },
    }
}
