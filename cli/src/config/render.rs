//! The text of a configuration.

use std::fmt::Write as _;

use pullpass::{CacheType, OptionSpec, Plugin};
use pullpass_kubelet::lints::audience_manifest;
use pullpass_kubelet::{KubeletVersion, SERVICE_ACCOUNT_TOKENS};
use serde_json::Value;

/// One provider.
pub(super) struct Entry<'a> {
    pub(super) plugin: &'a Plugin,
    pub(super) name: String,
    /// Lines of comment above it.
    pub(super) remarks: Vec<String>,
    pub(super) match_images: Vec<String>,
    pub(super) args: Vec<String>,
    /// Whether the options that are not among `args` are shown.
    pub(super) shows_options: bool,
    pub(super) tokens: Option<Tokens>,
}

/// The pod's token, and when an answer may be used for another pod.
pub(super) struct Tokens {
    pub(super) audience: String,
    pub(super) cache_type: CacheType,
    pub(super) require_service_account: bool,
    pub(super) required_annotations: Vec<String>,
    /// Keys, and what they are for.
    pub(super) optional_annotations: Vec<(String, String)>,
    /// The same, shown as comments.
    pub(super) left_out_annotations: Vec<(String, String)>,
}

/// The whole file: one document, with the RBAC in comments at its end. `rbac_command` prints
/// that RBAC alone.
pub(super) fn config(entries: &[Entry<'_>], rbac_command: &str, version: KubeletVersion) -> String {
    let mut text = String::new();
    let _ = write!(
        text,
        "# For kubelet {version}, made by `pullpass config`. The kubelet reads it at its start only:
#   --image-credential-provider-config=THIS-FILE
#   --image-credential-provider-bin-dir=DIR, where the programs are
apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
"
    );
    for entry in entries {
        write_entry(&mut text, entry, version);
    }
    let mut audiences: Vec<&str> = Vec::new();
    for tokens in entries.iter().filter_map(|entry| entry.tokens.as_ref()) {
        if !audiences.contains(&tokens.audience.as_str()) {
            audiences.push(&tokens.audience);
        }
    }
    if !audiences.is_empty() {
        let them = if audiences.len() == 1 { "the audience" } else { "these audiences" };
        let _ = write!(
            text,
            "\n# Nodes get no token for {them} unless the cluster has this RBAC:\n# \
             `{rbac_command} | kubectl apply -f -`\n#\n"
        );
        for line in rbac(&audiences).lines() {
            let _ = writeln!(text, "# {line}");
        }
    }
    text
}

/// The RBAC that lets nodes request tokens for these audiences.
pub(super) fn rbac(audiences: &[&str]) -> String {
    let manifests: Vec<String> =
        audiences.iter().map(|audience| audience_manifest(audience)).collect();
    manifests.join("---\n")
}

/// The review that asks a cluster whether a node may get tokens for these audiences. `kubectl auth
/// can-i` cannot ask this: it splits an audience at dots and slashes.
pub(super) fn access_reviews(audiences: &[&str]) -> String {
    let review = |audience: &&str| {
        format!(
            "apiVersion: authorization.k8s.io/v1
kind: SubjectAccessReview
spec:
  groups: [\"system:nodes\", \"system:authenticated\"]
  resourceAttributes:
    verb: request-serviceaccounts-token-audience
    resource: {}
",
            quoted(audience)
        )
    };
    audiences.iter().map(review).collect::<Vec<String>>().join("---\n")
}

fn write_entry(text: &mut String, entry: &Entry<'_>, version: KubeletVersion) {
    for remark in &entry.remarks {
        let _ = writeln!(text, "# {remark}");
    }
    let _ = writeln!(text, "- name: {}", entry.name);
    text.push_str("  apiVersion: credentialprovider.kubelet.k8s.io/v1\n");
    text.push_str(
        "  # `*` covers one label of the host; a path covers every path that begins with it\n",
    );
    text.push_str("  matchImages:\n");
    for pattern in &entry.match_images {
        let _ = writeln!(text, "  - {}", quoted(pattern));
    }
    text.push_str("  # used only when an answer sets no `cacheDuration`\n");
    text.push_str("  defaultCacheDuration: 10m\n");
    write_args(text, entry);
    match &entry.tokens {
        Some(tokens) => write_tokens(text, tokens, version),
        None if entry.shows_options && version.minor() >= 33 => text.push_str(
            "  # to use the pod's own token, run this with --service-account-audience AUDIENCE\n",
        ),
        None => {}
    }
}

fn write_args(text: &mut String, entry: &Entry<'_>) {
    if !entry.args.is_empty() {
        text.push_str("  args:\n");
        for arg in &entry.args {
            let _ = writeln!(text, "  - {}", quoted(arg));
        }
    }
    if !entry.shows_options {
        return;
    }
    let is_given = |option: &&OptionSpec| {
        entry.args.iter().any(|arg| {
            let name = arg.strip_prefix('-').unwrap_or_default();
            let name = name.strip_prefix('-').unwrap_or(name);
            name.split('=').next() == Some(option.name)
        })
    };
    let useful = |option: &&OptionSpec| !option.ignored && !is_given(option);
    let mut left = entry.plugin.options.iter().filter(useful).peekable();
    if left.peek().is_some() {
        text.push_str(if entry.args.is_empty() { "  # args:\n" } else { "  # further args:\n" });
    }
    for option in left {
        let default =
            option.default.map_or_else(String::new, |default| format!(" (default {default})"));
        // One argument, not two.
        let written = option.written().replacen(' ', "=", 1);
        let _ = writeln!(text, "  # - {}  # {}{default}", quoted(&written), option.help);
    }
}

fn write_tokens(text: &mut String, tokens: &Tokens, version: KubeletVersion) {
    if version.minor() == 33 {
        let _ = writeln!(text, "  # 1.33 needs --feature-gates={SERVICE_ACCOUNT_TOKENS}=true");
    }
    let _ = write!(
        text,
        "  tokenAttributes:
    serviceAccountTokenAudience: {}
    # with `false` the plugin \
         also runs, without a token, for pods without a service account
    \
         requireServiceAccount: {}
",
        quoted(&tokens.audience),
        tokens.require_service_account
    );
    if version.minor() >= 34 {
        text.push_str(match tokens.cache_type {
            CacheType::Token => {
                "    # the credential expires with the pod's token, or depends on it\n    \
                 cacheType: Token\n"
            }
            CacheType::ServiceAccount => {
                "    # the credential belongs to the service account, and outlives the pod's \
                 token\n    cacheType: ServiceAccount\n"
            }
        });
    }
    if !tokens.required_annotations.is_empty() {
        text.push_str(
            "    # a pod whose service account lacks one of these gets no credentials\n    \
             requiredServiceAccountAnnotationKeys:\n",
        );
    }
    for key in &tokens.required_annotations {
        let _ = writeln!(text, "    - {}", quoted(key));
    }
    if !tokens.optional_annotations.is_empty() {
        text.push_str(
            "    # only the keys that are listed here reach the plugin; where it needs an \
             annotation, and\n\x20   # the service account has none, the pull gets no \
             credentials: list images of such pods in\n\x20   # an entry without \
             `tokenAttributes`\n\x20   optionalServiceAccountAnnotationKeys:\n",
        );
    }
    for (key, help) in &tokens.optional_annotations {
        let _ = match help.is_empty() {
            true => writeln!(text, "    - {}", quoted(key)),
            false => writeln!(text, "    - {}  # {help}", quoted(key)),
        };
    }
    if tokens.optional_annotations.is_empty() && !tokens.left_out_annotations.is_empty() {
        text.push_str("    # optionalServiceAccountAnnotationKeys:\n");
    }
    for (key, help) in &tokens.left_out_annotations {
        let _ = writeln!(text, "    # - {}  # {help}", quoted(key));
    }
}

/// A JSON string is a YAML string.
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
