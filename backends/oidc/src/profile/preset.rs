//! Presets: profiles for vendors' token services, which lack only what differs between operators.

use pullpass::Error;
use serde::Deserialize;

use super::raw::{RawProfile, RawVariable};
use super::template::{Scope, Template};
use super::yaml;
use crate::registry::Registry;

/// The files of `presets/`, by name. Only the one that is asked for is parsed.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/presets.rs"));

/// A vendor's token service.
pub struct Preset {
    name: &'static str,
    file: PresetFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PresetFile {
    status: Status,
    parameters: Vec<RawParameter>,
    profile: RawProfile,
}

/// How far a preset was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Status {
    /// Against the vendor's own code.
    VendorCode,
    /// Against a client that a third party wrote.
    ThirdPartyClient,
    /// Against the vendor's documentation only.
    DocumentationOnly,
}

impl Status {
    /// For people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VendorCode => "checked against the vendor's code",
            Self::ThirdPartyClient => "checked against a third party's client",
            Self::DocumentationOnly => "from documentation only",
        }
    }
}

/// A parameter as the preset's file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawParameter {
    name: String,
    r#type: Option<ParameterType>,
    default: Option<Template>,
    /// Not needed where this other parameter is set.
    unless: Option<String>,
    help: String,
}

/// What the value of a parameter must be.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum ParameterType {
    /// `HOST[:PORT]`.
    Host,
    /// A URL, used as it is and with a path after it.
    Issuer,
}

/// Something that an operator sets: a variable with a fixed value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What is used unless it is set.
    pub default: ParameterDefault,
    /// One line on its meaning.
    pub help: String,
}

/// What is used where an operator does not set a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParameterDefault {
    /// Nothing: it must be set.
    Required,
    /// Nothing: it, or this other parameter, must be set.
    RequiredUnless(String),
    /// This text, in which `${NAME}` is replaced by another parameter's value.
    Value(String),
    /// The service account's annotation of this key, which it must have.
    Annotation(String),
}

/// All presets, by name.
///
/// # Errors
/// Config, when a preset's own file is not valid.
pub fn presets() -> Result<Vec<Preset>, Error> {
    FILES.iter().map(|(name, _)| Preset::find(name).map_err(Error::config)).collect()
}

/// The table of `--help`.
pub(crate) fn help_rows() -> Vec<(String, String)> {
    let row = |preset: &Preset| {
        let needs = match preset.needs().as_slice() {
            [] => "nothing".to_owned(),
            needs => needs.join(", "),
        };
        (preset.name.to_owned(), format!("{needs} ({})", preset.file.status.as_str()))
    };
    presets().iter().flatten().map(row).collect()
}

impl Preset {
    /// Its name, as `preset:` and `--preset` have it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// How far it was checked.
    pub fn status(&self) -> Status {
        self.file.status
    }

    /// What the operator sets.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter> {
        self.file.parameters.iter().map(|raw| Parameter {
            name: raw.name.clone(),
            default: self.default(raw),
            help: raw.help.clone(),
        })
    }

    /// What it cannot do without, such as `host`, `a or b`, or an annotation.
    pub fn needs(&self) -> Vec<String> {
        let mut needs: Vec<String> = Vec::new();
        for parameter in self.parameters() {
            let name = parameter.name;
            match parameter.default {
                ParameterDefault::Required => needs.push(name),
                ParameterDefault::Annotation(_) => needs.push(format!("{name} or an annotation")),
                ParameterDefault::RequiredUnless(other) => {
                    let pair = format!("{other} or {name}");
                    if !needs.contains(&pair) {
                        needs.push(format!("{name} or {other}"));
                    }
                }
                ParameterDefault::Value(_) => {}
            }
        }
        needs
    }

    fn default(&self, parameter: &RawParameter) -> ParameterDefault {
        let variables = &self.file.profile.variables;
        let annotation = variables
            .iter()
            .find(|variable| variable.name == parameter.name)
            .and_then(|variable| variable.from_annotation.as_ref());
        match (&parameter.default, &parameter.unless, annotation) {
            (Some(default), _, _) => ParameterDefault::Value(default.to_string()),
            (None, Some(other), _) => ParameterDefault::RequiredUnless(other.clone()),
            (None, None, Some(raw)) => ParameterDefault::Annotation(raw.key.clone()),
            (None, None, None) => ParameterDefault::Required,
        }
    }

    /// The preset of this name.
    ///
    /// # Errors
    /// The names of all presets, when no preset has this name.
    pub(super) fn find(name: &str) -> Result<Self, String> {
        let Some((name, text)) = FILES.iter().find(|(known, _)| *known == name) else {
            let names: Vec<_> = FILES.iter().map(|(name, _)| *name).collect();
            return Err(format!("no preset has this name; the presets are {}", names.join(", ")));
        };
        let file = yaml::parse(text).map_err(|error| format!("preset `{name}`: {error}"))?;
        Ok(Self { name, file })
    }

    /// The profile of `--preset` with what `--set` says; not filled yet.
    ///
    /// # Errors
    /// The names of its parameters, when `set` has another one.
    pub(super) fn with_set(&self, set: Vec<(String, String)>) -> Result<RawProfile, String> {
        let name = self.name;
        let mut profile = RawProfile {
            name: name.to_owned(),
            preset: Some(name.to_owned()),
            ..RawProfile::default()
        };
        for (key, value) in set {
            if !self.file.parameters.iter().any(|parameter| parameter.name == key) {
                let known: Vec<_> =
                    self.file.parameters.iter().map(|it| format!("`{}`", it.name)).collect();
                return Err(format!(
                    "preset `{name}` has no variable `{key}`; its variables are {}",
                    known.join(", ")
                ));
            }
            profile.variables.push(build_constant(&key, value));
        }
        Ok(profile)
    }

    /// `profile` with what the preset says where it says nothing itself, and the names of the
    /// preset's parameters.
    ///
    /// # Errors
    /// The parameter that is missing in `profile`, or whose value is not valid.
    pub(super) fn fill(self, mut profile: RawProfile) -> Result<(RawProfile, Vec<String>), String> {
        let name = self.name;
        let token = profile.service_account_token.as_ref();
        let has_audience = token.is_some_and(|token| token.audience.is_some());
        for parameter in &self.file.parameters {
            let is_set = |name: &str| profile.variables.iter().any(|it| it.name == name);
            let is_given = match parameter.name.as_str() {
                "registry" => profile.registries.is_some(),
                "audience" => has_audience,
                _ => false,
            };
            if is_given || is_set(&parameter.name) {
                continue;
            }
            let needed = |names: &str| {
                Err(format!("preset `{name}` needs the variable {names}: {}", parameter.help))
            };
            let value = match (&parameter.default, self.default(parameter)) {
                (_, ParameterDefault::Annotation(_)) => continue,
                (_, ParameterDefault::RequiredUnless(other)) if is_set(&other) => String::new(),
                (_, ParameterDefault::RequiredUnless(other)) => {
                    return needed(&format!("`{}` or `{other}`", parameter.name));
                }
                (Some(default), _) => {
                    // Another parameter may be needed for it.
                    match default.clone().constant(&collect_constants(&profile.variables)) {
                        Ok(value) => value,
                        Err(_) => return needed(&format!("`{}`", parameter.name)),
                    }
                }
                (None, _) => return needed(&format!("`{}`", parameter.name)),
            };
            profile.variables.push(build_constant(&parameter.name, value));
        }
        for parameter in &self.file.parameters {
            parameter.check(&profile.variables).map_err(|why| format!("preset `{name}`: {why}"))?;
        }
        let parameters = self.file.parameters.into_iter().map(|parameter| parameter.name);
        Ok((profile.over(self.file.profile), parameters.collect()))
    }
}

impl RawParameter {
    /// Checks the value that it has among `variables`, if it has one.
    fn check(&self, variables: &[RawVariable]) -> Result<(), String> {
        let variable = variables.iter().find(|variable| variable.name == self.name);
        let Some(value) = variable.and_then(|variable| variable.value.as_deref()) else {
            return Ok(());
        };
        let name = &self.name;
        match self.r#type {
            Some(ParameterType::Host)
                if !value.parse::<Registry>().is_ok_and(|host| host.is_one_host()) =>
            {
                Err(format!("`{name}` must be HOST[:PORT] only"))
            }
            Some(ParameterType::Issuer) if value.ends_with('/') => {
                Err(format!("`{name}` must not end in `/`"))
            }
            _ => Ok(()),
        }
    }
}

fn collect_constants(variables: &[RawVariable]) -> Scope {
    let pair = |variable: &RawVariable| Some((variable.name.clone(), variable.value.clone()?));
    Scope { constants: variables.iter().filter_map(pair).collect(), ..Scope::default() }
}

fn build_constant(name: &str, value: String) -> RawVariable {
    RawVariable {
        name: name.to_owned(),
        value: Some(value),
        from_annotation: None,
        from_image: None,
        from_file: None,
    }
}

#[cfg(test)]
mod tests;
