//! AWS Security Token Service, the query protocol: `AssumeRoleWithWebIdentity`, `AssumeRole` and
//! `GetCallerIdentity` (AWS STS API Reference).

mod fields;
mod web_identity;

use axum::http::Method;

use super::Aws;
use super::clock;
use super::error::{AwsError, STS_NAMESPACE, xml_text};
use super::front::{Received, Served};
use super::iam::{Credentials, Role};
use fields::Fields;

const VERSION: &str = "2011-06-15";
/// Fields that are recorded without their values.
const SECRET_FIELDS: [&str; 2] = ["WebIdentityToken", "TokenCode"];

pub(super) async fn answer(aws: &Aws, received: &Received, id: usize) -> Served {
    let fields = Fields::read(received);
    let action = fields.value("Action").unwrap_or_default();
    let version = fields.value("Version").unwrap_or("NO_VERSION_SPECIFIED");
    if received.uri.path() != "/" || ![Method::GET, Method::POST].contains(&received.method) {
        return Err(AwsError::new(404, "InvalidAction", "no such page"));
    }
    let result = match (action, version) {
        ("AssumeRoleWithWebIdentity", VERSION) => {
            web_identity::assume(aws, received, &fields, id).await?
        }
        ("AssumeRole", VERSION) => assume_role(aws, received, &fields, id)?,
        ("GetCallerIdentity", VERSION) => caller_identity(aws, received, id)?,
        _ => {
            let message = format!("Could not find operation {action} for version {version}");
            return Err(AwsError::new(400, "InvalidAction", message));
        }
    };
    let request_id = &received.request_id;
    let body = format!(
        "<{action}Response xmlns=\"{STS_NAMESPACE}\">\n<{action}Result>\n{result}\
         </{action}Result>\n<ResponseMetadata>\n<RequestId>{request_id}</RequestId>\n\
         </ResponseMetadata>\n</{action}Response>\n"
    );
    Ok(("text/xml", body))
}

/// The operation, and the fields without secrets.
pub(super) fn described(received: &Received) -> (String, Vec<(String, String)>) {
    let fields = Fields::read(received);
    let operation = fields.value("Action").unwrap_or_default().to_owned();
    let shown = fields.into_pairs().into_iter().map(|(name, value)| {
        let secret = SECRET_FIELDS.contains(&name.as_str());
        (name, if secret { "(secret)".to_owned() } else { value })
    });
    (operation, shown.collect())
}

fn assume_role(
    aws: &Aws,
    received: &Received,
    fields: &Fields,
    id: usize,
) -> Result<String, AwsError> {
    let caller = received.principal(aws, id)?;
    let wanted = fields.session()?;
    check_region(aws, received, &caller.account)?;
    let role = aws.role(&wanted.role).filter(|role| role.trusts(&caller)).ok_or_else(|| {
        let message = format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {}",
            caller.arn, wanted.role
        );
        AwsError::new(403, "AccessDenied", message)
    })?;
    wanted.check_duration(&role)?;
    if caller.role.is_some() && wanted.seconds > 3600 {
        let message = "The requested DurationSeconds exceeds the 1 hour session limit for roles \
                       assumed by role chaining";
        return Err(AwsError::new(400, "ValidationError", message));
    }
    let credentials = aws.open_session(&role, &wanted.name, wanted.seconds, wanted.policy.clone());
    Ok(format!("{}{}", assumed(&role, &wanted.name), described_credentials(&credentials)))
}

fn caller_identity(aws: &Aws, received: &Received, id: usize) -> Result<String, AwsError> {
    let caller = received.principal(aws, id)?;
    let [arn, user, account] =
        [&caller.arn, &caller.id, &caller.account].map(|text| xml_text(text));
    Ok(format!("<Arn>{arn}</Arn>\n<UserId>{user}</UserId>\n<Account>{account}</Account>\n"))
}

/// A region that the account has not enabled does not serve it.
fn check_region(aws: &Aws, received: &Received, account: &str) -> Result<(), AwsError> {
    if aws.enabled(&received.endpoint.region) {
        return Ok(());
    }
    let message = format!(
        "STS is not activated in this region for account:{account}. Your account administrator can \
         activate STS in this region using the IAM Console."
    );
    Err(AwsError::new(403, "RegionDisabledException", message))
}

/// The element `AssumedRoleUser`.
fn assumed(role: &Role, session: &str) -> String {
    format!(
        "<AssumedRoleUser>\n<AssumedRoleId>{}:{}</AssumedRoleId>\n<Arn>{}</Arn>\n\
         </AssumedRoleUser>\n",
        role.id,
        xml_text(session),
        xml_text(&role.session_arn(session))
    )
}

/// The element `Credentials`.
fn described_credentials(credentials: &Credentials) -> String {
    let expires = clock::rfc3339(credentials.expires.unwrap_or_default());
    format!(
        "<Credentials>\n<AccessKeyId>{}</AccessKeyId>\n<SecretAccessKey>{}</SecretAccessKey>\n\
         <SessionToken>{}</SessionToken>\n<Expiration>{expires}</Expiration>\n</Credentials>\n",
        credentials.access_key_id,
        credentials.secret_access_key,
        credentials.session_token.as_deref().unwrap_or_default(),
    )
}
