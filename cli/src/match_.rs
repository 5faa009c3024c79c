//! `pullpass match`: which patterns cover an image, and why not the others.

use std::collections::HashSet;
use std::fmt::Write as _;

use pullpass_kubelet::image_name::lookup_name;
use pullpass_kubelet::pattern::{Match, MismatchReason, Pattern};
use pullpass_kubelet::{Spanned, lints, startup};
use serde_json::{Value, json};

use crate::args::{Format, MatchArgs};
use crate::report::{Failure, Report};
use crate::text::{hint_about_image, sanitize};

/// One pattern to try.
struct Candidate {
    provider: Option<String>,
    text: String,
    /// If it is not a pattern, Go's message about it.
    parsed: Result<Pattern, String>,
}

/// One image and its results.
struct Row<'a> {
    image: &'a str,
    lookup: Option<String>,
    error: Option<String>,
    tries: Vec<Try<'a>>,
}

struct Try<'a> {
    candidate: &'a Candidate,
    reason: Option<MismatchReason>,
    matched: bool,
}

/// Compares every image with every pattern.
pub(crate) fn run(args: &MatchArgs) -> Result<Report, Failure> {
    let candidates = candidates(args)?;
    let rows: Vec<Row<'_>> =
        args.images.iter().map(|image| row(image, args.raw, &candidates)).collect();
    let broken = candidates.iter().any(|candidate| candidate.parsed.is_err())
        || rows.iter().any(|row| row.error.is_some());
    let matched = rows.iter().any(Row::matched);
    let code = if broken { 2 } else { u8::from(!matched) };
    Ok(match args.format {
        Format::Json => Report::json(&rows.iter().map(to_json).collect(), code),
        Format::Text => to_text(&rows, args, code),
    })
}

fn candidates(args: &MatchArgs) -> Result<Vec<Candidate>, Failure> {
    let target = args.target.target();
    let Some(path) = &args.config else {
        let candidate = |text: &String| Candidate {
            provider: None,
            text: text.clone(),
            parsed: Pattern::parse(text, target.version).map_err(|error| error.to_string()),
        };
        return Ok(args.pattern.iter().map(candidate).collect());
    };
    let config = startup(path, None, &target).into_config().map_err(|error| {
        Failure::new(sanitize(&error.message)).hint(format!(
            "kubelet {} would not start; `pullpass check {}{}` shows why",
            args.target.kubelet_version,
            path.display(),
            args.target.written()
        ))
    })?;
    let of_provider = |provider: &pullpass_kubelet::CredentialProvider| -> Vec<Candidate> {
        let patterns = provider.match_images.iter();
        let candidate = |pattern: &Spanned<Pattern>| Candidate {
            provider: Some(provider.name.value.clone()),
            text: pattern.value.to_string(),
            parsed: Ok(pattern.value.clone()),
        };
        patterns.map(candidate).collect()
    };
    Ok(config.providers.iter().flat_map(of_provider).collect())
}

fn row<'a>(image: &'a str, raw: bool, candidates: &'a [Candidate]) -> Row<'a> {
    let found = if raw {
        Ok(image.to_owned())
    } else {
        lookup_name(image).map_err(|error| error.to_string())
    };
    let (lookup, mut error) = match found {
        Ok(lookup) => (Some(lookup), None),
        Err(error) => (None, Some(error)),
    };
    let mut tries = Vec::new();
    for candidate in candidates {
        let explained = match (&candidate.parsed, &lookup) {
            (Ok(pattern), Some(lookup)) => Some(pattern.explain(lookup)),
            _ => None,
        };
        let matched = explained == Some(Match::Hit);
        let reason = match explained {
            Some(Match::Miss(reason)) => Some(reason),
            _ => None,
        };
        if let Some(MismatchReason::Image { error: why }) = &reason {
            error = Some(why.clone());
        }
        tries.push(Try { candidate, reason, matched });
    }
    Row { image, lookup, error, tries }
}

impl Try<'_> {
    fn hint(&self) -> Option<String> {
        hint(&self.candidate.text, self.reason.as_ref()?)
    }
}

impl Row<'_> {
    fn matched(&self) -> bool {
        self.tries.iter().any(|one| one.matched)
    }
}

fn to_json(row: &Row<'_>) -> Value {
    let patterns: Vec<Value> = row
        .tries
        .iter()
        .map(|one| {
            json!({
                "provider": one.candidate.provider,
                "pattern": one.candidate.text,
                "matched": one.matched,
                "reason": one.reason.as_ref().map(MismatchReason::to_string),
                "hint": one.hint(),
                "error": one.candidate.parsed.as_ref().err(),
            })
        })
        .collect();
    json!({
        "image": row.image,
        "lookup": row.lookup,
        "matched": row.matched(),
        "error": row.error,
        "patterns": patterns,
    })
}

fn to_text(rows: &[Row<'_>], args: &MatchArgs, code: u8) -> Report {
    let mut report = Report::new(String::new(), code);
    for row in rows {
        let image = sanitize(row.image);
        if let Some(error) = &row.error {
            let _ = writeln!(report.stderr, "error: `{image}`: {}", sanitize(error));
            let _ = writeln!(report.stderr, "hint: {}", hint_about_image(row.image));
            continue;
        }
        let verdict = if row.matched() { "match" } else { "no match" };
        let lookup = sanitize(row.lookup.as_deref().unwrap_or_default());
        let _ = writeln!(report.stdout, "{verdict}: {image} (compared as {lookup})");
        for one in &row.tries {
            write_try(&mut report.stdout, one);
        }
    }
    let mut reported = HashSet::new();
    for candidate in rows.iter().flat_map(|row| &row.tries).map(|one| one.candidate) {
        let Err(error) = &candidate.parsed else { continue };
        if !reported.insert(&candidate.text) {
            continue;
        }
        let pattern = sanitize(&candidate.text);
        let _ = writeln!(report.stderr, "error: pattern `{pattern}`: {}", sanitize(error));
        let version = args.target.kubelet_version;
        let hint = lints::pattern_hint(error);
        let _ = writeln!(report.stderr, "hint: kubelet {version} would not start with it: {hint}");
    }
    if code == 1 && args.config.is_some() {
        report.stderr.push_str(
            "hint: no provider is asked, the pull is anonymous, and the kubelet logs nothing\n",
        );
    }
    report
}

fn write_try(text: &mut String, one: &Try<'_>) {
    let provider = match &one.candidate.provider {
        Some(name) => format!("{}: ", sanitize(name)),
        None => String::new(),
    };
    let pattern = sanitize(&one.candidate.text);
    let _ = match (&one.reason, &one.candidate.parsed) {
        (Some(reason), _) => {
            writeln!(text, "  miss {provider}{pattern}\n       {}", sanitize(&reason.to_string()))
        }
        (None, Err(_)) => writeln!(text, "  error {provider}{pattern}"),
        (None, Ok(_)) => writeln!(text, "  hit  {provider}{pattern}"),
    };
    if let Some(hint) = one.hint() {
        let _ = writeln!(text, "       hint: {}", sanitize(&hint));
    }
}

/// What to do about a pattern that does not cover an image, if the mistake is a known one.
pub(crate) fn hint(pattern: &str, reason: &MismatchReason) -> Option<String> {
    let host = pattern.split('/').next().unwrap_or_default();
    let path = &pattern[host.len()..];
    let fixed = match reason {
        _ if HUB_ALIASES.contains(&host) => format!("docker.io{path}"),
        MismatchReason::Scheme { scheme } => pattern.strip_prefix(scheme.as_str())?.to_owned(),
        MismatchReason::GlobInPath { .. } => {
            let star = path.find('*')?;
            let kept = if star == 1 { "" } else { &path[..star] };
            format!("{host}{kept}")
        }
        MismatchReason::Tag { tag } => pattern.strip_suffix(tag.as_str())?.to_owned(),
        MismatchReason::Port { pattern, image } => {
            let bare = host.strip_suffix(pattern.as_str()).unwrap_or(host).trim_end_matches(':');
            return Some(match image.is_empty() {
                true => format!("write `{bare}{path}`"),
                false => format!("write `{bare}:{image}{path}`; no `*` covers a port"),
            });
        }
        // Too few `*` before the same domain.
        MismatchReason::LabelCount { image, .. } => {
            let labels: Vec<&str> = host.split('.').collect();
            let stars = labels.iter().take_while(|label| **label == "*").count();
            let fixed = labels.len() - stars;
            if stars == 0 || *image <= fixed || fixed < 2 {
                return None;
            }
            format!("{}{}{path}", "*.".repeat(image - fixed), labels[stars..].join("."))
        }
        _ => return None,
    };
    Some(format!("write `{fixed}`"))
}

/// Names of Docker Hub that never occur in the name that is compared.
const HUB_ALIASES: [&str; 3] = ["index.docker.io", "registry-1.docker.io", "hub.docker.com"];
