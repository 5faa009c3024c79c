//! `AssumeRoleWithWebIdentity`: tokens that hold and tokens that do not.

use super::*;
use crate::issuer::Issuer;
use crate::jwt;

const HOST: &str = "sts.us-west-2.amazonaws.com";
const AUDIENCE: &str = "sts.amazonaws.com";
const SUBJECT: &str = "system:serviceaccount:shop:web";

struct Cluster {
    aws: Aws,
    issuer: Issuer,
    sts: Api,
}

fn cluster() -> Cluster {
    let (aws, issuer) = (Aws::new(), Issuer::start(None));
    aws.add_issuer(ACCOUNT, issuer.url(), &[AUDIENCE], plain_client());
    let pull = Role::new(&role("pull")).allow(&PULL);
    aws.add_role(pull.trust_issuer(issuer.url(), AUDIENCE, &[SUBJECT]));
    let sts = Api::named(&aws, HOST);
    Cluster { aws, issuer, sts }
}

impl Cluster {
    fn token(&self) -> String {
        self.issuer.token(AUDIENCE).service_account("shop", "web").build()
    }

    /// The call with some fields set or, if the value is empty, left out.
    fn assume(&self, token: &str, changes: &[(&'static str, &str)]) -> Post<'_> {
        let arn = role("pull");
        let mut fields = vec![
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("RoleArn", arn.as_str()),
            ("RoleSessionName", "shop.web"),
            ("WebIdentityToken", token),
        ];
        for (name, value) in changes {
            fields.retain(|(field, _)| field != name);
            fields.push((*name, *value));
        }
        fields.retain(|(_, value)| !value.is_empty());
        self.sts.form(&fields)
    }

    async fn refusal(&self, token: &str) -> (u16, String, String) {
        let answer = self.assume(token, &[]).unsigned().await;
        let (status, code, message) = answer.xml_error();
        (status, code.to_owned(), message.to_owned())
    }
}

#[tokio::test]
async fn a_good_token_gets_a_session_that_pulls() {
    let cluster = cluster();
    let answer = cluster.assume(&cluster.token(), &[]).unsigned().await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let session = format!("arn:aws:sts::{ACCOUNT}:assumed-role/pull/shop.web");
    assert_eq!(answer.element("Arn"), session);
    assert_eq!(answer.element("SubjectFromWebIdentityToken"), SUBJECT);
    assert_eq!(answer.element("Audience"), AUDIENCE);
    assert!(answer.element("AssumedRoleId").ends_with(":shop.web"));
    let host = cluster.issuer.url().strip_prefix("http://").unwrap();
    let provider = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{host}");
    assert_eq!(answer.element("Provider"), provider);
    let latest = clock::rfc3339(cluster.aws.now() + 3600);
    assert!(answer.element("Expiration") <= latest.as_str());

    let keys = Credentials {
        access_key_id: answer.element("AccessKeyId").to_owned(),
        secret_access_key: answer.element("SecretAccessKey").to_owned(),
        session_token: Some(answer.element("SessionToken").to_owned()),
        expires: None,
        principal: String::new(),
    };
    let ecr = Api::named(&cluster.aws, "api.ecr.us-west-2.amazonaws.com");
    assert_eq!(ecr.token_call("{}").signed(&keys).await.status, 200);
    assert_eq!(cluster.aws.logins()[0].principal, session);

    let call = &cluster.aws.calls()[0];
    assert_eq!((call.authorization, call.principal.as_deref()), (false, None));
    assert_eq!(call.subject.as_deref(), Some(SUBJECT));
    assert_eq!(call.field("RoleArn"), Some(role("pull").as_str()));
    assert_eq!(call.field("WebIdentityToken"), Some("(secret)"));
}

#[tokio::test]
async fn a_signature_is_not_needed_but_noticed() {
    let cluster = cluster();
    let keys = cluster.aws.add_user(&user("node"), &[]);
    let answer = cluster.assume(&cluster.token(), &[]).signed(&keys).await;
    assert_eq!(answer.status, 200);
    assert!(cluster.aws.calls()[0].authorization);
}

#[tokio::test]
async fn a_spoilt_token_is_refused_for_its_own_reason() {
    let cluster = cluster();
    let issuer = &cluster.issuer;
    let web = || issuer.token(AUDIENCE).service_account("shop", "web");
    let not_validated = "The web identity token that was passed could not be validated by AWS. \
                         Get a new identity token from the identity provider and then retry the \
                         request.";
    let no_key = "Couldn't retrieve verification key from your identity provider,  please \
                  reference AssumeRoleWithWebIdentity documentation for requirements";
    let no_jwt = "The ID Token provided is not a valid JWT. (You may see this error if you sent \
                  an Access Token)";
    let elsewhere = "https://elsewhere.example";
    let no_provider = format!("No OpenIDConnect provider found in your account for {elsewhere}");
    let cases = [
        ("not a token".to_owned(), no_jwt),
        (web().issued_by(elsewhere).build(), &no_provider),
        (issuer.token("other.example").build(), "Incorrect token audience"),
        (jwt::tampered(&web().build()), not_validated),
        (web().forged().build(), not_validated),
        (web().not_before(300).build(), not_validated),
        (web().signed_by_stranger().build(), no_key),
    ];
    for (token, message) in cases {
        let refusal = cluster.refusal(&token).await;
        assert_eq!(refusal, (400, "InvalidIdentityToken".to_owned(), message.to_owned()));
    }
    assert!(cluster.aws.secrets().is_empty(), "no session was opened");
}

#[tokio::test]
async fn an_expired_token_is_refused_with_both_times() {
    let cluster = cluster();
    let check = async |token: &str| {
        let (status, code, message) = cluster.refusal(token).await;
        assert_eq!((status, code.as_str()), (400, "ExpiredTokenException"));
        let (_, claims) = jwt::parts(token).unwrap();
        let rest = message.strip_prefix("Token expired: current date/time ").unwrap();
        let (now, end) = rest.split_once(" must be before the expiration date/time ").unwrap();
        assert_eq!(end, claims["exp"].to_string());
        assert!(now.parse::<i64>().unwrap() >= end.parse().unwrap());
    };
    let expired = cluster.issuer.token(AUDIENCE).service_account("shop", "web").expired().build();
    check(&expired).await;
    let good = cluster.token();
    assert_eq!(cluster.assume(&good, &[]).unsigned().await.status, 200);
    cluster.aws.set_clock_offset(3700);
    check(&good).await;
}

#[tokio::test]
async fn an_issuer_that_is_gone_has_no_keys() {
    let Cluster { aws, issuer, sts } = cluster();
    let token = issuer.token(AUDIENCE).service_account("shop", "web").build();
    let gone = issuer.url().to_owned();
    drop(issuer);
    let cluster = Cluster { aws, issuer: Issuer::start(None), sts };
    let (_, code, message) = cluster.refusal(&token).await;
    assert_eq!(code, "InvalidIdentityToken");
    assert!(message.starts_with("Couldn't retrieve verification key"), "{gone}: {message}");
}

#[tokio::test]
async fn the_trust_policy_decides_by_subject_audience_and_role() {
    let cluster = cluster();
    let aws = &cluster.aws;
    let url = cluster.issuer.url();
    aws.add_issuer(ACCOUNT, "https://other.example", &[AUDIENCE], plain_client());
    aws.add_role(Role::new(&role("other-issuer")).trust_issuer(
        "https://other.example",
        AUDIENCE,
        &["*"],
    ));
    aws.add_role(Role::new(&role("other-audience")).trust_issuer(url, "other", &["*"]));
    aws.add_role(Role::new(&role("for-nodes")).trust(&role("node")));
    aws.add_role(Role::new(&role("any-web")).trust_issuer(
        url,
        AUDIENCE,
        &["system:serviceaccount:*:web"],
    ));
    let denied = (
        403,
        "AccessDenied".to_owned(),
        "Not authorized to perform sts:AssumeRoleWithWebIdentity".to_owned(),
    );
    let other = cluster.issuer.token(AUDIENCE).service_account("shop", "db").build();
    assert_eq!(cluster.refusal(&other).await, denied);
    for name in ["other-issuer", "other-audience", "for-nodes", "absent"] {
        let arn = role(name);
        let answer = cluster.assume(&cluster.token(), &[("RoleArn", &arn)]).unsigned().await;
        let (status, code, message) = answer.xml_error();
        assert_eq!((status, code.to_owned(), message.to_owned()), denied, "{name}");
    }
    let arn = role("any-web");
    let answer = cluster.assume(&cluster.token(), &[("RoleArn", &arn)]).unsigned().await;
    assert_eq!(answer.status, 200);
    // Another account has no provider, whatever its roles.
    let foreign = "arn:aws:iam::999999999999:role/pull";
    let answer = cluster.assume(&cluster.token(), &[("RoleArn", foreign)]).unsigned().await;
    assert!(answer.xml_error().2.starts_with("No OpenIDConnect provider found in your account"));
}

#[tokio::test]
async fn fields_out_of_form_are_validation_errors() {
    let cluster = cluster();
    let (long, token) = ("x".repeat(65), cluster.token());
    let failed = "failed to satisfy constraint: Member must";
    let pattern = format!("{failed} satisfy regular expression pattern: [\\w+=,.@-]*");
    let too_long = format!("{failed} have length less than or equal to 64");
    let cases = [
        ("RoleSessionName", "shop/web", format!("Value 'shop/web' at 'roleSessionName' {pattern}")),
        ("RoleSessionName", "größe", format!("Value 'größe' at 'roleSessionName' {pattern}")),
        ("RoleSessionName", &long, format!("Value '{long}' at 'roleSessionName' {too_long}")),
        (
            "RoleSessionName",
            "x",
            format!(
                "Value 'x' at 'roleSessionName' {failed} have length greater than or equal to 2"
            ),
        ),
        ("RoleSessionName", "", format!("Value null at 'roleSessionName' {failed} not be null")),
        ("WebIdentityToken", "", format!("Value null at 'webIdentityToken' {failed} not be null")),
        (
            "RoleArn",
            "arn:aws:iam::1:x",
            format!(
                "Value 'arn:aws:iam::1:x' at 'roleArn' {failed} have length greater than or equal \
                 to 20"
            ),
        ),
        (
            "DurationSeconds",
            "100",
            format!(
                "Value '100' at 'durationSeconds' {failed} have value greater than or equal to 900"
            ),
        ),
    ];
    for (name, value, detail) in cases {
        let answer = cluster.assume(&token, &[(name, value)]).unsigned().await;
        let message = format!("1 validation error detected: {detail}");
        assert_eq!(answer.xml_error(), (400, "ValidationError", message.as_str()));
    }
    let many = [("RoleSessionName", ""), ("DurationSeconds", "1")];
    let answer = cluster.assume(&token, &many).unsigned().await;
    assert!(answer.xml_error().2.starts_with("2 validation errors detected: "));
    let user = "arn:aws:iam::123456789012:user/someone";
    let answer = cluster.assume(&token, &[("RoleArn", user)]).unsigned().await;
    assert_eq!(answer.xml_error(), (400, "ValidationError", "Request ARN is invalid"));
    let answer = cluster.assume(&token, &[("DurationSeconds", "3601")]).unsigned().await;
    assert!(answer.xml_error().2.contains("exceeds the MaxSessionDuration set for this role"));
}

#[tokio::test]
async fn a_region_that_is_not_enabled_says_so() {
    let cluster = cluster();
    cluster.aws.disable_region("us-west-2");
    let (status, code, message) = cluster.refusal(&cluster.token()).await;
    assert_eq!((status, code.as_str()), (403, "RegionDisabledException"));
    assert!(message.contains(ACCOUNT));
}

#[tokio::test]
async fn a_role_is_only_known_in_its_own_partition() {
    let cluster = cluster();
    let gov = Api::named(&cluster.aws, "sts.us-gov-west-1.amazonaws.com");
    let elsewhere = Cluster { sts: gov, ..cluster };
    let (status, code, _) = elsewhere.refusal(&elsewhere.token()).await;
    assert_eq!((status, code.as_str()), (403, "AccessDenied"));
}
