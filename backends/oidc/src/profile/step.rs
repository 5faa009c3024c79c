//! One call of an exchange.

use pullpass::http::Method;
use pullpass::http::header::HeaderName;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::Value;

use super::address::Address;
use super::field::Pointer;
use super::template::Template;

/// One call.
#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) headers: Vec<(HeaderName, Template)>,
    pub(crate) auth: Auth,
    pub(crate) body: Body,
    /// Statuses that mean success; empty for every 2xx.
    pub(crate) expect: Vec<u16>,
    /// Names for later steps, and where in the answer their values are.
    pub(crate) capture: Vec<(String, Pointer)>,
    /// Whether the client authenticates here.
    pub(crate) client: bool,
    /// Whether the server accepts what is sent only once: never sent again.
    pub(crate) once: bool,
    /// What to check when the server refuses this call: for hints.
    pub(crate) what_to_check: &'static str,
}

/// Where a step goes.
#[derive(Clone)]
pub(crate) enum Target {
    Address(Address),
    /// The token endpoint that discovery finds.
    TokenEndpoint,
}

/// What a step has in its `Authorization` header.
#[derive(Clone)]
pub(crate) enum Auth {
    None,
    Bearer(Template),
    Basic { user: Template, password: Template },
}

/// What a step sends. An empty value is left out.
#[derive(Clone)]
pub(crate) enum Body {
    None,
    Form(Vec<(String, Template)>),
    Json(Json),
}

/// JSON whose texts are templates.
#[derive(Clone)]
pub(crate) enum Json {
    Text(Template),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
    /// A number, a boolean or null.
    Other(Value),
}

impl Step {
    /// A POST of `body`, without anything else.
    pub(crate) fn post(target: Target, body: Body, what_to_check: &'static str) -> Self {
        Self {
            method: Method::POST,
            target,
            headers: Vec::new(),
            auth: Auth::None,
            body,
            expect: Vec::new(),
            capture: Vec::new(),
            client: false,
            once: false,
            what_to_check,
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
            Body::Json(json) => json.add_templates(&mut all),
        }
        if let Target::Address(address) = &self.target {
            all.extend(address.templates());
        }
        all
    }

    /// Whether it sends the pod's own token.
    pub(crate) fn sends_token(&self) -> bool {
        let templates = self.templates();
        self.client || templates.into_iter().flat_map(Template::names).any(|it| it == "sa.token")
    }
}

impl Json {
    fn add_templates<'a>(&'a self, all: &mut Vec<&'a Template>) {
        match self {
            Self::Text(template) => all.push(template),
            Self::Array(items) => items.iter().for_each(|item| item.add_templates(all)),
            Self::Object(fields) => fields.iter().for_each(|(_, json)| json.add_templates(all)),
            Self::Other(_) => {}
        }
    }

    /// With `compile` done to each template.
    ///
    /// # Errors
    /// The first of `compile`.
    pub(crate) fn try_map(
        self,
        compile: &impl Fn(Template) -> Result<Template, String>,
    ) -> Result<Self, String> {
        Ok(match self {
            Self::Text(template) => Self::Text(compile(template)?),
            Self::Array(items) => Self::Array(
                items.into_iter().map(|item| item.try_map(compile)).collect::<Result<_, _>>()?,
            ),
            Self::Object(fields) => Self::Object(
                fields
                    .into_iter()
                    .map(|(name, json)| Ok((name, json.try_map(compile)?)))
                    .collect::<Result<_, String>>()?,
            ),
            Self::Other(value) => Self::Other(value),
        })
    }
}

impl TryFrom<Value> for Json {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        Ok(match value {
            Value::String(text) => Self::Text(Template::parse(&text)?),
            Value::Array(items) => {
                Self::Array(items.into_iter().map(Self::try_from).collect::<Result<_, _>>()?)
            }
            Value::Object(fields) => Self::Object(
                fields
                    .into_iter()
                    .map(|(name, value)| Ok((name, value.try_into()?)))
                    .collect::<Result<_, String>>()?,
            ),
            other => Self::Other(other),
        })
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}
