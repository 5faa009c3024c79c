//! Amazon ECR Public, the one operation a login needs (Amazon ECR Public API Reference,
//! `GetAuthorizationToken`). Tokens come from us-east-1 only.

use serde_json::json;

use super::Aws;
use super::endpoint::Service;
use super::error::AwsError;
use super::front::{Received, Served, text};
use super::iam::PULL_PUBLIC;
use super::token::{Token, authorization_data};

const TARGET: &str = "SpencerFrontendService.GetAuthorizationToken";

pub(super) fn answer(aws: &Aws, received: &Received, id: usize) -> Served {
    let (principal, _) = received.json(aws, id, TARGET)?;
    let endpoint = &received.endpoint;
    if endpoint.region != "us-east-1" {
        let message = "GetAuthorizationToken command is only supported in us-east-1.";
        return Err(AwsError::new(400, "UnsupportedCommandException", message));
    }
    for action in PULL_PUBLIC {
        if !principal.may(action) {
            return Err(AwsError::access_denied(Service::EcrPublic, &principal.arn, action));
        }
    }
    if aws.token_answer(Service::EcrPublic).token == Token::NoData {
        return Ok(("application/x-amz-json-1.1", json!({}).to_string()));
    }
    let host = text(&received.headers, "host").unwrap_or_default();
    let data = authorization_data(aws, endpoint, host, &principal, "public.ecr.aws");
    Ok(("application/x-amz-json-1.1", json!({"authorizationData": data}).to_string()))
}
