//! Runs the steps of an exchange.

use pullpass::http::{Http, Plaintext, RequestBuilder};
use pullpass::{Context, Error};
use serde_json::{Map, Value};
use url::Url;

use super::client_authentication::{self, Authentication};
use super::discovery;
use super::document::Document;
use super::error_response::{self, Failure};
use super::step_url;
use super::values::Values;
use crate::exchange::Steps;
use crate::profile::{Auth, Body, Json, Profile, Step, Target};

/// The last step's answer. What steps before it captured is added to `values`.
///
/// # Errors
/// [`Failure::Denied`], when a server denies a step; [`Failure::Failed`], when a step cannot be made
/// or its answer cannot be used.
pub(crate) async fn run_steps(
    steps: &Steps<'_>,
    profile: &Profile,
    values: &mut Values,
    cx: &Context,
) -> Result<Document, Failure> {
    let http = cx.http.with_config(profile.http.clone());
    let token_endpoint = match steps.discovery {
        Some(discovery) => Some(discovery::token_endpoint(discovery, &http).await?),
        None => None,
    };
    let mut last = Err(Error::config("the profile has no step")
        .with_hint("list the calls in `exchange.steps` of the profile"));
    for (at, step) in steps.steps.iter().enumerate() {
        let url = target_url(step, token_endpoint.as_ref(), values)?;
        let client = match step.client {
            true => client_authentication::prepare(steps.client, &url, values.get("sa.token"), cx)?,
            false => Authentication::default(),
        };
        let next_host = steps.steps.get(at + 1).and_then(|next| find_next_host(next, &url));
        let request =
            build_request(step, url, &client, values, profile.allow_loopback_http, &http)?;
        values.check_size()?;
        if let Some(next_host) = next_host {
            http.preconnect(next_host);
        }
        let reply = request.send().await?;
        let is_expected = match step.expect.as_slice() {
            [] => reply.is_success(),
            expected => expected.contains(&reply.status()),
        };
        if !is_expected {
            return Err(error_response::read(&reply, step, steps.client));
        }
        last = Document::from_reply(reply);
        if !step.capture.is_empty() {
            let document = last?;
            capture_values(step, &document, values)?;
            last = Ok(document);
        }
    }
    Ok(last?)
}

fn target_url(step: &Step, token_endpoint: Option<&Url>, values: &Values) -> Result<Url, Error> {
    match (&step.target, token_endpoint) {
        (Target::Address(address), _) => step_url::render(address, values).map_err(|why| {
            Error::identity(why)
                .with_hint("a value from the pod or the image cannot be used in this URL")
        }),
        (Target::TokenEndpoint, Some(url)) => Ok(url.clone()),
        (Target::TokenEndpoint, None) => Err(Error::config("the profile has no token endpoint")
            .with_hint("name it as `exchange.endpoint`, or the issuer as `exchange.discovery`")),
    }
}

/// Where the next step goes, if the profile names a host for it that is not the one of `url`: the
/// connection is opened while the call to `url` is pending.
fn find_next_host<'a>(next: &'a Step, url: &Url) -> Option<&'a Url> {
    match &next.target {
        Target::Address(address) => {
            Some(address.origin_url()).filter(|next| next.origin() != url.origin())
        }
        Target::TokenEndpoint => None,
    }
}

fn build_request<'a>(
    step: &Step,
    url: Url,
    client: &Authentication,
    values: &Values,
    allow_loopback_http: bool,
    http: &'a Http,
) -> Result<RequestBuilder<'a>, Error> {
    let mut call = http.request(step.method.clone(), url).accept_json();
    if allow_loopback_http {
        call = call.plaintext(Plaintext::Loopback);
    }
    for (name, value) in &step.headers {
        let value = values.render(value);
        if !value.is_empty() {
            call = call.header(name.clone(), &value);
        }
    }
    call = match &step.auth {
        Auth::None => call,
        Auth::Bearer(token) => call.bearer(&values.render(token).as_str().into()),
        Auth::Basic { user, password } => {
            call.basic(&values.render_user_name(user)?, &values.render(password).as_str().into())
        }
    };
    call = client.apply(call);
    call = match &step.body {
        Body::None => call,
        Body::Form(fields) => {
            let fields: Vec<_> =
                fields.iter().map(|(name, value)| (name, values.render(value))).collect();
            let own = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            call.form(own.chain(client.fields()).filter(|(_, value)| !value.is_empty()))
        }
        Body::Json(json) => {
            let mut body = render_json(json, values);
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

/// An empty text in an object is left out.
fn render_json(json: &Json, values: &Values) -> Value {
    match json {
        Json::Text(template) => Value::String(values.render(template).to_string()),
        Json::Array(items) => items.iter().map(|item| render_json(item, values)).collect(),
        Json::Object(fields) => {
            let rendered =
                fields.iter().map(|(name, json)| (name.clone(), render_json(json, values)));
            let is_there = |(_, value): &(String, Value)| value.as_str() != Some("");
            Value::Object(rendered.filter(is_there).collect::<Map<_, _>>())
        }
        Json::Other(value) => value.clone(),
    }
}

/// What the server answered for later steps. All of it is treated as secret.
fn capture_values(step: &Step, document: &Document, values: &mut Values) -> Result<(), Error> {
    for (name, pointer) in &step.capture {
        let text = document.text(pointer)?;
        values.set_secret(name, text);
        values.check_size()?;
    }
    Ok(())
}
