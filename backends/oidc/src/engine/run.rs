//! Runs the calls of a profile: the one way in which a token or secret leaves this process.

use pullpass::http::{Http, Plaintext, Reply, RequestBuilder};
use pullpass::{Context, Error};
use serde_json::{Map, Value};
use url::Url;

use crate::engine::error_response;
use crate::engine::values::Values;
use crate::exchange::client_auth::{self, Authentication};
use crate::exchange::discovery;
use crate::profile::template::Template;
use crate::profile::{Auth, Body, Calls, Json, Profile, Step, Target};

/// Why there is no answer.
pub(crate) enum Failure {
    /// The server knows who asks and says no: 401, 403, or an OAuth code that says so.
    Refused(Error),
    /// Anything else.
    Failed(Error),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(error) | Failure::Failed(error) => error,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The last step's reply. What steps before it captured is added to `values`.
pub(crate) async fn run(
    calls: &Calls,
    profile: &Profile,
    values: &mut Values,
    cx: &Context,
) -> Result<Reply, Failure> {
    let http = cx.http.with_config(profile.http.clone());
    let found = match &calls.discovery {
        Some(discovery) => Some(discovery::token_endpoint(discovery, &http).await?),
        None => None,
    };
    let mut last = None;
    for step in &calls.steps {
        let url = url(step, found.as_ref(), values)?;
        let client = match step.client {
            true => client_auth::prepare(&calls.client, &url, values, cx)?,
            false => Authentication::default(),
        };
        let reply = call(step, url, &client, values, &http)?.send().await?;
        client.remember_sent(&mut values.sent);
        if let Auth::Basic { user, password } = &step.auth {
            values.sent.remember_basic(&user.text(values), &password.text(values));
        }
        let is_expected = match step.expect.as_slice() {
            [] => reply.is_success(),
            expected => expected.contains(&reply.status()),
        };
        if !is_expected {
            return Err(error_response::read(&reply, step, &calls.client, &values.sent));
        }
        capture(step, &reply, values)?;
        last = Some(reply);
    }
    last.ok_or_else(|| Failure::Failed(Error::config("the profile has no step")))
}

fn url(step: &Step, found: Option<&Url>, values: &Values) -> Result<Url, Error> {
    match (&step.target, found) {
        (Target::Address(address), _) => address.render(values).map_err(|why| {
            Error::identity(why)
                .with_hint("a value of the pod's or the image's has no place in this URL")
        }),
        (Target::TokenEndpoint, Some(url)) => Ok(url.clone()),
        (Target::TokenEndpoint, None) => Err(Error::config("there is no token endpoint")),
    }
}

fn call<'a>(
    step: &Step,
    url: Url,
    client: &Authentication,
    values: &Values,
    http: &'a Http,
) -> Result<RequestBuilder<'a>, Error> {
    // The file's loader let `http://` through for loopback alone.
    let mut call =
        http.request(step.method.clone(), url).accept_json().plaintext(Plaintext::Loopback);
    for (name, value) in &step.headers {
        let value = value.text(values);
        if !value.is_empty() {
            call = call.header(name.clone(), &value);
        }
    }
    call = match &step.auth {
        Auth::None => call,
        Auth::Bearer(token) => call.bearer(&token.text(values).as_str().into()),
        Auth::Basic { user, password } => {
            call.basic(&user_name(user, values)?, &password.text(values).as_str().into())
        }
    };
    call = client.header(call);
    call = match &step.body {
        Body::None => call,
        Body::Form(fields) => {
            let fields: Vec<_> =
                fields.iter().map(|(name, value)| (name, value.text(values))).collect();
            let own = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            call.form(own.chain(client.fields()).filter(|(_, value)| !value.is_empty()))
        }
        Body::Json(json) => {
            let mut body = render(json, values);
            if let Value::Object(fields) = &mut body {
                fields.extend(client.fields().map(|(name, value)| (name.to_owned(), value.into())));
            }
            call.json(&body)
        }
    };
    Ok(match step.once || client.is_once() {
        true => call.once(),
        false => call,
    })
}

/// A user name that goes before an HTTP Basic password: it has no `:` (RFC 7617 §2).
///
/// # Errors
/// Of kind Identity, when what it is made of has one, or nothing.
pub(crate) fn user_name(user: &Template, values: &Values) -> Result<String, Error> {
    let user = user.text(values);
    let what = match user.contains([':', '\r', '\n', '\0']) {
        true => "contains `:` or a line break",
        false if user.is_empty() => "is empty",
        false => return Ok(user.to_string()),
    };
    Err(Error::identity(format!("the user name {what}"))
        .with_hint("correct the annotation or the profile that it comes from"))
}

/// An empty text in an object is left out.
fn render(json: &Json, values: &Values) -> Value {
    match json {
        Json::Text(template) => Value::String(template.text(values).to_string()),
        Json::Array(items) => items.iter().map(|item| render(item, values)).collect(),
        Json::Object(fields) => {
            let rendered = fields.iter().map(|(name, json)| (name.clone(), render(json, values)));
            let is_there = |(_, value): &(String, Value)| value.as_str() != Some("");
            Value::Object(rendered.filter(is_there).collect::<Map<_, _>>())
        }
        Json::Other(value) => value.clone(),
    }
}

/// What the server answered for later steps. All of it is taken for secret.
fn capture(step: &Step, reply: &Reply, values: &mut Values) -> Result<(), Error> {
    if step.capture.is_empty() {
        return Ok(());
    }
    let document = error_response::document(reply)?;
    for (name, pointer) in &step.capture {
        let text = document.text(pointer, &values.sent)?;
        values.set_secret(name, &text);
    }
    Ok(())
}
