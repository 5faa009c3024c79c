//! Names, environments and cache durations that the kubelet accepts but that do harm.

use std::collections::HashSet;

use secrecy::ExposeSecret as _;

use crate::config::{CredentialProvider, ServiceAccountTokenCacheType};
use crate::lints::Lint;

const SECOND: i64 = 1_000_000_000;
const HOUR: i64 = 3600 * SECOND;

pub(super) fn check(provider: &CredentialProvider, lints: &mut Vec<Lint>) {
    check_name(provider, lints);
    check_environment(provider, lints);
    check_duration(provider, lints);
}

fn check_name(provider: &CredentialProvider, lints: &mut Vec<Lint>) {
    let name = &provider.name;
    if name.is_empty() {
        lints.push(Lint::warning(
            "empty-name",
            &name.location,
            "`name` is empty, so the kubelet would run the bin dir itself as the program"
                .to_owned(),
            "set `name` to the file name of a program in the bin dir".to_owned(),
        ));
    }
    if name.contains('\\') {
        lints.push(Lint::warning(
            "backslash-in-name",
            &name.location,
            format!(
                "`{}` contains a backslash; on Linux that is part of the file name, not a \
                 separator",
                name.value
            ),
            "write only the program's file name".to_owned(),
        ));
    }
}

fn check_environment(provider: &CredentialProvider, lints: &mut Vec<Lint>) {
    let mut names = HashSet::new();
    for variable in &provider.env {
        let (name, location) = (&variable.name, &variable.name.location);
        if name.is_empty() {
            lints.push(Lint::warning(
                "empty-env-name",
                location,
                "an environment variable has no name, so no program can read it".to_owned(),
                "name it or remove it".to_owned(),
            ));
        } else if let Some((before, _)) = name.split_once('=') {
            lints.push(Lint::warning(
                "equals-in-env-name",
                location,
                format!(
                    "the name of this variable contains `=`: the program sees a variable \
                     `{before}`, and the rest of the name becomes part of its value"
                ),
                "move what follows the `=` into `value`".to_owned(),
            ));
        } else if !names.insert(name.as_str()) {
            lints.push(Lint::warning(
                "repeated-env-name",
                location,
                format!("`{}` is set more than once; the last value is used", name.value),
                "keep one entry for each name".to_owned(),
            ));
        }
    }
    let names =
        provider.env.iter().map(|variable| (variable.name.as_str(), &variable.name.location));
    let values = provider.env.iter().map(|variable| &variable.value).chain(&provider.args);
    let values = values.map(|value| (value.expose_secret(), &value.location));
    for (text, location) in names.chain(values) {
        if text.contains('\0') {
            lints.push(Lint::warning(
                "nul-character",
                location,
                "it contains a NUL character, so the plugin can never be started".to_owned(),
                "remove the NUL character".to_owned(),
            ));
        }
    }
}

fn check_duration(provider: &CredentialProvider, lints: &mut Vec<Lint>) {
    let duration = &provider.default_cache_duration;
    let location = &duration.location;
    let shown = duration.value.to_string();
    match duration.nanoseconds() {
        0 => lints.push(Lint::advice(
            "zero-cache-duration",
            location,
            "zero caches nothing: the plugin runs for every pull, unless its answer sets \
             `cacheDuration`"
                .to_owned(),
            "set a few minutes, such as `10m`".to_owned(),
        )),
        1..SECOND => lints.push(Lint::warning(
            "tiny-cache-duration",
            location,
            format!("`{shown}` is so short that an answer expires before the next pull"),
            "check the unit: durations are written like `10m` or `1h30m`".to_owned(),
        )),
        length if length > 12 * HOUR => lints.push(Lint::warning(
            "long-cache-duration",
            location,
            format!(
                "`{shown}` is longer than most registry credentials are valid; an answer of \"no \
                 credentials\" is cached as long, and only a restart of the kubelet clears it"
            ),
            "set an hour or less, and let the plugin set `cacheDuration` in its answer".to_owned(),
        )),
        length if length > HOUR => lints.push(Lint::advice(
            "negative-cache",
            location,
            format!(
                "an answer of \"no credentials\" that sets no `cacheDuration` is cached for \
                 `{shown}`"
            ),
            "let the plugin set `\"cacheDuration\":\"0s\"` when it has no credentials, or set a \
             shorter default"
                .to_owned(),
        )),
        _ => {}
    }
    let Some(tokens) = &provider.token_attributes else { return };
    let Some(cache_type) = &tokens.cache_type else { return };
    // The kubelet passes tokens that are valid for another 12 to 60 minutes.
    let shortest_life = 12 * 60 * SECOND;
    if cache_type.value == ServiceAccountTokenCacheType::ServiceAccount
        && duration.nanoseconds() > shortest_life
    {
        lints.push(Lint::advice(
            "service-account-cache",
            &cache_type.location,
            format!(
                "with `cacheType: ServiceAccount` an answer is cached for `{shown}`, but the \
                 pod's token that it was made with may expire after 12 minutes"
            ),
            "set `cacheType: Token` if the registry credential expires with the pod's token"
                .to_owned(),
        ));
    }
}
