//! From a file's bytes to providers, strictly or not, depending on the kubelet's version.

use std::ops::Range;
use std::sync::Arc;

use pullpass_go_duration::GoDuration;
use secrecy::SecretString;

use crate::config::EnvironmentVariable;
use crate::config::files::File;
use crate::config::go_types::{CONFIG, CONFIG_WITH_CACHE_TYPE, CONFIG_WITH_TOKENS, knows};
use crate::config::raw::{RawProvider, RawTokenAttributes};
use crate::config::visible;
use crate::document::{Fault, Node, Value};
use crate::finding::{Finding, FindingCode, StartupError};
use crate::go::quote::quote;
use crate::json;
use crate::schema::{self, FieldProblem, Meta, Strict, Type};
use crate::source::{Source, Spanned, Visible};
use crate::version::Target;
use crate::yaml::{self, Document};

pub(crate) const GROUP: &str = "kubelet.config.k8s.io";
pub(crate) const KIND: &str = "CredentialProviderConfig";

/// The content of a file.
pub(super) struct Decoded {
    pub(super) source: Arc<Source>,
    pub(super) providers: Result<Vec<RawProvider>, Box<RefusedConfig>>,
}

/// Why a file cannot be decoded, and what could be read of it nevertheless.
pub(super) struct RefusedConfig {
    pub(super) error: StartupError,
    pub(super) providers: Vec<RawProvider>,
}

/// Reads the providers of one file.
pub(super) fn decode(file: &File, target: &Target) -> Decoded {
    let (tree, visible) = match read_tree(&file.bytes) {
        Ok(document) => {
            let visible = visible::of_document(&document);
            (Ok(document), visible)
        }
        Err(fault) => (Err(fault), Visible::KnownWords),
    };
    let source = Source::new(&file.path, &file.bytes, visible);
    let decoder = Decoder { file, source: &source, target };
    let providers = match tree {
        Ok(document) => decoder.providers(&document),
        Err(fault) => Err(decoder.refuse(FindingCode::Syntax, fault)),
    };
    Decoded { source, providers }
}

struct Decoder<'a> {
    file: &'a File,
    source: &'a Arc<Source>,
    target: &'a Target,
}

impl Decoder<'_> {
    fn providers(&self, document: &Document) -> Result<Vec<RawProvider>, Box<RefusedConfig>> {
        let refuse = |code| move |fault| self.refuse(code, fault);
        let node = &document.node;
        let meta = Meta::read(node).map_err(refuse(FindingCode::WrongDocument))?;
        let shape = self.shape(&meta).map_err(refuse(FindingCode::WrongDocument))?;
        let strict =
            schema::check(node, shape, &meta.version).map_err(refuse(FindingCode::WrongType))?;
        let providers = node.field("providers").map_or(&[][..], Node::items);
        let reader = Reader { source: self.source };
        let providers: Vec<RawProvider> =
            providers.iter().map(|node| reader.provider(node, shape)).collect();
        let is_clean = strict.is_empty() && document.duplicates.is_empty();
        if !self.target.is_strict() || is_clean {
            return Ok(providers);
        }
        let mut refused = self.refuse_strict(&strict, document);
        refused.providers = providers;
        Err(refused)
    }

    /// Strict decoding reports all its errors at once.
    fn refuse_strict(&self, strict: &[Strict], document: &Document) -> Box<RefusedConfig> {
        let mut words = Vec::new();
        let mut findings = Vec::new();
        if !document.duplicates.is_empty() {
            // In the message they are one error; each has its own place.
            let lines: Vec<&str> =
                document.duplicates.iter().map(|(message, _)| message.as_str()).collect();
            words.push(format!("yaml: unmarshal errors:\n  {}", lines.join("\n  ")));
            findings.extend(document.duplicates.iter().map(|(message, span)| {
                self.finding(FindingCode::DuplicateField, message.clone(), span)
            }));
        }
        for error in strict {
            let code = match error.problem {
                FieldProblem::Duplicate => FindingCode::DuplicateField,
                FieldProblem::Unknown if is_later_field(&error.field) => FindingCode::LaterField,
                FieldProblem::Unknown => FindingCode::UnknownField,
            };
            findings.push(self.finding(code, error.message.clone(), &error.span));
            words.push(error.message.clone());
        }
        let message = format!("strict decoding error: {}", words.join(", "));
        self.refuse_with(&message, findings, !document.has_more_duplicates)
    }

    fn refuse(&self, code: FindingCode, fault: Fault) -> Box<RefusedConfig> {
        let finding = self.finding(code, fault.message.clone(), &fault.span);
        self.refuse_with(&fault.message, vec![finding], fault.verbatim)
    }

    fn refuse_with(
        &self,
        message: &str,
        findings: Vec<Finding>,
        verbatim: bool,
    ) -> Box<RefusedConfig> {
        let path = &self.file.path;
        let shown = if self.target.reads_directories() {
            quote(path.as_os_str().as_encoded_bytes())
        } else {
            path.display().to_string()
        };
        let error = StartupError {
            message: format!("error decoding config {shown}: {message}"),
            findings,
            further: Vec::new(),
            verbatim,
            sources: Vec::new(),
        };
        Box::new(RefusedConfig { error, providers: Vec::new() })
    }

    fn finding(&self, code: FindingCode, message: String, span: &Range<usize>) -> Finding {
        Finding::new(code, message).located(self.source.locate(span.clone()))
    }

    /// The Go type that the document claims to be.
    fn shape(&self, meta: &Meta) -> Result<Type, Fault> {
        let target = self.target;
        let fault = |message: String, span: &Range<usize>| Fault {
            span: span.clone(),
            ..Fault::at(message, 0)
        };
        // The kubelet quotes the whole file, which may hold secrets.
        let missing = |field: &str, span: &Range<usize>| {
            let message = format!("Object '{field}' is missing in '...'");
            Fault { verbatim: false, ..fault(message, span) }
        };
        if meta.kind.is_empty() {
            return Err(missing("Kind", &meta.kind_span));
        }
        if meta.version.is_empty() {
            return Err(missing("apiVersion", &meta.version_span));
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
}

/// Whether a later kubelet, or another API version, knows a field of this name.
fn is_later_field(field: &str) -> bool {
    matches!(field, "tokenAttributes" | "cacheType")
}

/// JSON where the first character is a brace, else YAML.
pub(crate) fn read_tree(bytes: &[u8]) -> Result<Document, Fault> {
    if !is_json(bytes) {
        return yaml::parse(bytes);
    }
    let node = json::parse(bytes).map_err(|fault| Fault {
        // Kubernetes reads the version first, and finds the syntax error there.
        message: format!("couldn't get version/kind; json parse error: {}", fault.message),
        ..fault
    })?;
    Ok(Document::of_json(node))
}

/// Whether the kubelet reads these bytes as JSON.
pub(crate) fn is_json(bytes: &[u8]) -> bool {
    String::from_utf8_lossy(bytes).trim_start().starts_with('{')
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

/// The kubelet names its decoder after the source line that creates it.
pub(crate) fn scheme(target: &Target) -> String {
    let line = match target.version.minor() {
        ..=32 => 58,
        33 => 66,
        _ => 69,
    };
    format!("\"pkg/credentialprovider/plugin/plugin.go:{line}\"")
}

/// Reads values from a tree whose types were checked.
struct Reader<'a> {
    source: &'a Arc<Source>,
}

impl Reader<'_> {
    fn provider(&self, node: &Node, shape: Type) -> RawProvider {
        let known = |field: &str| knows(shape, field);
        let duration = node.field("defaultCacheDuration").and_then(|node| {
            let duration: GoDuration = node.as_str()?.parse().ok()?;
            Some(self.spanned(duration, node))
        });
        let tokens = node
            .field("tokenAttributes")
            .filter(|node| known("tokenAttributes") && matches!(node.value, Value::Object(_)))
            .map(|node| self.tokens(node, shape));
        RawProvider {
            name: self.text(node, "name"),
            match_images: self.texts(node, "matchImages"),
            default_cache_duration: duration,
            api_version: self.text(node, "apiVersion"),
            args: self.secrets(node, "args"),
            env: node
                .field("env")
                .map_or(&[][..], Node::items)
                .iter()
                .map(|node| EnvironmentVariable {
                    name: self.text(node, "name"),
                    value: self.secret(node, "value"),
                })
                .collect(),
            token_attributes: tokens,
            location: self.source.locate(node.span.clone()),
        }
    }

    fn tokens(&self, node: &Node, shape: Type) -> RawTokenAttributes {
        let required = node.field("requireServiceAccount");
        let cache_type = node.field("cacheType").filter(|_| knows(shape, "cacheType"));
        RawTokenAttributes {
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

    /// A text; if it is missing, the empty text, at the place of what should hold it.
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

    fn secret(&self, node: &Node, field: &str) -> Spanned<SecretString> {
        let Spanned { value, location } = self.text(node, field);
        Spanned { value: value.into(), location }
    }

    fn secrets(&self, node: &Node, field: &str) -> Vec<Spanned<SecretString>> {
        let texts = self.texts(node, field).into_iter();
        texts.map(|text| Spanned { value: text.value.into(), location: text.location }).collect()
    }

    fn spanned<T>(&self, value: T, node: &Node) -> Spanned<T> {
        Spanned { value, location: self.source.locate(node.span.clone()) }
    }
}
