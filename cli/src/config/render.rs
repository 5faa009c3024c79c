//! The text of a configuration.

use std::fmt::Write as _;

use pullpass::{CacheType, Opt, Plugin};
use pullpass_kubelet::lints::audience_manifest;
use pullpass_kubelet::{KubeletVersion, SERVICE_ACCOUNT_TOKENS};
use serde_json::Value;

/// One provider.
pub(super) struct Entry<'a> {
    pub(super) plugin: &'a Plugin,
    pub(super) match_images: Vec<String>,
    pub(super) args: &'a [String],
}

/// The whole file: one document, with the RBAC in comments at its end.
pub(super) fn config(
    entries: &[Entry<'_>],
    audience: Option<&str>,
    version: KubeletVersion,
) -> String {
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
        write_entry(&mut text, entry, audience, version);
    }
    if let Some(audience) = audience {
        text.push_str(
            "\n# Without this in the cluster no node gets a token for the audience:\n\
             # `pullpass config --rbac --service-account-audience AUDIENCE | kubectl apply -f -`\n#\n",
        );
        for line in audience_manifest(audience).lines() {
            let _ = writeln!(text, "# {line}");
        }
    }
    text
}

fn write_entry(
    text: &mut String,
    entry: &Entry<'_>,
    audience: Option<&str>,
    version: KubeletVersion,
) {
    let plugin = entry.plugin;
    let _ = writeln!(text, "# {}", plugin.summary);
    let _ = writeln!(text, "- name: {}", plugin.name);
    text.push_str("  apiVersion: credentialprovider.kubelet.k8s.io/v1\n");
    text.push_str(
        "  # `*` stands for one label of the host; a path covers all that begins with it\n",
    );
    text.push_str("  matchImages:\n");
    for pattern in &entry.match_images {
        let _ = writeln!(text, "  - {}", quoted(pattern));
    }
    text.push_str("  # only for answers that do not say how long they hold\n");
    text.push_str("  defaultCacheDuration: 10m\n");
    write_args(text, entry);
    match audience {
        Some(audience) => write_tokens(text, plugin, audience, version),
        None if version.minor() >= 33 => text.push_str(
            "  # for the pod's own token add `tokenAttributes`: --service-account-audience AUDIENCE\n",
        ),
        None => {}
    }
}

fn write_args(text: &mut String, entry: &Entry<'_>) {
    if !entry.args.is_empty() {
        text.push_str("  args:\n");
        for arg in entry.args {
            let _ = writeln!(text, "  - {}", quoted(arg));
        }
    }
    let is_given = |option: &&Opt| {
        entry.args.iter().any(|arg| {
            let name = arg.strip_prefix("--").unwrap_or_default();
            name.split('=').next() == Some(option.name)
        })
    };
    let useful = |option: &&Opt| !option.ignored && !is_given(option);
    let mut left = entry.plugin.options.iter().filter(useful).peekable();
    if left.peek().is_some() {
        text.push_str(if entry.args.is_empty() { "  # args:\n" } else { "  # further args:\n" });
    }
    for option in left {
        let default =
            option.default.map_or_else(String::new, |default| format!(" (default {default})"));
        let _ = writeln!(text, "  # - {}  # {}{default}", quoted(&written(option)), option.help);
    }
}

/// An option as an argument.
fn written(option: &Opt) -> String {
    match option.value {
        Some(value) if option.positional => value.to_owned(),
        Some(value) => format!("--{}={value}", option.name),
        None => format!("--{}", option.name),
    }
}

fn write_tokens(text: &mut String, plugin: &Plugin, audience: &str, version: KubeletVersion) {
    if version.minor() == 33 {
        let _ = writeln!(text, "  # 1.33 needs --feature-gates={SERVICE_ACCOUNT_TOKENS}=true");
    }
    let _ = write!(
        text,
        "  tokenAttributes:
    serviceAccountTokenAudience: {}
    # with `false` static pods, which have no service account, ask without a token
    requireServiceAccount: true
",
        quoted(audience)
    );
    if version.minor() >= 34 {
        text.push_str(match plugin.cache_type {
            CacheType::Token => {
                "    # the credential dies with the token, or depends on it\n    cacheType: Token\n"
            }
            CacheType::ServiceAccount => {
                "    # the credential is the service account's and outlives the pod's token\n    \
                 cacheType: ServiceAccount\n"
            }
        });
    }
    if !plugin.annotations.is_empty() {
        text.push_str(
            "    # a key that is not listed here never reaches the plugin, and a pod that it needs one\n\
             \x20   # for and has none gets no credentials: give such images an entry without tokens\n\
             \x20   optionalServiceAccountAnnotationKeys:\n",
        );
    }
    for annotation in plugin.annotations {
        let _ = writeln!(text, "    - {}  # {}", quoted(annotation.key), annotation.help);
    }
}

/// A JSON string is a YAML string.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
