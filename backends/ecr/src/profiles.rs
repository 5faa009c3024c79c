//! The profile files, read once and with a limit, and with an error where the SDK would ignore
//! what it cannot read and continue with another identity.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files".

use std::path::PathBuf;

use aws_config::profile::{self, ProfileSet};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::os_shim_internal;
use pullpass::secrecy::SecretString;
use pullpass::{Error, file};
use tracing::warn;

use crate::endpoint;
use crate::environment::{Environment, is_boolean};

/// The profile of a node that names none.
const DEFAULT: &str = "default";

/// Settings of a profile that are `true` or `false`.
const SWITCHES: [&str; 3] =
    ["use_fips_endpoint", "use_dualstack_endpoint", "ignore_configured_endpoint_urls"];

/// The most profiles that `source_profile` leads through. Each is a call to STS, and a run has no
/// time for more.
const MOST_SOURCES: usize = 16;

/// Settings that make a profile one with credentials.
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
    /// For the SDK. In it each `credential_process` is a named source, in [`Self::programs`].
    pub(crate) files: EnvConfigFiles,
    /// The programs that print credentials: the source's name, and the command.
    pub(crate) programs: Vec<(String, SecretString)>,
    /// The profile's name.
    pub(crate) name: String,
    /// Whether the operator named it.
    is_named: bool,
    /// What the files hold; `None` if there are none.
    set: Option<ProfileSet>,
    /// The files that are there.
    read: Vec<PathBuf>,
}

impl Profiles {
    /// Reads the files that the environment names, or those in `HOME`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](pullpass::ErrorKind::Config) when a file or profile that is named
    /// does not exist, a file cannot be read, or a setting is not valid.
    pub(crate) async fn read(environment: &Environment) -> Result<Self, Error> {
        let name = environment.profile.as_deref().unwrap_or(DEFAULT).to_owned();
        let mut files = EnvConfigFiles::builder();
        let mut read = Vec::new();
        for (kind, variable, named, default) in [
            (EnvConfigFileKind::Config, "AWS_CONFIG_FILE", &environment.config_file, ".aws/config"),
            (
                EnvConfigFileKind::Credentials,
                "AWS_SHARED_CREDENTIALS_FILE",
                &environment.credentials_file,
                ".aws/credentials",
            ),
        ] {
            let in_home =
                || Some(environment.home.as_ref()?.join(default)).filter(|it| it.exists());
            let text = match named.clone().or_else(in_home) {
                Some(path) => {
                    let hint = format!(
                        "`{variable}`, or else `HOME`, says where the file is; the path is one on \
                         the node"
                    );
                    let text = file::read_config(&path).map_err(|error| error.with_hint(hint))?;
                    read.push(path);
                    text
                }
                None => String::new(),
            };
            files = files.with_contents(kind, text);
        }
        let set = match read.is_empty() {
            true => None,
            false => Some(parse(&files.clone().build(), &name, &read).await?),
        };
        let (overlay, programs) = set.as_ref().map(name_programs).unwrap_or_default();
        if !programs.is_empty() {
            files = files.with_contents(EnvConfigFileKind::Credentials, overlay);
        }
        let is_named = environment.profile.is_some();
        let profiles = Self { files: files.build(), programs, name, is_named, set, read };
        profiles.check()?;
        Ok(profiles)
    }

    fn check(&self) -> Result<(), Error> {
        let exists = self.set.as_ref().is_some_and(|set| set.get_profile(&self.name).is_some());
        if self.is_named && !exists {
            return Err(self.missing_profile());
        }
        for name in SWITCHES {
            if self.get(name).is_some_and(|value| !is_boolean(value)) {
                return Err(self.invalid_setting(name, "neither `true` nor `false`"));
            }
        }
        self.check_sources()?;
        if self.get("endpoint_url").is_some_and(|url| endpoint::parse(url).is_none()) {
            let what = "not an `https://` URL, or holds a user or password";
            return Err(self.invalid_setting("endpoint_url", what));
        }
        if let Some(path) = self.get("web_identity_token_file") {
            let hint = "`web_identity_token_file` of the profile names the token's file";
            file::read(path.as_ref()).map_err(|error| error.with_hint(hint))?;
        }
        if self.get("sso_session").or(self.get("sso_start_url")).is_some() {
            return Err(Error::config(format!(
                "profile `{}` uses IAM Identity Center (SSO) (SSO), which is not supported",
                self.name
            ))
            .with_hint(
                "it needs a person with a browser; use `credential_process` or a role instead",
            ));
        }
        Ok(())
    }

    /// Follows `source_profile` no further than a run can.
    fn check_sources(&self) -> Result<(), Error> {
        let Some(set) = &self.set else { return Ok(()) };
        let mut name = self.name.as_str();
        for _ in 0..MOST_SOURCES {
            match set.get_profile(name).and_then(|profile| profile.get("source_profile")) {
                // A profile that is its own source is the last.
                Some(source) if source != name => name = source,
                _ => return Ok(()),
            }
        }
        Err(Error::config(format!(
            "profile `{}` leads through more than {MOST_SOURCES} profiles by `source_profile`",
            self.name
        ))
        .with_hint("shorten the chain, or look for a circle in it"))
    }

    fn missing_profile(&self) -> Error {
        let error = Error::config(format!("profile `{}` does not exist", self.name));
        let Some(set) = &self.set else {
            return error.with_source("no profile file was found").with_hint(format!(
                "on an instance or pod with a role of its own, remove `AWS_PROFILE` from this \
                 provider's `env`; for profile `{}`, set `AWS_CONFIG_FILE`: without it `HOME` \
                 decides where the file is, and under systemd the kubelet may have no `HOME`",
                self.name
            ));
        };
        let mut known: Vec<String> = set.profiles().map(|name| format!("`{name}`")).collect();
        known.sort();
        let known = match known.is_empty() {
            true => "no profiles".to_owned(),
            false => known.join(", "),
        };
        error.with_source(format!("{} has {known}", list_files(&self.read))).with_hint(format!(
            "correct `AWS_PROFILE`, or remove it if the node has a role of its own; in a config \
             file the section is `[profile {}]`",
            self.name
        ))
    }

    /// A setting of the profile.
    fn get(&self, name: &str) -> Option<&str> {
        self.set.as_ref()?.get(name)
    }

    /// Whether the profile names endpoints.
    pub(crate) fn has_endpoints(&self) -> bool {
        self.get("endpoint_url").or(self.get("services")).is_some()
    }

    /// Whether the next source may be tried, now that the profile gave no credentials.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](pullpass::ErrorKind::Config) when the profile is there for its
    /// credentials: those of the next source are another identity's. `why` is what the SDK said,
    /// or nothing.
    pub(crate) fn check_next_source(&self, why: &str) -> Result<(), Error> {
        if why.is_empty() && !CREDENTIALS.iter().any(|name| self.get(name).is_some()) {
            if self.is_named {
                warn!("profile `{}` has no credentials; the next source is asked", self.name);
            }
            return Ok(());
        }
        let error = Error::config(format!("profile `{}` gives no credentials", self.name));
        let error = match why {
            "" => error,
            why => error.with_source(why.to_owned()),
        };
        Err(error.with_hint(
            "correct `role_arn` and `source_profile` of the profile, and the profiles that they \
             lead to",
        ))
    }

    fn invalid_setting(&self, name: &str, what: &str) -> Error {
        Error::config(format!("`{name}` of profile `{}` is {what}", self.name))
            .with_hint("correct the profile, or name another by `AWS_PROFILE`")
    }
}

/// Makes a named source of each `credential_process`, so that the SDK asks us for its credentials
/// and does not run the program itself. Returns the settings to lay over the files, and the
/// programs under the names of their sources.
fn name_programs(set: &ProfileSet) -> (String, Vec<(String, SecretString)>) {
    let (mut overlay, mut programs) = (String::new(), Vec::new());
    for profile in set.profiles().filter_map(|name| set.get_profile(name)) {
        let Some(command) = profile.get("credential_process") else { continue };
        // The SDK reads these first, and then runs no program.
        let before = [
            "credential_source",
            "web_identity_token_file",
            "sso_session",
            "sso_start_url",
            "login_session",
        ];
        if before.iter().any(|name| profile.get(name).is_some()) {
            continue;
        }
        let name = profile.name();
        let source = format!("credential_process-{}", programs.len());
        match (profile.get("role_arn"), profile.get("source_profile")) {
            (None, _) => overlay += &format!("[{name}]\ncredential_source = {source}\n"),
            // A role with credentials from its own profile's program. A profile must not have both.
            (Some(_), Some(own)) if own == name => {
                overlay += &format!(
                    "[{name}]\nsource_profile = {source}\n\
                     [{source}]\ncredential_source = {source}\n"
                );
            }
            (Some(_), _) => continue,
        }
        programs.push((source, command.into()));
    }
    (overlay, programs)
}

/// For messages.
fn list_files(files: &[PathBuf]) -> String {
    let files: Vec<String> = files.iter().map(|file| format!("`{}`", file.display())).collect();
    files.join(" and ")
}

/// The SDK's own parser, on the texts that were read.
async fn parse(files: &EnvConfigFiles, name: &str, read: &[PathBuf]) -> Result<ProfileSet, Error> {
    let (fs, env) = (os_shim_internal::Fs::real(), os_shim_internal::Env::from_slice(&[]));
    profile::load(&fs, &env, files, Some(name.to_owned().into())).await.map_err(|_| {
        // The SDK's error would repeat lines of the file.
        Error::config(format!("{} is not a valid profile file", list_files(read))).with_hint(
            "a profile file has section names in brackets, and `name = value` lines below them",
        )
    })
}
