//! The Security Token Service (IAM, "Security Token Service API", method `token`; RFC 8693). Where
//! Google's own words are not known, our words follow the code that is expected.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::Google;
use super::error::{Refusal, json_answer};
use super::front::Served;
use super::pool::{Provider, is_audience};
use super::token::{Grant, LIFETIME};
use crate::fakes::form::Form;
use crate::fakes::received::Received;
use crate::jwt;
use crate::verify::{Refusal as Disbelief, Verifier};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const SUBJECT_TOKEN_TYPES: [&str; 2] =
    ["urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"];
/// What `exp - iat` must be below, in seconds: documented, if not always enforced.
const LONGEST: i64 = 48 * 3600;
/// Seconds that an issuer's clock may be ahead.
const SKEW: i64 = 60;
/// The longest `google.subject`, in bytes.
const LONGEST_SUBJECT: usize = 127;

/// IAM, "Security Token Service API": two kinds of body, two spellings in one of them.
enum Parameters {
    Form(Form),
    Json(Map<String, Value>),
}

impl Parameters {
    fn read(received: &Received) -> Result<Self, Refusal> {
        match received.essence() {
            "application/json" => {
                let body = serde_json::from_slice::<Value>(&received.body).ok();
                let body = body.and_then(|body| body.as_object().cloned());
                let body = body.filter(|_| received.uri.query().is_none());
                let body = body.ok_or_else(|| malformed("no JSON object"))?;
                Ok(Self::Json(body))
            }
            _ => match received.form() {
                (form, faults) if faults.is_empty() => Ok(Self::Form(form)),
                (_, faults) => Err(malformed(&faults[0])),
            },
        }
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

    fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.value(name).ok_or_else(|| {
            let message = format!("Missing required parameter: {name}");
            Refusal::oauth("invalid_request", message).because(format!("no {name}"))
        })
    }
}

/// `subjectToken` of `subject_token`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |text, word| text + &word[..1].to_uppercase() + &word[1..])
}

pub(super) async fn exchange(
    google: &Google,
    universe: &str,
    received: &Received,
    id: usize,
) -> Served {
    if received.path() != "/v1/token" || received.method != Method::POST {
        return Err(Refusal::not_found());
    }
    // Documented: it must not be there for this kind of exchange.
    if received.headers.contains_key("authorization") {
        let message = "The Authorization header is not expected.";
        return Err(Refusal::oauth("invalid_request", message).because("an authorization header"));
    }
    let parameters = Parameters::read(received)?;
    if parameters.required("grant_type")? != EXCHANGE {
        return Err(Refusal::oauth("unsupported_grant_type", "Invalid value for \"grant_type\"."));
    }
    if parameters.required("requested_token_type")? != ACCESS_TOKEN {
        return Err(invalid_value("requested_token_type"));
    }
    if !SUBJECT_TOKEN_TYPES.contains(&parameters.required("subject_token_type")?) {
        return Err(invalid_value("subject_token_type"));
    }
    let scopes: Vec<String> = parameters.required("scope")?.split(' ').map(str::to_owned).collect();
    if !scopes.iter().all(|scope| scope.starts_with("https://www.googleapis.com/auth/")) {
        return Err(Refusal::oauth("invalid_scope", "Invalid value for \"scope\"."));
    }
    let provider = find(google, universe, parameters.required("audience")?)?;
    let claims = verify(google, &provider, parameters.required("subject_token")?).await?;
    if !provider.admits(&claims) {
        let message = "The given credential is rejected by the attribute condition.";
        return Err(Refusal::oauth("unauthorized_client", message));
    }
    let subject = claims["sub"].as_str().unwrap_or_default();
    if subject.len() > LONGEST_SUBJECT {
        let message = "The size of mapped attribute google.subject exceeds the 127 bytes limit. \
                       Either modify your attribute mapping or the incoming assertion to produce a \
                       mapped attribute that is less than 127 bytes.";
        return Err(Refusal::oauth("invalid_request", message).because("a long subject"));
    }
    let left = claims["exp"].as_i64().unwrap_or_default() - google.now();
    let grant = Grant {
        service: super::Service::Sts,
        principal: &provider.principal_of(subject),
        subject: Some(subject),
        universe,
        scopes,
        // Never beyond the token that it is for.
        lifetime: left.min(LIFETIME),
    };
    let minted = grant.mint(google, Some(id));
    let mut body = json!({
        "access_token": minted.value,
        "issued_token_type": ACCESS_TOKEN,
        "token_type": "Bearer",
    });
    if let Some(expires) = minted.expires {
        body["expires_in"] = expires;
    }
    Ok(json_answer(200, &body))
}

/// The provider that an audience names in a universe.
fn find(google: &Google, universe: &str, audience: &str) -> Result<Provider, Refusal> {
    if !is_audience(audience) {
        // Documented for other forms; a project's ID in the place of its number is one.
        let message = "Invalid value for \"audience\". This value should be the full resource name \
                       of the Identity Provider. See \
                       https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token for \
                       the list of possible formats.";
        return Err(Refusal::oauth("invalid_request", message).because("the audience's form"));
    }
    let known = google.provider(universe, audience).filter(|provider| !provider.disabled);
    known.ok_or_else(|| {
        let message = "The target service indicated by the \"audience\" parameters is invalid. This \
                       might either be because the pool or provider is disabled or deleted or \
                       because it doesn't exist.";
        Refusal::oauth("invalid_target", message)
    })
}

/// The claims of a token that the provider believes.
async fn verify(google: &Google, provider: &Provider, token: &str) -> Result<Value, Refusal> {
    let grant = |message: String| Refusal::oauth("invalid_grant", message);
    let (_, claims) = jwt::parts(token)
        .ok_or_else(|| grant("Unable to parse the ID Token.".to_owned()).because("not a JWT"))?;
    if claims["iss"] != provider.issuer.as_str() {
        let issuer = claims["iss"].as_str().unwrap_or("null");
        return Err(grant(format!(
            "The issuer in ID Token {issuer} does not match the expected one in config: {}.",
            provider.issuer
        ))
        .because("issuer"));
    }
    let audiences: Vec<&str> = match &claims["aud"] {
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    };
    let Some(audience) = provider.allowed(&audiences) else {
        let shown = audiences.join(", ");
        let message =
            format!("The audience in ID Token [{shown}] does not match the expected audience.");
        return Err(grant(message).because("audience"));
    };
    let stale = || {
        let issued = claims["iat"].as_i64().map_or("null".to_owned(), |issued| issued.to_string());
        grant(format!("ID Token issued at {issued} is stale to sign-in.")).because("time")
    };
    let client = google.0.client.clone();
    let verifier = Verifier::new(&provider.issuer, audience, client);
    verifier.verify(token).await.map_err(|disbelief| match disbelief {
        Disbelief::Expired | Disbelief::NotYetValid => stale(),
        Disbelief::Signature => {
            grant("Unable to verify the ID Token signature.".to_owned()).because("signature")
        }
        // It fetches the keys anew, and speaks as if that had failed.
        Disbelief::UnknownKey | Disbelief::Keys(_) => {
            let message = "Error connecting to the given credential's issuer.";
            grant(message.to_owned()).because(disbelief.to_string())
        }
        Disbelief::Subject => {
            let message = "Could not obtain a value for google.subject from the given credential.";
            Refusal::oauth("invalid_request", message).because("no subject")
        }
        other => grant("Unable to parse the ID Token.".to_owned()).because(other.to_string()),
    })?;
    let (Some(issued), Some(ends)) = (claims["iat"].as_i64(), claims["exp"].as_i64()) else {
        return Err(stale());
    };
    let now = google.now();
    if ends <= now || issued > now + SKEW || ends - issued >= LONGEST {
        return Err(stale());
    }
    Ok(claims)
}

fn malformed(what: &str) -> Refusal {
    Refusal::oauth("invalid_request", format!("Invalid request: {what}.")).because(what)
}

fn invalid_value(name: &str) -> Refusal {
    let message = format!("Invalid value for \"{name}\".");
    Refusal::oauth("invalid_request", message).because(name)
}
