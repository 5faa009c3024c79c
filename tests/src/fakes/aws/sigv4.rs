//! AWS Signature Version 4 in the `Authorization` header, as the services check it (AWS Reference
//! guide, "Create a signed AWS API request"): form, scope, clock, token, then the signature.

#[cfg(test)]
mod tests;

use axum::http::{HeaderMap, header};
use ring::{digest, hmac};

use super::clock;
use super::endpoint::Service;
use super::error::AwsError;
use super::iam::Credentials;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// How far a signature's time may be from the server's, in seconds.
const TOLERANCE: i64 = 900;
/// Headers that must be signed if they are there. Those that name the client need not be: every
/// SDK leaves them out, as proxies may change them.
const UNSIGNED: [&str; 1] = ["x-amz-user-agent"];

/// A request as it was received.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    /// As on the wire.
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

/// The names under which the endpoint must be called.
pub(super) struct Scope<'a> {
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

/// Why a signature is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is none.
    Missing,
    /// The header is not of the form.
    Incomplete(String),
    /// No such key, or not with this session token.
    Unknown,
    /// The session is over.
    Expired,
    /// The scope, the time, the signed headers or the signature itself.
    Invalid(String),
}

impl Refusal {
    /// In the words and with the status of the service.
    pub(super) fn error(self, service: Service) -> AwsError {
        let sts = service == Service::Sts;
        let (code, text) = match self {
            Self::Missing if sts => {
                ("MissingAuthenticationToken", "Request is missing Authentication Token".to_owned())
            }
            Self::Missing => {
                ("MissingAuthenticationTokenException", "Missing Authentication Token".to_owned())
            }
            Self::Incomplete(reason) if sts => ("IncompleteSignature", reason),
            Self::Incomplete(reason) => ("IncompleteSignatureException", reason),
            Self::Unknown => (
                if sts { "InvalidClientTokenId" } else { "UnrecognizedClientException" },
                "The security token included in the request is invalid.".to_owned(),
            ),
            Self::Expired => (
                if sts { "ExpiredToken" } else { "ExpiredTokenException" },
                "The security token included in the request is expired".to_owned(),
            ),
            Self::Invalid(reason) if sts => ("SignatureDoesNotMatch", reason),
            Self::Invalid(reason) => ("InvalidSignatureException", reason),
        };
        let status = if sts && code != "IncompleteSignature" { 403 } else { 400 };
        AwsError::new(status, code, text)
    }
}

/// The `Authorization` header, taken apart.
#[derive(Clone, Debug)]
pub(super) struct Authorization {
    pub(super) access_key_id: String,
    date: String,
    region: String,
    service: String,
    signed_headers: Vec<String>,
    signature: String,
}

impl Authorization {
    /// Reads it off a request.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, Refusal> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let value = values.next().ok_or(Refusal::Missing)?;
        let incomplete = |reason: &str| Refusal::Incomplete(reason.to_owned());
        if values.next().is_some() {
            return Err(incomplete("more than one Authorization header"));
        }
        let value = value.to_str().map_err(|_| incomplete("not readable"))?;
        let Some((ALGORITHM, rest)) = value.split_once(' ') else {
            return Err(Refusal::Incomplete(format!(
                "Unsupported AWS 'algorithm': '{}'",
                value.split(' ').next().unwrap_or_default()
            )));
        };
        let mut fields = [("Credential", ""), ("SignedHeaders", ""), ("Signature", "")];
        for pair in rest.split(',') {
            let (name, text) = pair.trim_start().split_once('=').ok_or_else(|| {
                incomplete(
                    "not a valid key=value pair (missing equal-sign) in Authorization header",
                )
            })?;
            match fields.iter_mut().find(|(known, _)| *known == name) {
                Some((_, field)) if field.is_empty() => *field = text,
                _ => return Err(incomplete("a parameter that is unknown or repeated")),
            }
        }
        let lacking: Vec<String> = fields
            .iter()
            .filter(|(_, text)| text.is_empty())
            .map(|(name, _)| format!("Authorization header requires '{name}' parameter."))
            .collect();
        if !lacking.is_empty() {
            return Err(Refusal::Incomplete(lacking.join(" ")));
        }
        let [(_, credential), (_, signed_headers), (_, signature)] = fields;
        let pieces: Vec<&str> = credential.split('/').collect();
        let [access_key_id, date, region, service, "aws4_request"] = pieces.as_slice() else {
            let (count, end) = (pieces.len(), pieces.last().copied().unwrap_or_default());
            return Err(Refusal::Incomplete(if count == 5 {
                format!(
                    "Credential should be scoped with a valid terminator: 'aws4_request', not '{end}'."
                )
            } else {
                "Credential must have exactly 5 slash-delimited elements, \
                 e.g. keyid/date/region/service/term"
                    .to_owned()
            }));
        };
        Ok(Self {
            access_key_id: (*access_key_id).to_owned(),
            date: (*date).to_owned(),
            region: (*region).to_owned(),
            service: (*service).to_owned(),
            signed_headers: signed_headers.split(';').map(str::to_owned).collect(),
            signature: signature.to_owned(),
        })
    }

    /// Checks everything else, `now` in seconds of the Unix epoch.
    pub(super) fn check(
        &self,
        request: &Request,
        scope: &Scope,
        now: i64,
        credentials: &Credentials,
    ) -> Result<(), Refusal> {
        let session_token = single(request.headers, "x-amz-security-token")?;
        if session_token != credentials.session_token.as_deref() {
            return Err(Refusal::Unknown);
        }
        if self.region != scope.region {
            return Err(Refusal::Invalid(format!(
                "Credential should be scoped to a valid region, not '{}'. ",
                self.region
            )));
        }
        if self.service != scope.service {
            return Err(Refusal::Invalid(format!(
                "Credential should be scoped to correct service: '{}'. ",
                scope.service
            )));
        }
        self.check_headers(request.headers)?;
        let date = self.check_time(request.headers, now)?;
        let hash = hex(digest::digest(&digest::SHA256, request.body).as_ref());
        if single(request.headers, "x-amz-content-sha256")?.is_some_and(|sent| sent != hash) {
            return Err(mismatch());
        }
        let text = self.string_to_sign(date, &self.canonical(request, &hash));
        if self.sign(&credentials.secret_access_key, &text) != self.signature {
            return Err(mismatch());
        }
        if credentials.expires.is_some_and(|expires| expires <= now) {
            return Err(Refusal::Expired);
        }
        Ok(())
    }

    /// The list must be sorted, name what is there, and cover `host` and what begins with `x-amz-`.
    fn check_headers(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let ordered = self.signed_headers.windows(2).all(|pair| pair[0] < pair[1]);
        let lower = self.signed_headers.iter().all(|name| name.to_lowercase() == *name);
        if !ordered || !lower {
            return Err(Refusal::Incomplete(
                "SignedHeaders must be lower case, sorted and without repetition".to_owned(),
            ));
        }
        if self.signed_headers.iter().any(|name| !headers.contains_key(name)) {
            return Err(mismatch());
        }
        let unsigned = |name: &str| !self.signed_headers.iter().any(|signed| signed == name);
        if unsigned("host") {
            return Err(Refusal::Invalid(
                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
                    .to_owned(),
            ));
        }
        for name in headers.keys().map(|name| name.as_str()) {
            if name.starts_with("x-amz-") && unsigned(name) && !UNSIGNED.contains(&name) {
                return Err(Refusal::Invalid(format!(
                    "'{name}' must be a 'SignedHeader' in the AWS Authorization."
                )));
            }
        }
        Ok(())
    }

    /// The request's time, near enough to the server's and on the scope's day.
    fn check_time<'a>(&self, headers: &'a HeaderMap, now: i64) -> Result<&'a str, Refusal> {
        let date = single(headers, "x-amz-date")?.ok_or_else(|| {
            Refusal::Incomplete(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' \
                 header."
                    .to_owned(),
            )
        })?;
        let signed = clock::from_amz(date).ok_or_else(|| {
            Refusal::Incomplete(format!("Date must be in ISO-8601 'basic format'. Got '{date}'."))
        })?;
        if date[..8] != self.date {
            return Err(Refusal::Invalid(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date \
                 from HTTP: '{}' != '{}', from '{date}'.",
                self.date,
                &date[..8]
            )));
        }
        let here = clock::amz(now);
        if signed < now - TOLERANCE {
            let oldest = clock::amz(now - TOLERANCE);
            return Err(Refusal::Invalid(format!(
                "Signature expired: {date} is now earlier than {oldest} ({here} - 15 min.)"
            )));
        }
        if signed > now + TOLERANCE {
            let newest = clock::amz(now + TOLERANCE);
            return Err(Refusal::Invalid(format!(
                "Signature not yet current: {date} is still later than {newest} ({here} + 15 min.)"
            )));
        }
        Ok(date)
    }

    fn string_to_sign(&self, date: &str, canonical: &str) -> String {
        let hash = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
        let Self { date: day, region, service, .. } = self;
        format!("{ALGORITHM}\n{date}\n{day}/{region}/{service}/aws4_request\n{hash}")
    }

    fn canonical(&self, request: &Request, body_hash: &str) -> String {
        let headers: String = self
            .signed_headers
            .iter()
            .map(|name| format!("{name}:{}\n", canonical_value(request.headers, name)))
            .collect();
        format!(
            "{}\n{}\n{}\n{headers}\n{}\n{body_hash}",
            request.method,
            // The path on the wire is encoded once already, and signed encoded twice.
            encode(request.path.as_bytes(), b"/"),
            canonical_query(request.query),
            self.signed_headers.join(";"),
        )
    }

    fn sign(&self, secret: &str, string_to_sign: &str) -> String {
        let mut key = mac(format!("AWS4{secret}").as_bytes(), &self.date);
        for part in [&self.region, &self.service, "aws4_request", string_to_sign] {
            key = mac(key.as_ref(), part);
        }
        hex(key.as_ref())
    }
}

fn mismatch() -> Refusal {
    Refusal::Invalid(
        "The request signature we calculated does not match the signature you provided. Check \
         your AWS Secret Access Key and signing method. Consult the service documentation for \
         details."
            .to_owned(),
    )
}

fn mac(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

/// A header that may occur at most once.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map(|value| value.to_str());
    match (first.transpose(), values.next()) {
        (Ok(value), None) => Ok(value),
        _ => Err(Refusal::Incomplete(format!("`{name}` is repeated or not readable"))),
    }
}

/// Values joined by commas, each trimmed and its runs of spaces made one.
fn canonical_value(headers: &HeaderMap, name: &str) -> String {
    let values = headers.get_all(name).iter().map(|value| {
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    });
    values.collect::<Vec<_>>().join(",")
}

/// Parameters encoded anew and sorted.
fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (encode(&decode(name), b""), encode(&decode(value), b""))
        })
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// RFC 3986 percent-encoding of all but unreserved characters and those in `keep`.
fn encode(bytes: &[u8], keep: &[u8]) -> String {
    let mut text = String::new();
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep.contains(&byte) {
            text.push(byte as char);
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

fn decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = (*first == b'%').then(|| tail.get(..2)).flatten();
        let byte = escaped
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
