//! `vault`: a login with the pod's token, and a secret read with what it gave.
//!
//! Source: HashiCorp Vault and OpenBao, "JWT/OIDC auth method (API)", "KV secrets engine (API)".

use pullpass::http::Method;
use pullpass::http::header::HeaderName;

use super::CompileContext;
use crate::profile::field::Text;
use crate::profile::raw::RawExchange;
use crate::profile::template::{Position, Template};
use crate::profile::{Body, Calls, Client, Json, Step, Target};

const NAMESPACE: HeaderName = HeaderName::from_static("x-vault-namespace");
const TOKEN: HeaderName = HeaderName::from_static("x-vault-token");

/// The name of what the login gives.
const CAPTURED: &str = "vault.token";

/// Both calls.
///
/// # Errors
/// A text on what is wrong.
pub(super) fn calls(raw: RawExchange, context: &CompileContext<'_>) -> Result<Calls, String> {
    let needed = |name: &str, text: Option<Text>| {
        text.ok_or_else(|| format!("`vault` needs `exchange.{name}`"))
    };
    let address = context.constant("exchange.address", &needed("address", raw.address)?)?;
    let address = address.trim_end_matches('/').to_owned();
    let mount = raw.mount.map_or_else(|| "jwt".to_owned(), |mount| mount.0);
    let role = needed("role", raw.role)?;
    let read = needed("read", raw.read)?;
    let path = read.0.trim_start_matches('/').to_owned();
    if context.template("exchange.read", &path, Position::Url)?.to_string().starts_with("v1/") {
        return Err("`exchange.read` is a path below `/v1/`: leave that out".to_owned());
    }
    let namespace = match raw.namespace {
        Some(text) => Some(context.constant("exchange.namespace", &text)?),
        None => None,
    };
    let namespace =
        namespace.filter(|it| !it.is_empty()).map(|it| (NAMESPACE, Template::of_text(&it)));
    let url = |path: String| {
        context.address("exchange.address", &format!("{address}/v1/{path}")).map(Target::Address)
    };
    let login = Json::Object(vec![
        (
            "role".to_owned(),
            Json::Text(context.template("exchange.role", &role.0, Position::Body)?),
        ),
        ("jwt".to_owned(), Json::Text(Template::of_name("sa.token"))),
    ]);
    let login = Step {
        headers: namespace.iter().cloned().collect(),
        capture: vec![(CAPTURED.to_owned(), "/auth/client_token".to_owned())],
        place: "`exchange.address`, `namespace`, `mount` and `role`",
        ..Step::post(url(format!("auth/{mount}/login"))?, Body::Json(login))
    };
    let headers = namespace.into_iter().chain([(TOKEN, Template::of_name(CAPTURED))]);
    let read = Step {
        method: Method::GET,
        headers: headers.collect(),
        place: "`exchange.read`, and that the role's policy lets it be read",
        ..Step::post(url(path)?, Body::None)
    };
    Ok(Calls { steps: vec![login, read], discovery: None, client: Client::None })
}
