//! The profile files, read here and once: bounded, and with an error where the SDK would pass
//! over what it cannot read and go on as somebody else.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files".

use std::path::PathBuf;

use aws_config::profile::{self, ProfileSet};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::os_shim_internal;
use pullpass::{Env, Error, file};
use tracing::warn;

use crate::endpoint;

/// The variables that name the files, and where the files are without them.
const FILES: [(EnvConfigFileKind, &str, &str); 2] = [
    (EnvConfigFileKind::Config, "AWS_CONFIG_FILE", ".aws/config"),
    (EnvConfigFileKind::Credentials, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"),
];

/// The profile of a node that names none.
const DEFAULT: &str = "default";

/// Settings of a profile that are `true` or `false`.
const SWITCHES: [&str; 3] =
    ["use_fips_endpoint", "use_dualstack_endpoint", "ignore_configured_endpoint_urls"];

/// What makes a profile one with credentials.
const CREDENTIALS: [&str; 6] = [
    "aws_access_key_id",
    "role_arn",
    "credential_process",
    "web_identity_token_file",
    "sso_session",
    "sso_start_url",
];

/// The node's profile.
pub(crate) struct Profiles {
    /// For the SDK.
    pub(crate) files: EnvConfigFiles,
    /// The profile's name.
    pub(crate) name: String,
    /// Whether the operator named it.
    is_named: bool,
    /// What the files hold; `None` where there are none.
    set: Option<ProfileSet>,
    /// The files that are there.
    read: Vec<PathBuf>,
}

impl Profiles {
    /// Reads the files that the environment names, or those in `HOME`.
    ///
    /// # Errors
    /// Of kind Config, when a file or profile that is named is not there, or a file cannot be
    /// read.
    pub(crate) async fn read(env: &Env) -> Result<Self, Error> {
        let named = match env.text("AWS_PROFILE")? {
            Some(name) => Some(name),
            None => env.text("AWS_DEFAULT_PROFILE")?,
        };
        let name = named.unwrap_or(DEFAULT).to_owned();
        let mut files = EnvConfigFiles::builder();
        let mut read = Vec::new();
        for (kind, variable, default) in FILES {
            let text = match file_path(env, variable, default) {
                Some(path) => {
                    let hint = format!(
                        "`{variable}`, or `HOME`, says where the file is; the path is one on the \
                         node"
                    );
                    let text = file::read_text(&path).map_err(|error| error.with_hint(hint))?;
                    read.push(path);
                    text
                }
                None => String::new(),
            };
            files = files.with_contents(kind, text);
        }
        let files = files.build();
        let set = match read.is_empty() {
            true => None,
            false => Some(parse(&files, &name, &read).await?),
        };
        let profiles = Self { files, name, is_named: named.is_some(), set, read };
        profiles.check()?;
        Ok(profiles)
    }

    fn check(&self) -> Result<(), Error> {
        let is_there = self.set.as_ref().is_some_and(|set| set.get_profile(&self.name).is_some());
        if self.is_named && !is_there {
            return Err(self.missing_profile());
        }
        for name in SWITCHES {
            if let Some(value) = self.get(name)
                && !["true", "false"].iter().any(|word| value.eq_ignore_ascii_case(word))
            {
                return Err(self.invalid_setting(name, "neither `true` nor `false`"));
            }
        }
        if self.get("endpoint_url").is_some_and(|url| endpoint::parse(url).is_none()) {
            let what = "not an `https://` URL, or holds a user or password";
            return Err(self.invalid_setting("endpoint_url", what));
        }
        if let Some(path) = self.get("web_identity_token_file") {
            let hint = "`web_identity_token_file` of the profile names the token's file";
            file::read(path.as_ref()).map_err(|error| error.with_hint(hint))?;
        }
        if self.get("sso_session").or(self.get("sso_start_url")).is_some() {
            return Err(self
                .invalid_setting("sso_session", "for people: this plugin takes no SSO profiles"));
        }
        Ok(())
    }

    fn missing_profile(&self) -> Error {
        let error = Error::config(format!("profile `{}` is not there", self.name));
        let Some(set) = &self.set else {
            return error.with_source("no profile file was found").with_hint(
                "set `AWS_CONFIG_FILE` in this provider's `env`: without it `HOME` decides where \
                 the file is, and under systemd the kubelet may have none",
            );
        };
        let mut known: Vec<String> = set.profiles().map(|name| format!("`{name}`")).collect();
        known.sort();
        error.with_source(format!("{} has {}", list_files(&self.read), known.join(", "))).with_hint(
            format!(
                "correct `AWS_PROFILE`; in a config file the section reads `[profile {}]`",
                self.name
            ),
        )
    }

    /// A setting of the profile.
    fn get(&self, name: &str) -> Option<&str> {
        self.set.as_ref()?.get(name)
    }

    /// Whether the profile names endpoints.
    pub(crate) fn has_endpoints(&self) -> bool {
        self.get("endpoint_url").or(self.get("services")).is_some()
    }

    /// # Errors
    /// Of kind Config, when the profile is there for its credentials and gave none: the next
    /// source's would be somebody else's. `why` is the SDK's word, if it has one.
    pub(crate) fn refuse_without_credentials(&self, why: &str) -> Result<(), Error> {
        if why.is_empty() && !CREDENTIALS.iter().any(|name| self.get(name).is_some()) {
            if self.is_named {
                warn!("profile `{}` has no credentials; the next source is asked", self.name);
            }
            return Ok(());
        }
        let error = Error::config(format!("profile `{}` has no credentials to give", self.name));
        let error = match why {
            "" => error,
            why => error.with_source(why.to_owned()),
        };
        Err(error.with_hint("correct `role_arn`, `source_profile` and what they lead to"))
    }

    fn invalid_setting(&self, name: &str, what: &str) -> Error {
        Error::config(format!("`{name}` of profile `{}` is {what}", self.name))
            .with_hint("correct the profile, or this provider's `env`")
    }
}

/// Where a file is; `None` where none is named and none is in `HOME`.
fn file_path(env: &Env, variable: &str, default: &str) -> Option<PathBuf> {
    match env.os(variable) {
        Some(path) => Some(path.into()),
        None => env
            .os("HOME")
            .map(|home| PathBuf::from(home).join(default))
            .filter(|path| path.exists()),
    }
}

/// For messages.
fn list_files(files: &[PathBuf]) -> String {
    let files: Vec<String> = files.iter().map(|file| format!("`{}`", file.display())).collect();
    files.join(" and ")
}

/// The SDK's own parser, on what was read.
async fn parse(files: &EnvConfigFiles, name: &str, read: &[PathBuf]) -> Result<ProfileSet, Error> {
    let (fs, env) = (os_shim_internal::Fs::real(), os_shim_internal::Env::from_slice(&[]));
    profile::load(&fs, &env, files, Some(name.to_owned().into())).await.map_err(|_| {
        // Its words would repeat lines of the file.
        Error::config(format!("{} cannot be understood", list_files(read)))
            .with_hint("it has sections in brackets, and `name = value` below them")
    })
}
