//! The profile file: strict YAML, every mistake with its place. What may be left out is, since
//! a preset may say it.

use std::collections::HashSet;
use std::path::Path;

use pullpass::{Error, file, one_line};
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::profile::Profile;
use crate::profile::preset;
use crate::profile::raw::RawProfile;
use crate::registry::Registry;

const API_VERSION: &str = "pullpass.dev/v1alpha1";
const KIND: &str = "OIDCExchangeConfig";

/// The profiles in the file at `path`.
///
/// # Errors
/// Config: what is wrong, and on which line.
pub(crate) fn load(path: &Path) -> Result<Vec<Profile>, Error> {
    let text = file::read_text(path).map_err(|error| {
        error.with_hint("`--config` names the profile file; the kubelet runs plugins in `/`")
    })?;
    parse(&text, path.parent().unwrap_or(Path::new(""))).map_err(|error| {
        error.context(format!("profile file `{}` is not valid", path.display())).with_hint(
            "correct the file; the next pull reads it again, the kubelet needs no restart",
        )
    })
}

/// Relative paths in `text` start at `folder`.
pub(crate) fn parse(text: &str, folder: &Path) -> Result<Vec<Profile>, Error> {
    let file: File = from_yaml(text).map_err(Error::config)?;
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
        if profile.value.name.is_empty() {
            let line = profile.referenced.line();
            return Err(Error::config(format!("line {line}: a profile without a `name`")));
        }
        if !names.insert(profile.value.name.clone()) {
            return Err(Error::config(format!("two profiles are named `{}`", profile.value.name)));
        }
    }
    let mut parts: Vec<Registry> = Vec::new();
    let mut whole = Vec::new();
    for profile in file.profiles {
        let place = profile.referenced;
        let name = profile.value.name.clone();
        let at = move |why: String| {
            let place = format!("line {}, column {}", place.line(), place.column());
            Error::config(format!("profile `{name}` ({place}): {why}"))
        };
        let raw = preset::fill(profile.value).map_err(&at)?;
        let draft = raw.into_draft(folder).map_err(&at)?;
        parts.extend(draft.registries().filter(|registry| registry.has_path()).cloned());
        whole.push((draft, at));
    }
    whole.into_iter().map(|(draft, at)| draft.into_profile(&parts).map_err(at)).collect()
}

/// Reads strict YAML.
///
/// # Errors
/// One line, with the place.
pub(crate) fn from_yaml<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| one_line(&error.to_string()))
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
