//! The profile file: strict YAML, and errors with line and column.

use std::collections::HashSet;
use std::path::Path;

use pullpass::{Error, file};
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::compile::{PartialProfile, Profile};
use super::preset::Preset;
use super::raw::RawProfile;
use super::yaml;
use crate::registry::Registry;

const API_VERSION: &str = "pullpass.dev/v1alpha1";
const KIND: &str = "OIDCExchangeConfig";

/// The most profiles in a file.
const MAX_PROFILES: usize = 1000;

/// The most registries of all profiles of a file: each is compared with each.
const MAX_REGISTRIES: usize = 2000;

/// The profiles in the file at `path`.
///
/// # Errors
/// Config, when the file cannot be read, or is not valid: with the line.
pub(crate) fn load(path: &Path) -> Result<Vec<Profile>, Error> {
    let text = file::read_config(path).map_err(|error| {
        error.with_hint(
            "check the path of the profile file; the kubelet runs plugins in `/`, so `--config` \
             needs an absolute path",
        )
    })?;
    parse(&text, path.parent().unwrap_or(Path::new(""))).map_err(|error| {
        let error = error.context(format!("profile file `{}` is not valid", path.display()));
        match text.lines().any(|line| line.starts_with("kind: CredentialProviderConfig")) {
            true => error.with_hint(
                "this looks like the kubelet's CredentialProviderConfig: `pullpass check` checks \
                 that; the profile file is what `--config` names in it",
            ),
            false => error.or_with_hint(
                "correct the file; the next pull reads it again, the kubelet needs no restart",
            ),
        }
    })
}

/// Relative paths in `text` start at `folder`.
pub(crate) fn parse(text: &str, folder: &Path) -> Result<Vec<Profile>, Error> {
    let file: File = yaml::parse(text)?;
    if file.api_version != API_VERSION {
        return Err(Error::config(format!("`apiVersion` must be `{API_VERSION}`")));
    }
    if file.kind != KIND {
        return Err(Error::config(format!("`kind` must be `{KIND}`")));
    }
    if file.profiles.is_empty() {
        return Err(Error::config("`profiles` is empty"));
    }
    if file.profiles.len() > MAX_PROFILES {
        return Err(too_many("profiles", MAX_PROFILES));
    }
    let mut names = HashSet::new();
    for profile in &file.profiles {
        if profile.value.name.is_empty() {
            let line = profile.referenced.line();
            return Err(Error::config(format!("line {line}: a profile without a `name`")));
        }
        if !names.insert(profile.value.name.clone()) {
            return Err(Error::config(format!("two profiles are named `{}`", profile.value.name)));
        }
    }
    let mut partial_profiles = Vec::new();
    for profile in file.profiles {
        let location = profile.referenced;
        let name = profile.value.name.clone();
        let at = move |why: String| {
            let place = format!("line {}, column {}", location.line(), location.column());
            Error::config(format!("profile `{name}` ({place}): {why}"))
        };
        partial_profiles.push((compile_profile(profile.value, folder).map_err(&at)?, at));
    }
    let registries = partial_profiles.iter().map(|(profile, _)| profile.registries().count());
    if registries.sum::<usize>() > MAX_REGISTRIES {
        return Err(too_many("registries", MAX_REGISTRIES));
    }
    let parts = find_partial_registries(
        partial_profiles.iter().map(|(partial_profile, _)| partial_profile),
    );
    partial_profiles
        .into_iter()
        .map(|(partial_profile, at)| partial_profile.into_profile(&parts).map_err(at))
        .collect()
}

fn too_many(what: &str, most: usize) -> Error {
    Error::config(format!("the file has more than {most} {what}"))
        .with_hint("keep only the profiles that this node uses")
}

/// The profile of `--preset` with what `--set` says.
///
/// # Errors
/// What is wrong, when no preset has this name, a parameter is missing, or a value is not valid.
pub(crate) fn from_preset(name: &str, set: Vec<(String, String)>) -> Result<Profile, String> {
    let preset = Preset::find(name)?;
    let raw = preset.with_set(set)?;
    let (raw, parameters) = preset.fill(raw)?;
    let partial_profile = raw.compile(Path::new("/"), &parameters)?;
    let parts = find_partial_registries([&partial_profile]);
    partial_profile.into_profile(&parts)
}

fn compile_profile(raw: RawProfile, folder: &Path) -> Result<PartialProfile, String> {
    let (raw, parameters) = match &raw.preset {
        Some(name) => Preset::find(name)?.fill(raw)?,
        None => (raw, Vec::new()),
    };
    raw.compile(folder, &parameters)
}

/// The registries of which only a part is named.
fn find_partial_registries<'a>(
    partial_profiles: impl IntoIterator<Item = &'a PartialProfile>,
) -> Vec<Registry> {
    let registries = partial_profiles.into_iter().flat_map(PartialProfile::registries);
    registries.filter(|registry| registry.has_path()).cloned().collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    api_version: String,
    kind: String,
    profiles: Vec<Spanned<RawProfile>>,
}

#[cfg(test)]
mod tests;
