//! The fields of a query-protocol request, and the constraints that STS puts on a session's.

use serde_json::Value;
use url::form_urlencoded;

use super::super::error::AwsError;
use super::super::front::{Received, essence};
use super::super::iam::{Arn, Role};

const DEFAULT_SECONDS: i64 = 3600;
/// The longest session policy, in characters.
const POLICY_LIMIT: usize = 2048;

/// Names and values of query and form, in that order.
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(super) fn read(received: &Received) -> Self {
        let query = received.uri.query().unwrap_or_default().as_bytes();
        let form = essence(&received.headers) == "application/x-www-form-urlencoded";
        let body = if form { received.body.as_ref() } else { b"" };
        let sources = [query, body].into_iter();
        Self(sources.flat_map(|text| form_urlencoded::parse(text).into_owned()).collect())
    }

    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn into_pairs(self) -> Vec<(String, String)> {
        self.0
    }

    /// What both ways of assuming a role ask for.
    pub(super) fn session(&self) -> Result<WantedSession, AwsError> {
        let mut faults = Faults::default();
        let role = faults.text(self.value("RoleArn"), "roleArn", 20, 2048, None);
        let word = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
        let pattern: Pattern = ("[\\w+=,.@-]*", &word);
        let name =
            faults.text(self.value("RoleSessionName"), "roleSessionName", 2, 64, Some(pattern));
        let seconds = faults.seconds(self.value("DurationSeconds"));
        if self.value("Action") == Some("AssumeRoleWithWebIdentity") {
            faults.text(self.value("WebIdentityToken"), "webIdentityToken", 4, 20_000, None);
        }
        faults.finish()?;
        if Arn::role(&role).is_none() {
            return Err(AwsError::new(400, "ValidationError", "Request ARN is invalid"));
        }
        let policy = self.value("Policy").map(allowed_by).transpose()?;
        // Not simulated, so it must not be silently ignored either.
        if let Some((name, _)) = self.0.iter().find(|(name, _)| name.starts_with("PolicyArns")) {
            return Err(AwsError::new(501, "NotImplemented", format!("{name} is not simulated")));
        }
        Ok(WantedSession { role, name, seconds, policy })
    }
}

/// A requested session.
pub(super) struct WantedSession {
    pub(super) role: String,
    pub(super) name: String,
    pub(super) seconds: i64,
    /// What the session's own policy allows.
    pub(super) policy: Option<Vec<String>>,
}

impl WantedSession {
    /// The role's limit.
    pub(super) fn check_duration(&self, role: &Role) -> Result<(), AwsError> {
        if self.seconds <= role.max_session {
            return Ok(());
        }
        let message =
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        Err(AwsError::new(400, "ValidationError", message))
    }
}

/// A regular expression as it is printed, and which bytes it lets through.
type Pattern<'a> = (&'a str, &'a dyn Fn(u8) -> bool);

/// Constraints that do not hold, in the words of the services' framework.
#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn text(
        &mut self,
        value: Option<&str>,
        name: &str,
        shortest: usize,
        longest: usize,
        pattern: Option<Pattern>,
    ) -> String {
        let Some(value) = value else {
            self.add("null", name, "Member must not be null");
            return String::new();
        };
        // An error does not repeat a token.
        let quoted = format!("'{value}'");
        let shown = if name == "webIdentityToken" { "'***'" } else { &quoted };
        if let Some((expression, allowed)) = pattern
            && !value.bytes().all(allowed)
        {
            let rule = format!("Member must satisfy regular expression pattern: {expression}");
            self.add(shown, name, &rule);
        }
        if value.len() < shortest {
            let rule = format!("Member must have length greater than or equal to {shortest}");
            self.add(shown, name, &rule);
        }
        if value.len() > longest {
            let rule = format!("Member must have length less than or equal to {longest}");
            self.add(shown, name, &rule);
        }
        value.to_owned()
    }

    fn seconds(&mut self, value: Option<&str>) -> i64 {
        let Some(text) = value else { return DEFAULT_SECONDS };
        let seconds = text.parse().unwrap_or(0);
        let shown = format!("'{text}'");
        if seconds < 900 {
            let rule = "Member must have value greater than or equal to 900";
            self.add(&shown, "durationSeconds", rule);
        }
        if seconds > 43_200 {
            let rule = "Member must have value less than or equal to 43200";
            self.add(&shown, "durationSeconds", rule);
        }
        seconds
    }

    fn add(&mut self, value: &str, name: &str, rule: &str) {
        self.0.push(format!("Value {value} at '{name}' failed to satisfy constraint: {rule}"));
    }

    fn finish(self) -> Result<(), AwsError> {
        let count = self.0.len();
        if count == 0 {
            return Ok(());
        }
        let plural = if count == 1 { "" } else { "s" };
        let message = format!("{count} validation error{plural} detected: {}", self.0.join("; "));
        Err(AwsError::new(400, "ValidationError", message))
    }
}

/// The actions that a session policy allows. Conditions, denials and resources are not simulated:
/// a caller that sends one gets an error.
fn allowed_by(policy: &str) -> Result<Vec<String>, AwsError> {
    let malformed = |reason: &str| AwsError::new(400, "MalformedPolicyDocument", reason);
    if policy.len() > POLICY_LIMIT {
        let percent = policy.len() * 100 / POLICY_LIMIT;
        let message = format!("Packed policy consumes {percent}% of allotted space");
        return Err(AwsError::new(400, "PackedPolicyTooLarge", message));
    }
    let policy: Value =
        serde_json::from_str(policy).map_err(|_| malformed("This policy contains invalid Json"))?;
    let mut actions = Vec::new();
    for statement in one_or_more(&policy["Statement"]) {
        let simple = statement["Effect"] == "Allow"
            && one_or_more(&statement["Resource"]).iter().any(|resource| *resource == "*")
            && statement["Condition"].is_null();
        let listed = one_or_more(&statement["Action"]);
        let named: Vec<&str> = listed.iter().filter_map(|action| action.as_str()).collect();
        if !simple || named.is_empty() {
            return Err(malformed("Syntax errors in policy."));
        }
        actions.extend(named.into_iter().map(str::to_owned));
    }
    if actions.is_empty() {
        return Err(malformed("Syntax errors in policy."));
    }
    Ok(actions)
}

fn one_or_more(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(list) => list.iter().collect(),
        other => vec![other],
    }
}
