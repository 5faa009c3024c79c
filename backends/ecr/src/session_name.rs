//! The name of a session in STS: what CloudTrail shows with the role.

use pullpass::Claims;

/// STS's limit: 2 to 64 characters of `[\w+=,.@-]`.
/// Source: AWS STS API reference, "AssumeRoleWithWebIdentity".
const LONGEST: usize = 64;

/// The name of sessions that belong to no service account.
pub(crate) const DEFAULT: &str = "ecr-credential-provider";

/// `ns=NAMESPACE,sa=NAME` of the token's service account. A name that is too long is cut and
/// ends in a hash of the whole, so that two names stay different.
pub(crate) fn for_claims(claims: &Claims) -> String {
    let Some((namespace, name)) = service_account(&claims.subject) else {
        return DEFAULT.to_owned();
    };
    let whole = format!("ns={namespace},sa={name}");
    if whole.len() <= LONGEST {
        return whole;
    }
    let hash = format!("+{:08x}", fnv1a(whole.as_bytes()));
    format!("{}{hash}", &whole[..LONGEST - hash.len()])
}

/// Namespace and name out of `system:serviceaccount:NAMESPACE:NAME`, where both are made of
/// what STS and Kubernetes allow.
fn service_account(subject: &str) -> Option<(&str, &str)> {
    let (namespace, name) = subject.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    let fits = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.'))
    };
    (fits(namespace) && fits(name)).then_some((namespace, name))
}

/// FNV-1a in 32 bits: to distinguish names, not to protect anything.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn session_name(subject: &str) -> String {
        for_claims(&Claims {
            issuer: String::new(),
            subject: subject.to_owned(),
            audience: Vec::new(),
            expires: SystemTime::UNIX_EPOCH,
            namespace: None,
            service_account: None,
            pod: None,
        })
    }

    #[test]
    fn it_names_namespace_and_service_account() {
        assert_eq!(session_name("system:serviceaccount:shop:web"), "ns=shop,sa=web");
        assert_eq!(session_name("system:serviceaccount:shop:a.b-c"), "ns=shop,sa=a.b-c");
    }

    #[test]
    fn names_that_are_too_long_stay_apart_within_the_rules() {
        let long = "a".repeat(63);
        let one = session_name(&format!("system:serviceaccount:{long}:web"));
        let other = session_name(&format!("system:serviceaccount:{long}:api"));
        assert_ne!(one, other);
        for name in [one, other] {
            assert_eq!(name.len(), 64);
            assert!(name.bytes().all(|c| c.is_ascii_alphanumeric() || b"+=,.@-".contains(&c)));
        }
    }

    #[test]
    fn other_subjects_name_nothing() {
        for subject in ["", "alice", "system:serviceaccount:a", "system:serviceaccount:a:b c"] {
            assert_eq!(session_name(subject), DEFAULT, "{subject}");
        }
    }
}
