//! The profile file: strict YAML, every mistake with its place.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use pullpass::{Error, file, one_line};
use serde::Deserialize;

use crate::field::{OneOrMany, Pointer, Span, present, username};
use crate::profile::{Policy, Profile};
use crate::registry::Registry;

const API_VERSION: &str = "pullpass.dev/v1alpha1";
const KIND: &str = "OIDCExchangeConfig";

/// The profiles in the file at `path`.
///
/// # Errors
/// Config: what is wrong, and on which line where the text itself is.
pub(crate) fn load(path: &Path) -> Result<Vec<Profile>, Error> {
    let text = file::read_text(path).map_err(|error| {
        error.hint("`--config` names the profile file; the kubelet runs plugins in `/`")
    })?;
    parse(&text, path.parent().unwrap_or(Path::new(""))).map_err(|error| {
        error
            .during(format!("profile file `{}` is not valid", path.display()))
            .hint("correct the file; the next pull reads it again, the kubelet needs no restart")
    })
}

/// Relative paths in `text` start at `folder`.
fn parse(text: &str, folder: &Path) -> Result<Vec<Profile>, Error> {
    let options = serde_saphyr::options! { with_snippet: false };
    let file: File = serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| Error::config(one_line(&error.to_string())))?;
    if file.api_version != API_VERSION || file.kind != KIND {
        return Err(Error::config(format!(
            "it is `{}` `{}`, not `{API_VERSION}` `{KIND}`",
            file.api_version, file.kind
        )));
    }
    if file.profiles.is_empty() {
        return Err(Error::config("`profiles` is empty"));
    }
    let mut names = HashSet::new();
    for profile in &file.profiles {
        if !names.insert(&profile.name) {
            return Err(Error::config(format!("two profiles are named `{}`", profile.name)));
        }
    }
    let parts: Vec<Registry> = file.profiles.iter().flat_map(RawProfile::parts).cloned().collect();
    file.profiles
        .into_iter()
        .map(|raw| {
            let name = raw.name.clone();
            raw.into_profile(folder, &parts)
                .map_err(|why| Error::config(format!("profile `{name}`: {why}")))
        })
        .collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    api_version: String,
    kind: String,
    profiles: Vec<RawProfile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawProfile {
    pub(crate) name: String,
    pub(crate) registries: Vec<Registry>,
    pub(crate) service_account_token: RawExpected,
    pub(crate) exchange: RawExchange,
    #[serde(default)]
    pub(crate) response: RawResponse,
    #[serde(default)]
    pub(crate) on_refused: Policy,
    #[serde(default, deserialize_with = "present")]
    pub(crate) http: Option<RawHttp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawExpected {
    pub(crate) audience: String,
    #[serde(default, deserialize_with = "present")]
    pub(crate) issuer: Option<String>,
    #[serde(default)]
    pub(crate) on_missing: Policy,
    #[serde(default)]
    pub(crate) allow_api_server_audience: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawExchange {
    pub(crate) r#type: RawType,
    #[serde(default, deserialize_with = "present")]
    pub(crate) endpoint: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) subject_token_type: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) requested_token_type: Option<String>,
    #[serde(default)]
    pub(crate) audience: OneOrMany,
    #[serde(default)]
    pub(crate) resource: OneOrMany,
    #[serde(default)]
    pub(crate) scope: OneOrMany,
    #[serde(default)]
    pub(crate) extra: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) client_auth: Option<RawClient>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum RawType {
    Passthrough,
    TokenExchange,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawClient {
    pub(crate) method: RawMethod,
    #[serde(default, deserialize_with = "present")]
    pub(crate) client_id: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) secret_file: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum RawMethod {
    None,
    Basic,
    Post,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawResponse {
    #[serde(default, deserialize_with = "username")]
    pub(crate) username: Option<RawUsername>,
    pub(crate) password: Option<RawPointer>,
    pub(crate) expiry: Option<RawExpiry>,
    pub(crate) margin: Option<Span>,
    pub(crate) max_cache_duration: Option<Span>,
    pub(crate) cache_key_type: Option<RawCacheKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawUsername {
    pub(crate) value: Option<String>,
    pub(crate) pointer: Option<Pointer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawPointer {
    pub(crate) pointer: Pointer,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawExpiry {
    pub(crate) pointer: Option<Pointer>,
    pub(crate) default: Option<Span>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum RawCacheKey {
    Image,
    Registry,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawHttp {
    #[serde(default, deserialize_with = "present")]
    pub(crate) ca_file: Option<PathBuf>,
    #[serde(default)]
    pub(crate) allow_loopback_http: bool,
    pub(crate) connect_timeout: Option<Span>,
    pub(crate) timeout: Option<Span>,
    pub(crate) retries: Option<u32>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) proxy: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Exchange, Username};

    const HERE: &str = "/etc/pullpass";
    const GOOD: &str = "\
apiVersion: pullpass.dev/v1alpha1
kind: OIDCExchangeConfig
profiles:
- name: corp
  registries: [r.io]
  serviceAccountToken: {audience: corp}
  exchange: {type: tokenExchange, endpoint: 'https://sts.example/token'}
";

    #[test]
    fn a_good_file_loads_as_yaml_and_as_json() {
        assert_eq!(parse(GOOD, HERE.as_ref()).unwrap()[0].name, "corp");
        let json = serde_json::json!({
            "apiVersion": API_VERSION, "kind": KIND,
            "profiles": [{
                "name": "p", "registries": ["r.io"], "serviceAccountToken": {"audience": "a"},
                "exchange": {"type": "passthrough"},
            }],
        });
        assert_eq!(parse(&json.to_string(), HERE.as_ref()).unwrap()[0].name, "p");
    }

    #[test]
    fn a_user_name_stands_alone_or_as_value_or_as_pointer() {
        for (written, expected) in [
            ("me", Username::Fixed("me".to_owned())),
            ("{value: me}", Username::Fixed("me".to_owned())),
            ("{pointer: /user}", Username::Pointer("/user".to_owned())),
        ] {
            let text =
                GOOD.replace("[r.io]", &format!("[r.io]\n  response: {{username: {written}}}"));
            let profiles = parse(&text, HERE.as_ref()).unwrap();
            let Exchange::Token(exchange) = &profiles[0].exchange else { panic!("{written}") };
            assert_eq!(exchange.answer.username, expected, "{written}");
        }
    }

    #[test]
    fn relative_paths_start_at_the_file() {
        let text = GOOD.replace("[r.io]", "[r.io]\n  http: {caFile: ca.pem}");
        let profiles = parse(&text, HERE.as_ref()).unwrap();
        let Exchange::Token(exchange) = &profiles[0].exchange else { panic!() };
        let roots =
            pullpass::Roots::Only { file: "/etc/pullpass/ca.pem".into(), named_by: "caFile" };
        assert_eq!(exchange.http.roots, roots);
    }

    #[test]
    fn every_mistake_is_named_with_its_place() {
        for (from, to, expected) in [
            ("v1alpha1", "v9", "it is `pullpass.dev/v9`"),
            ("OIDCExchangeConfig", "Other", "`Other`, not"),
            ("name: corp", "nme: corp", "unknown field `nme`"),
            ("- name: corp", "- name: corp\n  name: corp", "line 5"),
            ("[r.io]", "[]", "`registries` is empty"),
            ("[r.io]", "['*']", "line 5, column 16"),
            ("[r.io]", "[r.io", "line"),
            ("{audience: corp}", "{audience: corp, issuer: }", "line 6"),
            (
                "{audience: corp}",
                "{audience: corp, issuer: ''}",
                "`serviceAccountToken.issuer` is empty",
            ),
            ("/token'}", "/token', subjectTokenType: JWTT}", "`JWTT` is no token type"),
            ("/token'}", "/token', audience: ['']}", "empty text in `audience`"),
            ("[r.io]", "[r.io]\n  http: {timeout: 0s}", "must be more than 0s"),
            ("[r.io]", "[r.io]\n  http: {retries: 11}", "at most 10"),
            ("audience: corp", "audience: ''", "`serviceAccountToken.audience` is empty"),
            ("{audience: corp}", "{}", "missing field `audience`"),
            ("tokenExchange", "jwtBearer", "unknown variant `jwtBearer`"),
            ("https://sts", "http://sts", "must be `https://`"),
            ("https://sts", "ftp://sts", "must be `https://`"),
            ("https://sts", "https://u:p@sts", "userinfo"),
            ("example/token", "example/token#x", "fragment"),
            ("https://sts.example/token", "http://127.0.0.1/token", "allowLoopbackHttp"),
            ("https://sts.example/token", "token", "no URL"),
            ("/token'}", "/token', extra: {subject_token: x}}", "cannot set `subject_token`"),
            ("/token'}", "/token', clientAuth: {method: basic}}", "needs `clientId`"),
            ("tokenExchange", "passthrough", "`passthrough` makes no call"),
            (
                "{type: tokenExchange, endpoint: 'https://sts.example/token'}",
                "{type: passthrough}\n  http: {retries: 1}",
                "`passthrough` makes no call",
            ),
            (
                "[r.io]",
                "[r.io/team]\n  response: {cacheKeyType: Registry}",
                "only a part of that registry",
            ),
            ("[r.io]", "[r.io]\n  response: {cacheKeyType: Global}", "unknown variant `Global`"),
            ("[r.io]", "[r.io]\n  response: {margin: 5}", "missing unit"),
            ("[r.io]", "[r.io]\n  response: {margin: -5m}", "cannot be negative"),
            ("[r.io]", "[r.io]\n  response: {password: {pointer: token}}", "starts with `/`"),
            ("[r.io]", "[r.io]\n  response: {username: {value: 'a:b'}}", "contains `:`"),
            ("[r.io]", "[r.io]\n  response: {username: {name: a}}", "unknown field `name`"),
            ("[r.io]", "[r.io]\n  response: {username: [a]}", "a name, `{value: NAME}`"),
            ("[r.io]", "[r.io]\n  http: {proxy: 'socks5://p'}", "`http.proxy`"),
            ("[r.io]", "[r.io]\n  http: {insecureSkipVerify: true}", "unknown field"),
        ] {
            let text = GOOD.replacen(from, to, 1);
            assert_ne!(text, GOOD, "{from}");
            let error = parse(&text, HERE.as_ref()).expect_err(to).render();
            assert!(error.contains(expected), "{to}: {error}");
        }
        let parts = format!(
            "{GOOD}- {{name: team, registries: [r.io/team], serviceAccountToken: {{audience: a}}, exchange: {{type: passthrough}}}}\n"
        );
        let key = |text: &str| parse(text, HERE.as_ref()).map(|profiles| profiles[0].cache_key);
        assert_eq!(key(GOOD).unwrap(), pullpass::CacheKey::Registry);
        // The login of `corp` must not be remembered for the whole host.
        assert_eq!(key(&parts).unwrap(), pullpass::CacheKey::Image);
        let asked = parts.replacen("[r.io]", "[r.io]\n  response: {cacheKeyType: Registry}", 1);
        let error = key(&asked).unwrap_err().to_string();
        assert!(error.contains("only a part"), "{error}");

        let twice = format!("{GOOD}{}", GOOD.split_once("profiles:\n").unwrap().1);
        assert!(
            parse(&twice, HERE.as_ref())
                .unwrap_err()
                .to_string()
                .contains("two profiles are named `corp`")
        );
    }
}
