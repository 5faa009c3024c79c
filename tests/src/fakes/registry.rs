//! An OCI registry, the pull part (OCI distribution specification 1.1): manifests by tag and by
//! digest, blobs by digest, to bearers of its token server's tokens only.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::fakes::docker_token::{RegistryTokens, TokenServer};
use crate::image::{Image, MANIFEST_TYPE, digest};
use crate::server::{Server, Socket};
use crate::tls::TestCa;

/// A running registry.
pub struct Registry {
    server: Server,
    shared: Arc<Shared>,
}

/// Something that was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    /// Whose token opened the door, as the token server verified it.
    pub subject: String,
    /// The repository.
    pub repository: String,
    /// The digest of what was given.
    pub digest: String,
}

struct Shared {
    tokens: RegistryTokens,
    realm: String,
    service: String,
    /// By repository and tag.
    images: HashMap<(String, String), Image>,
    pulls: Mutex<Vec<Pull>>,
}

impl Registry {
    /// Serves `images` (repository, tag, image) to those whom `token_server` sends; with a CA it
    /// speaks https.
    pub fn start(
        token_server: &TokenServer,
        images: &[(&str, &str, &Image)],
        ca: Option<&TestCa>,
    ) -> Self {
        let images = images.iter().map(|(repository, tag, image)| {
            (((*repository).to_owned(), (*tag).to_owned()), (*image).clone())
        });
        let shared = Arc::new(Shared {
            tokens: token_server.verifier(),
            realm: token_server.realm(),
            service: token_server.service().to_owned(),
            images: images.collect(),
            pulls: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        Self { server: Socket::bind(ca).serve(router), shared }
    }

    /// Scheme, host and port.
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// Host and port, as in an image's name.
    pub fn authority(&self) -> String {
        self.server.authority()
    }

    /// What was handed out so far, and to whom.
    pub fn pulls(&self) -> Vec<Pull> {
        self.shared.pulls.lock().unwrap().clone()
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return error(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "this registry is read-only");
    }
    let Some(path) = uri.path().strip_prefix("/v2/") else {
        return error(StatusCode::NOT_FOUND, "NAME_UNKNOWN", "not under /v2/");
    };
    let wanted = Wanted::parse(path);
    let Some(claims) = bearer(&headers).and_then(|token| shared.tokens.verify(token)) else {
        return shared.challenge(wanted.as_ref());
    };
    match wanted {
        None if path.is_empty() => Json(json!({})).into_response(),
        None => error(StatusCode::NOT_FOUND, "NAME_UNKNOWN", "no such thing to pull"),
        Some(wanted) => shared.pull(&wanted, &claims),
    }
}

/// `<repository>/manifests/<tag or digest>` or `<repository>/blobs/<digest>`.
struct Wanted<'a> {
    repository: &'a str,
    reference: &'a str,
    manifest: bool,
}

impl<'a> Wanted<'a> {
    fn parse(path: &'a str) -> Option<Self> {
        let (rest, reference) = path.rsplit_once('/')?;
        let (repository, kind) = rest.rsplit_once('/')?;
        let manifest = match kind {
            "manifests" => true,
            "blobs" => false,
            _ => return None,
        };
        Some(Self { repository, reference, manifest })
    }
}

impl Shared {
    fn challenge(&self, wanted: Option<&Wanted>) -> Response {
        let mut challenge = format!("Bearer realm=\"{}\",service=\"{}\"", self.realm, self.service);
        if let Some(wanted) = wanted {
            challenge.push_str(&format!(",scope=\"repository:{}:pull\"", wanted.repository));
        }
        let response = error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "authentication required");
        ([(header::WWW_AUTHENTICATE, challenge)], response).into_response()
    }

    fn pull(&self, wanted: &Wanted, claims: &Value) -> Response {
        let access = claims["access"].as_array().map(Vec::as_slice).unwrap_or_default();
        let allowed = access.iter().any(|item| {
            let actions = item["actions"].as_array().map(Vec::as_slice).unwrap_or_default();
            item["type"] == "repository"
                && item["name"] == wanted.repository
                && actions.iter().any(|action| action == "pull")
        });
        if !allowed {
            return error(StatusCode::FORBIDDEN, "DENIED", "the token is for another repository");
        }
        let Some((media_type, bytes)) = self.find(wanted) else {
            let code = if wanted.manifest { "MANIFEST_UNKNOWN" } else { "BLOB_UNKNOWN" };
            return error(StatusCode::NOT_FOUND, code, "not in this repository");
        };
        let digest = digest(bytes);
        let subject = claims["sub"].as_str().unwrap_or_default().to_owned();
        let repository = wanted.repository.to_owned();
        self.pulls.lock().unwrap().push(Pull { subject, repository, digest: digest.clone() });
        let headers = [
            (header::CONTENT_TYPE.as_str(), media_type.to_owned()),
            ("docker-content-digest", digest),
        ];
        (headers, bytes.to_vec()).into_response()
    }

    fn find(&self, wanted: &Wanted) -> Option<(&'static str, &[u8])> {
        let here = self.images.iter().filter(|((name, _), _)| name == wanted.repository);
        for ((_, tag), image) in here {
            let named = *tag == wanted.reference || image.digest() == wanted.reference;
            if wanted.manifest && named {
                return Some((MANIFEST_TYPE, &image.manifest));
            }
            if let Some(blob) = image.blob(wanted.reference).filter(|_| !wanted.manifest) {
                return Some(("application/octet-stream", blob));
            }
        }
        None
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

fn error(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({"errors": [{"code": code, "message": message}]}))).into_response()
}
