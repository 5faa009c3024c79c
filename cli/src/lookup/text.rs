//! A look-up for people.

use std::fmt::Write as _;

use pullpass::one_line;
use pullpass_kubelet::cache::{CacheKeyType, Stored};
use pullpass_kubelet::pattern::Match;
use pullpass_kubelet::service_account::NotCalled;
use pullpass_kubelet::{CacheDecision, Config, Lookup, Outcome, ProviderReport};

use crate::args::LookupArgs;
use crate::lookup::redact::Redactor;
use crate::lookup::{advice, is_failure, is_skipped};
use crate::match_::hint;
use crate::text::{count, elapsed, sanitize, utc};

/// More of what a plugin wrote would hide the rest; JSON has all that was kept.
const MOST_LINES: usize = 20;
const MOST_BYTES: usize = 3000;

/// The credentials first, then each provider that was asked.
pub(super) fn render(
    args: &LookupArgs,
    config: &Config,
    lookup: &Lookup,
    redactor: &Redactor,
) -> String {
    let mut text = format!(
        "image: {} (looked up as {})\n",
        sanitize(&args.image),
        sanitize(&lookup.lookup_name)
    );
    write_credentials(&mut text, lookup, redactor);
    let silent = |report: &&ProviderReport| report.outcome == Outcome::NoMatch;
    for report in lookup.providers.iter().filter(|report| !silent(report)) {
        text.push('\n');
        write_provider(&mut text, args, config, &lookup.lookup_name, report, redactor);
    }
    let names: Vec<&str> =
        lookup.providers.iter().filter(silent).map(|report| report.name.as_str()).collect();
    if !names.is_empty() {
        let _ = writeln!(
            text,
            "\nnot asked, because no pattern covers the image: {}",
            sanitize(&names.join(", "))
        );
        write_misses(&mut text, config, lookup, &names);
        let _ = writeln!(
            text,
            "  hint: pullpass match {} --config {}{}",
            sanitize(&args.image),
            args.config.display(),
            args.target.written()
        );
    }
    text
}

/// Why the first patterns do not cover the image.
fn write_misses(text: &mut String, config: &Config, lookup: &Lookup, names: &[&str]) {
    let silent = config.providers.iter().filter(|provider| names.contains(&provider.name.as_str()));
    let patterns = silent.flat_map(|provider| &provider.match_images);
    for pattern in patterns.take(MOST_MISSES) {
        let Match::Miss(reason) = pattern.explain(&lookup.lookup_name) else { continue };
        let hint = hint(&pattern.value.to_string(), &reason)
            .map_or(String::new(), |hint| format!("; {hint}"));
        let line = format!("  `{}`: {reason}{hint}", pattern.value);
        let _ = writeln!(text, "{}", sanitize(&line));
    }
}

/// `pullpass match` has the rest.
const MOST_MISSES: usize = 3;

fn write_credentials(text: &mut String, lookup: &Lookup, redactor: &Redactor) {
    if lookup.credentials.is_empty() {
        text.push_str("credentials: none; without pull secrets the kubelet pulls anonymously\n");
        return;
    }
    text.push_str("credentials, in the order in which the kubelet tries them:\n");
    for (index, credential) in lookup.credentials.iter().enumerate() {
        let _ = writeln!(
            text,
            "  {}. user `{}`, password {}, for `{}` from {}",
            index + 1,
            sanitize(&credential.username),
            sanitize(redactor.password(&credential.password)),
            sanitize(&credential.key),
            sanitize(&credential.provider)
        );
    }
}

fn write_provider(
    text: &mut String,
    args: &LookupArgs,
    config: &Config,
    lookup_name: &str,
    report: &ProviderReport,
    redactor: &Redactor,
) {
    let took = report.duration.map_or_else(String::new, |time| format!(" ({})", elapsed(time)));
    let word = match &report.outcome {
        outcome if is_failure(outcome) => "error",
        outcome if is_skipped(outcome) => "skipped",
        _ => "ok",
    };
    let _ = writeln!(
        text,
        "{word}: {}: {}{took}",
        sanitize(&report.name),
        sanitize(&verdict(&report.outcome))
    );
    let mut line = |label: &str, value: &str| {
        let value = sanitize(&redactor.text(value));
        let _ = writeln!(text, "  {label}: {}", short(&value).replace('\n', "\n    "));
    };
    if let Some(message) = message(report) {
        let is_shown = report.error_line().is_some();
        line(if is_shown { "kubelet" } else { "kubelet, at `-v=5` only" }, message);
    }
    if let Some(detail) = &report.detail {
        line("not in the kubelet's log", detail);
    }
    // For a run that failed it is in the kubelet's line.
    let is_logged = matches!(report.outcome, Outcome::Failed(kind) if kind.is_counted());
    if !report.stderr.is_empty() && !is_logged {
        line("stderr, which the kubelet discards", &String::from_utf8_lossy(&report.stderr));
    }
    if let Some(stdout) = stdout(report) {
        line("stdout, which the kubelet discards", &stdout);
    }
    if let Some(hint) = advice::hint(args, config, lookup_name, report) {
        line("hint", &hint);
    }
    if let Some(cache) = cache(&report.cache) {
        line("cache", &cache);
    }
}

/// What a plugin that failed with an empty stderr wrote to stdout, unless it may be an
/// answer with a password.
pub(super) fn stdout(report: &ProviderReport) -> Option<String> {
    let stdout = String::from_utf8_lossy(&report.stdout);
    let shows = report.stderr.is_empty() && !stdout.trim().is_empty() && !stdout.contains('{');
    // A text that is not an answer may be a bare token.
    shows.then(|| stdout.lines().map(one_line).collect::<Vec<_>>().join("\n"))
}

/// What the kubelet logs: an error, or why it logs nothing.
pub(super) fn message(report: &ProviderReport) -> Option<&str> {
    let silent = match report.outcome {
        Outcome::NotCalled(_) => report.log.last(),
        _ => None,
    };
    report.error_line().or(silent.map(|line| line.text.as_str()))
}

/// The beginning of a foreign text, and how much is left out.
fn short(text: &str) -> String {
    let text = text.trim_end();
    let line = text.match_indices('\n').nth(MOST_LINES - 1).map_or(text.len(), |(at, _)| at);
    let end = text.floor_char_boundary(line.min(MOST_BYTES));
    if end == text.len() {
        return text.to_owned();
    }
    format!(
        "{}\n({} more; `--format json` has them)",
        &text[..end],
        count(text.len() - end, "byte")
    )
}

fn verdict(outcome: &Outcome) -> String {
    match outcome {
        Outcome::NoMatch => "no pattern covers the image".to_owned(),
        Outcome::NotCalled(reason) => match reason {
            NotCalled::NoServiceAccount => {
                "not run: it requires a service account, and the pod has none".to_owned()
            }
            NotCalled::MissingAnnotation(key) => {
                format!("not run: the service account has no annotation `{key}`")
            }
            NotCalled::ServiceAccount(_) => {
                "not run: the service account cannot be read".to_owned()
            }
            NotCalled::Token(_) => "not run: there is no token for it".to_owned(),
            NotCalled::CacheKey(_) => "not run: no cache key can be made for it".to_owned(),
        },
        Outcome::Failed(_) => "failed; the pull goes on without it".to_owned(),
        Outcome::EchoedToken => "answered with the pod's token as the password; the kubelet \
             discards that"
            .to_owned(),
        Outcome::InvalidCacheKeyType(_) => {
            "answered, but the kubelet discards the answer".to_owned()
        }
        Outcome::Answered { keys: 0, .. } => "answered: no credentials".to_owned(),
        Outcome::Answered { keys, usable: 0 } => {
            format!("answered with {}, none of which covers the image", count(*keys, "key"))
        }
        Outcome::Answered { usable, .. } => {
            format!("answered with {} for the image", count(*usable, "credential"))
        }
    }
}

fn cache(decision: &CacheDecision) -> Option<String> {
    Some(match decision {
        CacheDecision::NotReached => return None,
        CacheDecision::Hit { key, expires } => {
            format!("an earlier answer was used: stored {} until {}", scope(*key), utc(*expires))
        }
        CacheDecision::Missed(Stored::Until { key, expires }) => {
            format!("stored {} until {}", scope(*key), utc(*expires))
        }
        CacheDecision::Missed(Stored::ZeroDuration) => {
            "not stored: the answer's `cacheDuration` is zero".to_owned()
        }
        CacheDecision::Missed(Stored::ZeroDefault) => {
            "not stored: the answer has no `cacheDuration`, and `defaultCacheDuration` is zero"
                .to_owned()
        }
        CacheDecision::Missed(Stored::Expired) => {
            "not stored: the answer's `cacheDuration` is negative".to_owned()
        }
    })
}

fn scope(key: CacheKeyType) -> &'static str {
    match key {
        CacheKeyType::Image => "for this image (`Image`)",
        CacheKeyType::Registry => "for all images of this registry (`Registry`)",
        CacheKeyType::Global => "for all images of this provider (`Global`)",
    }
}
