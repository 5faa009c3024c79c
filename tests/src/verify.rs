//! What a service does with a token before it believes it: keys by discovery over HTTP, then
//! signature, issuer, audience and times (OpenID Connect Discovery 1.0, RFC 7519 section 4.1).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::jwt;

/// Believes one issuer's tokens for one audience.
#[derive(Clone)]
pub struct Verifier {
    issuer: String,
    audience: String,
    /// Empty if all subjects are believed.
    subjects: Vec<String>,
    client: reqwest::Client,
}

impl Verifier {
    /// `issuer` is the exact `iss`, and the base of its discovery document.
    pub fn new(issuer: &str, audience: &str, client: reqwest::Client) -> Self {
        let (issuer, audience) = (issuer.to_owned(), audience.to_owned());
        Self { issuer, audience, subjects: Vec::new(), client }
    }

    /// Believes these subjects only.
    pub fn subjects(mut self, subjects: &[&str]) -> Self {
        self.subjects = subjects.iter().map(ToString::to_string).collect();
        self
    }

    /// The claims of a token that holds.
    ///
    /// # Errors
    /// The first check that failed.
    pub async fn verify(&self, token: &str) -> Result<Value, Refusal> {
        let (header, claims) = jwt::parts(token).ok_or(Refusal::Malformed)?;
        // `none` and the HMAC algorithms must not get as far as a key.
        if header["alg"] != "ES256" {
            return Err(Refusal::Algorithm);
        }
        if claims["iss"] != self.issuer.as_str() {
            return Err(Refusal::Issuer);
        }
        let kid = header["kid"].as_str().ok_or(Refusal::UnknownKey)?;
        let key = self.key(kid).await?;
        if !jwt::signed_by(token, &key) {
            return Err(Refusal::Signature);
        }
        let meant_for_us = match &claims["aud"] {
            Value::String(audience) => audience == &self.audience,
            Value::Array(audiences) => audiences.iter().any(|item| item == self.audience.as_str()),
            _ => false,
        };
        if !meant_for_us {
            return Err(Refusal::Audience);
        }
        let now = jwt::now();
        if claims["exp"].as_i64().is_none_or(|expires| expires <= now) {
            return Err(Refusal::Expired);
        }
        if claims["nbf"].as_i64().is_some_and(|not_before| not_before > now) {
            return Err(Refusal::NotYetValid);
        }
        let subject = claims["sub"].as_str().unwrap_or_default();
        if subject.is_empty() {
            return Err(Refusal::Subject);
        }
        if !self.subjects.is_empty() && !self.subjects.iter().any(|known| known == subject) {
            return Err(Refusal::Stranger);
        }
        Ok(claims)
    }

    /// The issuer's public key of that name, fetched anew every time.
    async fn key(&self, kid: &str) -> Result<Vec<u8>, Refusal> {
        let discovery =
            self.document(&format!("{}/.well-known/openid-configuration", self.issuer)).await?;
        if discovery["issuer"] != self.issuer.as_str() {
            return Err(Refusal::Keys("the discovery document is another issuer's".to_owned()));
        }
        let jwks_uri = discovery["jwks_uri"].as_str().unwrap_or_default();
        let jwks = self.document(jwks_uri).await?;
        let keys = jwks["keys"].as_array().map(Vec::as_slice).unwrap_or_default();
        let jwk = keys.iter().find(|key| key["kid"] == kid).ok_or(Refusal::UnknownKey)?;
        let coordinate =
            |name: &str| jwk[name].as_str().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let (Some(x), Some(y)) = (coordinate("x"), coordinate("y")) else {
            return Err(Refusal::Keys("the JWK has no point".to_owned()));
        };
        Ok([&[4], x.as_slice(), &y].concat())
    }

    async fn document(&self, url: &str) -> Result<Value, Refusal> {
        let unavailable = |error: reqwest::Error| Refusal::Keys(error.to_string());
        let response = self.client.get(url).send().await.map_err(unavailable)?;
        let response = response.error_for_status().map_err(unavailable)?;
        response.json().await.map_err(unavailable)
    }
}

/// Why a token was not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not a compact JWT.
    Malformed,
    /// Signed by an algorithm that is not asked for.
    Algorithm,
    /// Another `iss`.
    Issuer,
    /// The issuer publishes no key of that name.
    UnknownKey,
    /// The signature does not fit.
    Signature,
    /// `aud` does not hold the expected audience.
    Audience,
    /// No `exp`, or it has passed.
    Expired,
    /// `nbf` lies ahead.
    NotYetValid,
    /// No `sub`.
    Subject,
    /// A `sub` that is not among those that are believed.
    Stranger,
    /// The issuer's keys could not be read.
    Keys(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "not a JWT",
            Self::Algorithm => "not signed with ES256",
            Self::Issuer => "from an issuer that is not trusted",
            Self::UnknownKey => "signed by a key that the issuer does not publish",
            Self::Signature => "the signature does not hold",
            Self::Audience => "meant for another audience",
            Self::Expired => "expired",
            Self::NotYetValid => "not valid yet",
            Self::Subject => "names no subject",
            Self::Stranger => "its subject may not log in here",
            Self::Keys(reason) => return write!(formatter, "no keys from the issuer: {reason}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issuer::Issuer;
    use crate::tls::TestCa;

    const AUDIENCE: &str = "registry.example";

    #[tokio::test]
    async fn a_good_token_holds_and_names_its_service_account() {
        let issuer = Issuer::start(None);
        let token = issuer.token(AUDIENCE).service_account("shop", "web").build();
        let claims = issuer.verifier(AUDIENCE).verify(&token).await.unwrap();
        assert_eq!(claims["sub"], "system:serviceaccount:shop:web");
    }

    #[tokio::test]
    async fn every_spoilt_token_is_refused_for_its_own_reason() {
        let issuer = Issuer::start(None);
        let verifier = issuer.verifier(AUDIENCE);
        let good = issuer.token(AUDIENCE).build();
        let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", good.split('.').nth(1).unwrap());
        let cases = [
            (jwt::tampered(&good), Refusal::Signature),
            (issuer.token("other.example").build(), Refusal::Audience),
            (issuer.token(AUDIENCE).expired().build(), Refusal::Expired),
            (issuer.token(AUDIENCE).not_before(300).build(), Refusal::NotYetValid),
            (issuer.token(AUDIENCE).issued_by("https://evil.example").build(), Refusal::Issuer),
            (issuer.token(AUDIENCE).signed_by_stranger().build(), Refusal::UnknownKey),
            (issuer.token(AUDIENCE).forged().build(), Refusal::Signature),
            (unsigned, Refusal::Algorithm),
            ("not a token".to_owned(), Refusal::Malformed),
        ];
        for (token, reason) in cases {
            assert_eq!(verifier.verify(&token).await, Err(reason));
        }
    }

    #[tokio::test]
    async fn only_subjects_that_may_are_believed() {
        let issuer = Issuer::start(None);
        let token = |namespace: &str| issuer.token(AUDIENCE).service_account(namespace, "web");
        let verifier = issuer.verifier(AUDIENCE).subjects(&["system:serviceaccount:shop:web"]);
        assert!(verifier.verify(&token("shop").build()).await.is_ok());
        assert_eq!(verifier.verify(&token("other").build()).await, Err(Refusal::Stranger));
    }

    #[tokio::test]
    async fn keys_come_over_tls_only_from_a_trusted_server() {
        let ca = TestCa::new();
        let issuer = Issuer::start(Some(&ca));
        let token = issuer.token(AUDIENCE).build();
        assert!(issuer.verifier(AUDIENCE).verify(&token).await.is_ok());
        let stranger = Verifier::new(issuer.url(), AUDIENCE, TestCa::new().client());
        assert!(matches!(stranger.verify(&token).await, Err(Refusal::Keys(_))));
    }
}
