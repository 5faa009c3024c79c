//! The provider that is to be merged.

use crate::config::{KIND, read_tree};
use crate::document::{Entry, Node, Value};
use crate::edit::PROVIDERS;

/// One provider, as a field of `providers` holds it. Its values may be secret.
pub struct ProviderEntry {
    name: String,
    node: Node,
}

impl std::fmt::Debug for ProviderEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderEntry").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why a text is not one provider. It holds no value from it that may be secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// The text is neither JSON nor YAML. The message is the kubelet's.
    #[error("{0}")]
    Syntax(String),
    /// It is a document of another kind.
    #[error("it is not a provider, a list of one, or a CredentialProviderConfig")]
    OtherDocument,
    /// There is not exactly one provider.
    #[error("it holds {0} providers")]
    NotOne(usize),
    /// The provider has no name.
    #[error("the provider has no `name`")]
    NoName,
    /// A field occurs twice.
    #[error("a field is there twice")]
    Repeated,
}

impl EntryError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Syntax(_) => "write it as YAML or JSON",
            Self::OtherDocument => {
                "write one provider as a mapping with `name`, `apiVersion`, `matchImages` and \
                 `defaultCacheDuration`; `pullpass config PLUGIN` prints one"
            }
            Self::NotOne(_) => "merge one provider at a time",
            Self::NoName => "`name` is the name of the program in the bin dir",
            Self::Repeated => "keep one of the two; the kubelet refuses both",
        }
    }
}

impl ProviderEntry {
    /// Reads one provider: a mapping, a list of one mapping, or a CredentialProviderConfig with one
    /// provider. YAML or JSON; comments in it are not kept.
    ///
    /// # Errors
    /// When the text is not that.
    pub fn parse(text: &[u8]) -> Result<Self, EntryError> {
        let document = read_tree(text).map_err(|fault| EntryError::Syntax(fault.message))?;
        if !document.duplicates.is_empty() {
            return Err(EntryError::Repeated);
        }
        let mut node = only_provider(&document.node)?.clone();
        put_in_order(&mut node)?;
        let name = node.field("name").and_then(Node::as_str).unwrap_or_default().to_owned();
        if name.is_empty() {
            return Err(EntryError::NoName);
        }
        Ok(Self { name, node })
    }

    /// The provider's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it gives its program arguments or variables, which may be secret.
    pub fn may_hold_secrets(&self) -> bool {
        ["args", "env"].iter().any(|field| self.node.field(field).is_some())
    }

    pub(super) fn node(&self) -> &Node {
        &self.node
    }
}

fn only_provider(document: &Node) -> Result<&Node, EntryError> {
    let list = match &document.value {
        Value::Array(items) => items.as_slice(),
        Value::Object(_) => match document.field(PROVIDERS) {
            Some(list) if is_config(document) => list.items(),
            None if document.field("kind").is_none() => std::slice::from_ref(document),
            _ => return Err(EntryError::OtherDocument),
        },
        _ => return Err(EntryError::OtherDocument),
    };
    match list {
        [one] if matches!(one.value, Value::Object(_)) => Ok(one),
        [_] => Err(EntryError::OtherDocument),
        several => Err(EntryError::NotOne(several.len())),
    }
}

fn is_config(document: &Node) -> bool {
    document.field("kind").is_none_or(|kind| kind.as_str() == Some(KIND))
}

/// Fields in the order in which they are written: YAML gives them sorted.
fn put_in_order(node: &mut Node) -> Result<(), EntryError> {
    match &mut node.value {
        Value::Array(items) => items.iter_mut().try_for_each(put_in_order),
        Value::Object(entries) => {
            let mut keys: Vec<&str> = entries.iter().map(|entry| &*entry.key).collect();
            keys.sort_unstable();
            if keys.windows(2).any(|pair| pair[0] == pair[1]) {
                return Err(EntryError::Repeated);
            }
            entries.sort_by_key(|Entry { key_span, .. }| key_span.start);
            entries.iter_mut().try_for_each(|entry| put_in_order(&mut entry.node))
        }
        _ => Ok(()),
    }
}
