//! `pullpass records`: the kubelet's records of pulls, and which pods must pull again.

mod json;
mod text;

use std::path::{Path, PathBuf};

use pullpass_kubelet::image_name::repository_as_written;
use pullpass_kubelet::pull_records::{
    ImagePullCredentials, ImagePullSecret, ImagePullServiceAccount, ImagePulledRecord,
    PodCredentials, PullDecision, PullRecords, RecordFile, VerificationPolicy,
};

use crate::args::{Format, RecordsArgs};
use crate::report::{Failure, Report, require_root};
use crate::text::sanitize;

/// One image of one record.
struct Row<'a> {
    /// As pods name it, without tag and digest.
    name: &'a str,
    record: &'a ImagePulledRecord,
    path: &'a Path,
    credentials: &'a ImagePullCredentials,
    /// The decision for the pod of the command line.
    decision: Option<PullDecision>,
}

/// All that is shown.
struct Findings<'a> {
    args: &'a RecordsArgs,
    records: &'a PullRecords,
    /// The image's name in the records, if one was given.
    name: Option<String>,
    rows: Vec<Row<'a>>,
}

/// Reads the records and picks those of the image.
pub(crate) fn run(args: &RecordsArgs) -> Result<Report, Failure> {
    require_root(&args.root)?;
    let policy = VerificationPolicy::new(&args.policy, &args.allowlist).map_err(|error| {
        Failure::new(sanitize(&error.to_string()))
            .hint(format!("the kubelet's policies are {}", VerificationPolicy::NAMES.join(", ")))
    })?;
    let name = args.image.as_deref().map(repository_as_written).transpose().map_err(|error| {
        Failure::new(format!("not an image: {}", sanitize(&error.to_string())))
            .hint("name it as the pod does, such as `registry.example/team/app:v1`")
    })?;
    let folder = kubelet_dir(args);
    let records = PullRecords::read(&folder, args.target.kubelet_version).map_err(|error| {
        let folder = folder.join("image_manager");
        Failure::new(format!("cannot read `{}`: {error}", sanitize(&folder.to_string_lossy())))
            .hint("only root may read it; `--kubelet-dir` names another place")
    })?;
    let mut rows: Vec<Row<'_>> = records.pulled.iter().flat_map(rows_of).collect();
    rows.retain(|row| name.as_deref().is_none_or(|name| row.name == name));
    rows.sort_by_key(|row| (row.name, &row.record.image_ref));
    if let (Some(image), true) = (&args.image, has_pod(args)) {
        for row in &mut rows {
            let pod = pod(args, row.credentials);
            let image_ref = &row.record.image_ref;
            row.decision = Some(records.must_attempt_pull(image, image_ref, &policy, &pod));
        }
    }
    let code = match rows.iter().filter_map(|row| row.decision.as_ref()).next() {
        Some(_) => rows.iter().any(|row| row.decision.as_ref().is_some_and(|it| it.must_pull)),
        None => rows.is_empty(),
    };
    let findings = Findings { args, records: &records, name, rows };
    Ok(match args.format {
        Format::Json => Report::json(&json::render(&findings), code.into()),
        Format::Text => Report::new(text::render(&findings), code.into()),
    })
}

/// The kubelet's directory below the root.
fn kubelet_dir(args: &RecordsArgs) -> PathBuf {
    let below = args.kubelet_dir.strip_prefix("/").unwrap_or(&args.kubelet_dir);
    args.root.join(below)
}

/// The kubelet finds a record by its file's name alone.
fn rows_of(file: &RecordFile<ImagePulledRecord>) -> impl Iterator<Item = Row<'_>> {
    let record = file.record.as_ref().ok().filter(|_| file.is_found);
    record.into_iter().flat_map(|record| {
        record.credentials.iter().map(|(name, credentials)| Row {
            name,
            record,
            path: &file.path,
            credentials,
            decision: None,
        })
    })
}

fn has_pod(args: &RecordsArgs) -> bool {
    args.service_account.is_some() || !args.secrets.is_empty()
}

/// The pod of the command line. UIDs and hashes are not known here: objects with the same namespace
/// and name are treated as the same.
fn pod(args: &RecordsArgs, known: &ImagePullCredentials) -> PodCredentials {
    let mut pod = PodCredentials::default();
    for (namespace, name) in &args.secrets {
        let is_same = |it: &&ImagePullSecret| (&it.namespace, &it.name) == (namespace, name);
        pod.secrets.extend(known.secrets.iter().filter(is_same).cloned());
    }
    if let Some((namespace, name)) = &args.service_account {
        let is_same =
            |it: &&ImagePullServiceAccount| (&it.namespace, &it.name) == (namespace, name);
        pod.service_account = known.service_accounts.iter().find(is_same).cloned();
    }
    pod
}

impl Findings<'_> {
    /// Whether an image that a pod names is the one on the command line.
    fn is_about(&self, image: &str) -> bool {
        let name = repository_as_written(image);
        self.name.as_ref().is_none_or(|wanted| name.as_ref() == Ok(wanted))
    }

    /// Files that the kubelet cannot read, with the reason. Their images are not known.
    fn unreadable(&self) -> impl Iterator<Item = (&Path, &str)> {
        let pulled =
            self.records.pulled.iter().map(|file| (&file.path, file.record.as_ref().err()));
        let intents =
            self.records.intents.iter().map(|file| (&file.path, file.record.as_ref().err()));
        let files = pulled.chain(intents);
        files.filter_map(|(path, error)| Some((path.as_path(), error?.as_str())))
    }

    /// Files whose name does not fit their content.
    fn misnamed(&self) -> impl Iterator<Item = &Path> {
        let pulled = self
            .records
            .pulled
            .iter()
            .map(|file| (&file.path, file.record.is_ok() && !file.is_found));
        let intents = self
            .records
            .intents
            .iter()
            .map(|file| (&file.path, file.record.is_ok() && !file.is_found));
        let files = pulled.chain(intents).filter(|(_, is_misnamed)| *is_misnamed);
        files.map(|(path, _)| path.as_path())
    }
}
