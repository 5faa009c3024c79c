//! `pullpass check`: first the kubelet's verdict, then our advice.

mod advice;
mod json;
mod snippet;

use std::fmt::Write as _;

use pullpass_kubelet::lints::{self, Lint, Severity};
use pullpass_kubelet::{Startup, StartupError, Target, startup};

use crate::args::{CheckArgs, Format};
use crate::environment::Environment;
use crate::plugin_lints;
use crate::report::{Failure, Report};
use crate::text::{count, sanitize};

pub(crate) use self::advice::hint;
pub(crate) use self::snippet::Snippets;

/// Checks a configuration, and the content of one that is accepted.
pub(crate) fn run(args: &CheckArgs, environment: &Environment) -> Result<Report, Failure> {
    let target = args.target.target();
    let startup = startup(&args.path, args.bin_dir.as_deref(), &target);
    let mut lints = lints::check(startup.providers());
    lints.extend(plugin_lints::check(startup.providers()));
    lints.extend(lints::check_files(&startup, &args.path, args.bin_dir.as_deref()));
    // The most serious first; those of one severity in the order of the configuration.
    lints.sort_by_key(|lint| std::cmp::Reverse(lint.severity));
    let strict = args.strict && lints.iter().any(|lint| lint.severity == Severity::Warning);
    let code = u8::from(startup.error.is_some() || strict);
    if args.format == Format::Json {
        return Ok(Report::json(&json::render(&startup, &lints, &target), code));
    }
    let snippets = Snippets::new(environment.stdout_colour);
    let mut text = String::new();
    write_verdict(&mut text, args, &startup, &snippets);
    write_lints(&mut text, &startup, &lints, &snippets);
    Ok(Report::new(text, code))
}

fn write_verdict(text: &mut String, args: &CheckArgs, startup: &Startup, snippets: &Snippets) {
    let version = args.target.kubelet_version;
    let Some(refused) = &startup.error else {
        let providers = startup.config.as_ref().map_or(0, |config| config.providers.len());
        let _ = writeln!(
            text,
            "accepted: kubelet {version} would start with {}",
            count(providers, "provider")
        );
        if args.bin_dir.is_none() {
            text.push_str("note: the programs were not checked; `--bin-dir DIR` checks them too\n");
        }
        return;
    };
    let _ = writeln!(text, "refused: kubelet {version} would not start");
    write_refusal(text, refused, &args.target.target(), snippets);
}

/// Why a kubelet would not start, and what to do.
pub(crate) fn write_refusal(
    text: &mut String,
    refused: &StartupError,
    target: &Target,
    snippets: &Snippets,
) {
    let _ = writeln!(text, "kubelet: {}", sanitize(&refused.log_line()));
    if !refused.verbatim {
        text.push_str(
            "note: the kubelet's own message may have another order, and other text at `...`\n",
        );
    }
    for finding in &refused.findings {
        let hint = advice::hint(finding, target);
        if finding.location.is_none() && refused.findings.len() == 1 {
            // The message above says everything.
            let _ = writeln!(text, "hint: {}", sanitize(&hint));
            continue;
        }
        text.push('\n');
        text.push_str(&snippets.error(finding, &hint));
    }
    if !refused.further.is_empty() {
        text.push_str("\nonce that is fixed, the kubelet would report this\n");
    }
    for finding in &refused.further {
        text.push('\n');
        text.push_str(&snippets.error(finding, &advice::hint(finding, target)));
    }
}

fn write_lints(text: &mut String, startup: &Startup, lints: &[Lint], snippets: &Snippets) {
    if lints.is_empty() {
        return;
    }
    if startup.error.is_some() {
        text.push_str("\nthe kubelet's verdict ends here; what follows is Pullpass's advice\n");
    }
    for lint in lints {
        text.push('\n');
        text.push_str(&snippets.lint(lint));
        if let Some(manifest) = &lint.manifest {
            text.push_str(manifest);
        }
    }
    let warnings = lints.iter().filter(|lint| lint.severity == Severity::Warning).count();
    let _ = writeln!(
        text,
        "\nPullpass, not the kubelet: {}, {} of advice",
        count(warnings, "warning"),
        count(lints.len() - warnings, "piece")
    );
}
