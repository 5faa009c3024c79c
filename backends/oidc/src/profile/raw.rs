//! The file's fields as they are written, each parsed. All may be left out, since a preset may
//! have them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::field::{Constant, ImagePart, OneOrMany, Pointer, Policy, Proxy, Span, require_value};
use super::pattern::Pattern;
use super::step::Json;
use super::template::Template;
use crate::registry::Registry;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawProfile {
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) preset: Option<String>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) registries: Option<Vec<Constant<Registry>>>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) service_account_token: Option<RawExpected>,
    #[serde(default)]
    pub(crate) variables: Vec<RawVariable>,
    #[serde(default)]
    pub(crate) exchange: RawExchange,
    #[serde(default)]
    pub(crate) response: RawResponse,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) on_refused: Option<Policy>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) http: Option<RawHttp>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawExpected {
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) audience: Option<Template>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) issuer: Option<Template>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) on_missing: Option<Policy>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) allow_api_server_audience: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawVariable {
    pub(crate) name: String,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) value: Option<String>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) from_annotation: Option<RawAnnotation>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) from_image: Option<RawImage>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) from_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawAnnotation {
    pub(crate) key: String,
    pub(crate) pattern: Pattern,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) default: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawImage {
    pub(crate) pattern: Pattern,
    #[serde(default)]
    pub(crate) part: ImagePart,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawExchange {
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) r#type: Option<RawType>,
    /// For every type that calls a token endpoint.
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) endpoint: Option<Template>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) discovery: Option<RawDiscovery>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) client_auth: Option<RawClient>,
    #[serde(default)]
    pub(crate) scope: OneOrMany,
    #[serde(default)]
    pub(crate) extra: BTreeMap<String, Template>,
    /// For `tokenExchange`.
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) encoding: Option<RawEncoding>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) subject_token_type: Option<Template>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) requested_token_type: Option<Template>,
    #[serde(default)]
    pub(crate) audience: OneOrMany,
    #[serde(default)]
    pub(crate) resource: OneOrMany,
    /// For `vault`.
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) address: Option<Template>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) mount: Option<Template>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) namespace: Option<Template>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) role: Option<Template>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) read: Option<Template>,
    /// For `static`.
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) file: Option<Template>,
    /// For `http`.
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) steps: Option<Vec<RawStep>>,
    /// Further hosts that a secret may be sent to.
    #[serde(default)]
    pub(crate) hosts: OneOrMany,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum RawType {
    Passthrough,
    TokenExchange,
    JwtBearer,
    ClientAssertion,
    Vault,
    Static,
    Http,
}

impl RawType {
    /// As the file has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Passthrough => "passthrough",
            Self::TokenExchange => "tokenExchange",
            Self::JwtBearer => "jwtBearer",
            Self::ClientAssertion => "clientAssertion",
            Self::Vault => "vault",
            Self::Static => "static",
            Self::Http => "http",
        }
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum RawEncoding {
    #[default]
    Form,
    Json,
    JsonCamel,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawDiscovery {
    pub(crate) issuer: Template,
    #[serde(default)]
    pub(crate) form: RawWellKnown,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum RawWellKnown {
    #[default]
    Openid,
    Oauth,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawClient {
    pub(crate) method: RawMethod,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) client_id: Option<Template>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) secret_file: Option<Template>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) key_file: Option<Template>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) key_id: Option<Template>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) algorithm: Option<RawAlgorithm>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) audience: Option<Template>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum RawMethod {
    None,
    Basic,
    Post,
    PrivateKeyJwt,
    ServiceAccountToken,
    Mtls,
}

/// The algorithm that the key signs with.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum RawAlgorithm {
    RS256,
    PS256,
    ES256,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawStep {
    #[serde(default)]
    pub(crate) method: RawVerb,
    pub(crate) url: Template,
    #[serde(default)]
    pub(crate) query: BTreeMap<String, Template>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Template>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) auth: Option<RawAuth>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) form: Option<BTreeMap<String, Template>>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) json: Option<Json>,
    #[serde(default)]
    pub(crate) expect: Vec<u16>,
    #[serde(default)]
    pub(crate) capture: BTreeMap<String, Pointer>,
    #[serde(default)]
    pub(crate) once: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum RawVerb {
    Get,
    #[default]
    Post,
    Put,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawAuth {
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) bearer: Option<Template>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) basic: Option<RawBasic>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawBasic {
    pub(crate) user: Template,
    pub(crate) password: Template,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawResponse {
    #[serde(default, deserialize_with = "deserialize_username")]
    pub(crate) username: Option<RawUsername>,
    pub(crate) password: Option<RawPointer>,
    pub(crate) expiry: Option<RawExpiry>,
    pub(crate) margin: Option<Span>,
    pub(crate) max_cache_duration: Option<Span>,
    pub(crate) cache_key_type: Option<RawCacheKey>,
    #[serde(default)]
    pub(crate) auth_keys: OneOrMany,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawUsername {
    pub(crate) value: Option<Template>,
    pub(crate) pointer: Option<Pointer>,
    pub(crate) or_jwt_claim: Option<String>,
    pub(crate) pattern: Option<Pattern>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawPointer {
    pub(crate) pointer: Pointer,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawExpiry {
    pub(crate) pointer: Option<Pointer>,
    pub(crate) format: Option<RawFormat>,
    pub(crate) default: Option<Constant<Span>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum RawFormat {
    Seconds,
    Epoch,
    EpochMillis,
    Rfc3339,
    JwtExp,
    Fixed,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum RawCacheKey {
    Image,
    Registry,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawHttp {
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) ca_file: Option<PathBuf>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) client_cert_file: Option<PathBuf>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) client_key_file: Option<PathBuf>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) allow_loopback_http: Option<bool>,
    pub(crate) connect_timeout: Option<Span>,
    pub(crate) timeout: Option<Span>,
    pub(crate) retries: Option<u32>,
    #[serde(default, deserialize_with = "require_value")]
    pub(crate) proxy: Option<Proxy>,
}

/// `username: NAME` is the obvious way to write it, so it means `{value: NAME}`.
fn deserialize_username<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<RawUsername>, D::Error> {
    struct NameOrPointer;

    impl<'de> Visitor<'de> for NameOrPointer {
        type Value = RawUsername;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a name, `{value: NAME}` or `{pointer: /json/pointer}`")
        }

        fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<RawUsername, E> {
            let value = Template::parse(name).map_err(E::custom)?;
            Ok(RawUsername { value: Some(value), ..RawUsername::default() })
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawUsername, A::Error> {
            RawUsername::deserialize(MapAccessDeserializer::new(map))
        }
    }

    deserializer.deserialize_any(NameOrPointer).map(Some)
}
