//! Adds one provider to a configuration file, or removes one, and leaves every other byte
//! as it was: comments, order, unknown fields, line ends, and the style of YAML or JSON.
//!
//! The text is changed at the places that the kubelet's own reading of it names. It is never
//! printed from a tree, which would lose what the tree does not hold.

mod block;
mod diff;
mod entry;
mod flow;
mod lines;
mod reading;
mod splice;
mod write;

use crate::document::{Node, Value};
use crate::layout::List;

use self::block::Block;
use self::flow::Flow;
use self::reading::Reading;
use self::splice::Splice;

pub use self::diff::diff;
pub use self::entry::{EntryError, ProviderEntry};

/// A configuration in YAML without providers, for a file that is not there yet.
pub const EMPTY_YAML: &str =
    "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders: []\n";

/// The same in JSON.
pub const EMPTY_JSON: &str = "{\n  \"apiVersion\": \"kubelet.config.k8s.io/v1\",\n  \
                              \"kind\": \"CredentialProviderConfig\",\n  \"providers\": []\n}\n";

/// The field with the list of providers.
const PROVIDERS: &str = "providers";

/// What became of a file's text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Edited {
    /// The new text. It may hold secrets.
    pub text: Vec<u8>,
    /// What was done.
    pub change: Change,
    /// How many providers the new text has.
    pub providers: usize,
}

/// What an edit did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing: the text is already as wanted.
    Nothing,
    /// A provider was added after the others.
    Added,
    /// A provider took the place of the one of the same name.
    Replaced,
    /// A provider was removed.
    Removed,
}

/// Why a text is not edited.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The text is neither JSON nor YAML. The message is the kubelet's.
    #[error("{message}")]
    Syntax {
        /// What is wrong, without a value from the file.
        message: String,
        /// The line, from 1.
        line: usize,
    },
    /// The document is not a mapping.
    #[error("the file does not hold a CredentialProviderConfig")]
    NotAMapping,
    /// The key `providers` is there twice.
    #[error("the file has the key `providers` twice")]
    RepeatedList,
    /// `providers` is an alias, or not a list.
    #[error("`providers` is not written as a list")]
    NotAList,
    /// Two providers of the file have the name that is to be merged.
    #[error("the file has two providers `{0}`")]
    RepeatedProvider(String),
    /// The text has a layout that cannot be edited.
    #[error("the list of providers is written in a form that is not edited")]
    Form,
    /// The new text would not mean what it should: an alias refers to the provider, or the last
    /// line has no line end and a text in it would get one.
    #[error("the edit would change another part of the file")]
    OtherPart,
}

impl EditError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "fix the file first; `pullpass check FILE` shows the place",
            Self::NotAMapping => {
                "it needs `apiVersion: kubelet.config.k8s.io/v1` and \
                 `kind: CredentialProviderConfig`; `pullpass check FILE` says what it lacks"
            }
            Self::RepeatedList => "keep one `providers` list with all providers in it",
            Self::NotAList => "write the providers as a list at the key `providers` itself",
            Self::RepeatedProvider(_) => {
                "keep one of them; `pullpass config remove FILE NAME` takes both out"
            }
            Self::Form => "write the list in the usual form, each provider on lines of its own",
            Self::OtherPart => {
                "look for an alias (`*name`) that leads into this provider, and for a text block \
                 (`|`) at the end of a file without a final line end; edit the file by hand"
            }
        }
    }
}

/// Adds a provider to the list: it replaces the one of the same name, or else comes after the
/// last. If the file has this provider already, in any style, the same text is returned.
///
/// [`remove`] after an addition gives the old text back; only if the file had no list at all,
/// it then has an empty one.
///
/// # Errors
/// When the text cannot be read, or cannot be edited without a change to another part.
pub fn merge(text: &[u8], entry: &ProviderEntry) -> Result<Edited, EditError> {
    let file = Reading::new(text)?;
    let old = file.providers();
    let same: Vec<usize> = positions(&old, entry.name());
    let (splices, change, at) = match same.as_slice() {
        [] => (append(&file, entry)?, Change::Added, old.len()),
        [at] if is_same(old[*at], entry.node()) => return Ok(file.unchanged()),
        [at] => (replace(&file, *at, entry)?, Change::Replaced, *at),
        _ => return Err(EditError::RepeatedProvider(entry.name().to_owned())),
    };
    let mut wanted = old.clone();
    wanted.truncate(at);
    wanted.push(entry.node());
    wanted.extend(old.iter().skip(at + 1));
    file.apply(splices, change, &wanted)
}

/// Removes every provider of this name from the list. The same text is returned if there is
/// none.
///
/// # Errors
/// When the text cannot be read, or cannot be edited without a change to another part.
pub fn remove(text: &[u8], name: &str) -> Result<Edited, EditError> {
    let file = Reading::new(text)?;
    let old = file.providers();
    let Some(at) = positions(&old, name).first().copied() else { return Ok(file.unchanged()) };
    let splices = match &file.layout.list {
        List::Block { after, items } => {
            Block::new(&file).remove(items, at, *after).ok_or(EditError::Form)?
        }
        List::Flow { span, items, commas } => Flow::new(&file).remove(span, items, commas, at),
        _ => return Err(EditError::NotAList),
    };
    let mut wanted = old.clone();
    wanted.remove(at);
    let edited = file.apply(splices, Change::Removed, &wanted)?;
    match remove(&edited.text, name)? {
        Edited { change: Change::Nothing, .. } => Ok(edited),
        further => Ok(further),
    }
}

fn append(file: &Reading, entry: &ProviderEntry) -> Result<Vec<Splice>, EditError> {
    let entry = entry.node();
    let (block, flow) = (Block::new(file), Flow::new(file));
    let is_flow = file.layout.is_flow;
    match &file.layout.list {
        List::Block { items, .. } => block.append(items, entry),
        List::Flow { span, items, .. } if items.is_empty() => {
            let as_block = || block.fill(span, "[]", entry);
            (!is_flow).then(as_block).flatten().or_else(|| Some(flow.fill(span, entry)))
        }
        List::Flow { items, span, commas } => Some(flow.append(span, items, commas, entry)),
        List::Null(span) => {
            let literal = file.slice(span);
            let as_block = || block.fill(span, literal, entry);
            (!is_flow).then(as_block).flatten().or_else(|| Some(flow.put_list(span.clone(), entry)))
        }
        List::Empty(after) if !is_flow => block.begin(*after, entry),
        List::Missing if is_flow => flow.add_list(entry),
        List::Missing => block.add_list(entry),
        List::Empty(_) => None,
        List::Repeated => return Err(EditError::RepeatedList),
        List::Other => return Err(EditError::NotAList),
    }
    .ok_or(EditError::Form)
}

fn replace(file: &Reading, at: usize, entry: &ProviderEntry) -> Result<Vec<Splice>, EditError> {
    match &file.layout.list {
        List::Block { items, .. } => Block::new(file).replace(items, at, entry.node()),
        List::Flow { items, .. } => Some(Flow::new(file).replace(&items[at], entry.node())),
        List::Repeated => return Err(EditError::RepeatedList),
        _ => return Err(EditError::NotAList),
    }
    .ok_or(EditError::Form)
}

/// Where the providers of this name are.
fn positions(providers: &[&Node], name: &str) -> Vec<usize> {
    let is_it = |node: &&Node| node.field("name").and_then(Node::as_str) == Some(name);
    let named = providers.iter().enumerate().filter(|(_, node)| is_it(node));
    named.map(|(at, _)| at).collect()
}

/// Whether two values mean the same, whatever their place and style.
fn is_same(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let mut a: Vec<_> = a.iter().collect();
            let mut b: Vec<_> = b.iter().collect();
            a.sort_by(|a, b| a.key.cmp(&b.key));
            b.sort_by(|a, b| a.key.cmp(&b.key));
            a.len() == b.len()
                && a.iter().zip(b).all(|(a, b)| a.key == b.key && is_same(&a.node, &b.node))
        }
        (a, b) => a == b,
    }
}
