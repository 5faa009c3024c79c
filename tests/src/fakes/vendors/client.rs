//! How a client says who it is (RFC 6749, section 2.3; OpenID Connect Core 1.0, section 9; RFC
//! 7523; RFC 8705).

use rcgen::KeyPair;
use serde_json::Value;

use super::answer::{Refusal, Shape};
use super::visit::Visit;
use crate::fakes::form::{self, ClientAuth, ClientVerdict, Form};
use crate::fakes::rsa;
use crate::jwt::{self, SigningKey};

pub(super) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Seconds that a client's own assertion may live: no server needs a longer one.
const LONGEST_ASSERTION: i64 = 300;

/// The one client that a token endpoint knows. (No `Debug`: it holds secrets.)
#[derive(Clone)]
pub enum Client {
    /// It does not say, or by a bare `client_id`.
    None {
        /// The `client_id` that it must give.
        id: Option<String>,
    },
    /// HTTP Basic with the form-encoded id and secret.
    Basic {
        /// The client's name.
        id: String,
        /// Its password.
        secret: String,
    },
    /// `client_id` and `client_secret` in the form.
    Post {
        /// The client's name.
        id: String,
        /// Its password.
        secret: String,
    },
    /// An assertion by its own key, each taken once.
    PrivateKeyJwt {
        /// The client's name.
        id: String,
        /// Its key.
        key: ClientKey,
    },
    /// The pod's token is the assertion.
    PodToken {
        /// The `client_id` that it must give; without one it may give none.
        id: Option<String>,
    },
    /// A certificate, by which the connection was made: start the server by `start_mtls`.
    Mtls {
        /// The `client_id` that it must give.
        id: String,
    },
}

/// A client's key pair. (No `Debug`: it holds the private one.)
#[derive(Clone)]
pub struct ClientKey {
    pem: String,
    public_key: Vec<u8>,
    rsa: bool,
    /// The `kid` that its assertions must have, if any.
    pub kid: Option<String>,
}

impl ClientKey {
    /// Of curve P-256.
    pub fn ec() -> Self {
        let pair = KeyPair::generate().unwrap();
        let public_key = pair.public_key_raw().to_vec();
        Self { pem: pair.serialize_pem(), public_key, rsa: false, kid: None }
    }

    /// Of RSA, 2048 bits.
    ///
    /// # Panics
    /// Without the program `openssl`.
    pub fn rsa() -> Self {
        let pem = rsa::generate();
        let public_key = rsa::pair(&pem).public_key_raw().to_vec();
        Self { pem, public_key, rsa: true, kid: None }
    }

    /// A key that a test signs with itself.
    pub fn of(key: &SigningKey) -> Self {
        let pem = key.certificate_key().serialize_pem();
        Self { pem, public_key: key.public_point().to_vec(), rsa: false, kid: None }
    }

    /// Under that `kid`.
    pub fn with_kid(mut self, kid: &str) -> Self {
        self.kid = Some(kid.to_owned());
        self
    }

    /// The private key in PKCS #8 and PEM, for a `keyFile`.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    fn signed(&self, token: &str) -> bool {
        if self.rsa {
            return rsa::signed_by(token, &self.public_key, &["RS256", "PS256"]);
        }
        let (header, _) = jwt::parts(token).unwrap_or_default();
        header["alg"] == "ES256" && jwt::signed_by(token, &self.public_key)
    }
}

impl Client {
    /// The name in a discovery document's `token_endpoint_auth_methods_supported`.
    pub(super) fn method(&self) -> &'static str {
        match self {
            Self::None { .. } => "none",
            Self::Basic { .. } => "client_secret_basic",
            Self::Post { .. } => "client_secret_post",
            Self::PrivateKeyJwt { .. } | Self::PodToken { .. } => "private_key_jwt",
            Self::Mtls { .. } => "tls_client_auth",
        }
    }

    pub(super) fn is_mtls(&self) -> bool {
        matches!(self, Self::Mtls { .. })
    }

    /// For servers that take either, whatever is set up.
    pub(super) fn basic_or_post(&self, visit: &Visit<'_>, form: &Form) -> bool {
        let (Self::Basic { id, secret } | Self::Post { id, secret }) = self else {
            panic!("this service knows clients with a secret only");
        };
        visit.secret("the client's secret", secret);
        let (id, secret) = (id.clone(), secret.clone());
        let basic = ClientAuth::Basic { id: id.clone(), secret: secret.clone() };
        let post = ClientAuth::Post { id, secret };
        let known = |auth| {
            let verdict = form::client(auth, &visit.received.headers, form);
            matches!(verdict, ClientVerdict::Known)
        };
        known(&basic) || known(&post)
    }

    /// Whether it is who it should be; at most one way of saying so.
    pub(super) async fn check(&self, visit: &Visit<'_>, form: &Form) -> Result<(), Refusal> {
        let unknown = |reason: &str| {
            let refusal =
                Shape::OAuth.refuse(401, "invalid_client", "client authentication failed");
            refusal.because(reason)
        };
        let by_secret = |auth: &ClientAuth| match form::client(auth, &visit.received.headers, form)
        {
            ClientVerdict::Known => Ok(()),
            ClientVerdict::Unknown => Err(unknown("unknown client or wrong secret")),
            ClientVerdict::Forbidden(fault) => {
                visit.violation(fault.to_owned());
                Err(Shape::OAuth.refuse(400, "invalid_request", fault))
            }
        };
        match self {
            Self::Basic { id, secret } => {
                visit.secret("the client's secret", secret);
                return by_secret(&ClientAuth::Basic { id: id.clone(), secret: secret.clone() });
            }
            Self::Post { id, secret } => {
                visit.secret("the client's secret", secret);
                return by_secret(&ClientAuth::Post { id: id.clone(), secret: secret.clone() });
            }
            _ => by_secret(&ClientAuth::None)?,
        }
        let given = form.value("client_id");
        let right_id = |id: Option<&str>, needed: bool| {
            let right = if given.is_none() { !needed } else { given == id };
            if right { Ok(()) } else { Err(unknown("another client_id")) }
        };
        match self {
            Self::None { id } => right_id(id.as_deref(), id.is_some()),
            Self::Mtls { id } => right_id(Some(id), true),
            Self::PodToken { id } => {
                right_id(id.as_deref(), id.is_some())?;
                let token = assertion(form).ok_or_else(|| unknown("no client_assertion"))?;
                let believed = visit.claims(token).await;
                believed.map(drop).map_err(|disbelief| unknown(&disbelief.to_string()))
            }
            Self::PrivateKeyJwt { id, key } => {
                right_id(Some(id), false)?;
                let token = assertion(form).ok_or_else(|| unknown("no client_assertion"))?;
                visit.secret("a client's assertion", token);
                own_assertion(visit, id, key, token).map_err(unknown)
            }
            Self::Basic { .. } | Self::Post { .. } => Ok(()),
        }
    }
}

/// The assertion, if its type is named.
pub(super) fn assertion(form: &Form) -> Option<&str> {
    let named = form.value("client_assertion_type") == Some(ASSERTION_TYPE);
    form.value("client_assertion").filter(|_| named)
}

/// `private_key_jwt`.
fn own_assertion(
    visit: &Visit<'_>,
    id: &str,
    key: &ClientKey,
    token: &str,
) -> Result<(), &'static str> {
    let (header, claims) = jwt::parts(token).ok_or("the assertion is no JWT")?;
    if key.kid.as_ref().is_some_and(|kid| header["kid"] != kid.as_str()) {
        return Err("the assertion's `kid` is another one");
    }
    if !key.signed(token) {
        return Err("the assertion's signature does not hold");
    }
    if claims["iss"] != id || claims["sub"] != id {
        return Err("the assertion's `iss` and `sub` are not the client");
    }
    let (url, path) = (&visit.shared.url, visit.shared.dialect.path());
    let endpoint = format!("{url}{path}");
    let issuer = endpoint.strip_suffix("/token").unwrap_or(&endpoint);
    let ours = |audience: &Value| {
        audience.as_str().is_some_and(|audience| audience == endpoint || audience == issuer)
    };
    let for_us = match &claims["aud"] {
        Value::Array(all) => all.iter().any(ours),
        one => ours(one),
    };
    if !for_us {
        return Err("the assertion's `aud` is neither the issuer nor the token endpoint");
    }
    let now = jwt::now();
    let ends = claims["exp"].as_i64().ok_or("the assertion has no `exp`")?;
    if ends <= now || ends > now + LONGEST_ASSERTION {
        return Err("the assertion is over, or lives too long");
    }
    let jti = claims["jti"].as_str().filter(|jti| !jti.is_empty());
    if !visit.spend(jti.ok_or("the assertion has no `jti`")?) {
        return Err("the assertion was used before");
    }
    Ok(())
}
