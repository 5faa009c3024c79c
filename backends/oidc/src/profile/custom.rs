//! `http`: the calls as the file writes them out.

use std::collections::BTreeMap;

use pullpass::http::Method;
use pullpass::http::header::HeaderName;

use super::compile_context::CompileContext;
use super::literal_secret;
use super::raw::{RawAuth, RawStep, RawVerb};
use super::step::{Auth, Body, Step, Target};
use super::template::{Position, Scope, Sensitivity, Template, is_name};

/// The most calls of one profile.
const MAX_STEPS: usize = 3;

/// Headers that a file cannot set: the client's own, and those of a connection.
const RESERVED: [&str; 9] = [
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "proxy-authorization",
    "transfer-encoding",
    "user-agent",
];

/// The calls.
///
/// # Errors
/// The first step that is not valid, or that sends a secret to a host that is not allowed to have it.
pub(super) fn compile(
    raw: Vec<RawStep>,
    hosts: &[String],
    context: &CompileContext<'_>,
) -> Result<Vec<Step>, String> {
    if raw.is_empty() || raw.len() > MAX_STEPS {
        return Err(format!("`http` needs one to {MAX_STEPS} `exchange.steps`"));
    }
    // What a step captures is known to those after it.
    let mut scope = context.scope.clone();
    let mut steps: Vec<Step> = Vec::new();
    for (at, raw) in raw.into_iter().enumerate() {
        let field = format!("exchange.steps[{at}]");
        let step = raw.compile(&field, &CompileContext { scope: &scope, ..*context })?;
        for (name, _) in &step.capture {
            if scope.has(name) || !is_name(name) || name.contains('.') {
                return Err(format!("`{field}.capture`: `{name}` cannot be a new name"));
            }
            scope.names.insert(name.clone(), Sensitivity::Secret);
        }
        steps.push(step);
    }
    check_hosts(&steps, hosts, &scope)?;
    Ok(steps)
}

/// What one host gave, or was meant for it, goes to no other that the file does not name. The pod's
/// token, and what the operator keeps in files, are for the host that gets one of them first.
fn check_hosts(steps: &[Step], hosts: &[String], scope: &Scope) -> Result<(), String> {
    let mut first: Option<String> = None;
    let mut captured: BTreeMap<&str, String> = BTreeMap::new();
    for step in steps {
        let Target::Address(address) = &step.target else { continue };
        let origin = address.origin();
        let names = step.templates().into_iter().flat_map(Template::names);
        for name in names.filter(|name| scope.sensitivity(name) == Some(Sensitivity::Secret)) {
            let owner = match captured.get(name) {
                Some(owner) => owner,
                None => first.get_or_insert_with(|| origin.clone()),
            };
            if *owner != origin && !hosts.contains(&address.host()) {
                return Err(format!(
                    "a step sends a secret of another host to `{}`: list that host in \
                     `exchange.hosts` if it may get the secret",
                    address.host()
                ));
            }
        }
        captured.extend(step.capture.iter().map(|(name, _)| (name.as_str(), origin.clone())));
    }
    Ok(())
}

impl RawStep {
    fn compile(self, field: &str, context: &CompileContext<'_>) -> Result<Step, String> {
        let position = |position| {
            move |what: &str, template| {
                context.template(&format!("{field}.{what}"), template, position)
            }
        };
        let url = format!("{field}.url");
        let query = self.query.into_iter().collect();
        let address = context.address_with_query(&url, self.url, query)?;
        let in_body = position(Position::Body);
        let body = match (self.form, self.json) {
            (None, None) => Body::None,
            (Some(form), None) => Body::Form(
                form.into_iter()
                    .map(|(name, value)| Ok((name, in_body("form", value)?)))
                    .collect::<Result<_, String>>()?,
            ),
            (None, Some(json)) => Body::Json(json.try_map(&|value| in_body("json", value))?),
            (Some(_), Some(_)) => return Err(format!("`{field}` has both `form` and `json`")),
        };
        if let Some(name) = literal_secret::find(Some(&address), &body) {
            return Err(literal_secret::describe(&format!("{field}: {name}")));
        }
        if self.expect.iter().any(|status| !(200..300).contains(status)) {
            return Err(format!("`{field}.expect` can only have 200 to 299"));
        }
        Ok(Step {
            method: match self.method {
                RawVerb::Get if !matches!(body, Body::None) => {
                    return Err(format!("`{field}`: a GET has no body"));
                }
                RawVerb::Get => Method::GET,
                RawVerb::Post => Method::POST,
                RawVerb::Put => Method::PUT,
            },
            headers: compile_headers(self.headers, field, context)?,
            auth: match self.auth {
                Some(auth) => auth.compile(&format!("{field}.auth"), context)?,
                None => Auth::None,
            },
            expect: self.expect,
            capture: self.capture.into_iter().collect(),
            once: self.once,
            ..Step::post(Target::Address(address), body, "the step's `url`")
        })
    }
}

fn compile_headers(
    raw: BTreeMap<String, Template>,
    field: &str,
    context: &CompileContext<'_>,
) -> Result<Vec<(HeaderName, Template)>, String> {
    let mut headers = Vec::new();
    for (name, value) in raw {
        let header = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| format!("`{field}.headers` has a key that is not a valid header name"))?;
        if RESERVED.contains(&header.as_str()) {
            return Err(format!("`{field}.headers` cannot set `{header}`"));
        }
        let what = format!("{field}.headers.{name}");
        headers.push((header, context.template(&what, value, Position::Header)?));
    }
    Ok(headers)
}

impl RawAuth {
    fn compile(self, field: &str, context: &CompileContext<'_>) -> Result<Auth, String> {
        match (self.bearer, self.basic) {
            (Some(token), None) => {
                Ok(Auth::Bearer(compile_secret(&format!("{field}.bearer"), token, context)?))
            }
            (None, Some(basic)) => Ok(Auth::Basic {
                user: context.template(
                    &format!("{field}.basic.user"),
                    basic.user,
                    Position::User,
                )?,
                password: compile_secret(
                    &format!("{field}.basic.password"),
                    basic.password,
                    context,
                )?,
            }),
            _ => Err(format!("`{field}` needs either `bearer` or `basic`")),
        }
    }
}

/// A secret has a name: the pod's token, a capture, or a variable `fromFile`.
fn compile_secret(
    field: &str,
    template: Template,
    context: &CompileContext<'_>,
) -> Result<Template, String> {
    let template = context.template(field, template, Position::Secret)?;
    match template.as_text() {
        None => Ok(template),
        Some(_) => Err(literal_secret::describe(field)),
    }
}
