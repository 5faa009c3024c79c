//! The pod's token from a file, and where it differs from the kubelet's.

use std::io::Read as _;
use std::path::Path;

use pullpass::Token;
use pullpass::file::open_without_waiting;
use pullpass_kubelet::{Config, Lookup};
use secrecy::{ExposeSecret as _, SecretString};

use crate::args::LookupArgs;
use crate::report::Failure;
use crate::text::sanitize;

/// Longer than any token.
const LONGEST: u64 = 1 << 20;

/// Reads the token, without white space around it.
pub(super) fn read(path: &Path) -> Result<SecretString, Failure> {
    let cannot = |why: String| {
        Failure::new(format!("cannot read `{}`: {why}", path.display())).hint(
            "create a token with `kubectl create token NAME --namespace NS --audience AUDIENCE > \
             FILE`",
        )
    };
    let file = open_without_waiting(path).map_err(|error| cannot(error.to_string()))?;
    if !file.metadata().map_err(|error| cannot(error.to_string()))?.is_file() {
        return Err(cannot("it is not a regular file".to_owned()));
    }
    let mut text = String::new();
    file.take(LONGEST + 1).read_to_string(&mut text).map_err(|error| cannot(error.to_string()))?;
    if text.len() as u64 > LONGEST {
        return Err(cannot("it is larger than any token".to_owned()));
    }
    let token = text.trim();
    if token.is_empty() {
        return Err(cannot("it is empty".to_owned()));
    }
    Ok(SecretString::from(token))
}

/// Annotations that the kubelet would not pass on.
pub(super) fn unlisted(
    annotations: &[(String, String)],
    config: &Config,
    lookup: &Lookup,
) -> String {
    let mut remarks = String::new();
    let was_run = |name: &str| {
        lookup.providers.iter().any(|report| report.name == name && report.duration.is_some())
    };
    for provider in config.providers.iter().filter(|provider| was_run(&provider.name)) {
        let Some(tokens) = &provider.token_attributes else { continue };
        let listed =
            || tokens.required_annotation_keys.iter().chain(&tokens.optional_annotation_keys);
        for (key, _) in annotations.iter().filter(|(key, _)| listed().all(|it| it.as_str() != key))
        {
            remarks.push_str(&sanitize(&format!(
                "warning: the annotation `{key}` was not passed to `{}`: its `tokenAttributes` do \
                 not list that key\n",
                provider.name.as_str()
            )));
        }
    }
    remarks
}

/// Where the token differs from the one that the kubelet would have asked for.
pub(super) fn remarks(
    token: &SecretString,
    args: &LookupArgs,
    config: &Config,
    lookup: &Lookup,
) -> String {
    let was_run = |name: &str| {
        let mut reports = lookup.providers.iter();
        reports.any(|report| report.name == name && report.duration.is_some())
    };
    let asked = config.providers.iter().filter_map(|provider| {
        let tokens = provider.token_attributes.as_ref()?;
        was_run(&provider.name).then_some((provider.name.as_str(), tokens.audience.as_str()))
    });
    let token = Token::parse(token.expose_secret());
    let mut remarks = String::new();
    for (name, audience) in asked {
        let Ok(token) = &token else {
            return "warning: the token is not a signed JWT; tokens of the API server are\n"
                .to_owned();
        };
        let Some((namespace, account)) = &args.service_account else { continue };
        let wanted = format!("system:serviceaccount:{namespace}:{account}");
        let subject = &token.claims().subject;
        let is_theirs = *subject == wanted;
        if !is_theirs && remarks.is_empty() {
            remarks.push_str(&format!(
                "warning: the token belongs to `{subject}`, but the kubelet would request one for \
                 `{wanted}`\n"
            ));
        }
        let is_for_it = token.claims().is_for(audience);
        if !is_for_it {
            remarks.push_str(&format!(
                "warning: the token has the audience `{}`, but for `{name}` the kubelet would \
                 request the audience `{audience}`\n",
                token.claims().audience.join("`, `"),
            ));
        }
        if !is_theirs || !is_for_it {
            remarks.push_str(&format!(
                "hint: to see what the kubelet would get from `{name}`, create the token with \
                 `kubectl create token {account} --namespace {namespace} --audience {audience}`\n"
            ));
        }
    }
    sanitize(&remarks)
}
