//! `pullpass config merge` and `pullpass config remove`: add one provider to a node's file, or
//! remove one. The result is checked as the kubelet checks it before a byte is written.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use pullpass_kubelet::edit::{self, Change, EditError, Edited, ProviderEntry};
use pullpass_kubelet::lints::{self, Lint, Severity};
use pullpass_kubelet::{Config, FindingCode, Source, StartupError, Target};

use crate::args::{ConfigEdit, ConfigEditOptions};
use crate::check::{Snippets, write_refusal};
use crate::config::node_file::{NodeFile, read_entry};
use crate::environment::Environment;
use crate::plugin_lints;
use crate::report::{Failure, Report};
use crate::text::sanitize;

/// The mode of a new file. The kubelet is root.
const MODE: u32 = 0o644;
const MODE_WITH_SECRETS: u32 = 0o600;

/// Runs one of the two.
pub(super) fn run(command: &ConfigEdit, environment: &Environment) -> Result<Report, Failure> {
    match command {
        ConfigEdit::Merge { options, entry } => merge(options, entry, environment),
        ConfigEdit::Remove { options, name, allow_empty } => {
            remove(options, name, *allow_empty, environment)
        }
    }
}

fn merge(
    options: &ConfigEditOptions,
    entry: &Path,
    environment: &Environment,
) -> Result<Report, Failure> {
    let path = entry;
    let entry = ProviderEntry::parse(&read_entry(path)?).map_err(|error| {
        let path = sanitize(&path.display().to_string());
        Failure::new(format!("`{path}`: {}", sanitize(&error.to_string()))).hint(error.hint())
    })?;
    if options.file.as_os_str() == "-" {
        return Err(Failure::new("`-` is not a file that can be edited").hint(
            "name the node's file first and the provider second, as in `pullpass config merge FILE -`",
        ));
    }
    let file = NodeFile::open(&options.file, !options.dry_run)?;
    let old = file.text().filter(|text| !text.trim_ascii().is_empty());
    let base = old.unwrap_or_else(|| empty_config(&options.file));
    let edited = edit::merge(base, &entry).map_err(|error| cannot_edit(options, &error))?;
    let mode = if entry.may_hold_secrets() { MODE_WITH_SECRETS } else { MODE };
    let pending = PendingEdit {
        options,
        file: &file,
        edited: &edited,
        name: entry.name(),
        mode,
        unchanged: "has",
    };
    match judge(options, &edited.text) {
        Ok(config) => pending.finish(Some(&config)),
        Err(refused) => Ok(pending.refuse(&refused, environment)),
    }
}

fn remove(
    options: &ConfigEditOptions,
    name: &str,
    allow_empty: bool,
    environment: &Environment,
) -> Result<Report, Failure> {
    let file = NodeFile::open(&options.file, !options.dry_run)?;
    let Some(text) = file.text() else {
        return Err(Failure::new(format!("`{}` does not exist", show(&options.file)))
            .hint("there is nothing to remove; check the path"));
    };
    let edited = edit::remove(text, name).map_err(|error| cannot_edit(options, &error))?;
    let pending = PendingEdit {
        options,
        file: &file,
        edited: &edited,
        name,
        mode: MODE,
        unchanged: "does not have",
    };
    if edited.change == Change::Nothing {
        let mut report = pending.finish(None)?;
        let whole = format!("{name}-credential-provider");
        if edit::remove(text, &whole).is_ok_and(|edited| edited.change != Change::Nothing) {
            let _ =
                writeln!(report.stderr, "hint: it has `{}`: give the whole name", sanitize(&whole));
        }
        return Ok(report);
    }
    match judge(options, &edited.text) {
        Ok(config) => pending.finish(Some(&config)),
        Err(refused) if edited.providers > 0 || !is_about_emptiness(&refused) => {
            Ok(pending.refuse(&refused, environment))
        }
        Err(_) if allow_empty => pending.finish(None),
        Err(_) => {
            let mut report = Report::new(String::new(), 1);
            let _ = write!(
                report.stdout,
                "refused: `{}` is the last provider of {}, which is unchanged\n\
                 hint: no kubelet starts with an empty list: take its flags \
                 `--image-credential-provider-config` and `--image-credential-provider-bin-dir` \
                 away as well, and give `--allow-empty`\n",
                sanitize(name),
                show(&options.file),
            );
            Ok(report)
        }
    }
}

/// A configuration without providers, in the format of the file's ending.
fn empty_config(path: &Path) -> &'static [u8] {
    match path.extension() {
        Some(ending) if ending == "json" => edit::EMPTY_JSON.as_bytes(),
        _ => edit::EMPTY_YAML.as_bytes(),
    }
}

/// What the kubelet would say about these bytes.
fn judge(options: &ConfigEditOptions, text: &[u8]) -> Result<Config, StartupError> {
    Config::parse(&options.file.to_string_lossy(), text, &target(options))
}

fn target(options: &ConfigEditOptions) -> Target {
    options.target.target()
}

fn is_about_emptiness(refused: &StartupError) -> bool {
    refused.findings.iter().all(|finding| finding.code == FindingCode::NoProviders)
}

fn cannot_edit(options: &ConfigEditOptions, error: &EditError) -> Failure {
    let path = show(&options.file);
    let place = match error {
        EditError::Syntax { line, .. } => format!("{path}:{line}"),
        _ => path,
    };
    Failure::new(format!("cannot edit `{place}`: {}", sanitize(&error.to_string())))
        .hint(error.hint())
}

/// An edit that was made in memory and is not yet written.
struct PendingEdit<'a> {
    options: &'a ConfigEditOptions,
    file: &'a NodeFile,
    edited: &'a Edited,
    name: &'a str,
    /// The mode of a new file.
    mode: u32,
    /// What the file says about the name if nothing changes.
    unchanged: &'static str,
}

impl PendingEdit<'_> {
    /// Writes the file or shows the change, and says what was done.
    fn finish(&self, config: Option<&Config>) -> Result<Report, Failure> {
        let mut report = Report::default();
        let said = self.summary();
        if self.options.dry_run {
            report.stdout = self.diff();
            let _ = writeln!(report.stderr, "note: dry run, nothing is written\n{said}");
        } else {
            if self.is_change() {
                self.file.replace(&self.edited.text, self.mode)?;
            }
            let _ = writeln!(report.stdout, "{said}");
            if self.is_change() {
                report.stderr.push_str(
                    "note: the kubelet reads its configuration at its start only; restart it\n",
                );
            }
        }
        if let Some(config) = config {
            report.stderr.push_str(&self.new_warnings(config));
        }
        Ok(report)
    }

    fn is_change(&self) -> bool {
        self.edited.change != Change::Nothing
    }

    fn summary(&self) -> String {
        let (name, path) = (sanitize(self.name), show(&self.options.file));
        match self.edited.change {
            Change::Added if self.file.text().is_none() => {
                format!("added: `{name}` to the new file {path}")
            }
            Change::Added => format!("added: `{name}` to {path}"),
            Change::Replaced => format!("replaced: `{name}` in {path}"),
            Change::Removed => format!("removed: `{name}` from {path}"),
            Change::Nothing => format!("unchanged: {path} {} `{name}`", self.unchanged),
        }
    }

    /// The warnings that the file did not have before.
    fn new_warnings(&self, config: &Config) -> String {
        let old = self.file.text().and_then(|old| judge(self.options, old).ok());
        let known = old.as_ref().map(warnings).unwrap_or_default();
        let is_known = |lint: &Lint| {
            known.iter().any(|old| old.code == lint.code && old.message == lint.message)
        };
        let mut text = String::new();
        for lint in warnings(config).iter().filter(|lint| !is_known(lint)) {
            let _ = writeln!(text, "{}\nhint: {}", sanitize(&warning(lint)), sanitize(&lint.hint));
        }
        text
    }

    /// The change as a unified diff; nothing in it may be secret.
    fn diff(&self) -> String {
        let old = self.file.text().unwrap_or_default();
        let (Some(old), Some(new)) =
            (source(self.options, old), source(self.options, &self.edited.text))
        else {
            return String::new();
        };
        let hunk = edit::diff(&old, &new);
        if hunk.is_empty() {
            return hunk;
        }
        let path = show(&self.options.file);
        let before = self.file.text().map_or("/dev/null", |_| &path);
        format!("--- {before}\n+++ {path}\n{}", sanitize(&hunk))
    }

    fn refuse(&self, refused: &StartupError, environment: &Environment) -> Report {
        let mut report = Report::new(String::new(), 1);
        let text = &mut report.stdout;
        let (target, path) = (target(self.options), show(&self.options.file));
        let _ = writeln!(
            text,
            "refused: kubelet {} would not start with the result; {path} is unchanged",
            target.version
        );
        if self.file.text().is_some_and(|old| judge(self.options, old).is_err()) {
            text.push_str("note: it would not start with the file as it is, either\n");
        }
        write_refusal(text, refused, &target, &Snippets::new(environment.stdout_colour));
        report
    }
}

/// The text, with what may be shown of it.
fn source(options: &ConfigEditOptions, text: &[u8]) -> Option<Arc<Source>> {
    match judge(options, text) {
        Ok(config) => config.sources.first().cloned(),
        Err(refused) => refused.sources.first().cloned(),
    }
}

/// What the kubelet accepts but is almost certainly a mistake.
fn warnings(config: &Config) -> Vec<Lint> {
    let mut lints = lints::check(&config.providers);
    lints.extend(plugin_lints::check(&config.providers));
    lints.retain(|lint| lint.severity == Severity::Warning);
    lints
}

/// In one line, which begins with its label.
fn warning(lint: &Lint) -> String {
    let place = lint.location.as_ref().map_or_else(String::new, |at| format!(" ({at})"));
    format!("warning: {} [{}]{place}", lint.message, lint.code)
}

fn show(path: &Path) -> String {
    sanitize(&path.display().to_string())
}
