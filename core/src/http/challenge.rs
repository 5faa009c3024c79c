//! How a registry says that clients must log in.
//!
//! Source: RFC 9110 §11.6.1; distribution registry, "Token authentication specification".

/// The parameters of a Bearer challenge; values with quotes or without. `None` for another
/// scheme.
pub fn bearer_challenge(challenge: &str) -> Option<Vec<(String, String)>> {
    let (scheme, mut rest) = challenge.split_once(' ').unwrap_or((challenge, ""));
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return None;
    }
    let mut parameters = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        let Some((name, value)) = rest.split_once('=') else { return Some(parameters) };
        let value = value.trim_start();
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => value.split_once(',').unwrap_or((value, "")),
        };
        parameters.push((name.trim().to_owned(), value.trim().to_owned()));
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join_parameters(challenge: &str) -> Option<String> {
        let parameters = bearer_challenge(challenge)?;
        Some(parameters.iter().map(|(name, value)| format!("{name}={value};")).collect())
    }

    #[test]
    fn parameters_with_and_without_quotes() {
        for (challenge, parameters) in [
            (
                r#"Bearer realm="https://r/oauth2/token",service="r""#,
                "realm=https://r/oauth2/token;service=r;",
            ),
            (r#"bearer a = "b", c ="d" "#, "a=b;c=d;"),
            (r#"Bearer a="",c="d" "#, "a=;c=d;"),
            ("Bearer realm=https://r,service=foo", "realm=https://r;service=foo;"),
            (r#"Bearer a="b"#, "a=b;"),
            ("Bearer", ""),
            ("Bearer =,=", "=;=;"),
        ] {
            assert_eq!(join_parameters(challenge).as_deref(), Some(parameters), "{challenge}");
        }
        for challenge in ["", "Basic", "Basic realm=\"x\"", "Auth realm=x,service=y"] {
            assert_eq!(join_parameters(challenge), None, "{challenge}");
        }
    }
}
