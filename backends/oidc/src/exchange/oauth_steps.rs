//! `tokenExchange` (RFC 8693), `jwtBearer` (RFC 7523 §2.1) and `clientAssertion` (RFC 7523 §2.2):
//! one POST to a token endpoint.

use super::Steps;
use crate::profile::template::Template;
use crate::profile::{Body, Encoding, Endpoint, Grant, Json, OAuth, Step, Target, camel_case};

/// The one call, and discovery before it if the profile asks for it.
pub(super) fn build_steps(oauth: &OAuth) -> Steps<'_> {
    let (target, discovery) = match &oauth.endpoint {
        Endpoint::Address(address) => (Target::Address(address.clone()), None),
        Endpoint::Discovery(discovery) => (Target::TokenEndpoint, Some(discovery)),
    };
    let parameters = build_parameters(oauth);
    let body = match oauth.encoding {
        Encoding::Form => Body::Form(parameters),
        Encoding::Json => Body::Json(build_json(parameters)),
        Encoding::JsonCamel => Body::Json(build_json(
            parameters.into_iter().map(|(name, value)| (camel_case(&name), value)),
        )),
    };
    let step = Step {
        client: true,
        // A server may accept an assertion only once (its `jti`).
        once: matches!(oauth.grant, Grant::JwtBearer),
        ..Step::post(target, body, "the path of `exchange.endpoint`")
    };
    Steps { steps: vec![step].into(), discovery, client: &oauth.client }
}

fn build_parameters(oauth: &OAuth) -> Vec<(String, Template)> {
    let token = || Template::from_name("sa.token");
    let text = Template::from_text;
    let grant = match &oauth.grant {
        Grant::TokenExchange { subject_token_type, requested_token_type } => vec![
            ("grant_type", text("urn:ietf:params:oauth:grant-type:token-exchange")),
            ("subject_token", token()),
            ("subject_token_type", text(subject_token_type)),
            ("requested_token_type", text(requested_token_type.as_deref().unwrap_or_default())),
        ],
        Grant::JwtBearer => vec![
            ("grant_type", text("urn:ietf:params:oauth:grant-type:jwt-bearer")),
            ("assertion", token()),
        ],
        // The client itself sends the pod's token.
        Grant::ClientAssertion => vec![("grant_type", text("client_credentials"))],
    };
    let grant = grant.into_iter().map(|(name, value)| (name.to_owned(), value));
    grant.chain(oauth.parameters.iter().cloned()).collect()
}

/// The same parameters as JSON: a name that occurs several times has a list.
fn build_json(parameters: impl IntoIterator<Item = (String, Template)>) -> Json {
    let mut object: Vec<(String, Json)> = Vec::new();
    for (name, value) in parameters {
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::profile::{Exchange, file};

    #[test]
    fn json_camel_writes_the_standards_names_in_camel_case() {
        let text = "apiVersion: pullpass.dev/v1alpha1\nkind: OIDCExchangeConfig\nprofiles:\n\
                    - name: a\n  registries: [r.io]\n  serviceAccountToken: {audience: a}\n  \
                    exchange: {type: tokenExchange, endpoint: 'https://sts.example/t', \
                    encoding: jsonCamel, audience: [x, y], extra: {connector_id: k}}\n";
        let profiles = file::parse(text, Path::new("/")).unwrap();
        let Exchange::OAuth(oauth) = &profiles[0].exchange else { panic!("another exchange") };
        let steps = build_steps(oauth);
        let Body::Json(Json::Object(fields)) = &steps.steps[0].body else { panic!("no object") };
        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        let expected =
            ["grantType", "subjectToken", "subjectTokenType", "requestedTokenType", "audience"];
        assert_eq!(names[..5], expected);
        assert!(names.contains(&"connectorId"), "{names:?}");
        let audience = fields.iter().find(|(name, _)| name == "audience");
        assert!(matches!(audience, Some((_, Json::Array(both))) if both.len() == 2));
    }
}
