//! Commands for people: check a file, show what would be sent, try it once.

mod explain;
mod probe;
mod validate;

use std::collections::BTreeMap;
use std::path::Path;

use pullpass::{Command, Error, Image, OptionSpec, Options, Request, ServiceAccount, Token, file};
use secrecy::SecretString;

use crate::settings::{CONFIG, PRESET, PROFILE, SET};

const IMAGE: OptionSpec =
    OptionSpec::positional("image", "IMAGE", "the image, as in the pod's `image`").required();
const ANNOTATION: OptionSpec =
    OptionSpec::value("annotation", "KEY=VALUE", "an annotation of the service account").repeated();

/// All of them.
pub(crate) const COMMANDS: &[Command] = &[
    Command::new(
        "validate",
        "Checks a profile file, and warns about what is unsafe",
        |options, _| Box::pin(async { validate::run(options) }),
    )
    .options(&[
        OptionSpec::positional("file", "FILE", "the profile file").required(),
        OptionSpec::switch("strict", "fail on warnings too"),
    ]),
    Command::new(
        "explain",
        "Shows which profile is used for an image, and what it would send; makes no call",
        |options, _| Box::pin(async { explain::run(options) }),
    )
    .options(&[IMAGE, CONFIG, PROFILE, PRESET, SET, ANNOTATION]),
    Command::new(
        "probe",
        "Makes the exchange once, tries the login at the registry, and says where it fails",
        |options, cx| Box::pin(probe::run(options, cx)),
    )
    .options(&[
        IMAGE,
        OptionSpec::value(
            "token-file",
            "FILE",
            "a service account token, such as `kubectl create token` prints",
        ),
        CONFIG,
        PROFILE,
        PRESET,
        SET,
        ANNOTATION,
        OptionSpec::value(
            "realm-host",
            "HOST",
            "a host, named by the registry, that the login may be sent to",
        )
        .repeated(),
        OptionSpec::value("ca-file", "FILE", "trust only these CAs (PEM) for the registry"),
        OptionSpec::switch("loopback-http", "call a registry on this machine over `http://`"),
    ]),
];

/// The image of the command line, without tag and digest.
fn parse_image(options: &Options) -> Result<Image, Error> {
    let text = options.value("image").unwrap_or_default();
    let text = text.split_once('@').map_or(text, |(name, _)| name);
    let last = text.rfind('/').map_or(0, |at| at + 1);
    let text = match text[last..].find(':') {
        // In the first part a colon starts a port.
        Some(at) if last > 0 => &text[..last + at],
        _ => text,
    };
    Image::parse(text)
}

/// The `--annotation`s.
fn parse_annotations(options: &Options) -> Result<BTreeMap<String, String>, Error> {
    let pair = |text: &String| match text.split_once('=') {
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err(Error::config("`--annotation` is KEY=VALUE")
            .with_hint("write each annotation of the service account as `--annotation KEY=VALUE`")),
    };
    options.values("annotation").iter().map(pair).collect()
}

/// A request as the kubelet would send it.
fn build_request(options: &Options) -> Result<Request, Error> {
    let service_account = match options.path("token-file") {
        None => None,
        Some(path) => {
            let text = SecretString::from(read_token(&path)?);
            Some(ServiceAccount::new(Token::parse(text)?, parse_annotations(options)?))
        }
    };
    Ok(Request::new(parse_image(options)?, service_account))
}

fn read_token(path: &Path) -> Result<String, Error> {
    let text = file::read_text(path)
        .map_err(|error| error.with_hint("`--token-file` names the file with the pod's token"))?;
    Ok(text.trim().to_owned())
}
