//! A look-up for programs.

use std::time::SystemTime;

use pullpass_kubelet::cache::{CacheKeyType, Stored};
use pullpass_kubelet::{CacheDecision, Config, LogLevel, Lookup, ProviderReport};
use serde_json::{Value, json};

use crate::args::LookupArgs;
use crate::lookup::redact::Redactor;
use crate::lookup::{advice, text};
use crate::text::utc;

/// One object.
pub(super) fn render(
    args: &LookupArgs,
    config: &Config,
    lookup: &Lookup,
    redactor: &Redactor,
) -> Value {
    let credentials: Vec<Value> = lookup
        .credentials
        .iter()
        .map(|credential| {
            json!({
                "provider": credential.provider,
                "key": credential.key,
                "username": credential.username,
                "password": redactor.password(&credential.password),
            })
        })
        .collect();
    let providers: Vec<Value> = lookup
        .providers
        .iter()
        .map(|report| provider(args, config, &lookup.lookup_name, report, redactor))
        .collect();
    json!({
        "image": args.image,
        "lookup": lookup.lookup_name,
        "credentials": credentials,
        "providers": providers,
    })
}

fn provider(
    args: &LookupArgs,
    config: &Config,
    lookup_name: &str,
    report: &ProviderReport,
    redactor: &Redactor,
) -> Value {
    let log: Vec<Value> = report
        .log
        .iter()
        .map(|line| {
            let level = match line.level {
                LogLevel::Error => Value::from("error"),
                LogLevel::Verbose(level) => Value::from(level),
            };
            json!({"level": level, "text": redactor.text(&line.text)})
        })
        .collect();
    let milliseconds =
        report.duration.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    json!({
        "name": report.name,
        "outcome": report.outcome.code(),
        "message": text::message(report).map(|text| redactor.text(text)),
        "detail": report.detail.as_deref().map(|text| redactor.text(text)),
        "hint": advice::hint(args, config, lookup_name, report),
        "duration_ms": milliseconds,
        "stdout": text::stdout(report).map(|text| redactor.text(&text)),
        "keys": report.auth.keys().collect::<Vec<_>>(),
        "stderr": redactor.text(&String::from_utf8_lossy(&report.stderr)),
        "log": log,
        "cache": cache(&report.cache),
    })
}

fn cache(decision: &CacheDecision) -> Value {
    let kept = |decision: &str, key: CacheKeyType, expires: SystemTime| json!({"decision": decision, "key": key.as_str(), "expires": utc(expires)});
    let not_kept = |decision: &str| json!({"decision": decision, "key": null, "expires": null});
    match decision {
        CacheDecision::NotReached => not_kept("none"),
        CacheDecision::Hit { key, expires } => kept("hit", *key, *expires),
        CacheDecision::Missed(Stored::Until { key, expires }) => kept("stored", *key, *expires),
        CacheDecision::Missed(Stored::ZeroDuration) => not_kept("zero-duration"),
        CacheDecision::Missed(Stored::ZeroDefault) => not_kept("zero-default"),
        CacheDecision::Missed(Stored::Expired) => not_kept("expired"),
    }
}
