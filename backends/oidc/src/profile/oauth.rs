//! `tokenExchange`, `jwtBearer` and `clientAssertion`: what the file says of a token endpoint.

use std::collections::BTreeMap;

use url::Url;

use super::address::{self, Address};
use super::client_auth::{self, ClientAuth};
use super::compile_context::CompileContext;
use super::field::OneOrMany;
use super::literal_secret;
use super::raw::{RawDiscovery, RawEncoding, RawExchange, RawType, RawWellKnown};
use super::template::{Position, Template};

/// A call of a token endpoint (RFC 6749).
pub(crate) struct OAuth {
    pub(crate) grant: Grant,
    pub(crate) endpoint: Endpoint,
    pub(crate) client: ClientAuth,
    /// What is sent in addition to the grant's own parameters.
    pub(crate) parameters: Vec<(String, Template)>,
    pub(crate) encoding: RawEncoding,
}

/// What the pod's token is in the request.
pub(crate) enum Grant {
    /// RFC 8693: the subject token.
    TokenExchange { subject_token_type: String, requested_token_type: Option<String> },
    /// RFC 7523 §2.1: the grant.
    JwtBearer,
    /// RFC 7523 §2.2: the client's own assertion.
    ClientAssertion,
}

/// Where the token endpoint is.
pub(crate) enum Endpoint {
    Address(Address),
    Discovery(Discovery),
}

/// An issuer's metadata (OpenID Connect Discovery 1.0 §4, RFC 8414 §3).
pub(crate) struct Discovery {
    pub(crate) issuer: String,
    pub(crate) url: Url,
    /// Hosts, with ports, that a token endpoint may be on, in addition to the issuer's own.
    pub(crate) hosts: Vec<String>,
    pub(crate) allow_loopback_http: bool,
}

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

/// The call.
///
/// # Errors
/// The first field of `exchange` that is missing or not valid.
pub(super) fn compile(
    kind: RawType,
    raw: RawExchange,
    hosts: Vec<String>,
    context: &CompileContext<'_>,
) -> Result<OAuth, String> {
    let mut client = client_auth::compile(raw.client_auth, context)?;
    let grant = match kind {
        RawType::JwtBearer => Grant::JwtBearer,
        RawType::ClientAssertion => {
            client = match client {
                ClientAuth::None => ClientAuth::PodToken(None),
                ClientAuth::Public(id) => ClientAuth::PodToken(Some(id)),
                ClientAuth::PodToken(id) => ClientAuth::PodToken(id),
                _ => {
                    return Err(
                        "with `clientAssertion` the client authenticates by the pod's token: \
                         `clientAuth` can only have `clientId`, with the method `none`"
                            .to_owned(),
                    );
                }
            };
            Grant::ClientAssertion
        }
        _ => {
            let expand = |field: &str, kind: Template| {
                expand_token_type(field, context.constant(field, kind)?)
            };
            Grant::TokenExchange {
                subject_token_type: expand(
                    "exchange.subjectTokenType",
                    raw.subject_token_type.unwrap_or_else(|| Template::from_text("jwt")),
                )?,
                requested_token_type: raw
                    .requested_token_type
                    .map(|kind| expand("exchange.requestedTokenType", kind))
                    .transpose()?,
            }
        }
    };
    let mut parameters = Vec::new();
    for (name, list) in [("audience", raw.audience), ("resource", raw.resource)] {
        parameters.extend(compile_list(name, list, context)?);
    }
    let scope = Template::join(raw.scope.0, " ");
    if scope.as_text() != Some("") {
        let scope = context.template("exchange.scope", scope, Position::Body)?;
        parameters.push(("scope".to_owned(), scope));
    }
    parameters.extend(compile_extra(raw.extra, context)?);
    Ok(OAuth {
        grant,
        endpoint: compile_endpoint(raw.endpoint, raw.discovery, hosts, context)?,
        client,
        parameters,
        encoding: raw.encoding.unwrap_or_default(),
    })
}

fn compile_endpoint(
    endpoint: Option<Template>,
    discovery: Option<RawDiscovery>,
    hosts: Vec<String>,
    context: &CompileContext<'_>,
) -> Result<Endpoint, String> {
    match (endpoint, discovery) {
        (Some(endpoint), None) => {
            Ok(Endpoint::Address(context.address("exchange.endpoint", endpoint)?))
        }
        (None, Some(raw)) => {
            let field = "exchange.discovery.issuer";
            let issuer = context.constant(field, raw.issuer)?;
            let allow_loopback_http = context.allow_loopback_http;
            let mut url = address::parse(field, &issuer, allow_loopback_http)?;
            if url.query().is_some() {
                return Err(format!("`{field}` must not have a query"));
            }
            let path = url.path().trim_end_matches('/').to_owned();
            url.set_path(&match raw.form {
                RawWellKnown::Openid => format!("{path}/.well-known/openid-configuration"),
                RawWellKnown::Oauth => format!("/.well-known/oauth-authorization-server{path}"),
            });
            Ok(Endpoint::Discovery(Discovery { issuer, url, hosts, allow_loopback_http }))
        }
        (Some(_), Some(_)) => {
            Err("`exchange.endpoint` and `exchange.discovery` cannot be combined".to_owned())
        }
        (None, None) => Err("`exchange` needs `endpoint`, or `discovery`".to_owned()),
    }
}

fn compile_list(
    name: &str,
    list: OneOrMany,
    context: &CompileContext<'_>,
) -> Result<Vec<(String, Template)>, String> {
    if list.0.iter().any(|template| template.as_text() == Some("")) {
        return Err(format!("`{name}` contains an empty string"));
    }
    let field = format!("exchange.{name}");
    let value = |it| Ok((name.to_owned(), context.template(&field, it, Position::Body)?));
    list.0.into_iter().map(value).collect()
}

/// Further parameters, such as Dex's `connector_id`.
fn compile_extra(
    raw: BTreeMap<String, Template>,
    context: &CompileContext<'_>,
) -> Result<Vec<(String, Template)>, String> {
    let mut fields = Vec::new();
    for (name, value) in raw {
        let is_reserved = |known: &&str| **known == name || camel_case(known) == name;
        if RESERVED.iter().any(is_reserved) {
            return Err(format!("`exchange.extra` cannot set `{name}`"));
        }
        fields.push((name, context.template("exchange.extra", value, Position::Body)?));
    }
    match literal_secret::find_in_pairs(&fields) {
        Some(name) => Err(literal_secret::describe(&format!("exchange.extra: {name}"))),
        None => Ok(fields),
    }
}

/// `subject_token` as `subjectToken`.
pub(crate) fn camel_case(name: &str) -> String {
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
fn expand_token_type(field: &str, name: String) -> Result<String, String> {
    match name.as_str() {
        "access_token" | "refresh_token" | "id_token" | "saml1" | "saml2" | "jwt" => {
            Ok(format!("urn:ietf:params:oauth:token-type:{name}"))
        }
        _ if name.starts_with("urn:") => Ok(name),
        _ => Err(format!(
            "`{field}` is not a token type: use `jwt`, `id_token`, `access_token` or a URN"
        )),
    }
}
