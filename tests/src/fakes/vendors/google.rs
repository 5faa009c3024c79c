//! Google's Security Token Service, and `generateAccessToken` with what it gave. The whole of it is
//! in `fakes::google`; this has both calls on one host, which a test can also serve under two names
//! (see `Vendor::also_at`).

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::Expiry;
use super::answer::{Refusal, Served, Shape, json_answer};
use super::oauth::{ACCESS_TOKEN, TOKEN_EXCHANGE};
use super::visit::{Order, Visit, names};
use crate::fakes::form::Form;
use crate::jwt;

const SUBJECT_TOKEN_TYPES: [&str; 2] =
    ["urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"];
const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";
const KNOWN: [&str; 7] = [
    "grant_type",
    "audience",
    "scope",
    "requested_token_type",
    "subject_token",
    "subject_token_type",
    "options",
];

/// One provider of a workload identity pool.
#[derive(Clone, Debug)]
pub struct GoogleSts {
    /// `//iam.googleapis.com/projects/.../providers/...`.
    pub provider: String,
    /// The service account that the pod may have a token of.
    pub service_account: Option<String>,
}

/// A form, or JSON in snake or camel case.
enum Parameters {
    Form(Form),
    Json(Map<String, Value>),
}

impl GoogleSts {
    /// Without a service account: the pod itself pulls.
    pub fn new(provider: &str) -> Self {
        Self { provider: provider.to_owned(), service_account: None }
    }

    /// The path of the second call.
    pub(super) fn second_path(&self) -> Option<String> {
        let email = self.service_account.as_ref()?;
        Some(format!("/v1/projects/-/serviceAccounts/{email}:generateAccessToken"))
    }

    pub(super) async fn answer(&self, visit: &Visit<'_>) -> Served {
        // An encoded `@` is the same one.
        let path = visit.received.path().replace("%40", "@");
        if self.second_path().as_ref() == Some(&path) {
            return generate(visit);
        }
        visit.only(&Method::POST, "/v1/token")?;
        let refuse = |code: &str, message: &str| visit.shape.refuse(400, code, message);
        if visit.received.headers.contains_key("authorization") {
            return Err(refuse("invalid_request", "The Authorization header is not expected."));
        }
        let parameters = Parameters::read(visit)?;
        let required = |name: &str| {
            let missing =
                || refuse("invalid_request", &format!("Missing required parameter: {name}"));
            parameters.value(name).ok_or_else(missing)
        };
        let invalid =
            |name: &str| refuse("invalid_request", &format!("Invalid value for \"{name}\"."));
        if required("grant_type")? != TOKEN_EXCHANGE {
            let message = "Invalid value for \"grant_type\".";
            return Err(refuse("unsupported_grant_type", message));
        }
        if required("requested_token_type")? != ACCESS_TOKEN {
            return Err(invalid("requested_token_type"));
        }
        if !SUBJECT_TOKEN_TYPES.contains(&required("subject_token_type")?) {
            return Err(invalid("subject_token_type"));
        }
        let scopes = required("scope")?.split(' ');
        if scopes.into_iter().any(|scope| !scope.starts_with("https://www.googleapis.com/auth/")) {
            return Err(refuse("invalid_scope", "Invalid value for \"scope\"."));
        }
        if required("audience")? != self.provider {
            let message = "The target service indicated by the \"audience\" parameters is invalid.";
            return Err(refuse("invalid_target", message));
        }
        visit.claims(required("subject_token")?).await.map_err(|disbelief| {
            let message = format!("The given credential is rejected: {disbelief}.");
            refuse("invalid_grant", &message).because(disbelief)
        })?;
        let password = visit.opaque(None);
        let mut answer = json!({
            "access_token": password.value,
            "issued_token_type": ACCESS_TOKEN,
            "token_type": "Bearer",
        });
        visit.say_end(&mut answer, "expires_in", Expiry::Seconds, &password);
        Ok(json_answer(200, &answer))
    }
}

impl Parameters {
    fn read(visit: &Visit<'_>) -> Result<Self, Refusal> {
        if visit.received.essence() == "application/json" {
            let body = visit.json()?;
            let snake = KNOWN.iter().map(|name| (*name).to_owned());
            let all: Vec<String> = snake.chain(KNOWN.iter().map(|name| camel_case(name))).collect();
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            visit.known(names(&body), &all);
            return Ok(Self::Json(body));
        }
        let form = visit.form()?;
        visit.known(form.names(), &KNOWN);
        Ok(Self::Form(form))
    }

    fn value(&self, name: &str) -> Option<&str> {
        match self {
            Self::Form(form) => form.value(name),
            Self::Json(body) => {
                let value = body.get(name).or_else(|| body.get(&camel_case(name)))?;
                value.as_str().filter(|value| !value.is_empty())
            }
        }
    }
}

/// `subjectToken` of `subject_token`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |text, word| text + &word[..1].to_uppercase() + &word[1..])
}

/// `generateAccessToken` of the IAM Service Account Credentials API.
fn generate(visit: &Visit<'_>) -> Served {
    let refuse =
        |status, code: &str, message: &str| Shape::GoogleStatus.refuse(status, code, message);
    if visit.received.method != Method::POST {
        return Err(Shape::GoogleStatus.wrong_method());
    }
    let known = visit.bearer().is_some_and(|token| {
        let handed_out = visit.shared.passwords.lock().unwrap();
        handed_out.iter().any(|known| known.value == token && known.expires > jwt::now())
    });
    if !known {
        let message = "Request had invalid authentication credentials.";
        return Err(refuse(401, "UNAUTHENTICATED", message));
    }
    let body = visit.json()?;
    visit.known(names(&body), &["scope", "lifetime", "delegates"]);
    let scopes = body.get("scope").and_then(Value::as_array);
    let scopes: Vec<&str> = scopes.into_iter().flatten().filter_map(Value::as_str).collect();
    if !scopes.contains(&CLOUD_PLATFORM) {
        let message = "Request contains an invalid argument.";
        return Err(refuse(400, "INVALID_ARGUMENT", message).because("the scope"));
    }
    let seconds = match body.get("lifetime") {
        None => Some(visit.shared.lifetime),
        Some(text) => text.as_str().and_then(|text| text.strip_suffix('s')?.parse().ok()),
    };
    let lifetime = seconds.filter(|seconds| (1..=3600).contains(seconds)).ok_or_else(|| {
        refuse(400, "INVALID_ARGUMENT", "Request contains an invalid argument.")
            .because("the lifetime")
    })?;
    let subject = visit.shared.subject.as_str();
    let password = visit.hand_out(&Order { subject, username: None, jwt_sub: None, lifetime });
    let mut answer = json!({"accessToken": password.value});
    visit.say_end(&mut answer, "expireTime", Expiry::Rfc3339, &password);
    Ok(json_answer(200, &answer))
}
