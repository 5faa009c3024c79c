//! Where the profiles come from: a file, or a preset on the command line.

use std::path::Path;

use pullpass::{Error, OptionSpec, Options};

use crate::profile::{Profile, file, preset};

pub(crate) const CONFIG: OptionSpec =
    OptionSpec::value("config", "FILE", "the profiles: which registry takes which exchange")
        .env("PULLPASS_OIDC_CONFIG");
pub(crate) const PROFILE: OptionSpec =
    OptionSpec::value("profile", "NAME", "use only this profile of the file");
pub(crate) const PRESET: OptionSpec =
    OptionSpec::value("preset", "NAME", "in place of a file: one vendor's profile, with --set");
pub(crate) const SET: OptionSpec =
    OptionSpec::value("set", "NAME=VALUE", "what the preset needs").repeated();

/// The profiles that the command line names.
///
/// # Errors
/// Of kind Config, when they are not valid, or nothing names them.
pub(crate) fn profiles(options: &Options) -> Result<Vec<Profile>, Error> {
    let file = options.value("config").filter(|path| !path.is_empty());
    let (path, preset) = match (file, options.value("preset")) {
        (Some(path), None) => (path, None),
        (None, Some(preset)) => ("", Some(preset)),
        (Some(_), Some(_)) => {
            return Err(Error::config(
                "`--config` (or PULLPASS_OIDC_CONFIG) and `--preset` exclude each other",
            )
            .with_hint("a profile in the file may name the preset"));
        }
        (None, None) => {
            return Err(Error::config("`--config` is missing").with_hint(
                "name the profile file, or for one registry `--preset NAME --set NAME=VALUE`; \
                 `--help` lists the options",
            ));
        }
    };
    if let Some(preset) = preset {
        if options.value("profile").is_some() {
            return Err(Error::config("`--profile` is for `--config`")
                .with_hint("a preset is one profile: leave `--profile` out"));
        }
        return of_preset(preset, options.values("set"));
    }
    if !options.values("set").is_empty() {
        return Err(Error::config("`--set` is for `--preset`")
            .with_hint("in a file `variables` set what a preset needs"));
    }
    let mut profiles = file::load(path.as_ref())?;
    if let Some(name) = options.value("profile") {
        let names = profiles.iter().map(|profile| format!("`{}`", profile.name));
        let names = names.collect::<Vec<_>>().join(", ");
        profiles.retain(|profile| profile.name == name);
        if profiles.is_empty() {
            return Err(Error::config(format!("`{path}` has no profile `{name}`"))
                .with_hint(format!("it has {names}")));
        }
    }
    Ok(profiles)
}

fn of_preset(name: &str, set: &[String]) -> Result<Vec<Profile>, Error> {
    let invalid = |why: String| {
        Error::config(format!("`--preset {name}`: {why}"))
            .with_hint("`--help` lists the presets, and what each needs")
    };
    let mut pairs = Vec::new();
    for text in set {
        let (key, value) =
            text.split_once('=').ok_or_else(|| invalid("`--set` is NAME=VALUE".to_owned()))?;
        pairs.push((key.to_owned(), value.to_owned()));
    }
    let raw = preset::profile(name, &pairs).map_err(invalid)?;
    let draft = raw.into_draft(Path::new("/")).map_err(invalid)?;
    let parts: Vec<_> = draft.registries().filter(|it| it.has_path()).cloned().collect();
    Ok(vec![draft.into_profile(&parts).map_err(invalid)?])
}
