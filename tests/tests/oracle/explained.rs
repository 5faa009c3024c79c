//! The differences that may be, each with its reason and as narrow as it can be said.

use pullpass_kubelet::KubeletVersion;
use serde_json::Value;

/// The kubelet says this of every provider before it looks at the image, so the library has
/// no place for it.
pub(crate) const NOT_MODELLED: &str =
    "the line that the kubelet logs at V(4) for every provider before it matches is left out";

/// Whether a line of the kubelet's log is that one.
pub(crate) fn is_not_modelled(line: &str) -> bool {
    line.starts_with("\"Generating per pod credential provider\" provider=")
        || line.starts_with("\"Generating credential provider\" provider=")
}

/// What is known of a case beyond the two answers.
pub(crate) struct Context {
    pub(crate) version: KubeletVersion,
    /// Two keys of one answer are one key to the kubelet.
    pub(crate) filed_alike: bool,
    /// Our error does not claim to be in the kubelet's words.
    pub(crate) not_verbatim: bool,
}

impl Context {
    pub(crate) fn new(version: KubeletVersion) -> Self {
        Self { version, filed_alike: false, not_verbatim: false }
    }
}

/// One line of the table.
struct Explanation {
    reason: &'static str,
    field: &'static str,
    holds: fn(&Context, &Value, &Value) -> bool,
}

const TABLE: [Explanation; 8] = [
    Explanation {
        reason: "two keys of one answer that are filed alike come in random order in the kubelet",
        field: "credentials",
        holds: |context, kubelet, ours| context.filed_alike && sorted(kubelet) == sorted(ours),
    },
    Explanation {
        reason: "up to 1.32 the kubelet lists the supported versions in random order",
        field: "message",
        holds: |context, kubelet, ours| {
            context.version.minor() <= 32
                && context.not_verbatim
                && text(kubelet).contains(": supported values: ")
                && sorted_words(text(kubelet)) == sorted_words(text(ours))
        },
    },
    Explanation {
        reason: "our message has `...` where the kubelet's quotes what may be a secret",
        field: "message",
        holds: |context, kubelet, ours| {
            context.not_verbatim && is_abridged(text(kubelet), text(ours))
        },
    },
    Explanation {
        reason: "our detail leaves out the answer that the kubelet's codec repeats (and its log \
                 withholds), because it holds credentials",
        field: "detail",
        holds: |_, kubelet, ours| {
            text(kubelet).starts_with("Object 'Kind' is missing in '")
                && ours == "Object 'Kind' is missing"
        },
    },
    Explanation {
        reason: OTHER_KIND,
        field: "message",
        holds: |_, kubelet, ours| {
            let prefix = "error decoding config ";
            text(kubelet).starts_with(prefix)
                && text(ours).starts_with(prefix)
                && is_about_scheme_kind(text(ours))
        },
    },
    Explanation {
        reason: OTHER_KIND,
        field: "detail",
        holds: |_, kubelet, ours| !text(kubelet).is_empty() && is_about_scheme_kind(text(ours)),
    },
    Explanation {
        reason: "the kubelet can read its internal version, in Go's field names; we say that \
                 it is none for files",
        field: "message",
        holds: |_, kubelet, ours| {
            let no_providers = "failed to validate credential provider config: \
                                providers: Required value: at least 1 item in plugins is required";
            let kubelet = text(kubelet);
            (kubelet.starts_with("error decoding config ") || kubelet == no_providers)
                && text(ours).contains(
                    "no kind \"CredentialProviderConfig\" is registered for the internal \
                     version of group \"kubelet.config.k8s.io\"",
                )
        },
    },
    Explanation {
        reason: "our log lines are texts, so a byte of stderr that is no UTF-8 is U+FFFD; the \
                 kubelet escapes it from 1.35",
        field: "logs",
        holds: |context, kubelet, ours| {
            let lines = kubelet.as_array().into_iter().flatten();
            let lossy = lines.map(|line| text(line).replace("\\xff", "\u{fffd}").into());
            context.version.minor() >= 35 && Value::Array(lossy.collect()) == *ours
        },
    },
];

/// Why the two may differ in this field, if they may.
pub(crate) fn reason(
    context: &Context,
    field: &str,
    kubelet: &Value,
    ours: &Value,
) -> Option<&'static str> {
    TABLE
        .iter()
        .find(|line| line.field == field && (line.holds)(context, kubelet, ours))
        .map(|line| line.reason)
}

const OTHER_KIND: &str = "Kubernetes' scheme knows this kind for its own use and reads the \
     document as one first, so other words refuse it; we name the wrong kind";

/// Kinds that every scheme of Kubernetes' has beside those of its groups, and the last
/// ones of the kubelet's own group.
const SCHEME_KINDS: [&str; 18] = [
    "WatchEvent",
    "ListOptions",
    "GetOptions",
    "DeleteOptions",
    "CreateOptions",
    "UpdateOptions",
    "PatchOptions",
    "Status",
    "APIVersions",
    "APIGroupList",
    "APIGroup",
    "APIResourceList",
    "ImagePullIntent",
    "ImagePulledRecord",
    "KubeletConfiguration",
    "SerializedNodeConfigSource",
    "CredentialProviderRequest",
    "CredentialProviderResponse",
];

/// Whether our words are that it is of one of those kinds.
fn is_about_scheme_kind(ours: &str) -> bool {
    SCHEME_KINDS.iter().any(|kind| {
        ours.contains(&format!("no kind \"{kind}\" is registered for "))
            || ours.ends_with(&format!("failed to decode \"{kind}\" (wrong Kind)"))
            || ours.ends_with(&format!("unexpected Kind: \"{kind}\""))
    })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn sorted_words(message: &str) -> Vec<&str> {
    let mut words: Vec<&str> = message.split([' ', ',', '[', ']']).collect();
    words.sort_unstable();
    words
}

/// Whether `ours` is `kubelet` with `...` for parts of it.
fn is_abridged(kubelet: &str, ours: &str) -> bool {
    let mut parts = ours.split("...");
    let Some(mut rest) = parts.next().and_then(|first| kubelet.strip_prefix(first)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return rest.is_empty() };
    for part in between {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

fn sorted(list: &Value) -> Vec<String> {
    let mut texts: Vec<String> =
        list.as_array().into_iter().flatten().map(Value::to_string).collect();
    texts.sort();
    texts
}
