//! `pullpass lookup`: the providers, run as the kubelet would run them.

mod advice;
mod json;
mod redact;
mod text;
mod token;

use std::time::Duration;

use pullpass::secrecy::SecretString;
use pullpass_kubelet::exec::ExecOptions;
use pullpass_kubelet::service_account::{NotCalled, Pod, PodServiceAccount, TokenSource};
use pullpass_kubelet::{Kubelet, KubeletOptions, Lookup, Outcome, startup};

use crate::args::{Format, LookupArgs};
use crate::environment::Environment;
use crate::lookup::redact::Redactor;
use crate::report::{Failure, Report};
use crate::text::{hint_about_image, sanitize};

/// How long to wait for a process that holds a plugin's streams; the kubelet waits
/// forever.
const LONGEST_GRACE: Duration = Duration::from_secs(5);

/// Asks the providers about one image.
pub(crate) fn run(args: &LookupArgs, environment: &Environment) -> Result<Report, Failure> {
    let target = args.target.target();
    let startup = startup(&args.config, Some(&args.bin_dir), &target);
    let config = startup.into_config().map_err(|error| {
        Failure::new(sanitize(&error.message)).hint(format!(
            "kubelet {} would not start; `pullpass check {} --bin-dir {}{}` shows why",
            target.version,
            args.config.display(),
            args.bin_dir.display(),
            args.target.written()
        ))
    })?;
    let config = &config;
    let token = args.token_file.as_deref().map(token::read).transpose()?;
    let pod = pod(args, token.as_ref());
    let options = KubeletOptions {
        exec: ExecOptions {
            timeout: args.timeout,
            grace: args.timeout.min(LONGEST_GRACE),
            environment: environment.variables.clone(),
            ..ExecOptions::default()
        },
        ..KubeletOptions::default()
    };
    let kubelet = Kubelet::new(config, &args.bin_dir, options);
    let lookup = if args.raw {
        kubelet.lookup_raw(&args.image, Some(&pod))
    } else {
        kubelet.lookup(&args.image, Some(&pod)).map_err(|error| {
            Failure::new(sanitize(&error.to_string())).hint(hint_about_image(&args.image))
        })?
    };
    let redactor = Redactor::new(args.show_secrets, token.as_ref(), &lookup);
    let code = exit_code(&lookup, args.strict);
    let mut report = match args.format {
        Format::Json => Report::json(&json::render(args, config, &lookup, &redactor), code),
        Format::Text => Report::new(text::render(args, config, &lookup, &redactor), code),
    };
    if let Some(token) = &token {
        report.stderr = token::remarks(token, args, config, &lookup);
    }
    report.stderr.push_str(&token::unlisted(&args.annotations, config, &lookup));
    Ok(report)
}

/// The pod whose image it is. Without `--service-account` it is a static pod. What is not known of
/// it is in log lines only.
fn pod(args: &LookupArgs, token: Option<&SecretString>) -> Pod {
    let account = args.service_account.clone();
    let (namespace, account) = match account {
        Some((namespace, name)) => (
            namespace,
            Some(PodServiceAccount {
                name,
                annotations: args.annotations.iter().cloned().collect(),
                ..PodServiceAccount::default()
            }),
        ),
        None => ("NAMESPACE".to_owned(), None),
    };
    Pod {
        namespace,
        name: "POD".to_owned(),
        uid: "UID".to_owned(),
        service_account: account,
        tokens: token.cloned().map_or_else(
            || TokenSource::Error("no `--token-file` was given".to_owned()),
            TokenSource::Token,
        ),
    }
}

fn exit_code(lookup: &Lookup, strict: bool) -> u8 {
    let failed = lookup.providers.iter().any(|report| is_failure(&report.outcome));
    u8::from(lookup.credentials.is_empty() && (failed || strict))
}

/// Whether a provider was left out on purpose: the pod does not opt in.
fn is_skipped(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Outcome::NotCalled(NotCalled::NoServiceAccount | NotCalled::MissingAnnotation(_))
    )
}

/// Whether an outcome is one that has to be fixed.
fn is_failure(outcome: &Outcome) -> bool {
    match outcome {
        // Keys that do not cover the image are a mistake of the plugin.
        Outcome::Answered { keys, usable } => *keys > 0 && *usable == 0,
        Outcome::NoMatch
        | Outcome::NotCalled(NotCalled::NoServiceAccount | NotCalled::MissingAnnotation(_)) => {
            false
        }
        Outcome::NotCalled(_)
        | Outcome::Failed(_)
        | Outcome::EchoedToken
        | Outcome::InvalidCacheKeyType(_) => true,
    }
}
