//! Files that are something else: templates, wrappers, fragments, other kinds.

use crate::config::{GROUP, KIND};
use crate::distance::distance;
use crate::finding::{Finding, FindingCode};

/// How expressions of templates begin that never occur in a configuration.
const TEMPLATE_MARKS: [&str; 4] = ["{{", "{%", "<%", "<no value>"];

/// The same, but a text may also contain these on purpose.
const VARIABLE_MARKS: [&str; 2] = ["${", "$("];

/// What to do if the file, or the value in question, is a template that was not rendered.
pub(super) fn template_hint(finding: &Finding) -> Option<String> {
    let location = finding.location.as_ref()?;
    let value = match finding.code {
        FindingCode::Syntax => location.line_text(),
        _ => location.text(),
    };
    let in_value = TEMPLATE_MARKS.iter().chain(&VARIABLE_MARKS).find(|mark| value.contains(**mark));
    let text = location.source().text();
    let is_about_file = matches!(finding.code, FindingCode::Syntax | FindingCode::WrongDocument);
    let in_file = || TEMPLATE_MARKS.iter().filter_map(|mark| Some((text.find(mark)?, *mark))).min();
    let (line, mark) = match in_value {
        Some(mark) => (location.line(), *mark),
        // Only one finding is of this kind, and this reads the whole file.
        None if !is_about_file => return None,
        None => in_file().map(|(at, mark)| (text[..at].matches('\n').count() + 1, mark))?,
    };
    Some(match mark {
        "<no value>" => format!(
            "line {line} has `<no value>`: the template was rendered without a value for this; \
             set the value, and render it again"
        ),
        _ => {
            format!(
                "line {line} has `{mark}`: this is a template; render it first, and check the \
                 result"
            )
        }
    })
}

/// What to do about a document that is not a CredentialProviderConfig.
pub(super) fn hint(finding: &Finding) -> String {
    let text = finding.location.as_ref().map(|at| at.source().text()).unwrap_or_default();
    let message = finding.message.as_str();
    let quoted = message.split('"').nth(1).unwrap_or_default();
    if let Some(other) = find_other_format(text) {
        return other.to_owned();
    }
    if let Some(wrapper) = find_wrapper(text) {
        return in_wrapper(wrapper, text);
    }
    if message.contains("cannot unmarshal array") {
        if text.contains(KIND) || !text.contains("matchImages") {
            return in_wrapper("a list", text);
        }
        return format!("this is a list of providers: write {HEAD} and `providers:` above it");
    }
    if text.contains("image-credential-provider-config") {
        return "these are flags of the kubelet: check the file that \
                `--image-credential-provider-config` names"
            .to_owned();
    }
    if message.contains("cannot unmarshal string") {
        return "the file contains a single string, not a configuration: is it the right file?"
            .to_owned();
    }
    if message.contains("(wrong Kind)") {
        return other_kind(quoted);
    }
    if message.starts_with("Object '") {
        return missing_head(message, text);
    }
    if message.contains("no kind ") {
        return unknown_kind(message, quoted, text);
    }
    format!("begin the file with {HEAD}")
}

const HEAD: &str = "`apiVersion: kubelet.config.k8s.io/v1` and `kind: CredentialProviderConfig`";

/// What to do about a file that is not a configuration in any form.
pub(super) fn find_other_format(text: &str) -> Option<&'static str> {
    let start = text.trim_start().to_lowercase();
    if ["<!doctype", "<html", "<?xml"].iter().any(|mark| start.starts_with(mark)) {
        return Some(
            "this is a web page or an XML document: was the file downloaded from the right place?",
        );
    }
    if start.starts_with('{') && text.contains("\"auths\"") {
        return Some(
            "this is a Docker configuration with logins, as in the `.dockerconfigjson` of a pull \
             secret; the kubelet's providers are configured in another file",
        );
    }
    if text.lines().any(|line| line.starts_with("<<<<<<< ")) {
        return Some(
            "the file has a merge conflict: keep one of the two versions, and remove the lines \
             that begin with `<<<<<<<`, `=======` and `>>>>>>>`",
        );
    }
    let is_setting = |line: &str| {
        let name = line.split_once(" = ").map(|(name, _)| name.trim_end()).unwrap_or_default();
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.\"".contains(c);
        !name.is_empty() && name.chars().all(is_name)
    };
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    let is_table = |line: &str| line.starts_with('[') && line.ends_with(']');
    match first {
        Some("[Unit]" | "[Service]") => None,
        Some(first) if is_setting(first) || is_table(first) && text.lines().any(is_setting) => {
            Some(
                "this is TOML or INI, not YAML: perhaps the settings of Bottlerocket or \
                 containerd; check the file that `--image-credential-provider-config` names",
            )
        }
        _ => None,
    }
}

/// A file that contains others: how it is recognized, and its name.
const WRAPPERS: [(&str, &str); 18] = [
    ("#cloud-config", "cloud-init user data"),
    ("MIME-Version:", "MIME user data"),
    ("kind: ConfigMap", "a ConfigMap"),
    ("kind: Secret", "a Secret"),
    ("kind: MachineConfig", "a MachineConfig"),
    ("kind: KubeletConfig\n", "OpenShift's KubeletConfig"),
    ("kind: NodeConfig", "a NodeConfig of nodeadm"),
    ("kind: Cluster", "a cluster's manifest"),
    ("kind: List", "a List"),
    ("variant: ", "a Butane config"),
    ("\"ignition\":", "an Ignition config"),
    ("credentialProviderConfig:", "a Talos machine config"),
    ("[Service]", "a systemd unit"),
    ("#!/", "a script"),
    ("cat >", "a script"),
    ("cat <<", "a script"),
    ("```", "a Markdown page"),
    ("--- a/", "a diff"),
];

pub(super) fn find_wrapper(text: &str) -> Option<&'static str> {
    let begins_line = |mark: &str| {
        text.match_indices(mark).any(|(at, _)| {
            let before = &text[..at];
            before.is_empty() || before.ends_with('\n') || mark.starts_with(['"', 'c'])
        })
    };
    WRAPPERS.iter().find(|(mark, _)| begins_line(mark)).map(|(_, name)| *name)
}

pub(super) fn in_wrapper(wrapper: &str, text: &str) -> String {
    let marks = [
        "apiVersion: kubelet.config.k8s.io",
        "kind: CredentialProviderConfig",
        "\"CredentialProviderConfig\"",
        "matchImages",
    ];
    let found = marks.iter().filter_map(|mark| text.find(mark)).min();
    match found {
        Some(at) => format!(
            "this is {wrapper} with the configuration inside, at line {}: copy that part to its \
             own file, and check that file",
            text[..at].matches('\n').count() + 1
        ),
        None if text.contains("base64,") || text.contains("encoding:") => {
            format!(
                "this is {wrapper} with encoded content: decode it to its own file, and check \
                 that file"
            )
        }
        None => format!(
            "this is {}: check the file that `--image-credential-provider-config` names",
            wrapper.trim_end_matches(',')
        ),
    }
}

fn other_kind(kind: &str) -> String {
    match kind {
        "KubeletConfiguration" => {
            "a KubeletConfiguration has no field for image credential providers: check the file \
             that the kubelet's flag `--image-credential-provider-config` names"
                .to_owned()
        }
        "CredentialProviderRequest" | "CredentialProviderResponse" => {
            format!("a `{kind}` is a message between the kubelet and a plugin, not a configuration")
        }
        _ => format!("write `kind: {KIND}`"),
    }
}

fn missing_head(message: &str, text: &str) -> String {
    let content = text.lines().map(str::trim).filter(|line| !line.is_empty());
    if content.clone().all(|line| line.starts_with('#') || line == "---") {
        return "the file has no content: `pullpass config NAME` prints a configuration".to_owned();
    }
    if matches!(text.trim(), "null" | "~") {
        return "the file has no content: `pullpass config NAME` prints a configuration".to_owned();
    }
    // A `---` ends the first document, even an empty one.
    let mut lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    if lines.next() == Some("---") && lines.next() == Some("---") {
        return "the first document of the file is empty: remove the first `---`".to_owned();
    }
    let has = |field: &str| text.lines().any(|line| line.starts_with(field));
    if has("machine:") {
        return in_wrapper("a Talos machine config", text);
    }
    if has("kubelet-arg:") {
        return "this is a k3s or RKE2 configuration: check the file that \
             `image-credential-provider-config=` in its `kubelet-arg` names"
            .to_owned();
    }
    if has("matchImages:") || has("name:") {
        return format!(
            "this is a single provider: write {HEAD} and `providers:` above it, and begin it with \
             `- `"
        );
    }
    if !has("providers:") && !has("apiVersion:") && !has("kind:") && !text.starts_with('{') {
        return format!(
            "this is not a CredentialProviderConfig, which begins with {HEAD}: check the file that \
             `--image-credential-provider-config` names"
        );
    }
    match message.contains("'Kind'") {
        true if text.contains("apiVersion: kubelet") => format!("add `kind: {KIND}`"),
        true => format!("add {HEAD}"),
        false => format!("add `apiVersion: {GROUP}/v1`"),
    }
}

/// `no kind "KIND" is registered for version "VERSION" in scheme ...`
fn unknown_kind(message: &str, kind: &str, text: &str) -> String {
    let version = message.split('"').nth(3).unwrap_or_default();
    let (group, number) = version.split_once('/').unwrap_or(("", version));
    if kind == KIND {
        if group.eq_ignore_ascii_case(GROUP) && group != GROUP {
            return format!("write `{GROUP}` in lower case");
        }
        if group == GROUP {
            return format!(
                "there is no version `{}` of it: write `apiVersion: {GROUP}/v1`",
                shorten(number)
            );
        }
        return format!("write `apiVersion: {GROUP}/v1`");
    }
    let is_near = distance(&kind.to_lowercase(), &KIND.to_lowercase()) <= 3;
    if is_near || group == GROUP {
        return format!("write `kind: {KIND}`");
    }
    in_wrapper(&format!("another kind of document, `{}`,", shorten(kind)), text)
}

/// A word of the file that is not too long to show.
fn shorten(word: &str) -> String {
    word.chars().filter(|c| c.is_ascii_graphic()).take(60).collect()
}
