//! The registry's challenge, as a diagnostic alone: nothing that it names is called.
//!
//! Source: RFC 9110 §11.6.1; distribution registry, "Token authentication specification".

use pullpass::Context;
use pullpass::http::header::WWW_AUTHENTICATE;
use url::Url;

use crate::registry::LoginServer;

/// What is odd about the challenge of `server`; `None` when it is that of a registry of ACR.
pub(crate) async fn odd(server: &LoginServer, cx: &Context) -> Option<String> {
    let url = Url::parse(&format!("https://{}/v2/", server.authority)).ok()?;
    // No token goes with it, and a redirect is not followed.
    let reply = match cx.http.get(url).once().send().await {
        Ok(reply) => reply,
        Err(error) => return Some(format!("`/v2/`: {error}")),
    };
    if reply.status() != 401 {
        return Some(format!("`/v2/` answers {}, not 401 with a challenge", reply.status()));
    }
    let Some(challenge) = reply.header(&WWW_AUTHENTICATE) else {
        return Some("`/v2/` answers 401 without a challenge".to_owned());
    };
    let Some(parameters) = bearer(challenge) else {
        return Some("the challenge is not of the scheme Bearer".to_owned());
    };
    let realm = parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case("realm"));
    let Some(realm) = realm.and_then(|(_, value)| Url::parse(value).ok()) else {
        return Some("the challenge names no realm".to_owned());
    };
    let own = Url::parse(&format!("https://{}", server.authority)).ok()?;
    match realm.origin() == own.origin() {
        true => None,
        false => Some(format!(
            "the challenge points to `{}`, which is not the registry",
            realm.host_str().unwrap_or_default()
        )),
    }
}

/// The parameters of a Bearer challenge; values with quotes or without.
fn bearer(challenge: &str) -> Option<Vec<(String, String)>> {
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

    fn of(challenge: &str) -> Option<String> {
        let parameters = bearer(challenge)?;
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
            assert_eq!(of(challenge).as_deref(), Some(parameters), "{challenge}");
        }
        for challenge in ["", "Basic", "Basic realm=\"x\"", "Auth realm=x,service=y"] {
            assert_eq!(of(challenge), None, "{challenge}");
        }
    }
}
