//! The types of exchange, each compiled to the same calls: there is one engine to secure.

mod client;
pub(crate) mod client_auth;
mod custom;
pub(crate) mod discovery;
mod oauth;
mod vault;

use std::collections::BTreeMap;
use std::path::Path;

use crate::profile::address::Address;
use crate::profile::field::Text;
use crate::profile::raw::{RawExchange, RawType};
use crate::profile::template::{BUILTIN, Position, Scope, Sensitivity, Template};
use crate::profile::{Auth, Body, Calls, Client, Exchange, Json, Step, Target};

/// What a profile's exchange stands on.
pub(crate) struct CompileContext<'a> {
    pub(crate) scope: &'a Scope,
    /// Relative paths start here.
    pub(crate) folder: &'a Path,
    pub(crate) allow_loopback_http: bool,
    /// Whether the client shows a certificate in the TLS handshake.
    pub(crate) has_certificate: bool,
}

impl CompileContext<'_> {
    /// A text of the field `what`, where only what may stand in `position` may.
    fn template(&self, what: &str, text: &str, position: Position) -> Result<Template, String> {
        Template::compile(text, position, self.scope).map_err(|why| format!("`{what}`: {why}"))
    }

    /// A text of the field `what` that is fixed.
    fn constant(&self, what: &str, text: &Text) -> Result<String, String> {
        self.scope.constant(&text.0).map_err(|why| format!("`{what}`: {why}"))
    }

    fn address(&self, what: &str, text: &str) -> Result<Address, String> {
        Address::compile(what, text, &[], self.allow_loopback_http, self.scope)
    }
}

/// The most calls of one profile.
const MOST_STEPS: usize = 3;

/// How the password is come by.
///
/// # Errors
/// A text on what is wrong.
pub(crate) fn compile(
    kind: RawType,
    raw: RawExchange,
    context: &CompileContext<'_>,
) -> Result<Exchange, String> {
    check_fields(kind, &raw)?;
    let hosts = raw.hosts.0.iter().map(|host| context.scope.constant(host));
    let hosts =
        hosts.collect::<Result<Vec<_>, _>>().map_err(|why| format!("`exchange.hosts`: {why}"))?;
    let calls = match kind {
        RawType::Passthrough => return Ok(Exchange::Passthrough),
        RawType::Static => {
            let file = raw.file.ok_or("`static` needs `exchange.file`")?;
            return Ok(Exchange::File(
                context.folder.join(context.constant("exchange.file", &file)?),
            ));
        }
        RawType::TokenExchange | RawType::JwtBearer | RawType::ClientAssertion => {
            oauth::calls(kind, raw, hosts.clone(), context)?
        }
        RawType::Vault => vault::calls(raw, context)?,
        RawType::Http => custom::calls(raw.steps.unwrap_or_default(), context)?,
    };
    check_hosts(&calls, &hosts, context.scope)?;
    Ok(Exchange::Calls(Box::new(calls)))
}

/// A field that a type does not read is a misunderstanding.
fn check_fields(kind: RawType, raw: &RawExchange) -> Result<(), String> {
    use RawType::{ClientAssertion, Http, JwtBearer, Static, TokenExchange, Vault};

    let oauth = &[TokenExchange, JwtBearer, ClientAssertion][..];
    let exchange = &[TokenExchange][..];
    let calls = &[TokenExchange, JwtBearer, ClientAssertion, Vault, Http][..];
    let vault = &[Vault][..];
    for (name, is_set, kinds) in [
        ("endpoint", raw.endpoint.is_some(), oauth),
        ("discovery", raw.discovery.is_some(), oauth),
        ("clientAuth", raw.client_auth.is_some(), oauth),
        ("scope", !raw.scope.0.is_empty(), oauth),
        ("extra", !raw.extra.is_empty(), oauth),
        ("encoding", raw.encoding.is_some(), exchange),
        ("subjectTokenType", raw.subject_token_type.is_some(), exchange),
        ("requestedTokenType", raw.requested_token_type.is_some(), exchange),
        ("audience", !raw.audience.0.is_empty(), exchange),
        ("resource", !raw.resource.0.is_empty(), exchange),
        ("address", raw.address.is_some(), vault),
        ("mount", raw.mount.is_some(), vault),
        ("namespace", raw.namespace.is_some(), vault),
        ("role", raw.role.is_some(), vault),
        ("read", raw.read.is_some(), vault),
        ("file", raw.file.is_some(), &[Static][..]),
        ("steps", raw.steps.is_some(), &[Http][..]),
        ("hosts", !raw.hosts.0.is_empty(), calls),
    ] {
        if is_set && !kinds.contains(&kind) {
            let kind = kind.name();
            return Err(match kind {
                "passthrough" => {
                    "`passthrough` makes no call: only `type` may stand in `exchange`".to_owned()
                }
                kind => format!("`exchange.{name}` has no meaning with the type `{kind}`"),
            });
        }
    }
    Ok(())
}

/// What one host gave, or was meant for it, goes to no other that the file does not name. The pod's
/// token, and what the operator keeps in files, are for the host that gets one of them first.
fn check_hosts(calls: &Calls, hosts: &[String], scope: &Scope) -> Result<(), String> {
    let mut home: Option<String> = None;
    let mut captured: BTreeMap<&str, String> = BTreeMap::new();
    for step in &calls.steps {
        let Target::Address(address) = &step.target else { continue };
        let here = address.origin();
        let captures = |name: &str| captured.get(name).cloned();
        let mut origins: Vec<String> = step.secrets(scope).filter_map(captures).collect();
        if step.client || step.secrets(scope).any(|name| captures(name).is_none()) {
            origins.push(home.get_or_insert_with(|| here.clone()).clone());
        }
        if origins.iter().any(|origin| *origin != here) && !hosts.contains(&address.host()) {
            return Err(format!(
                "a step sends a secret to another host than it is of, `{}`: list it in \
                 `exchange.hosts` if it may have it",
                address.host()
            ));
        }
        captured.extend(step.capture.iter().map(|(name, _)| (name.as_str(), here.clone())));
    }
    Ok(())
}

impl Step {
    /// A POST of `body`.
    fn post(target: Target, body: Body) -> Self {
        Self {
            method: pullpass::http::Method::POST,
            target,
            headers: Vec::new(),
            auth: Auth::None,
            body,
            expect: Vec::new(),
            capture: Vec::new(),
            client: false,
            once: false,
            place: "the path of `exchange.endpoint`",
        }
    }

    /// What it sends, with names not filled in.
    pub(crate) fn templates(&self) -> Vec<&Template> {
        let mut all: Vec<&Template> = self.headers.iter().map(|(_, value)| value).collect();
        match &self.auth {
            Auth::None => {}
            Auth::Bearer(token) => all.push(token),
            Auth::Basic { user, password } => all.extend([user, password]),
        }
        match &self.body {
            Body::None => {}
            Body::Form(fields) => all.extend(fields.iter().map(|(_, value)| value)),
            Body::Json(json) => json.templates(&mut all),
        }
        if let Target::Address(address) = &self.target {
            all.extend(address.templates());
        }
        all
    }

    /// Whether the pod's own token goes with it.
    pub(crate) fn sends_token(&self) -> bool {
        let names = self.templates().into_iter().flat_map(Template::names);
        self.client || names.into_iter().any(|name| name == "sa.token")
    }

    /// The secrets that it sends, by name.
    fn secrets<'a>(&'a self, scope: &'a Scope) -> impl Iterator<Item = &'a str> {
        let is_secret = |name: &&str| match BUILTIN.iter().find(|(known, _)| known == name) {
            Some((_, kind)) => *kind == Sensitivity::Secret,
            // A capture is not in the scope of the file.
            None => scope.names.get(*name).is_none_or(|kind| *kind == Sensitivity::Secret),
        };
        self.templates().into_iter().flat_map(Template::names).filter(is_secret)
    }
}

impl Json {
    fn templates<'a>(&'a self, all: &mut Vec<&'a Template>) {
        match self {
            Self::Text(template) => all.push(template),
            Self::Array(items) => items.iter().for_each(|item| item.templates(all)),
            Self::Object(fields) => fields.iter().for_each(|(_, json)| json.templates(all)),
            Self::Other(_) => {}
        }
    }
}

impl Exchange {
    /// Whether nothing works without the pod's token.
    pub(crate) fn needs_token(&self) -> bool {
        match self {
            Self::Passthrough => true,
            Self::File(_) => false,
            Self::Calls(calls) => {
                matches!(calls.client, Client::PodToken(_))
                    || self.names().any(|name| name == "sa.token")
            }
        }
    }

    /// The names that its calls use.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let steps = match self {
            Self::Calls(calls) => calls.steps.as_slice(),
            Self::Passthrough | Self::File(_) => &[],
        };
        steps.iter().flat_map(Step::templates).flat_map(Template::names)
    }
}
