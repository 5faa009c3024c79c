//! `args` and `env` of our plugins, read as the plugins read them.

use std::ffi::OsString;

use pullpass::secrecy::ExposeSecret as _;
use pullpass::{Env, Options, Plugin};
use pullpass_kubelet::CredentialProvider;
use pullpass_kubelet::lints::Lint;

use crate::text::sanitize;

/// What `args` and `env` say, unless they are wrong.
pub(super) fn check(
    plugin: &Plugin,
    provider: &CredentialProvider,
    lints: &mut Vec<Lint>,
) -> Option<Options> {
    let args: Vec<OsString> =
        provider.args.iter().map(|arg| OsString::from(arg.expose_secret())).collect();
    let env: Env = provider
        .env
        .iter()
        .map(|variable| (variable.name.value.clone(), variable.value.expose_secret().to_owned()))
        .collect();
    let error = match Options::parse(plugin.options, args, &env) {
        Ok(options) => return Some(options),
        Err(error) => error,
    };
    let location = match provider.args.first() {
        Some(first) => &first.location,
        None => &provider.name.location,
    };
    // The message repeats no value.
    let message = sanitize(error.message());
    lints.push(Lint::warning(
        "plugin-arguments",
        location,
        format!("`{}` fails at every pull: {message}", plugin.name),
        format!("`pullpass man {}` lists its options", plugin.name),
    ));
    None
}
