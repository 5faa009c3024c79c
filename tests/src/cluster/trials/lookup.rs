//! `pullpass lookup` on the same node, and whether the kubelet's log says the same.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::cluster::{Cluster, KubeletOptions, Pod};

/// A look-up to be made.
pub(super) struct Lookup {
    image: String,
    args: Vec<String>,
    token: Option<String>,
    pod: (String, String),
}

/// The look-up of a pod's image as that service account of its namespace, with a token.
pub(super) fn of_pod(pod: &Pod, service_account: &str, token: Option<&str>) -> Lookup {
    let account = format!("{}/{service_account}", pod.namespace);
    Lookup {
        image: pod.image.clone(),
        args: vec!["--service-account".to_owned(), account],
        token: token.map(str::to_owned),
        pod: (pod.namespace.clone(), pod.name.clone()),
    }
}

/// The look-up of a static pod's image.
pub(super) fn of_static_pod(pod: &Pod) -> Lookup {
    Lookup { args: Vec::new(), ..of_pod(pod, "", None) }
}

impl Lookup {
    /// With an annotation of the service account.
    pub(super) fn annotation(mut self, key: &str, value: &str) -> Self {
        self.args.extend(["--annotation".to_owned(), format!("{key}={value}")]);
        self
    }

    /// Makes it, for a kubelet that is started with these options.
    pub(super) fn run(self, cluster: &Cluster<'_>, options: &KubeletOptions) -> Found {
        let text = |path: &Path| path.display().to_string();
        let fixed =
            ["lookup", &self.image, "--format", "json", "--kubelet-version", &cluster.minor];
        let mut args = fixed.map(str::to_owned).to_vec();
        args.extend(["--config".to_owned(), text(&options.providers)]);
        args.extend(["--bin-dir".to_owned(), text(&options.bin_dir)]);
        args.extend(self.args);
        if let Some(token) = &self.token {
            args.extend(["--token-file".to_owned(), text(&cluster.file("token", token))]);
        }
        let output = cluster.pullpass(&args);
        let answer: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("`pullpass lookup` said no JSON: {}", text_of(&output)));
        Found { answer, pod: self.pod }
    }
}

/// What both streams of a program hold.
pub(super) fn text_of(output: &Output) -> String {
    let (stdout, stderr) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(stdout), String::from_utf8_lossy(stderr))
}

/// What a look-up found.
pub(super) struct Found {
    answer: Value,
    pod: (String, String),
}

impl Found {
    /// The lines that the kubelet would log, of all providers.
    fn lines(&self) -> Vec<String> {
        let providers = self.answer["providers"].as_array().unwrap();
        let lines = providers.iter().flat_map(|provider| provider["log"].as_array().unwrap());
        lines.map(|line| line["text"].as_str().unwrap().to_owned()).collect()
    }

    /// Makes sure that the kubelet logged what this look-up says that it logs, the pod's name and
    /// UID put in; returns the last line.
    pub(super) fn is_in_the_kubelets_log(&self, cluster: &Cluster<'_>, pod: &Pod) -> String {
        let (namespace, name) = &self.pod;
        let uid = cluster.api.get(&pod.path())["metadata"]["uid"].as_str().unwrap().to_owned();
        let lines: Vec<String> = self
            .lines()
            .into_iter()
            .map(|line| {
                line.replace(&format!("\"{namespace}/POD\""), &format!("\"{namespace}/{name}\""))
                    .replace("\"UID\"", &format!("\"{uid}\""))
            })
            .collect();
        assert!(
            !lines.is_empty(),
            "`pullpass lookup` says that nothing is logged: {}",
            self.answer
        );
        let log = cluster.kubelet_log();
        for line in &lines {
            let found = log.contains(&format!("] {line}\n"));
            assert!(found, "the kubelet did not log\n{line}\nbut\n{}", provider_lines(&log));
        }
        lines.last().unwrap().lines().next().unwrap().to_owned()
    }

    /// How many credentials it found.
    pub(super) fn credentials(&self) -> usize {
        self.answer["credentials"].as_array().unwrap().len()
    }
}

/// The lines of a kubelet's log that are about credential providers, with what belongs to them.
fn provider_lines(log: &str) -> String {
    let mut kept = Vec::new();
    let mut keep = false;
    for line in log.lines() {
        // A line that does not begin so goes on with the one before.
        let begins = line.starts_with(['I', 'W', 'E', 'F']) && line.contains("] ");
        if begins {
            let line = line.to_ascii_lowercase();
            keep = line.contains("credential") || line.contains("service account");
        }
        if keep {
            kept.push(line);
        }
    }
    kept.join("\n")
}
