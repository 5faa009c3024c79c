//! From a file's bytes to providers, strictly or not as the kubelet's version has it.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use pullpass_go_duration::GoDuration;

use crate::config::go_types::{CONFIG, CONFIG_WITH_CACHE_TYPE, CONFIG_WITH_TOKENS, knows};
use crate::config::{
    ConfigError, CredentialProvider, EnvironmentVariable, Finding, TokenAttributes,
};
use crate::document::{Fault, Node, Value};
use crate::go::quote::quote;
use crate::json;
use crate::schema::{self, Meta, Type};
use crate::source::{Source, Spanned};
use crate::version::Target;
use crate::yaml;

const GROUP: &str = "kubelet.config.k8s.io";
const KIND: &str = "CredentialProviderConfig";

/// Why a file cannot be decoded, and what could be read of it all the same.
pub(super) struct Refusal {
    message: String,
    findings: Vec<(String, Range<usize>)>,
    verbatim: bool,
    source: Arc<Source>,
    pub(super) providers: Vec<CredentialProvider>,
}

impl Refusal {
    pub(super) fn into_error(
        self,
        path: &Path,
        target: &Target,
        further: Vec<Finding>,
        sources: Vec<Arc<Source>>,
    ) -> ConfigError {
        let file = if target.reads_directories() {
            quote(path.as_os_str().as_encoded_bytes())
        } else {
            path.display().to_string()
        };
        let findings = self
            .findings
            .into_iter()
            .map(|(message, span)| Finding { message, location: Some(self.source.locate(span)) });
        ConfigError {
            message: format!("error decoding config {file}: {}", self.message),
            findings: findings.collect(),
            further,
            verbatim: self.verbatim,
            sources,
        }
    }
}

/// The providers of one file.
pub(super) fn providers(
    bytes: &[u8],
    source: &Arc<Source>,
    target: &Target,
) -> Result<Vec<CredentialProvider>, Refusal> {
    let refuse = |fault: Fault| Refusal {
        findings: vec![(fault.message.clone(), fault.span)],
        message: fault.message,
        verbatim: fault.verbatim,
        source: Arc::clone(source),
        providers: Vec::new(),
    };
    let (node, duplicates) = tree(bytes).map_err(refuse)?;
    let meta = Meta::read(&node).map_err(refuse)?;
    let shape = shape(&meta, bytes, target).map_err(refuse)?;
    let strict = schema::check(&node, shape, &meta.version).map_err(refuse)?;
    let providers = node.field("providers").map_or(&[][..], Node::items);
    let reader = Reader { source };
    let providers: Vec<CredentialProvider> =
        providers.iter().map(|node| reader.provider(node, shape)).collect();
    if !target.is_strict() || (strict.is_empty() && duplicates.is_empty()) {
        return Ok(providers);
    }
    let mut findings = Vec::new();
    if !duplicates.is_empty() {
        let lines: Vec<&str> = duplicates.iter().map(|(message, _)| message.as_str()).collect();
        let message = format!("yaml: unmarshal errors:\n  {}", lines.join("\n  "));
        findings.push((message, duplicates[0].1.clone()));
    }
    findings.extend(strict.into_iter().map(|error| (error.message, error.span)));
    let words: Vec<&str> = findings.iter().map(|(message, _)| message.as_str()).collect();
    let message = format!("strict decoding error: {}", words.join(", "));
    if !duplicates.is_empty() {
        // In the message they are one error; each has its own place.
        findings.splice(..1, duplicates);
    }
    Err(Refusal { message, findings, verbatim: true, source: Arc::clone(source), providers })
}

type Duplicates = Vec<(String, Range<usize>)>;

/// JSON where the first character is a brace, else YAML.
fn tree(bytes: &[u8]) -> Result<(Node, Duplicates), Fault> {
    let lossy = String::from_utf8_lossy(bytes);
    if lossy.trim_start_matches(is_go_space).starts_with('{') {
        // Kubernetes reads the version first, and this is where the syntax is found bad.
        return json::parse(bytes).map(|node| (node, Vec::new())).map_err(|fault| Fault {
            message: format!("couldn't get version/kind; json parse error: {}", fault.message),
            ..fault
        });
    }
    yaml::parse(bytes).map(|document| (document.node, document.duplicates))
}

fn is_go_space(c: char) -> bool {
    c.is_whitespace()
}

/// The Go type that the document claims to be.
fn shape(meta: &Meta, bytes: &[u8], target: &Target) -> Result<Type, Fault> {
    let fault = |message: String, span: &Range<usize>| Fault {
        span: span.clone(),
        ..Fault::at(message, 0)
    };
    let whole = || String::from_utf8_lossy(bytes).into_owned();
    if meta.kind.is_empty() {
        return Err(fault(format!("Object 'Kind' is missing in '{}'", whole()), &meta.kind_span));
    }
    if meta.version.is_empty() {
        let message = format!("Object 'apiVersion' is missing in '{}'", whole());
        return Err(fault(message, &meta.version_span));
    }
    let known_version = matches!(meta.version.as_str(), "v1" | "v1beta1" | "v1alpha1");
    if meta.kind == KIND && meta.group == GROUP && known_version {
        return Ok(match (meta.version.as_str(), target.version.minor()) {
            ("v1", 34..) => CONFIG_WITH_CACHE_TYPE,
            ("v1", 33) => CONFIG_WITH_TOKENS,
            _ => CONFIG,
        });
    }
    if is_registered(meta, target) {
        return Err(fault(
            format!("failed to decode {} (wrong Kind)", quote(&meta.kind)),
            &meta.kind_span,
        ));
    }
    let scheme = scheme(target);
    let api_version = quote(meta.api_version());
    let kind = quote(&meta.kind);
    let message = if meta.version == "__internal" {
        format!(
            "no kind {kind} is registered for the internal version of group {} in scheme {scheme}",
            quote(&meta.group)
        )
    } else {
        format!("no kind {kind} is registered for version {api_version} in scheme {scheme}")
    };
    let wrong_kind = meta.group == GROUP && known_version;
    Err(fault(message, if wrong_kind { &meta.kind_span } else { &meta.version_span }))
}

/// Other kinds that the kubelet's decoder knows.
fn is_registered(meta: &Meta, target: &Target) -> bool {
    match (meta.group.as_str(), meta.version.as_str(), meta.kind.as_str()) {
        (GROUP, "v1beta1", "KubeletConfiguration" | "SerializedNodeConfigSource") => true,
        (GROUP, "v1alpha1", "ImagePullIntent" | "ImagePulledRecord") => {
            target.version.minor() >= 33
        }
        (GROUP, "v1beta1", "ImagePullIntent" | "ImagePulledRecord") => target.version.minor() >= 35,
        (
            "credentialprovider.kubelet.k8s.io",
            "v1" | "v1beta1" | "v1alpha1",
            "CredentialProviderRequest" | "CredentialProviderResponse",
        ) => true,
        _ => false,
    }
}

/// The kubelet names its decoder after the line that makes it.
pub(crate) fn scheme(target: &Target) -> String {
    let line = match target.version.minor() {
        ..=32 => 58,
        33 => 66,
        _ => 69,
    };
    format!("\"pkg/credentialprovider/plugin/plugin.go:{line}\"")
}

/// Reads values off a tree whose types were checked.
struct Reader<'a> {
    source: &'a Arc<Source>,
}

impl Reader<'_> {
    fn provider(&self, node: &Node, shape: Type) -> CredentialProvider {
        let known = |field: &str| knows(shape, field);
        let duration = node.field("defaultCacheDuration").and_then(|node| {
            let duration: GoDuration = node.as_str()?.parse().ok()?;
            Some(self.spanned(duration, node))
        });
        let tokens = node
            .field("tokenAttributes")
            .filter(|node| known("tokenAttributes") && matches!(node.value, Value::Object(_)))
            .map(|node| self.tokens(node, shape));
        CredentialProvider {
            name: self.text(node, "name"),
            match_images: self.texts(node, "matchImages"),
            default_cache_duration: duration,
            api_version: self.text(node, "apiVersion"),
            args: self.texts(node, "args"),
            env: node
                .field("env")
                .map_or(&[][..], Node::items)
                .iter()
                .map(|node| EnvironmentVariable {
                    name: self.text(node, "name"),
                    value: self.text(node, "value"),
                })
                .collect(),
            token_attributes: tokens,
            location: self.source.locate(node.span.clone()),
        }
    }

    fn tokens(&self, node: &Node, shape: Type) -> TokenAttributes {
        let required = node.field("requireServiceAccount");
        let cache_type = node.field("cacheType").filter(|_| knows(shape, "cacheType"));
        TokenAttributes {
            audience: self.text(node, "serviceAccountTokenAudience"),
            cache_type: cache_type
                .and_then(|node| Some(self.spanned(node.as_str()?.to_owned(), node))),
            require_service_account: required.and_then(|node| match node.value {
                Value::Bool(on) => Some(self.spanned(on, node)),
                _ => None,
            }),
            required_annotation_keys: self.texts(node, "requiredServiceAccountAnnotationKeys"),
            optional_annotation_keys: self.texts(node, "optionalServiceAccountAnnotationKeys"),
            location: self.source.locate(node.span.clone()),
        }
    }

    /// A text; where there is none the empty one, placed at what should hold it.
    fn text(&self, node: &Node, field: &str) -> Spanned<String> {
        let found = node.field(field);
        let text = found.and_then(Node::as_str).unwrap_or_default().to_owned();
        self.spanned(text, found.unwrap_or(node))
    }

    fn texts(&self, node: &Node, field: &str) -> Vec<Spanned<String>> {
        let items = node.field(field).map_or(&[][..], Node::items);
        let text = |node: &Node| self.spanned(node.as_str().unwrap_or_default().to_owned(), node);
        items.iter().map(text).collect()
    }

    fn spanned<T>(&self, value: T, node: &Node) -> Spanned<T> {
        Spanned { value, location: self.source.locate(node.span.clone()) }
    }
}
