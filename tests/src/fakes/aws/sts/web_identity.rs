//! `AssumeRoleWithWebIdentity`: a token of an OIDC provider for a session of a role. The request
//! carries no signature; a signed one is served too, but recorded.

use serde_json::Value;

use super::super::Aws;
use super::super::error::{AwsError, xml_text};
use super::super::front::Received;
use super::super::iam::{Arn, OidcProvider};
use super::fields::Fields;
use super::{assumed, check_region, described_credentials};
use crate::jwt;
use crate::verify::{Refusal, Verifier};

pub(super) async fn assume(
    aws: &Aws,
    received: &Received,
    fields: &Fields,
    id: usize,
) -> Result<String, AwsError> {
    let wanted = fields.session()?;
    let arn = Arn::role(&wanted.role).expect("`session` has checked it");
    check_region(aws, received, &arn.account)?;
    let token = fields.value("WebIdentityToken").unwrap_or_default();
    let (provider, audience) = provider(aws, &arn, token)?;
    let claims = verify(aws, &provider, &audience, token).await?;
    let subject = claims["sub"].as_str().unwrap_or_default();
    aws.log().update(id, |call| call.subject = Some(subject.to_owned()));
    let here = arn.partition == received.endpoint.partition();
    let role = aws
        .role(&wanted.role)
        .filter(|role| here && role.trusts_token(&provider.issuer, &audience, subject))
        .ok_or_else(|| {
            let message = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
            AwsError::new(403, "AccessDenied", message)
        })?;
    wanted.check_duration(&role)?;
    let credentials = aws.open_session(&role, &wanted.name, wanted.seconds, wanted.policy.clone());
    let host = provider.issuer.split_once("://").map_or("", |(_, host)| host);
    Ok(format!(
        "<SubjectFromWebIdentityToken>{}</SubjectFromWebIdentityToken>\n<Audience>{}</Audience>\n\
         {}<Provider>arn:{}:iam::{}:oidc-provider/{}</Provider>\n{}",
        xml_text(subject),
        xml_text(&audience),
        assumed(&role, &wanted.name),
        arn.partition,
        arn.account,
        xml_text(host),
        described_credentials(&credentials),
    ))
}

/// The account's provider of that token, and which of its audiences the token is for.
fn provider(aws: &Aws, arn: &Arn, token: &str) -> Result<(OidcProvider, String), AwsError> {
    let (_, claims) = jwt::parts(token).ok_or_else(|| {
        invalid(
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an \
             Access Token)",
        )
    })?;
    let issuer = claims["iss"].as_str().unwrap_or_default();
    let provider = aws.provider(&arn.account, issuer).ok_or_else(|| {
        invalid(&format!("No OpenIDConnect provider found in your account for {issuer}"))
    })?;
    let meant = |audience: &&String| match &claims["aud"] {
        Value::Array(list) => list.iter().any(|item| item == audience.as_str()),
        other => other == audience.as_str(),
    };
    let audience = provider.audiences.iter().find(meant).cloned();
    let audience = audience.ok_or_else(|| invalid("Incorrect token audience"))?;
    Ok((provider, audience))
}

async fn verify(
    aws: &Aws,
    provider: &OidcProvider,
    audience: &str,
    token: &str,
) -> Result<Value, AwsError> {
    let verifier = Verifier::new(&provider.issuer, audience, provider.client.clone());
    let claims = verifier.verify(token).await;
    let expires = jwt::parts(token).and_then(|(_, claims)| claims["exp"].as_i64()).unwrap_or(0);
    // Its own clock is used too, if a test has moved it.
    let over = claims == Err(Refusal::Expired) || claims.is_ok() && expires <= aws.now();
    if over {
        let message = format!(
            "Token expired: current date/time {} must be before the expiration date/time {expires}",
            aws.now()
        );
        return Err(AwsError::new(400, "ExpiredTokenException", message));
    }
    claims.map_err(|refusal| match refusal {
        Refusal::Keys(_) | Refusal::UnknownKey => invalid(
            "Couldn't retrieve verification key from your identity provider,  please reference \
             AssumeRoleWithWebIdentity documentation for requirements",
        ),
        Refusal::Audience => invalid("Incorrect token audience"),
        Refusal::Subject => invalid("Missing a required claim: sub"),
        _ => invalid(
            "The web identity token that was passed could not be validated by AWS. Get a new \
             identity token from the identity provider and then retry the request.",
        ),
    })
}

fn invalid(message: &str) -> AwsError {
    AwsError::new(400, "InvalidIdentityToken", message)
}
