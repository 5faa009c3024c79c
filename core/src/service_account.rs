//! The pod's identity: its service account token, what the token claims, and the
//! service account's annotations.

use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use crate::audience;
use crate::error::Error;
use crate::jwt;
use crate::time::numeric_date;

/// The service account of the pod that pulls, present when the provider's
/// `tokenAttributes` ask for it.
///
/// Source: KEP-4412, "Projected service account tokens for Kubelet image
/// credential providers".
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServiceAccount {
    /// The token, minted for the audience that the operator configured.
    pub token: Token,
    /// Those annotations of the ServiceAccount whose keys the operator listed.
    pub annotations: BTreeMap<String, String>,
}

/// A service account token: a signed JWT (RFC 7519). Its content is never printed.
#[derive(Clone)]
pub struct Token {
    secret: SecretString,
    claims: Claims,
}

/// What a token says about itself. **Nothing here is verified**: only the server that
/// takes the token checks its signature.
///
/// Source: RFC 7519 §4.1; Kubernetes, "Managing Service Accounts", "Schema for
/// service account private claims".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// `iss`: the cluster's issuer URL; empty when the token has none.
    pub issuer: String,
    /// `sub`: `system:serviceaccount:NAMESPACE:NAME`; empty when the token has none.
    pub subject: String,
    /// `aud`: whom the token is for.
    pub audience: Vec<String>,
    /// `exp`: when the token expires.
    pub expires: SystemTime,
    /// The pod's namespace.
    pub namespace: Option<String>,
    /// The service account's name.
    pub service_account: Option<String>,
    /// The pod's name.
    pub pod: Option<String>,
}

impl ServiceAccount {
    /// A service account as the kubelet sends it.
    pub fn new(token: Token, annotations: BTreeMap<String, String>) -> Self {
        Self { token, annotations }
    }
}

impl Token {
    /// Reads a token's claims.
    ///
    /// # Errors
    /// [`ErrorKind::Request`](crate::ErrorKind::Request) when `text` is not a signed JWT with an `exp` claim. The
    /// error never repeats any part of it.
    pub fn parse(text: impl Into<SecretString>) -> Result<Self, Error> {
        let secret = text.into();
        let claims = Claims::parse(secret.expose_secret())?;
        Ok(Self { secret, claims })
    }

    /// The token itself, for the one server that it is meant for.
    pub fn secret(&self) -> &SecretString {
        &self.secret
    }

    /// The token's text, for the one server that it is meant for.
    pub fn expose_secret(&self) -> &str {
        self.secret.expose_secret()
    }

    /// Refuses a token that the Kubernetes API server may accept: the server that gets it could act on
    /// the cluster. The runner checks this before any provider sees the token. The kubelet requests
    /// tokens with one audience, so a token with several, or with none, was made elsewhere and
    /// for other uses too.
    ///
    /// `allowed` holds the audiences that the operator lets through by name.
    ///
    /// # Errors
    /// [`ErrorKind::Identity`](crate::ErrorKind::Identity), naming the audience.
    pub fn check_not_for_api_server(&self, allowed: &[String]) -> Result<(), Error> {
        let audiences = &self.claims.audience;
        let is_allowed = |audience: &String| allowed.contains(audience);
        if audiences.is_empty() {
            return Err(Error::identity(
                "the service account token has no audience, so the Kubernetes API server may \
                 accept it; it is not sent",
            )
            .with_hint(
                "tokens from the kubelet have the audience of \
                 `tokenAttributes.serviceAccountTokenAudience`: check where this token comes from",
            ));
        }
        let for_api_server = |audience: &&String| {
            !is_allowed(audience) && audience::is_for_api_server(audience, &self.claims.issuer)
        };
        if let Some(audience) = audiences.iter().find(for_api_server) {
            return Err(Error::identity(format!(
                "the Kubernetes API server may accept the service account token (audience \
                 `{audience}`); it is not sent to another server"
            ))
            .with_hint(
                "set `tokenAttributes.serviceAccountTokenAudience` to an audience that only the \
                 registry or its token endpoint accepts, or allow this one with `--allow-audience`",
            ));
        }
        if audiences.len() > 1 && !audiences.iter().all(is_allowed) {
            return Err(Error::identity(format!(
                "the service account token has several audiences (`{}`), but the kubelet requests \
                 exactly one; it is not sent",
                audiences.join("`, `")
            ))
            .with_hint(
                "create the token with a single audience, or allow each of them with \
                 `--allow-audience`",
            ));
        }
        Ok(())
    }

    /// Refuses a token that has expired at `now`: a server might explain less.
    ///
    /// # Errors
    /// [`ErrorKind::Identity`](crate::ErrorKind::Identity), which says since when.
    pub fn check_alive(&self, now: SystemTime) -> Result<(), Error> {
        match now.duration_since(self.claims.expires) {
            Err(_) => Ok(()),
            Ok(past) => Err(Error::identity(format!(
                "the service account token expired {} s ago",
                past.as_secs()
            ))
            .with_hint(
                "the kubelet renews tokens by itself: check this node's clock; when \
                 testing by hand, create a new token",
            )),
        }
    }

    /// What the token says about itself.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Token").field(&self.claims).finish()
    }
}

impl Claims {
    fn parse(token: &str) -> Result<Self, Error> {
        let invalid = |why: &str| {
            Error::request(format!("`serviceAccountToken` is not a signed JWT: {why}")).with_hint(
                "the kubelet sends the token of the pod's service account; to test by \
                     hand, create one with `kubectl create token`",
            )
        };
        let [header, payload, signature] =
            jwt::parts(token).ok_or_else(|| invalid("it does not have three parts"))?;
        let decode = |part: &str| {
            URL_SAFE_NO_PAD.decode(part).map_err(|_| invalid("a part of it is not base64url"))
        };
        if decode(signature)?.is_empty() {
            return Err(invalid("it has no signature"));
        }
        if !serde_json::from_slice::<serde_json::Value>(&decode(header)?)
            .is_ok_and(|header| header.is_object())
        {
            return Err(invalid("its header is not a JSON object"));
        }
        // serde_json's messages repeat values, so they stay out of the error.
        // As text: a claim that is not read here must be UTF-8 too (RFC 7519 §7.2).
        let payload =
            String::from_utf8(decode(payload)?).map_err(|_| invalid("its claims are not UTF-8"))?;
        let wire: WireClaims = serde_json::from_str(&payload)
            .map_err(|_| invalid("its claims are missing `exp` or have the wrong types"))?;
        wire.into_claims().ok_or_else(|| invalid("its `exp` is out of range"))
    }

    /// Whether the token is for `audience`.
    pub fn is_for(&self, audience: &str) -> bool {
        self.audience.iter().any(|candidate| candidate == audience)
    }
}

#[derive(Deserialize)]
struct WireClaims {
    #[serde(default)]
    iss: String,
    #[serde(default)]
    sub: String,
    #[serde(default)]
    aud: Audience,
    exp: f64,
    #[serde(default, rename = "kubernetes.io")]
    kubernetes: Kubernetes,
}

impl WireClaims {
    fn into_claims(self) -> Option<Claims> {
        let expires = numeric_date(self.exp)?;
        let (namespace, service_account) = self.names();
        Some(Claims {
            issuer: self.iss,
            subject: self.sub,
            audience: self.aud.0,
            expires,
            namespace,
            service_account,
            pod: self.kubernetes.pod.map(|pod| pod.name),
        })
    }

    /// Namespace and name, from the private claims, else from the subject.
    fn names(&self) -> (Option<String>, Option<String>) {
        let subject = self
            .sub
            .strip_prefix("system:serviceaccount:")
            .and_then(|rest| rest.split_once(':'))
            .filter(|(namespace, name)| !namespace.is_empty() && !name.is_empty());
        let namespace = self.kubernetes.namespace.clone();
        let name = self.kubernetes.serviceaccount.as_ref().map(|account| account.name.clone());
        (
            namespace.or_else(|| subject.map(|(namespace, _)| namespace.to_owned())),
            name.or_else(|| subject.map(|(_, name)| name.to_owned())),
        )
    }
}

/// `aud` is a string or an array of strings (RFC 7519 §4.1.3).
#[derive(Default)]
struct Audience(Vec<String>);

impl<'de> Deserialize<'de> for Audience {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;

        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Audience;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an array of strings")
            }

            fn visit_str<E>(self, audience: &str) -> Result<Audience, E> {
                Ok(Audience(vec![audience.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Audience, A::Error> {
                let mut audiences = Vec::new();
                while let Some(audience) = list.next_element()? {
                    audiences.push(audience);
                }
                Ok(Audience(audiences))
            }
        }

        deserializer.deserialize_any(OneOrMany)
    }
}

#[derive(Default, Deserialize)]
struct Kubernetes {
    namespace: Option<String>,
    serviceaccount: Option<Named>,
    pod: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn jwt(claims: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", part(r#"{"alg":"RS256"}"#), part(claims), part("signature"))
    }

    #[test]
    fn reads_the_claims_of_a_pod_token() {
        let token = Token::parse(jwt(
            r#"{"iss":"https://kubernetes.default.svc","sub":"system:serviceaccount:shop:cart",
                "aud":["registry"],"exp":1800000000,"iat":1799996400,
                "kubernetes.io":{"namespace":"shop","pod":{"name":"cart-1","uid":"u"},
                "serviceaccount":{"name":"cart","uid":"u"},"node":{"name":"n","uid":"u"}}}"#,
        ))
        .unwrap();
        let claims = token.claims();
        assert_eq!(claims.issuer, "https://kubernetes.default.svc");
        assert_eq!(claims.subject, "system:serviceaccount:shop:cart");
        assert!(claims.is_for("registry") && !claims.is_for("registr"));
        assert_eq!(claims.expires, SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
        assert_eq!(claims.namespace.as_deref(), Some("shop"));
        assert_eq!(claims.service_account.as_deref(), Some("cart"));
        assert_eq!(claims.pod.as_deref(), Some("cart-1"));
    }

    #[test]
    fn takes_names_from_the_subject_and_one_audience() {
        let token = Token::parse(jwt(
            r#"{"sub":"system:serviceaccount:a:b","aud":"x","exp":1800000000.9}"#,
        ))
        .unwrap();
        let claims = token.claims();
        assert_eq!(claims.audience, ["x"]);
        assert_eq!(claims.namespace.as_deref(), Some("a"));
        assert_eq!(claims.service_account.as_deref(), Some("b"));
        assert_eq!(claims.expires, SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    }

    #[test]
    fn refuses_what_is_no_signed_jwt_and_repeats_none_of_it() {
        let good = jwt(r#"{"exp":1800000000}"#);
        let unsigned = format!("{}.", good.rsplit_once('.').unwrap().0);
        for text in [
            "hunter2secret".to_owned(),
            "hunter2secret.hunter2secret".to_owned(),
            format!("{good}.hunter2secret"),
            good.replacen("ey", "!!", 1),
            unsigned,
            jwt(r#"{"sub":"hunter2secret"}"#),
            jwt(r#"{"exp":"hunter2secret"}"#),
            jwt(r#"{"exp":-1}"#),
            jwt(r#"{"exp":1e300}"#),
            jwt("hunter2secret"),
            jwt(r#"["hunter2secret"]"#),
        ] {
            let error = Token::parse(text.clone()).expect_err(&text);
            let rendered = error.render();
            assert!(!rendered.contains("hunter2secret"), "{rendered}");
        }
    }

    #[test]
    fn claims_that_are_not_utf8_are_refused_whatever_they_are() {
        let claims = URL_SAFE_NO_PAD.encode(b"{\"exp\":1800000000,\"unknown\":\"\xff\"}");
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#);
        let error = Token::parse(format!("{header}.{claims}.c2ln")).unwrap_err().to_string();
        assert!(error.ends_with("its claims are not UTF-8"), "{error}");
    }

    #[test]
    fn debug_shows_claims_and_no_token() {
        let text = jwt(r#"{"sub":"me","exp":1800000000}"#);
        let shown = format!("{:?}", Token::parse(text.clone()).unwrap());
        assert!(shown.contains("me"));
        assert!(text.split('.').all(|part| !shown.contains(part)));
    }
}
