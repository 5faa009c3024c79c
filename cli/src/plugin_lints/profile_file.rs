//! The profile file that the oidc plugin's `args` name, compared with its entry.

use std::path::Path;

use pullpass::{CacheType, Options};
use pullpass_kubelet::CredentialProvider;
use pullpass_kubelet::lints::Lint;
use pullpass_kubelet::{ServiceAccountTokenCacheType, TokenAttributes};
use pullpass_oidc::{ProviderEntry, provider_entries};

use crate::plugin_lints::hosts::{list, may_overlap};
use crate::text::sanitize;

pub(super) fn check(options: &Options, provider: &CredentialProvider, lints: &mut Vec<Lint>) {
    // With a preset, or with one profile of the file, the entry does not cover the whole file.
    let Some(path) = options.path("config").filter(|_| !options.is_set("profile")) else { return };
    let location = provider.args.first().map_or(&provider.name.location, |arg| &arg.location);
    if !path.is_absolute() {
        return lints.push(Lint::warning(
            "profile-file",
            location,
            format!(
                "the kubelet runs plugins in the directory `/`, so `{}` means `/{0}`",
                path.display()
            ),
            "write the absolute path of the profile file".to_owned(),
        ));
    }
    if !path.exists() {
        return lints.push(Lint::advice(
            "profile-file",
            location,
            format!(
                "`{}` does not exist on this machine, so it was not compared with this entry",
                path.display()
            ),
            "run this command on the node".to_owned(),
        ));
    }
    match provider_entries(&path) {
        Ok(entries) => compare(&path, &entries, provider, lints),
        Err(error) => lints.push(Lint::warning(
            "profile-file",
            location,
            format!("every pull fails: {}", sanitize(error.message())),
            format!("`oidc-credential-provider validate {}` shows where", path.display()),
        )),
    }
}

fn compare(
    path: &Path,
    entries: &[ProviderEntry],
    provider: &CredentialProvider,
    lints: &mut Vec<Lint>,
) {
    let path = path.display();
    let hint = format!("`pullpass config oidc --profiles {path}` prints the entries that it needs");
    let tokens = provider.token_attributes.as_ref();
    let audience = tokens.map(|tokens| tokens.audience.as_str());
    let same: Vec<&ProviderEntry> =
        entries.iter().filter(|entry| entry.audience.as_deref() == audience).collect();
    if same.is_empty() {
        let wanted: Vec<&str> =
            entries.iter().filter_map(|entry| entry.audience.as_deref()).collect();
        let (location, what) = match tokens {
            Some(tokens) => {
                (&tokens.audience.location, format!("the audience `{}`", &*tokens.audience))
            }
            None => (&provider.name.location, "requests without a token".to_owned()),
        };
        return lints.push(Lint::warning(
            "profile-audience",
            location,
            format!("no profile in `{path}` is for {what}; its audiences are {}", list(&wanted)),
            match tokens {
                Some(_) => hint,
                None => format!("add `tokenAttributes` (kubelet 1.33 or later): {hint}"),
            },
        ));
    }
    let known: Vec<&str> =
        same.iter().flat_map(|entry| &entry.match_images).map(String::as_str).collect();
    for pattern in &provider.match_images {
        let (host, port) = split(pattern.as_str());
        let is_known = known
            .iter()
            .map(|known| split(known))
            .any(|(known, known_port)| port == known_port && may_overlap(host, known));
        if !is_known {
            lints.push(Lint::warning(
                "profile-registry",
                &pattern.location,
                format!(
                    "no profile in `{path}` with this audience covers `{}`; those profiles cover \
                     {}",
                    pattern.value,
                    list(&known)
                ),
                hint.clone(),
            ));
        }
    }
    if let Some(tokens) = tokens {
        compare_annotations(&same, tokens, lints);
    }
    let cache_type = tokens.and_then(|tokens| tokens.cache_type.as_ref());
    let by_token = same.iter().any(|entry| entry.cache_type == CacheType::Token);
    if let Some(cache_type) = cache_type
        && by_token
        && cache_type.value == ServiceAccountTokenCacheType::ServiceAccount
    {
        lints.push(Lint::warning(
            "profile-cache-type",
            &cache_type.location,
            "this profile uses the pod's token as the password, and the kubelet discards such an \
             answer unless `cacheType` is `Token`"
                .to_owned(),
            "write `cacheType: Token`".to_owned(),
        ));
    }
}

/// Without a needed annotation every pull fails; another one may be left out on purpose.
fn compare_annotations(
    entries: &[&ProviderEntry],
    tokens: &TokenAttributes,
    lints: &mut Vec<Lint>,
) {
    let listed = || tokens.required_annotation_keys.iter().chain(&tokens.optional_annotation_keys);
    let unlisted = |keys: fn(&ProviderEntry) -> &[String]| {
        let keys = entries.iter().flat_map(|entry| keys(entry)).map(String::as_str);
        keys.filter(|key| listed().all(|known| known.as_str() != *key)).collect::<Vec<_>>()
    };
    let needed = unlisted(|entry| &entry.required_annotations);
    if !needed.is_empty() {
        lints.push(Lint::warning(
            "profile-annotation",
            &tokens.audience.location,
            format!(
                "every pull fails: a profile needs {}, and the kubelet passes on only the \
                 annotations that `tokenAttributes` lists",
                list(&needed)
            ),
            "list it under `requiredServiceAccountAnnotationKeys`".to_owned(),
        ));
    }
    let read = unlisted(|entry| &entry.optional_annotations);
    if !read.is_empty() {
        lints.push(Lint::advice(
            "profile-annotation",
            &tokens.audience.location,
            format!(
                "the profiles read annotations that the kubelet does not pass on: {}",
                list(&read)
            ),
            "list them under `optionalServiceAccountAnnotationKeys` if pods should use them"
                .to_owned(),
        ));
    }
}

/// The host of a pattern, and its port if it has one.
fn split(pattern: &str) -> (&str, &str) {
    let authority = pattern.split('/').next().unwrap_or_default();
    authority.split_once(':').unwrap_or((authority, ""))
}
