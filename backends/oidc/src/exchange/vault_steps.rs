//! `vault`: a login with the pod's token, and a secret read with what it gave.
//!
//! Source: HashiCorp Vault and OpenBao, "JWT/OIDC auth method (API)", "KV secrets engine (API)".

use pullpass::http::Method;
use pullpass::http::header::HeaderName;

use crate::profile::template::Template;
use crate::profile::{Body, Json, Pointer, Step, Target, Vault};

const NAMESPACE: HeaderName = HeaderName::from_static("x-vault-namespace");
const TOKEN: HeaderName = HeaderName::from_static("x-vault-token");

/// The name of what the login gives.
const VAULT_TOKEN: &str = "vault.token";

/// Both calls.
pub(super) fn build_steps(vault: &Vault) -> Vec<Step> {
    let namespace = vault.namespace.as_deref().map(|it| (NAMESPACE, Template::from_text(it)));
    let body = Json::Object(vec![
        ("role".to_owned(), Json::Text(vault.role.clone())),
        ("jwt".to_owned(), Json::Text(Template::from_name("sa.token"))),
    ]);
    let login = Step {
        headers: namespace.iter().cloned().collect(),
        capture: vec![(VAULT_TOKEN.to_owned(), Pointer::from_static("/auth/client_token"))],
        ..Step::post(
            Target::Address(vault.login.clone()),
            Body::Json(body),
            "`exchange.address`, `namespace`, `mount` and `role`",
        )
    };
    let token = (TOKEN, Template::from_name(VAULT_TOKEN));
    let read = Step {
        method: Method::GET,
        headers: namespace.into_iter().chain([token]).collect(),
        ..Step::post(
            Target::Address(vault.read.clone()),
            Body::None,
            "`exchange.read`, and that the role's policy allows reading that path",
        )
    };
    vec![login, read]
}
