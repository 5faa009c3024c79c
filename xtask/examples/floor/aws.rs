//! AWS's calls, signed by version 4 of its signature (AWS General Reference).

use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

use ring::digest::{SHA256, digest};
use ring::hmac::{HMAC_SHA256, Key, sign};
use serde_json::Value;

use super::http::{Client, form};
use super::{Result, field};

struct Credentials {
    id: String,
    secret: String,
    session: String,
}

/// A login to ECR: with the pod's role if there is a token, else with the environment's keys or
/// the metadata service.
pub(super) fn login(client: &Client, request: &Value) -> Result<String> {
    let credentials = match request["serviceAccountToken"].as_str() {
        Some(token) => assume_role(client, request, token)?,
        None if env::var_os("AWS_ACCESS_KEY_ID").is_some() => Credentials {
            id: env::var("AWS_ACCESS_KEY_ID")?,
            secret: env::var("AWS_SECRET_ACCESS_KEY")?,
            session: env::var("AWS_SESSION_TOKEN")?,
        },
        None => ask_metadata(client)?,
    };
    let answer: Value = serde_json::from_str(&authorization_token(client, &credentials)?)?;
    let token = &answer["authorizationData"][0]["authorizationToken"];
    Ok(token.as_str().ok_or("no token")?.to_owned())
}

fn assume_role(client: &Client, request: &Value, token: &str) -> Result<Credentials> {
    let role = &request["serviceAccountAnnotations"]["eks.amazonaws.com/ecr-role-arn"];
    let body = form(&[
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", role.as_str().ok_or("no role")?),
        ("RoleSessionName", "floor"),
        ("WebIdentityToken", token),
    ]);
    let answer = client.post_form(&format!("{}/", env::var("AWS_ENDPOINT_URL_STS")?), &body)?;
    let element = |name: &str| -> Result<String> {
        let (_, rest) = answer.split_once(&format!("<{name}>")).ok_or("no element")?;
        Ok(rest.split('<').next().unwrap_or_default().to_owned())
    };
    Ok(Credentials {
        id: element("AccessKeyId")?,
        secret: element("SecretAccessKey")?,
        session: element("SessionToken")?,
    })
}

fn ask_metadata(client: &Client) -> Result<Credentials> {
    let base = format!("{}/latest", env::var("AWS_EC2_METADATA_SERVICE_ENDPOINT")?);
    let lifetime = [("x-aws-ec2-metadata-token-ttl-seconds", "60")];
    let token = client.call("PUT", &format!("{base}/api/token"), &lifetime, "")?;
    let header = [("x-aws-ec2-metadata-token", &*token)];
    let roles = format!("{base}/meta-data/iam/security-credentials/");
    let role = client.get(&roles, &header)?;
    let answer = client.get(&format!("{roles}{}", role.trim()), &header)?;
    Ok(Credentials {
        id: field(&answer, "AccessKeyId")?,
        secret: field(&answer, "SecretAccessKey")?,
        session: field(&answer, "Token")?,
    })
}

fn authorization_token(client: &Client, credentials: &Credentials) -> Result<String> {
    const TARGET: &str = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
    const TYPE: &str = "application/x-amz-json-1.1";
    const SIGNED: &str = "content-type;host;x-amz-date;x-amz-security-token;x-amz-target";
    let (url, region) = (env::var("AWS_ENDPOINT_URL_ECR")?, env::var("AWS_REGION")?);
    let host = url.split_once("://").ok_or("no URL")?.1;
    let (day, time) = now()?;
    let (session, body) = (&credentials.session, "{}");
    let request = format!(
        "POST\n/\n\ncontent-type:{TYPE}\nhost:{host}\nx-amz-date:{time}\n\
         x-amz-security-token:{session}\nx-amz-target:{TARGET}\n\n{SIGNED}\n{}",
        hash(body)
    );
    let scope = format!("{day}/{region}/ecr/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hash(&request));
    let mut key = format!("AWS4{}", credentials.secret).into_bytes();
    for part in [&day, &region, "ecr", "aws4_request", &text] {
        key = sign(&Key::new(HMAC_SHA256, &key), part.as_bytes()).as_ref().to_vec();
    }
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={SIGNED}, Signature={}",
        credentials.id,
        hex(&key)
    );
    let headers = [
        ("content-type", TYPE),
        ("x-amz-date", &time),
        ("x-amz-security-token", session),
        ("x-amz-target", TARGET),
        ("authorization", &authorization),
    ];
    client.post(&format!("{url}/"), &headers, body)
}

fn hash(text: &str) -> String {
    hex(digest(&SHA256, text.as_bytes()).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Day and second in AWS's form. The calendar: a year starts in March, so that a leap day is its
/// last.
fn now() -> Result<(String, String)> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let (days, seconds) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let date = format!("{:04}{month:02}{day_of_month:02}", era * 400 + year + later);
    let (hour, minute) = (seconds / 3600, seconds / 60 % 60);
    let time = format!("{date}T{hour:02}{minute:02}{:02}Z", seconds % 60);
    Ok((date, time))
}
