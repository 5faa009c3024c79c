//! `validate FILE`.

use std::fmt::Write as _;
use std::path::Path;

use pullpass::{Error, Options, Roots, file};

use crate::exchange::Steps;
use crate::profile::{self, ClientAuth, Exchange, Profile, Source, Target};
use crate::registry::Registry;

pub(super) fn run(options: &Options) -> Result<String, Error> {
    let path = options.value("file").unwrap_or_default();
    let profiles = profile::file::load(path.as_ref())?;
    let mut text = String::new();
    let mut warnings = Vec::new();
    for profile in &profiles {
        let registries: Vec<_> = profile.registries.iter().map(ToString::to_string).collect();
        let _ = writeln!(
            text,
            "profile `{}` for {}: {}",
            profile.name,
            registries.join(", "),
            describe_destination(profile)
        );
        for warning in find_warnings(profile) {
            let _ = writeln!(text, "  warning: {warning}");
            warnings.push(format!("profile `{}`: {warning}", profile.name));
        }
    }
    for warning in find_ambiguous_registries(&profiles) {
        let _ = writeln!(text, "warning: {warning}");
        warnings.push(warning);
    }
    let count = |number: usize, what: &str| match number {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    };
    let _ = writeln!(
        text,
        "`{path}` is valid: {}, {}",
        count(profiles.len(), "profile"),
        count(warnings.len(), "warning")
    );
    if warnings.is_empty() || !options.is_set("strict") {
        return Ok(text);
    }
    let error = Error::config(format!("`{path}` has {}", count(warnings.len(), "warning")));
    let below = warnings.into_iter().rev().fold(None, |below: Option<Error>, warning| {
        let error = Error::config(warning);
        Some(match below {
            Some(below) => error.with_source(below),
            None => error,
        })
    });
    let error = match below {
        Some(below) => error.with_source(below),
        None => error,
    };
    Err(error.with_hint("fix what the warnings name, or leave out `--strict`"))
}

/// Where the pod's token goes.
fn describe_destination(profile: &Profile) -> String {
    let steps = match (&profile.exchange, Steps::from_exchange(&profile.exchange)) {
        (_, Some(steps)) => steps,
        (Exchange::File(path), None) => return format!("the login is in `{}`", path.display()),
        (_, None) => return "the registry itself accepts the pod's token".to_owned(),
    };
    let mut hosts: Vec<String> = Vec::new();
    for step in steps.steps.iter() {
        let host = match (&step.target, steps.discovery) {
            (Target::Address(address), _) => address.origin(),
            (Target::TokenEndpoint, Some(discovery)) => {
                format!("the token endpoint of {}", discovery.issuer)
            }
            (Target::TokenEndpoint, None) => continue,
        };
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    format!("calls {}", hosts.join(", then "))
}

/// Whether one of its calls goes over `http://`.
fn is_plaintext(profile: &Profile) -> bool {
    let Some(steps) = Steps::from_exchange(&profile.exchange) else { return false };
    steps.discovery.is_some_and(|it| it.url.scheme() == "http")
        || steps.steps.iter().any(|step| match &step.target {
            Target::Address(address) => address.origin_url().scheme() == "http",
            Target::TokenEndpoint => false,
        })
}

/// What works, but is unsafe.
fn find_warnings(profile: &Profile) -> Vec<String> {
    let mut warnings = Vec::new();
    if profile.service_account.as_ref().is_some_and(|expected| expected.allow_api_server_audience) {
        warnings.push(
            "`allowApiServerAudience`: the server that gets the token can act on the cluster"
                .to_owned(),
        );
    }
    if let Some(expected) = profile.service_account.as_ref().filter(|it| it.may_be_for_api_server())
    {
        warnings.push(format!(
            "the Kubernetes API server may accept tokens for the audience `{}`, so they are not \
             sent, and pulls fail: use a separate audience for the registry, or allow this one by \
             `allowApiServerAudience: true` in `serviceAccountToken` or by `--allow-audience` in \
             the plugin's `args`",
            expected.audience
        ));
    }
    if is_plaintext(profile) {
        warnings
            .push("`allowLoopbackHttp`: any process on this machine can listen there".to_owned());
    }
    for registry in profile.registries.iter().filter(|registry| registry.is_top_level()) {
        warnings.push(format!("`{registry}` matches every host directly below a top-level domain"));
    }
    for path in secret_files(profile) {
        warnings.extend(warn_of_file(path));
    }
    if let Roots::Only { file, .. } = &profile.http.roots {
        let unreadable = file::read_text(file).err();
        warnings.extend(unreadable.map(|error| format!("`http.caFile`: {error}")));
    }
    warnings
}

/// Registries of two profiles that an image may match equally well: its pull fails, unless
/// `--profile` chooses one of them.
fn find_ambiguous_registries(profiles: &[Profile]) -> Vec<String> {
    let mut warnings = Vec::new();
    for (at, one) in profiles.iter().enumerate() {
        for other in &profiles[at + 1..] {
            let is_ambiguous = |registry: &&Registry| {
                other.registries.iter().any(|it| it.is_ambiguous_with(registry))
            };
            warnings.extend(one.registries.iter().find(is_ambiguous).map(|registry| {
                format!(
                    "profiles `{}` and `{}` both cover images on `{registry}`: make one more \
                     specific, or run the plugin with `--profile`",
                    one.name, other.name
                )
            }));
        }
    }
    warnings
}

/// The files of the profile that hold a secret.
fn secret_files(profile: &Profile) -> Vec<&Path> {
    let mut files: Vec<&Path> = Vec::new();
    match &profile.exchange {
        Exchange::Passthrough | Exchange::Vault(_) | Exchange::Custom(_) => {}
        Exchange::File(path) => files.push(path),
        Exchange::OAuth(oauth) => match &oauth.client {
            ClientAuth::Basic(secret) | ClientAuth::Post(secret) => files.push(&secret.file),
            ClientAuth::PrivateKey(key) => files.push(&key.file),
            ClientAuth::None | ClientAuth::Public(_) | ClientAuth::PodToken(_) => {}
        },
    }
    files.extend(profile.variables.iter().filter_map(|variable| match &variable.source {
        Source::File(path) => Some(path.as_path()),
        Source::Annotation { .. } | Source::Image { .. } => None,
    }));
    files.extend(profile.http.client_certificate.as_ref().map(|it| it.key.as_path()));
    files
}

fn warn_of_file(path: &Path) -> Option<String> {
    let shown = path.display();
    match std::fs::metadata(path) {
        Err(error) => Some(format!("`{shown}` cannot be read: {error}")),
        #[cfg(unix)]
        Ok(metadata) => {
            use std::os::unix::fs::PermissionsExt as _;

            let mode = metadata.permissions().mode() & 0o777;
            (mode & 0o077 != 0).then(|| {
                format!(
                    "`{shown}` holds a secret and others can read it (mode {mode:03o}): `chmod 600`"
                )
            })
        }
        #[cfg(not(unix))]
        Ok(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profiles(profiles: &str) -> Vec<Profile> {
        let head = "apiVersion: pullpass.dev/v1alpha1\nkind: OIDCExchangeConfig\nprofiles:\n";
        profile::file::parse(&format!("{head}{profiles}"), Path::new("/nonexistent")).unwrap()
    }

    fn passthrough(name: &str, registry: &str, audience: &str) -> String {
        format!(
            "- {{name: {name}, registries: ['{registry}'], serviceAccountToken: {{audience: \
             '{audience}'}}, exchange: {{type: passthrough}}}}\n"
        )
    }

    #[test]
    fn what_is_unsafe_or_makes_pulls_fail_is_named() {
        let endpoint = "exchange: {type: tokenExchange, endpoint: 'https://sts.example/'";
        for (profile, expected) in [
            (passthrough("p", "r.io", "corp"), None),
            (passthrough("p", "r.io", "https://kubernetes.default.svc"), Some("`--allow-audience` in the plugin's `args`")),
            (passthrough("p", "*.io", "corp"), Some("directly below a top-level domain")),
            (
                format!(
                    "- {{name: p, registries: [r.io], serviceAccountToken: {{audience: a, \
                     allowApiServerAudience: true}}, {endpoint}}}}}\n"
                ),
                Some("can act on the cluster"),
            ),
            (
                format!(
                    "- {{name: p, registries: [r.io], serviceAccountToken: {{audience: a}}, \
                     {endpoint}}}, http: {{caFile: ca.pem}}}}\n"
                ),
                Some("`http.caFile`: cannot read the file `/nonexistent/ca.pem`"),
            ),
            (
                format!(
                    "- {{name: p, registries: [r.io], serviceAccountToken: {{audience: a}}, \
                     {endpoint}, clientAuth: {{method: basic, clientId: c, secretFile: s}}}}}}\n"
                ),
                Some("`/nonexistent/s` cannot be read"),
            ),
            (
                "- {name: p, registries: [r.io], serviceAccountToken: {audience: a}, exchange: \
                 {type: tokenExchange, endpoint: 'http://[::1]/'}, http: {allowLoopbackHttp: true}}\n"
                    .to_owned(),
                Some("any process on this machine"),
            ),
        ] {
            let found = find_warnings(&profiles(&profile)[0]);
            match expected {
                Some(expected) => {
                    assert!(found.len() == 1 && found[0].contains(expected), "{profile}{found:?}");
                }
                None => assert!(found.is_empty(), "{profile}{found:?}"),
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_secret_that_others_can_read_is_named() {
        use std::os::unix::fs::PermissionsExt;

        let path = std::env::temp_dir().join(format!("pullpass-secret-{}", std::process::id()));
        std::fs::write(&path, "secret").unwrap();
        let warn = |mode| {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            warn_of_file(&path)
        };
        let found = [0o600, 0o400, 0o640, 0o604, 0o620, 0o601].map(|mode| (mode, warn(mode)));
        std::fs::remove_file(&path).unwrap();
        for (mode, found) in found {
            let is_private = mode & 0o077 == 0;
            assert_eq!(found.is_none(), is_private, "{mode:o}: {found:?}");
            assert!(
                found.is_none_or(|it| it.contains(&format!("others can read it (mode {mode:o})")))
            );
        }
    }

    #[test]
    fn two_profiles_for_one_registry_are_named() {
        let both = |one: &str, other: &str| {
            find_ambiguous_registries(&profiles(
                &(passthrough("a", one, "x") + &passthrough("b", other, "x")),
            ))
        };
        assert_eq!(both("r.io", "r.io/team"), [""; 0]);
        let found = both("r.io", "r.io");
        assert!(found[0].contains("profiles `a` and `b` both cover images on `r.io`"), "{found:?}");
        assert_eq!(both("a.*.io", "*.r.io").len(), 1);
    }
}
