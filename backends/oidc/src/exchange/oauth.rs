//! `tokenExchange` (RFC 8693), `jwtBearer` (RFC 7523 §2.1) and `clientAssertion` (RFC 7523 §2.2):
//! one POST to a token endpoint.

use std::collections::BTreeMap;

use super::CompileContext;
use super::client::client;
use crate::profile::address::Address;
use crate::profile::field::{OneOrMany, Text};
use crate::profile::raw::{RawDiscovery, RawEncoding, RawExchange, RawType, RawWellKnown};
use crate::profile::template::{Position, Template};
use crate::profile::{Body, Calls, Client, Discovery, Json, Step, Target};

/// Parameters that the exchange itself sets.
const RESERVED: [&str; 14] = [
    "grant_type",
    "subject_token",
    "subject_token_type",
    "requested_token_type",
    "actor_token",
    "actor_token_type",
    "audience",
    "resource",
    "scope",
    "assertion",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
];

/// The one call, and discovery before it where it is asked for.
///
/// # Errors
/// A text on what is wrong.
pub(super) fn calls(
    kind: RawType,
    raw: RawExchange,
    hosts: Vec<String>,
    context: &CompileContext<'_>,
) -> Result<Calls, String> {
    let mut client = client(raw.client_auth, context)?;
    let token = || Template::of_name("sa.token");
    let fixed = |text: &str| Template::of_text(text);
    let mut fields: Vec<(String, Template)> = Vec::new();
    let mut add = |name: &str, value: Template| fields.push((name.to_owned(), value));
    match kind {
        RawType::JwtBearer => {
            add("grant_type", fixed("urn:ietf:params:oauth:grant-type:jwt-bearer"));
            add("assertion", token());
        }
        RawType::ClientAssertion => {
            add("grant_type", fixed("client_credentials"));
            client = match client {
                Client::None => Client::PodToken(None),
                Client::Public(id) => Client::PodToken(Some(id)),
                Client::PodToken(id) => Client::PodToken(id),
                _ => {
                    return Err("`clientAssertion` is itself how the client authenticates: \
                                `clientAuth` may hold `clientId` alone, with the method `none`"
                        .to_owned());
                }
            };
        }
        _ => {
            let fixed_type = |text: &str| token_type(&context.scope.constant(text)?);
            let kind = raw.subject_token_type.as_deref().unwrap_or("jwt");
            add("grant_type", fixed("urn:ietf:params:oauth:grant-type:token-exchange"));
            add("subject_token", token());
            add("subject_token_type", fixed(&fixed_type(kind)?));
            if let Some(kind) = raw.requested_token_type.as_deref() {
                add("requested_token_type", fixed(&fixed_type(kind)?));
            }
        }
    }
    for (name, list) in [("audience", raw.audience), ("resource", raw.resource)] {
        for value in values(name, list, context)? {
            add(name, value);
        }
    }
    let scope = raw.scope.0.join(" ");
    if !scope.is_empty() {
        add("scope", context.template("exchange.scope", &scope, Position::Body)?);
    }
    for (name, value) in extra(raw.extra, context)? {
        add(&name, value);
    }
    let (to, discovery) = endpoint(raw.endpoint, raw.discovery, hosts, context)?;
    let body = match raw.encoding.unwrap_or_default() {
        RawEncoding::Form => Body::Form(fields),
        encoding => Body::Json(json(fields, encoding == RawEncoding::JsonCamel)),
    };
    let step = Step {
        client: true,
        // A server may take an assertion once (its `jti`).
        once: kind == RawType::JwtBearer,
        ..Step::post(to, body)
    };
    Ok(Calls { steps: vec![step], discovery, client })
}

fn endpoint(
    endpoint: Option<Text>,
    discovery: Option<RawDiscovery>,
    hosts: Vec<String>,
    context: &CompileContext<'_>,
) -> Result<(Target, Option<Discovery>), String> {
    match (endpoint, discovery) {
        (Some(endpoint), None) => {
            Ok((Target::Address(context.address("exchange.endpoint", &endpoint.0)?), None))
        }
        (None, Some(raw)) => {
            let issuer = context.constant("exchange.discovery.issuer", &raw.issuer)?;
            let what = "exchange.discovery.issuer";
            let mut url = Address::fixed(what, &issuer, context.allow_loopback_http)?;
            if url.query().is_some() {
                return Err(format!("`{what}` must not have a query"));
            }
            let path = url.path().trim_end_matches('/').to_owned();
            url.set_path(&match raw.form {
                RawWellKnown::Openid => format!("{path}/.well-known/openid-configuration"),
                RawWellKnown::Oauth => format!("/.well-known/oauth-authorization-server{path}"),
            });
            let allow_loopback_http = context.allow_loopback_http;
            Ok((Target::TokenEndpoint, Some(Discovery { issuer, url, hosts, allow_loopback_http })))
        }
        (Some(_), Some(_)) => {
            Err("`exchange.endpoint` and `exchange.discovery` exclude each other".to_owned())
        }
        (None, None) => Err("`exchange` needs `endpoint`, or `discovery`".to_owned()),
    }
}

/// Further parameters, such as Dex's `connector_id`. An empty value means: leave it out.
fn extra(
    raw: BTreeMap<String, Text>,
    context: &CompileContext<'_>,
) -> Result<Vec<(String, Template)>, String> {
    let mut fields = Vec::new();
    for (name, value) in raw {
        let is_reserved = |known: &&str| **known == name || camel_case(known) == name;
        if RESERVED.iter().any(is_reserved) {
            return Err(format!("`exchange.extra` cannot set `{name}`"));
        }
        fields.push((name, context.template("exchange.extra", &value.0, Position::Body)?));
    }
    Ok(fields)
}

fn values(
    name: &str,
    list: OneOrMany,
    context: &CompileContext<'_>,
) -> Result<Vec<Template>, String> {
    if list.0.iter().any(String::is_empty) {
        return Err(format!("there is an empty text in `{name}`"));
    }
    let what = format!("exchange.{name}");
    list.0.iter().map(|text| context.template(&what, text, Position::Body)).collect()
}

/// The same parameters as JSON: a name that stands several times has a list.
fn json(fields: Vec<(String, Template)>, camel: bool) -> Json {
    let mut object: Vec<(String, Json)> = Vec::new();
    for (name, value) in fields {
        let name = if camel { camel_case(&name) } else { name };
        match object.iter_mut().find(|(known, _)| *known == name) {
            None => object.push((name, Json::Text(value))),
            Some((_, Json::Array(list))) => list.push(Json::Text(value)),
            Some((_, first)) => {
                let one = std::mem::replace(first, Json::Array(Vec::new()));
                *first = Json::Array(vec![one, Json::Text(value)]);
            }
        }
    }
    Json::Object(object)
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(letters.as_str());
        name
    })
}

/// A short name to its URN (RFC 8693 §3); a URN as it is.
fn token_type(name: &str) -> Result<String, String> {
    match name {
        "access_token" | "refresh_token" | "id_token" | "saml1" | "saml2" | "jwt" => {
            Ok(format!("urn:ietf:params:oauth:token-type:{name}"))
        }
        _ if name.starts_with("urn:") => Ok(name.to_owned()),
        _ => Err(format!(
            "`{name}` is no token type: use `jwt`, `id_token`, `access_token` or a URN"
        )),
    }
}
