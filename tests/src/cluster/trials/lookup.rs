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
}

/// The look-up of a pod's image as that service account of its namespace, with a token.
pub(super) fn of_pod(pod: &Pod, service_account: &str, token: Option<&str>) -> Lookup {
    let account = format!("{}/{service_account}", pod.namespace);
    Lookup {
        image: pod.image.clone(),
        args: vec!["--service-account".to_owned(), account],
        token: token.map(str::to_owned),
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
        Found { answer }
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
        let known = [
            ("NAMESPACE/POD", pod.full_name()),
            ("NAMESPACE/", format!("{}/", pod.namespace)),
            (&*format!("{}/POD", pod.namespace), pod.full_name()),
            ("\"UID\"", format!("\"{}\"", pod.uid(&cluster.api))),
        ];
        let put_in = |line: String| {
            known.iter().fold(line, |line, (unknown, value)| line.replace(unknown, value))
        };
        let lines: Vec<String> = self.lines().into_iter().map(put_in).collect();
        assert!(
            !lines.is_empty(),
            "`pullpass lookup` says that nothing is logged: {}",
            self.answer
        );
        let log = cluster.kubelet_log();
        let ageless = without_ages(&log);
        for line in &lines {
            let found = ageless.contains(&format!("] {}\n", without_ages(line)));
            assert!(found, "the kubelet did not log\n{line}\nbut\n{}", provider_lines(&log));
        }
        lines.last().unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// How many credentials it found.
    pub(super) fn credentials(&self) -> usize {
        self.answer["credentials"].as_array().unwrap().len()
    }
}

/// The text without how long ago a token has expired: the look-up is made later than the pull.
fn without_ages(text: &str) -> String {
    let mut parts = text.split(" expired ");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|letter: char| letter.is_ascii_digit());
        kept.push_str(" expired ");
        kept.push_str(rest);
    }
    kept
}

/// The lines of a kubelet's log that are about credential providers, with what belongs to them.
fn provider_lines(log: &str) -> String {
    let mut kept = Vec::new();
    let mut keep = false;
    for line in log.lines() {
        // A line that does not begin like this continues the one before.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_do_not_count() {
        let text = |age| format!("a token expired {age} s ago, b expired {age} s ago");
        assert_eq!(without_ages(&text(3600)), without_ages(&text(3601)));
        assert_ne!(without_ages("expired 1 s ago"), without_ages("valid 1 s ago"));
    }

    #[test]
    fn only_lines_about_credentials_are_shown_with_what_follows_them() {
        let log = "I1 a.go:1] pod added\nE1 b.go:2] credential x\n  more\nI1 c.go:3] pod gone\n";
        assert_eq!(provider_lines(log), "E1 b.go:2] credential x\n  more");
    }
}
