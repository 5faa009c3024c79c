//! What the operator said: the profiles, out of a file or a preset.

use pullpass::{Error, Image, OptionSpec, Options};

use crate::profile::{Profile, file};
use crate::registry::Registry;

pub(crate) const CONFIG: OptionSpec =
    OptionSpec::value("config", "FILE", "the profile file: which registry needs which exchange")
        .env("PULLPASS_OIDC_CONFIG");
pub(crate) const PROFILE: OptionSpec =
    OptionSpec::value("profile", "NAME", "use only this profile of the file");
pub(crate) const PRESET: OptionSpec =
    OptionSpec::value("preset", "NAME", "one vendor's profile in place of a file; see --set");
pub(crate) const SET: OptionSpec =
    OptionSpec::value("set", "NAME=VALUE", "a parameter of the preset").repeated();

/// What the operator said.
pub(crate) struct Settings {
    profiles: Vec<Profile>,
}

impl Settings {
    /// Reads the profiles that the command line names.
    ///
    /// # Errors
    /// Config, when they are not valid, or nothing names them.
    pub(crate) fn from_options(options: &Options) -> Result<Self, Error> {
        let file = options.non_empty("config");
        let profiles = match (file, options.value("preset")) {
            (Some(path), None) => from_file(path, options)?,
            (None, Some(preset)) => vec![from_preset(preset, options)?],
            (Some(_), Some(_)) => {
                return Err(Error::config(
                    "`--config` (or PULLPASS_OIDC_CONFIG) and `--preset` cannot be combined",
                )
                .with_hint("use only one of them; a profile in the file can also name a preset"));
            }
            (None, None) => {
                return Err(Error::config("`--config` is missing").with_hint(
                    "name the profile file, or for one registry `--preset NAME --set NAME=VALUE`; \
                     `--help` lists the options",
                ));
            }
        };
        Ok(Self { profiles })
    }

    /// The profile and the registry of it that match `image` most specifically: fewest
    /// wildcards, then the longest path.
    ///
    /// # Errors
    /// Config, when no profile matches, or two match equally well.
    pub(crate) fn profile_for(&self, image: &Image) -> Result<(&Profile, &Registry), Error> {
        let matching: Vec<_> =
            self.registries().filter(|(_, registry)| registry.matches(image)).collect();
        let Some(best) = matching.iter().max_by_key(|(_, registry)| registry.rank()) else {
            return Err(self.no_profile(image));
        };
        let other = matching.iter().find(|(profile, registry)| {
            registry.rank() == best.1.rank() && profile.name != best.0.name
        });
        match other {
            None => Ok(*best),
            Some((other, _)) => Err(Error::config(format!(
                "profiles `{}` and `{}` both cover `{}`",
                other.name,
                best.0.name,
                image.registry()
            ))
            .with_hint("make the `registries` of one of them more specific")),
        }
    }

    fn registries(&self) -> impl Iterator<Item = (&Profile, &Registry)> {
        self.profiles
            .iter()
            .flat_map(|profile| profile.registries.iter().map(move |registry| (profile, registry)))
    }

    /// Names the registries that have a profile: often only the port differs.
    fn no_profile(&self, image: &Image) -> Error {
        let known: Vec<_> = self
            .registries()
            .map(|(profile, registry)| format!("`{}` has `{registry}`", profile.name))
            .collect();
        Error::config(format!("no profile covers the registry `{}`", image.registry())).with_hint(
            format!(
                "add it to a profile's `registries`, with its port, or narrow this provider's \
                 `matchImages`; profile {}",
                known.join(", ")
            ),
        )
    }
}

fn from_file(path: &str, options: &Options) -> Result<Vec<Profile>, Error> {
    if !options.values("set").is_empty() {
        return Err(Error::config("`--set` needs `--preset`")
            .with_hint("in a profile file, `variables` set the parameters of a preset"));
    }
    let mut profiles = file::load(path.as_ref())?;
    if let Some(name) = options.value("profile") {
        let names = profiles.iter().map(|profile| format!("`{}`", profile.name));
        let names = names.collect::<Vec<_>>().join(", ");
        profiles.retain(|profile| profile.name == name);
        if profiles.is_empty() {
            return Err(Error::config(format!(
                "`{path}` has no profile with the name in `--profile`"
            ))
            .with_hint(format!("it has {names}")));
        }
    }
    Ok(profiles)
}

fn from_preset(name: &str, options: &Options) -> Result<Profile, Error> {
    if options.value("profile").is_some() {
        return Err(Error::config("`--profile` needs `--config`")
            .with_hint("a preset is a single profile: leave `--profile` out"));
    }
    let invalid = |why: String| {
        Error::config(format!("`--preset {name}`: {why}"))
            .with_hint("`--help` lists the presets, and what each needs")
    };
    let pair = |text: &String| match text.split_once('=') {
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err(invalid("`--set` is NAME=VALUE".to_owned())),
    };
    let set = options.values("set").iter().map(pair).collect::<Result<_, _>>()?;
    file::from_preset(name, set).map_err(invalid)
}
