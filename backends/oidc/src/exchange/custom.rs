//! `http`: the calls as the file spells them out.

use std::collections::BTreeMap;

use pullpass::http::Method;
use pullpass::http::header::HeaderName;
use serde_json::Value;

use super::{CompileContext, MOST_STEPS};
use crate::profile::address::Address;
use crate::profile::field::Text;
use crate::profile::raw::{RawAuth, RawStep, RawVerb};
use crate::profile::template::{Position, Sensitivity, Template, is_name};
use crate::profile::{Auth, Body, Calls, Client, Json, Step, Target};

/// Headers that are not a file's to set: the client's own, and those of a connection.
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
/// A text on what is wrong.
pub(super) fn calls(raw: Vec<RawStep>, context: &CompileContext<'_>) -> Result<Calls, String> {
    if raw.is_empty() || raw.len() > MOST_STEPS {
        return Err(format!("`http` needs one to {MOST_STEPS} `exchange.steps`"));
    }
    // What a step captures is known to those after it.
    let mut scope = context.scope.clone();
    let mut steps = Vec::new();
    for (at, raw) in raw.into_iter().enumerate() {
        let captured: Vec<String> = raw.capture.keys().cloned().collect();
        let context = CompileContext { scope: &scope, ..*context };
        let step = step(raw, &format!("exchange.steps[{at}]"), &context)?;
        steps.push(step);
        for name in captured {
            let is_known = scope.constants.contains_key(&name) || scope.names.contains_key(&name);
            if is_known || !is_name(&name) || name.contains('.') {
                return Err(format!(
                    "`exchange.steps[{at}].capture`: `{name}` cannot be a new name"
                ));
            }
            scope.names.insert(name, Sensitivity::Secret);
        }
    }
    Ok(Calls { steps, discovery: None, client: Client::None })
}

fn step(raw: RawStep, what: &str, context: &CompileContext<'_>) -> Result<Step, String> {
    let query: Vec<_> = raw.query.into_iter().map(|(name, value)| (name, value.0)).collect();
    let url = format!("{what}.url");
    let address =
        Address::compile(&url, &raw.url.0, &query, context.allow_loopback_http, context.scope)?;
    let body = match (raw.form, raw.json) {
        (None, None) => Body::None,
        (Some(form), None) => Body::Form(form_fields(form, &format!("{what}.form"), context)?),
        (None, Some(value)) => Body::Json(json(value, &format!("{what}.json"), context)?),
        (Some(_), Some(_)) => return Err(format!("`{what}` has both `form` and `json`")),
    };
    if raw.expect.iter().any(|status| !(200..300).contains(status)) {
        return Err(format!("`{what}.expect` holds statuses of success, 200 to 299"));
    }
    Ok(Step {
        method: match raw.method {
            RawVerb::Get if !matches!(body, Body::None) => {
                return Err(format!("`{what}`: a GET has no body"));
            }
            RawVerb::Get => Method::GET,
            RawVerb::Post => Method::POST,
            RawVerb::Put => Method::PUT,
        },
        headers: headers(raw.headers, what, context)?,
        auth: auth(raw.auth, &format!("{what}.auth"), context)?,
        expect: raw.expect,
        capture: raw.capture.into_iter().map(|(name, at)| (name, at.0)).collect(),
        once: raw.once,
        place: "the step's `url`",
        ..Step::post(Target::Address(address), body)
    })
}

fn headers(
    raw: BTreeMap<String, Text>,
    what: &str,
    context: &CompileContext<'_>,
) -> Result<Vec<(HeaderName, Template)>, String> {
    let mut headers = Vec::new();
    for (name, value) in raw {
        let header = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| format!("`{what}.headers`: `{name}` is no header's name"))?;
        if RESERVED.contains(&header.as_str()) {
            return Err(format!("`{what}.headers` cannot set `{header}`"));
        }
        let what = format!("{what}.headers.{name}");
        headers.push((header, context.template(&what, &value.0, Position::Header)?));
    }
    Ok(headers)
}

fn auth(raw: Option<RawAuth>, what: &str, context: &CompileContext<'_>) -> Result<Auth, String> {
    match raw.map(|raw| (raw.bearer, raw.basic)) {
        None => Ok(Auth::None),
        Some((Some(token), None)) => {
            Ok(Auth::Bearer(secret(&format!("{what}.bearer"), &token.0, context)?))
        }
        Some((None, Some(basic))) => Ok(Auth::Basic {
            user: context.template(&format!("{what}.basic.user"), &basic.user.0, Position::User)?,
            password: secret(&format!("{what}.basic.password"), &basic.password.0, context)?,
        }),
        Some(_) => Err(format!("`{what}` needs either `bearer` or `basic`")),
    }
}

/// A secret has a name: the pod's token, a capture, or a variable `fromFile`.
fn secret(what: &str, text: &str, context: &CompileContext<'_>) -> Result<Template, String> {
    let template = context.template(what, text, Position::Secret)?;
    match template.as_text() {
        None => Ok(template),
        Some(_) => {
            Err(format!("`{what}` is in the file itself: put it into one of its own (`fromFile`)"))
        }
    }
}

fn form_fields(
    raw: BTreeMap<String, Text>,
    what: &str,
    context: &CompileContext<'_>,
) -> Result<Vec<(String, Template)>, String> {
    raw.into_iter()
        .map(|(name, value)| Ok((name, context.template(what, &value.0, Position::Body)?)))
        .collect()
}

fn json(value: Value, what: &str, context: &CompileContext<'_>) -> Result<Json, String> {
    Ok(match value {
        Value::String(text) => Json::Text(context.template(what, &text, Position::Body)?),
        Value::Array(items) => Json::Array(
            items.into_iter().map(|item| json(item, what, context)).collect::<Result<_, _>>()?,
        ),
        Value::Object(fields) => Json::Object(
            fields
                .into_iter()
                .map(|(name, value)| Ok((name, json(value, what, context)?)))
                .collect::<Result<_, String>>()?,
        ),
        other => Json::Other(other),
    })
}
