//! Who may do what: users, roles with their trust policies, the keys of both, OIDC providers.

use crate::jwt;

/// The permission that a login to ECR needs.
pub const PULL: [&str; 1] = ["ecr:GetAuthorizationToken"];
/// The permissions that a login to ECR Public needs.
pub const PULL_PUBLIC: [&str; 2] =
    ["ecr-public:GetAuthorizationToken", "sts:GetServiceBearerToken"];

/// Access keys as a client is given them.
#[derive(Clone)]
pub struct Credentials {
    /// `AKIA...` of a user, `ASIA...` of a session.
    pub access_key_id: String,
    /// The secret.
    pub secret_access_key: String,
    /// Of a session only.
    pub session_token: Option<String>,
    /// When the session ends, in seconds of the Unix epoch.
    pub expires: Option<i64>,
    /// Whose they are, as an ARN.
    pub principal: String,
}

impl Credentials {
    /// The environment variables that hold them.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        let mut env = vec![
            ("AWS_ACCESS_KEY_ID", self.access_key_id.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.secret_access_key.clone()),
        ];
        env.extend(self.session_token.clone().map(|token| ("AWS_SESSION_TOKEN", token)));
        env
    }

    pub(super) fn mint(prefix: &str, principal: &str, expires: Option<i64>) -> Self {
        Self {
            access_key_id: id(prefix),
            // 40 characters of base64, `/` and `+` among them, as the real ones.
            secret_access_key: random_base64(30),
            session_token: expires.map(|_| format!("IQoJb3JpZ2luX2VjE{}", random_base64(300))),
            expires,
            principal: principal.to_owned(),
        }
    }
}

/// So many random bytes in base64. What masks tokens by their look must not be all that hides
/// them, so there is a `/` near the middle, where the real ones may have one.
fn random_base64(bytes: usize) -> String {
    let text = jwt::random_text(bytes);
    let middle = text.len() / 2;
    let text = text.replace('-', "+").replace('_', "/");
    format!("{}/{}", &text[..middle], &text[middle + 1..])
}

/// A unique identifier: a prefix of 4 characters, then 16 of base32.
pub(super) fn id(prefix: &str) -> String {
    const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let random = jwt::random_text(12);
    let digits = random.bytes().map(|byte| BASE32[usize::from(byte) % 32] as char);
    format!("{prefix}{}", digits.collect::<String>())
}

/// Builds an IAM role; unchanged, no one may assume it and it has no permissions.
#[derive(Clone, Debug)]
pub struct Role {
    pub(super) arn: Arn,
    pub(super) id: String,
    pub(super) permissions: Vec<String>,
    pub(super) web_identities: Vec<WebIdentityTrust>,
    pub(super) principals: Vec<String>,
    pub(super) max_session: i64,
}

/// A statement of a trust policy that lets tokens in.
#[derive(Clone, Debug)]
pub(super) struct WebIdentityTrust {
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) subjects: Vec<String>,
}

impl Role {
    /// `arn:<partition>:iam::<account>:role/<path and name>`.
    pub fn new(arn: &str) -> Self {
        let parsed = Arn::role(arn).unwrap_or_else(|| panic!("`{arn}` is no role's ARN"));
        Self {
            arn: parsed,
            id: id("AROA"),
            permissions: Vec::new(),
            web_identities: Vec::new(),
            principals: Vec::new(),
            max_session: 3600,
        }
    }

    /// May do these too; `ecr:*` and `*` work.
    pub fn allow(mut self, permissions: &[&str]) -> Self {
        self.permissions.extend(permissions.iter().map(ToString::to_string));
        self
    }

    /// Lets in tokens of this issuer for this audience and one of these `sub`s; a `*` in a `sub`
    /// matches any text, as with `StringLike`.
    pub fn trust_issuer(mut self, issuer: &str, audience: &str, subjects: &[&str]) -> Self {
        self.web_identities.push(WebIdentityTrust {
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            subjects: subjects.iter().map(ToString::to_string).collect(),
        });
        self
    }

    /// Lets in this user, role or session, or (`arn:...:iam::<account>:root`) everyone in that
    /// account who has the permission `sts:AssumeRole`.
    pub fn trust(mut self, principal: &str) -> Self {
        self.principals.push(principal.to_owned());
        self
    }

    /// The longest session, in seconds; an hour unless told.
    pub fn max_session(mut self, seconds: i64) -> Self {
        self.max_session = seconds;
        self
    }

    /// The principal of a session of this role; the role's path is not part of it.
    pub(super) fn session_arn(&self, session: &str) -> String {
        let Arn { partition, account, name, .. } = &self.arn;
        format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session}")
    }

    /// Whether the trust policy lets this token's claims in.
    pub(super) fn trusts_token(&self, issuer: &str, audience: &str, subject: &str) -> bool {
        self.web_identities.iter().any(|trust| {
            trust.issuer == issuer
                && trust.audience == audience
                && trust.subjects.iter().any(|pattern| like(pattern, subject))
        })
    }

    /// Whether policies on both sides let this principal in. Of another account, or trusted through
    /// its account only, it needs the permission as well.
    pub(super) fn trusts(&self, principal: &Principal) -> bool {
        let root = format!("arn:{}:iam::{}:root", principal.partition, principal.account);
        let names = [Some(&principal.arn), principal.role.as_ref()];
        let by_name = self
            .principals
            .iter()
            .any(|trusted| names.iter().flatten().any(|name| *name == trusted));
        let permitted = principal.may("sts:AssumeRole");
        if by_name && principal.account == self.arn.account {
            return true;
        }
        (by_name || self.principals.contains(&root)) && permitted
    }
}

/// A role's or a user's name, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arn {
    pub(super) text: String,
    pub(super) partition: String,
    pub(super) account: String,
    /// Without the path.
    pub(super) name: String,
}

impl Arn {
    pub(super) fn role(text: &str) -> Option<Self> {
        Self::of("role/", text)
    }

    pub(super) fn user(text: &str) -> Option<Self> {
        Self::of("user/", text)
    }

    fn of(kind: &str, text: &str) -> Option<Self> {
        let mut pieces = text.splitn(6, ':');
        let mut next = || pieces.next();
        let (arn, partition, service) = (next()?, next()?, next()?);
        let (region, account, resource) = (next()?, next()?, next()?);
        let name = resource.strip_prefix(kind)?.rsplit('/').next()?;
        let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let right = arn == "arn"
            && partition.starts_with("aws")
            && service == "iam"
            && region.is_empty()
            && digits
            && !name.is_empty();
        right.then(|| Self {
            text: text.to_owned(),
            partition: partition.to_owned(),
            account: account.to_owned(),
            name: name.to_owned(),
        })
    }
}

/// The signer of a request.
#[derive(Clone, Debug)]
pub(super) struct Principal {
    pub(super) arn: String,
    /// `AIDA...`, or a role's id and the session's name.
    pub(super) id: String,
    pub(super) partition: String,
    pub(super) account: String,
    /// The role that a session is of.
    pub(super) role: Option<String>,
    pub(super) permissions: Vec<String>,
    /// What the session's own policy leaves of them.
    pub(super) session_policy: Option<Vec<String>>,
}

impl Principal {
    pub(super) fn may(&self, action: &str) -> bool {
        let allows = |list: &[String]| list.iter().any(|pattern| like(pattern, action));
        allows(&self.permissions) && self.session_policy.as_deref().is_none_or(allows)
    }
}

/// What the service knows of an access key.
pub(super) struct Key {
    pub(super) credentials: Credentials,
    pub(super) principal: Principal,
}

/// An identity provider of an account.
#[derive(Clone)]
pub(super) struct OidcProvider {
    pub(super) account: String,
    pub(super) issuer: String,
    pub(super) audiences: Vec<String>,
    pub(super) client: reqwest::Client,
}

/// IAM's `StringLike` with `*` only.
fn like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.into_iter().any(|at| like(rest, &text[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_of_roles_are_read_and_others_are_not() {
        let role = Arn::role("arn:aws-cn:iam::123456789012:role/team/a/pull").unwrap();
        assert_eq!((role.partition.as_str(), role.name.as_str()), ("aws-cn", "pull"));
        for text in [
            "",
            "pull",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:user/pull",
            "arn:aws:iam::12345678901:role/pull",
            "arn:aws:iam:us-east-1:123456789012:role/pull",
            "arn:aws:sts::123456789012:assumed-role/pull/me",
        ] {
            assert_eq!(Arn::role(text), None, "{text}");
        }
    }

    #[test]
    fn a_star_stands_for_any_text_and_nothing_else_does() {
        for (pattern, text) in [
            ("*", ""),
            ("ecr:*", "ecr:GetAuthorizationToken"),
            ("system:serviceaccount:*:web", "system:serviceaccount:shop:web"),
            ("a*b*c", "aXbXbXc"),
        ] {
            assert!(like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "a"),
            ("ecr:*", "ecr-public:GetAuthorizationToken"),
            ("system:serviceaccount:*:web", "system:serviceaccount:shop:webb"),
            ("a.c", "abc"),
        ] {
            assert!(!like(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_principal_of_another_account_needs_its_own_permission_too() {
        let node = |account: &str, permissions: &[&str]| Principal {
            arn: format!("arn:aws:sts::{account}:assumed-role/node/i-1"),
            id: String::new(),
            partition: "aws".to_owned(),
            account: account.to_owned(),
            role: Some(format!("arn:aws:iam::{account}:role/node")),
            permissions: permissions.iter().map(ToString::to_string).collect(),
            session_policy: None,
        };
        let (here, there) = ("111111111111", "222222222222");
        let by_name = Role::new(&format!("arn:aws:iam::{here}:role/pull"))
            .trust(&format!("arn:aws:iam::{here}:role/node"))
            .trust(&format!("arn:aws:iam::{there}:role/node"));
        assert!(by_name.trusts(&node(here, &[])));
        assert!(!by_name.trusts(&node(there, &[])));
        assert!(by_name.trusts(&node(there, &["sts:AssumeRole"])));
        let by_root = Role::new(&format!("arn:aws:iam::{here}:role/pull"))
            .trust(&format!("arn:aws:iam::{here}:root"));
        assert!(!by_root.trusts(&node(here, &[])));
        assert!(by_root.trusts(&node(here, &["sts:*"])));
        assert!(!by_root.trusts(&node(there, &["*"])));
    }
}
