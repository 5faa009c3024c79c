//! The input of one case, and its result.

use std::path::Path;

use pullpass_kubelet::KubeletVersion;
use serde_json::Value;
use tempfile::TempDir;

use crate::explained::{self, Context};
use crate::judge::Judge;

/// One kubelet, with a folder for its files.
pub(crate) struct Bench {
    pub(crate) version: KubeletVersion,
    pub(crate) judge: Judge,
    folder: TempDir,
}

impl Bench {
    pub(crate) fn new(minor: &str, judge: Judge) -> Self {
        let folder = tempfile::Builder::new().prefix("oracle").tempdir().unwrap();
        Self { version: minor.parse().unwrap(), judge, folder }
    }

    /// A folder that belongs to all cases of this kubelet.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// The result of one case.
pub(crate) struct Verdict {
    /// The kind of question and the kubelet's answer in a word, to be counted.
    pub(crate) label: &'static str,
    /// All that both were asked.
    pub(crate) input: Value,
    pub(crate) differences: Vec<Difference>,
    /// Explained differences that were taken out before the comparison.
    pub(crate) notes: Vec<&'static str>,
}

/// One field in which the two answers differ.
pub(crate) struct Difference {
    pub(crate) field: String,
    pub(crate) kubelet: Value,
    pub(crate) ours: Value,
    /// Why it may be so; nothing when it may not.
    pub(crate) reason: Option<&'static str>,
}

impl Verdict {
    pub(crate) fn new(label: &'static str, input: Value) -> Self {
        Self { label, input, differences: Vec::new(), notes: Vec::new() }
    }

    /// Compares the two answers field by field.
    pub(crate) fn compare(
        &mut self,
        context: &Context,
        kubelet: &Value,
        ours: &Value,
        fields: &[&str],
    ) {
        for field in fields {
            let (theirs, own) = (&kubelet[field], &ours[field]);
            assert!(!theirs.is_null(), "the kubelet's answer has no `{field}`: {kubelet}");
            if theirs != own {
                self.differences.push(Difference {
                    field: (*field).to_owned(),
                    kubelet: theirs.clone(),
                    ours: own.clone(),
                    reason: explained::reason(context, field, theirs, own),
                });
            }
        }
    }
}
