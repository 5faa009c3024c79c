//! Amazon ECR, the one operation a login needs (Amazon ECR API Reference,
//! `GetAuthorizationToken`).

use serde_json::{Value, json};

use super::Aws;
use super::endpoint::{Service, registry_host};
use super::error::AwsError;
use super::front::{Received, Served};
use super::iam::PULL;
use super::token::{Token, authorization_data};

const TARGET: &str = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";

pub(super) fn answer(aws: &Aws, received: &Received, id: usize) -> Served {
    let (principal, body) = received.json(aws, id, TARGET)?;
    let endpoint = &received.endpoint;
    if !aws.enabled(&endpoint.region) {
        return Err(super::sigv4::Refusal::Unknown.error(Service::Ecr));
    }
    let accounts = match registry_ids(&body)? {
        Some(ids) => ids,
        None => vec![principal.account.clone()],
    };
    for action in PULL {
        if !principal.may(action) {
            return Err(AwsError::access_denied(Service::Ecr, &principal.arn, action));
        }
    }
    let token = aws.token_answer(Service::Ecr).token;
    if token == Token::NoData {
        return Ok(("application/x-amz-json-1.1", json!({}).to_string()));
    }
    let host = super::front::text(&received.headers, "host").unwrap_or_default();
    let mut list = Vec::new();
    for account in accounts.iter().filter(|_| token != Token::Empty) {
        let registry = registry_host(account, &endpoint.region);
        let mut data = authorization_data(aws, endpoint, host, &principal, &registry);
        data["proxyEndpoint"] = json!(format!("https://{registry}"));
        list.push(data);
    }
    Ok(("application/x-amz-json-1.1", json!({"authorizationData": list}).to_string()))
}

/// Account ids, if the request names any. Deprecated, and still checked.
fn registry_ids(body: &Value) -> Result<Option<Vec<String>>, AwsError> {
    let list = match &body["registryIds"] {
        Value::Null => return Ok(None),
        Value::Array(list) => list,
        _ => return Err(AwsError::new(400, "com.amazon.coral.service#SerializationException", "")),
    };
    let ids = list.iter().map(|id| {
        let id = id.as_str().ok_or_else(|| {
            AwsError::new(400, "com.amazon.coral.service#SerializationException", "")
        })?;
        if id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(id.to_owned());
        }
        Err(invalid("must satisfy regular expression '[0-9]{12}'"))
    });
    let ids = ids.collect::<Result<Vec<String>, AwsError>>()?;
    if ids.is_empty() || ids.len() > 10 {
        return Err(invalid("must have length from 1 to 10"));
    }
    Ok(Some(ids))
}

fn invalid(constraint: &str) -> AwsError {
    let message =
        format!("Invalid parameter at 'registryIds' failed to satisfy constraint: '{constraint}'");
    AwsError::new(400, "InvalidParameterException", message)
}
