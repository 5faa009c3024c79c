//! Presets: what vendors' token services want, as profiles that lack only the operator's own.

mod table;

use super::raw::{RawProfile, RawVariable};
use super::yaml;
use crate::registry::Registry;

pub use table::PRESETS;

/// How far a preset was held against its vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Against the vendor's own code.
    VendorCode,
    /// Against a client that somebody else wrote.
    ThirdPartyClient,
    /// Against its documentation alone.
    DocsOnly,
}

impl Status {
    /// For people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VendorCode => "checked against the vendor's code",
            Self::ThirdPartyClient => "checked against a third party's client",
            Self::DocsOnly => "from documentation only",
        }
    }
}

/// A vendor's token service.
pub struct Preset {
    /// What `preset:` and `--preset` call it.
    pub name: &'static str,
    /// How far it was checked.
    pub status: Status,
    /// What the operator sets.
    pub parameters: &'static [Parameter],
    /// The profile, as a file would have it.
    pub(crate) text: &'static str,
}

/// Something that an operator sets: a variable with a fixed value.
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What holds unless it is set.
    pub default: ParameterDefault,
    /// One line on its meaning.
    pub help: &'static str,
}

/// What holds where an operator does not set something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterDefault {
    /// Nothing: it must be set.
    Missing,
    /// This; `${NAME}` for what another parameter is.
    Default(&'static str),
    /// What an annotation of the service account says.
    Annotation,
}

/// Parameters that are a host, with a port or without.
const HOSTS: &[&str] = &["host", "api", "iam", "authority", "sts"];

/// The table of `--help`.
pub(crate) fn rows() -> Vec<(String, String)> {
    let row = |preset: &Preset| {
        let needs = preset.parameters.iter().filter(|it| it.default == ParameterDefault::Missing);
        let needs: Vec<_> = needs.map(|parameter| parameter.name).collect();
        let needs = match needs.is_empty() {
            true => "nothing".to_owned(),
            false => needs.join(", "),
        };
        (preset.name.to_owned(), format!("{needs} ({})", preset.status.as_str()))
    };
    PRESETS.iter().map(row).collect()
}

/// The profile of `--preset` with what `--set` says.
///
/// # Errors
/// A text on what is wrong.
pub(crate) fn profile(name: &str, set: Vec<(String, String)>) -> Result<RawProfile, String> {
    let preset = find(name)?;
    let mut profile = RawProfile {
        name: name.to_owned(),
        preset: Some(name.to_owned()),
        ..RawProfile::default()
    };
    for (key, value) in set {
        if !preset.parameters.iter().any(|parameter| parameter.name == key) {
            return Err(format!("preset `{name}` has no `{key}`; it has {}", parameters(preset)));
        }
        profile.variables.push(constant(&key, &value));
    }
    Ok(profile)
}

/// The profile with what its preset says where it says nothing itself.
///
/// # Errors
/// A text on what is wrong.
pub(crate) fn fill(mut profile: RawProfile) -> Result<RawProfile, String> {
    let Some(name) = &profile.preset else { return Ok(profile) };
    let preset = find(name)?;
    for parameter in preset.parameters {
        if profile.variables.iter().any(|variable| variable.name == parameter.name) {
            continue;
        }
        let token = profile.service_account_token.as_ref();
        let is_said = match parameter.name {
            "registry" => profile.registries.is_some(),
            "audience" => token.is_some_and(|token| token.audience.is_some()),
            _ => false,
        };
        if is_said {
            continue;
        }
        let default = match parameter.default {
            ParameterDefault::Annotation => continue,
            ParameterDefault::Default(default) => default,
            ParameterDefault::Missing => {
                return Err(format!(
                    "preset `{name}` needs the variable `{}`: {}",
                    parameter.name, parameter.help
                ));
            }
        };
        // A default may be another parameter's value.
        let other = default.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        let value = match other {
            None => default.to_owned(),
            Some(other) => {
                let known = profile.variables.iter().find(|variable| variable.name == other);
                known.and_then(|variable| variable.value.clone()).ok_or_else(|| {
                    format!(
                        "preset `{name}` needs the variable `{}`: {}",
                        parameter.name, parameter.help
                    )
                })?
            }
        };
        profile.variables.push(constant(parameter.name, &value));
    }
    for variable in &profile.variables {
        let is_host = HOSTS.contains(&variable.name.as_str());
        let Some(value) = variable.value.as_deref().filter(|_| is_host) else { continue };
        if !value.parse::<Registry>().is_ok_and(|host| host.is_one_host()) {
            return Err(format!("preset `{name}`: `{}` is HOST[:PORT] alone", variable.name));
        }
    }
    let is_slashed = |variable: &&RawVariable| {
        variable.name == "issuer" && variable.value.as_deref().is_some_and(|it| it.ends_with('/'))
    };
    if profile.variables.iter().any(|variable| is_slashed(&variable)) {
        return Err(format!("preset `{name}`: `issuer` ends in `/`; write it without"));
    }
    let below: RawProfile =
        yaml::parse(preset.text).map_err(|why| format!("preset `{name}`: {why}"))?;
    Ok(profile.over(below))
}

/// Whether a preset, if there is one, has a parameter of this name.
pub(crate) fn has_parameter(preset: Option<&str>, parameter: &str) -> bool {
    let preset = PRESETS.iter().find(|it| Some(it.name) == preset);
    preset.is_some_and(|it| it.parameters.iter().any(|known| known.name == parameter))
}

fn find(name: &str) -> Result<&'static Preset, String> {
    PRESETS.iter().find(|preset| preset.name == name).ok_or_else(|| {
        let names: Vec<_> = PRESETS.iter().map(|preset| preset.name).collect();
        format!("there is no preset `{name}`; there are {}", names.join(", "))
    })
}

fn parameters(preset: &Preset) -> String {
    let names: Vec<_> =
        preset.parameters.iter().map(|parameter| format!("`{}`", parameter.name)).collect();
    names.join(", ")
}

fn constant(name: &str, value: &str) -> RawVariable {
    RawVariable {
        name: name.to_owned(),
        value: Some(value.to_owned()),
        from_annotation: None,
        from_image: None,
        from_file: None,
    }
}

#[cfg(test)]
mod tests;
