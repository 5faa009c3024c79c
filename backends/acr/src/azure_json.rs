//! The cloud provider's configuration file, `azure.json`: JSON or YAML, keys in any case;
//! keys for the cloud provider's other parts are ignored.
//!
//! Source: cloud-provider-azure, "Cloud provider config".

use std::path::{Path, PathBuf};

use pullpass::{Error, file};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use serde_json::{Map, Value};
use serde_saphyr::Error as YamlError;
use serde_saphyr::options::AliasLimits;

/// The fields that are used here.
#[derive(Default)]
pub(crate) struct AzureJson {
    pub(crate) cloud: Option<String>,
    pub(crate) tenant_id: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<SecretString>,
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) managed_identity: bool,
    pub(crate) user_assigned: Option<String>,
    pub(crate) resource_manager: Option<String>,
}

/// Reads the file.
///
/// # Errors
/// [`ErrorKind::Config`](pullpass::ErrorKind::Config); the message repeats no value, since one of
/// them is a secret.
pub(crate) fn read(path: &Path) -> Result<AzureJson, Error> {
    let text = Zeroizing::new(file::read_config(path).map_err(|error| error.with_hint(HINT))?);
    let fields = Fields::parse(&text, path)?;
    let secret = fields.text("aadClientSecret")?;
    Ok(AzureJson {
        cloud: fields.text("cloud")?,
        tenant_id: fields.text("tenantId")?,
        client_id: fields.text("aadClientId")?,
        client_secret: secret.map(SecretString::from),
        certificate: fields.text("aadClientCertPath")?.map(PathBuf::from),
        token_file: fields.text("aadFederatedTokenFile")?.map(PathBuf::from),
        managed_identity: fields.switch("useManagedIdentityExtension")?,
        user_assigned: fields.text("userAssignedIdentityID")?,
        resource_manager: fields.text("resourceManagerEndpoint")?,
    })
}

const HINT: &str =
    "the argument names the cloud provider's `azure.json`; without it, use options: see `--help`";

/// The most values in the file, those that an alias repeats included.
const MAX_VALUES: usize = 10_000;

/// The deepest that lists and mappings are nested.
const MAX_DEPTH: usize = 32;

fn parse_yaml(text: &str) -> Result<Value, YamlError> {
    let options = serde_saphyr::options! {
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_nodes: MAX_VALUES,
            max_recorded_anchor_events: MAX_VALUES,
            max_total_scalar_bytes: 1024 * 1024,
            max_depth: MAX_DEPTH,
        },
        alias_limits: {
            let mut limits = AliasLimits::default();
            limits.max_total_replayed_events = MAX_VALUES;
            limits
        },
    };
    serde_saphyr::from_str_with_options(text, options)
}

struct Fields<'a> {
    fields: Map<String, Value>,
    path: &'a Path,
}

impl<'a> Fields<'a> {
    fn parse(text: &str, path: &'a Path) -> Result<Self, Error> {
        let text = text.trim_start_matches('\u{feff}');
        let broken =
            |what: String| Error::config(format!("`{}` {what}", path.display())).with_hint(HINT);
        // JSON first: most files are JSON, and then no YAML parser is needed.
        let value: Value = match serde_json::from_str(text) {
            Ok(value) => value,
            Err(json) => parse_yaml(text).map_err(|error| match error.without_snippet() {
                YamlError::Budget { .. } | YamlError::AliasReplayLimitExceeded { .. } => {
                    broken(format!("has more than {MAX_VALUES} values or {MAX_DEPTH} levels in it"))
                }
                _ => broken(format!("is neither JSON (line {}) nor YAML", json.line())),
            })?,
        };
        let Value::Object(fields) = value else {
            return Err(broken("has no fields".to_owned()));
        };
        let fields = fields.into_iter().map(|(key, value)| (key.to_ascii_lowercase(), value));
        Ok(Self { fields: fields.collect(), path })
    }

    /// A text; an empty one is not set, as in the files that installers write.
    fn text(&self, name: &str) -> Result<Option<String>, Error> {
        match self.fields.get(&name.to_ascii_lowercase()) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
            Some(_) => Err(self.describe_wrong(name, "a text")),
        }
    }

    fn switch(&self, name: &str) -> Result<bool, Error> {
        match self.fields.get(&name.to_ascii_lowercase()) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(on)) => Ok(*on),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(Value::String(text)) if text.is_empty() || text.eq_ignore_ascii_case("false") => {
                Ok(false)
            }
            Some(_) => Err(self.describe_wrong(name, "true or false")),
        }
    }

    fn describe_wrong(&self, name: &str, what: &str) -> Error {
        Error::config(format!("`{name}` in `{}` is not {what}", self.path.display()))
            .with_hint(HINT)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn parse_fields(text: &str) -> Result<AzureJson, Error> {
        let fields = Fields::parse(text, Path::new("azure.json"))?;
        Ok(AzureJson {
            tenant_id: fields.text("tenantId")?,
            client_secret: fields.text("aadClientSecret")?.map(SecretString::from),
            managed_identity: fields.switch("useManagedIdentityExtension")?,
            ..AzureJson::default()
        })
    }

    #[test]
    fn json_and_yaml_and_any_case() {
        for text in [
            r#"{"tenantId":"t","aadClientSecret":"s","useManagedIdentityExtension":true,"x":[1]}"#,
            "tenantId: t\naadClientSecret: s\nuseManagedIdentityExtension: true\nvmType: vmss\n",
            "\u{feff}{\"TENANTID\":\"t\",\"AadClientSecret\":\"s\",\"usemanagedidentityextension\":\"true\"}",
        ] {
            let read = parse_fields(text).unwrap();
            assert_eq!(read.tenant_id.as_deref(), Some("t"), "{text}");
            assert_eq!(read.client_secret.unwrap().expose_secret(), "s");
            assert!(read.managed_identity);
        }
        assert!(parse_fields(r#"{"tenantId":""}"#).unwrap().tenant_id.is_none());
    }

    #[test]
    fn what_has_too_much_in_it_is_refused_soon() {
        let start = std::time::Instant::now();
        let bomb: String = (1..9)
            .map(|at| format!("a{at}: &a{at} [{}]\n", vec![format!("*a{}", at - 1); 10].join(",")))
            .collect();
        for text in [
            format!("a: [{}x]", "x,".repeat(100_000)),
            format!("a0: &a0 x\n{bomb}"),
            format!("a: &a {}\nb: [{}x]", "x".repeat(100_000), "*a,".repeat(9000)),
            format!("a: {}", "[".repeat(200_000)),
            format!("a: {}{}", "[".repeat(200), "]".repeat(200)),
            (0..50_000).map(|at| format!("k{at}: v\n")).collect(),
        ] {
            let error = parse_fields(&text).err().unwrap().render();
            assert!(error.contains("`azure.json` ") && error.contains("hint: "), "{error}");
        }
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }

    #[test]
    fn mistakes_repeat_no_value() {
        for text in [
            "random-config",
            "{invalid json hunter2",
            "[]",
            r#"{"tenantId":["hunter2"]}"#,
            r#"{"useManagedIdentityExtension":"hunter2"}"#,
        ] {
            let error = parse_fields(text).err().unwrap().render();
            assert!(!error.contains("hunter2") && error.contains("hint: "), "{text}: {error}");
        }
    }
}
