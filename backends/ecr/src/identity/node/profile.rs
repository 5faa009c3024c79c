//! A profile that the operator named must be there. The SDK for Rust goes on to the next
//! source without it, and the node would pull as somebody else.

use std::path::{Path, PathBuf};

use pullpass::{Env, Error};

/// The variables that name the profile files, and where the files are without them.
const FILES: [(&str, &str); 2] =
    [("AWS_CONFIG_FILE", ".aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials")];

/// # Errors
/// Of kind Config, when a file or a profile is named and no file is there.
pub(super) fn check(env: &Env) -> Result<(), Error> {
    for (variable, _) in FILES {
        if let Some(file) = env.os(variable).map(Path::new)
            && !file.exists()
        {
            return Err(Error::config(format!(
                "`{variable}` names `{}`, which is not there",
                file.display()
            ))
            .hint("correct this provider's `env`; the path is one on the node"));
        }
    }
    let Some(name) = env.text("AWS_PROFILE")? else { return Ok(()) };
    let home = env.os("HOME").map(PathBuf::from);
    let file = |(variable, default): (&str, &str)| {
        env.os(variable).map(PathBuf::from).or_else(|| Some(home.as_ref()?.join(default)))
    };
    match FILES.into_iter().filter_map(file).any(|file| file.exists()) {
        true => Ok(()),
        false => Err(missing(name, "no profile file was found".to_owned())),
    }
}

/// # Errors
/// Of kind Config, when the SDK said `why` it had no credentials: it does where the named
/// profile is in no file, and says nothing where it is there without credentials.
pub(super) fn refuse_missing(name: &str, why: &str) -> Result<(), Error> {
    match why {
        "" => Ok(()),
        why => Err(missing(name, why.to_owned())),
    }
}

fn missing(name: &str, why: String) -> Error {
    Error::config(format!("`AWS_PROFILE` names `{name}`, which is not there")).because(why).hint(
        "set `AWS_CONFIG_FILE` in this provider's `env`: without it `HOME` decides where the \
         file is, and under systemd the kubelet may have none",
    )
}
