//! Assertions in the place of a secret: a token of a federated issuer, or one that the application
//! signed with its certificate.

use serde_json::Value;

use super::TokenRequest;
use crate::fakes::azure::certificate::Thumbprint;
use crate::fakes::azure::directory::Federation;
use crate::fakes::azure::error::{Refusal, timestamp};
use crate::jwt;
use crate::verify::{Refusal as Disbelief, Verifier};

const FEDERATION: &str = "Check your federated identity credential Subject, Audience and Issuer \
                          against the presented assertion. \
                          https://learn.microsoft.com/entra/workload-id/workload-identity-federation";
const CERTIFICATES: &str =
    "https://learn.microsoft.com/entra/identity-platform/certificate-credentials";

impl TokenRequest<'_> {
    pub(super) async fn assertion(&self, assertion: &str, id: usize) -> Result<(), Refusal> {
        let (header, claims) = jwt::parts(assertion).ok_or_else(malformed)?;
        match Thumbprint::read(&header) {
            Some(thumbprint) => self.certificate(assertion, &thumbprint, &claims),
            None => self.federated(assertion, &claims, id).await,
        }
    }

    async fn federated(&self, token: &str, claims: &Value, id: usize) -> Result<(), Refusal> {
        let federation = matching(&self.identity.federations, claims, &self.identity.client_id)?;
        let client = self.azure.0.client.clone();
        let verifier = Verifier::new(&federation.issuer, &federation.audience, client);
        verifier.verify(token).await.map_err(|disbelief| self.disbelieved(disbelief, token))?;
        // Its own clock is used too, if a test has moved it.
        if claims["exp"].as_i64().is_none_or(|end| end <= self.azure.now()) {
            return Err(self.out_of_time(claims));
        }
        self.azure.log().update(id, |call| call.subject = Some(federation.subject.clone()));
        Ok(())
    }

    fn disbelieved(&self, disbelief: Disbelief, token: &str) -> Refusal {
        let (header, claims) = jwt::parts(token).unwrap_or_default();
        let kid = header["kid"].as_str().unwrap_or_default();
        let issuer = claims["iss"].as_str().unwrap_or_default();
        match disbelief {
            Disbelief::Expired | Disbelief::NotYetValid => self.out_of_time(&claims),
            Disbelief::Signature => {
                let message = format!(
                    "Assertion failed signature validation. [Reason - The provided signature value \
                     did not match the expected signature value., Thumbprint of key used by client: \
                     '{kid}']"
                );
                Refusal::aadsts(50013, message)
            }
            Disbelief::UnknownKey => {
                let message = format!(
                    "The certificate with identifier {kid} used to sign the federated credential \
                     could not be found in the metadata of identity provider {issuer}. Please \
                     validate that your Identity Provider's metadata exposes the key used to sign \
                     the incoming token."
                );
                Refusal::aadsts(7_000_272, message)
            }
            Disbelief::Keys(reason) => {
                Refusal::aadsts(90061, "Request to External OIDC endpoint failed.").because(reason)
            }
            other => malformed().because(other.to_string()),
        }
    }

    fn certificate(
        &self,
        assertion: &str,
        thumbprint: &Thumbprint,
        claims: &Value,
    ) -> Result<(), Refusal> {
        let client_id = &self.identity.client_id;
        let unsigned = |reason: &str| {
            let message = format!(
                "The certificate with identifier used to sign the client assertion is not \
                 registered on application. [Reason - {reason}, Thumbprint of key used by client: \
                 '{}', Please visit the Azure Portal, Graph Explorer or directly use MS Graph to \
                 see configured keys for app Id '{client_id}'.]",
                thumbprint.hex()
            );
            Refusal::aadsts(700_027, message).because(format!("700027: {reason}"))
        };
        let known = self.identity.certificates.iter().find(|known| thumbprint.is_of(known));
        let known = known.ok_or_else(|| unsigned("The key was not found."))?;
        if !known.signed(assertion) {
            return Err(unsigned(
                "Key was found, but use of the key to verify the signature failed.",
            ));
        }
        if known.over {
            return Err(unsigned("The key used is expired."));
        }
        let text = |name: &str| claims[name].as_str().unwrap_or_default();
        if [text("iss"), text("sub")].iter().any(|name| !name.eq_ignore_ascii_case(client_id)) {
            let message = "Client assertion application identifier doesn't match 'client_id' \
                           parameter.";
            return Err(Refusal::aadsts(700_021, message));
        }
        if !self.is_audience(text("aud")) {
            let message = format!(
                "Client assertion audience claim does not match Realm issuer. Review the \
                 documentation at {CERTIFICATES} ."
            );
            return Err(Refusal::aadsts(700_023, message));
        }
        let now = self.azure.now();
        let ends = claims["exp"].as_i64().ok_or_else(malformed)?;
        if ends <= now || claims["nbf"].as_i64().is_some_and(|from| from > now + 300) {
            return Err(self.out_of_time(claims));
        }
        if text("jti").is_empty() {
            return Err(malformed().because("no `jti`"));
        }
        Ok(())
    }

    /// The token endpoint, or its issuer.
    fn is_audience(&self, audience: &str) -> bool {
        self.tenant.cloud.authorities.iter().any(|host| {
            let base = format!("https://{host}/{}", self.tenant_name);
            audience == format!("{base}/oauth2/v2.0/token") || audience == format!("{base}/v2.0")
        })
    }

    fn out_of_time(&self, claims: &Value) -> Refusal {
        let at = |name: &str| {
            let time = timestamp(claims[name].as_i64().unwrap_or(0)).replace(' ', "T");
            time.replace('Z', ".0000000Z")
        };
        let message = format!(
            "Client assertion is not within its valid time range. Current time: {}, assertion \
             valid from {}, expiry time of assertion {}. Review the documentation at {CERTIFICATES} \
             .",
            timestamp(self.azure.now()).replace(' ', "T"),
            at("nbf"),
            at("exp")
        );
        Refusal::aadsts(700_024, message)
    }
}

/// The federated credential that the claims fit, in the order in which Entra complains.
fn matching<'a>(
    all: &'a [Federation],
    claims: &Value,
    client_id: &str,
) -> Result<&'a Federation, Refusal> {
    if all.is_empty() {
        let message =
            format!("The client '{client_id}' has no configured federated identity credentials.");
        return Err(Refusal::aadsts(70025, message));
    }
    let mismatch = |number: u32, what: &str, value: &str| {
        let message = format!(
            "No matching federated identity record found for presented assertion {what} '{value}'. \
             {FEDERATION}"
        );
        Refusal::aadsts(number, message)
    };
    let text = |name: &str| claims[name].as_str().unwrap_or_default();
    let audiences: Vec<&str> = match &claims["aud"] {
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    };
    let (issuer, subject) = (text("iss"), text("sub"));
    let of_issuer: Vec<&Federation> = all.iter().filter(|known| known.issuer == issuer).collect();
    if of_issuer.is_empty() {
        return Err(mismatch(700_211, "issuer", issuer));
    }
    let for_audience: Vec<&Federation> = of_issuer
        .into_iter()
        .filter(|known| audiences.contains(&known.audience.as_str()))
        .collect();
    if for_audience.is_empty() {
        return Err(mismatch(700_212, "audience", &audiences.join(",")));
    }
    for_audience.iter().find(|known| known.subject == subject).copied().ok_or_else(|| {
        let nearly = for_audience.iter().any(|known| known.subject.eq_ignore_ascii_case(subject));
        let number = if nearly { 7_002_138 } else { 700_213 };
        mismatch(number, "subject", subject)
    })
}

fn malformed() -> Refusal {
    Refusal::aadsts(50027, "JWT token is invalid or malformed.")
}
