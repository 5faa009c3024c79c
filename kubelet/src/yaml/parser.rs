//! Tokens to nodes, by the grammar of YAML 1.1: the first document of a text.

mod flow;

use std::collections::HashMap;
use std::ops::Range;

use crate::document::{Fault, MOST_DEPTH, MOST_NODES};
use crate::yaml::reader::Mark;
use crate::yaml::scanner::Scanner;
use crate::yaml::token::{Token, TokenKind};
use crate::yaml::tree::{Content, ListMarks, Tree, YamlNode};

/// Reads the first document of a text; what follows it is not read.
pub(super) fn parse(input: &[u8]) -> Result<Tree, Fault> {
    let mut parser = Parser {
        scanner: Scanner::new(input),
        tags: Vec::new(),
        anchors: HashMap::new(),
        last_end: 0,
        tree: Tree::default(),
    };
    parser.tree.root = parser.document()?;
    Ok(parser.tree)
}

struct Parser<'a> {
    scanner: Scanner<'a>,
    /// Handles and their prefixes.
    tags: Vec<(Vec<u8>, Vec<u8>)>,
    anchors: HashMap<String, usize>,
    /// The end of the last token that is not only a position.
    last_end: usize,
    tree: Tree,
}

/// What may come before the content of a node.
#[derive(Default)]
struct Properties {
    anchor: Option<String>,
    tag: Vec<u8>,
    start: Option<Mark>,
    end: Mark,
}

use TokenKind as Kind;

impl Parser<'_> {
    fn document(&mut self) -> Result<Option<usize>, Fault> {
        self.take()?;
        let root = match self.peek()?.kind {
            Kind::StreamEnd => return Ok(None),
            Kind::VersionDirective { .. } | Kind::TagDirective { .. } | Kind::DocumentStart => {
                self.directives()?;
                if self.peek()?.kind != Kind::DocumentStart {
                    return Err(self.fault("did not find expected <document start>"));
                }
                self.take()?;
                match self.peek()?.kind {
                    Kind::VersionDirective { .. }
                    | Kind::TagDirective { .. }
                    | Kind::DocumentStart
                    | Kind::DocumentEnd
                    | Kind::StreamEnd => self.empty_at_next()?,
                    _ => self.node(true, false, 0)?,
                }
            }
            _ => {
                self.directives()?;
                self.node(true, false, 0)?
            }
        };
        // The end of a document needs one more token.
        self.peek()?;
        Ok(Some(root))
    }

    fn directives(&mut self) -> Result<(), Fault> {
        let mut has_version = false;
        loop {
            match self.peek()?.kind.clone() {
                Kind::VersionDirective { major, minor } => {
                    if has_version {
                        return Err(self.fault("found duplicate %YAML directive"));
                    }
                    if (major, minor) != (1, 1) {
                        return Err(self.fault("found incompatible YAML document"));
                    }
                    has_version = true;
                }
                Kind::TagDirective { handle, prefix } => {
                    if self.tags.iter().any(|(known, _)| *known == handle) {
                        return Err(self.fault("found duplicate %TAG directive"));
                    }
                    self.tags.push((handle, prefix));
                }
                _ => break,
            }
            self.take()?;
        }
        let defaults: [(&[u8], &[u8]); 2] = [(b"!", b"!"), (b"!!", b"tag:yaml.org,2002:")];
        for (handle, prefix) in defaults {
            if !self.tags.iter().any(|(known, _)| known == handle) {
                self.tags.push((handle.to_vec(), prefix.to_vec()));
            }
        }
        Ok(())
    }

    /// A node. In a block it may be a block collection, and after a key a sequence without
    /// its own indent.
    fn node(&mut self, in_block: bool, indentless: bool, depth: usize) -> Result<usize, Fault> {
        if depth > MOST_DEPTH {
            return Err(Fault::too_deep(self.scanner.peek()?.start.byte));
        }
        if let Kind::Alias(_) = self.peek()?.kind {
            return self.alias();
        }
        let properties = self.properties()?;
        let token = self.peek()?;
        let start = properties.start.unwrap_or(token.start);
        let is_block_collection = match token.kind {
            Kind::BlockEntry => indentless,
            Kind::BlockSequenceStart | Kind::BlockMappingStart => in_block,
            Kind::FlowSequenceStart | Kind::FlowMappingStart => false,
            Kind::Scalar { .. } => return self.scalar(properties, start),
            _ if properties.anchor.is_some() || !properties.tag.is_empty() => {
                let is_implicit = properties.tag.is_empty();
                let end = properties.end;
                let content = Content::Scalar { text: "".into(), tag: properties.tag, is_implicit };
                let node = self.add(content, start.line, end.byte..end.byte)?;
                self.tree.nodes[node].written.start = start.byte;
                self.name(properties.anchor, node);
                return Ok(node);
            }
            _ => return Err(self.fault("did not find expected node content")),
        };
        let kind = token.kind.clone();
        let is_flow = matches!(kind, Kind::FlowSequenceStart | Kind::FlowMappingStart);
        if !is_block_collection && !is_flow {
            return Err(self.fault("did not find expected node content"));
        }
        let first = token.start.byte;
        let node = self.add(Content::Sequence(Vec::new()), start.line, first..first)?;
        self.tree.nodes[node].written.start = start.byte;
        let after = self.last_end;
        let mut marks = Vec::new();
        self.name(properties.anchor, node);
        let (content, end) = match kind {
            Kind::BlockEntry => self.indentless_sequence(&mut marks, depth)?,
            Kind::BlockSequenceStart => self.block_sequence(&mut marks, depth)?,
            Kind::BlockMappingStart => self.block_mapping(depth)?,
            Kind::FlowSequenceStart => self.flow_sequence(&mut marks, depth)?,
            _ => self.flow_mapping(depth)?,
        };
        if let Content::Sequence(_) = content {
            self.tree.lists.insert(node, ListMarks { after, marks });
        }
        self.finish(node, content, end);
        Ok(node)
    }

    fn alias(&mut self) -> Result<usize, Fault> {
        let token = self.take()?;
        self.tree.texts.push(token.span());
        let Kind::Alias(name) = &token.kind else {
            return Err(Fault::at("yaml: no alias", token.start.byte));
        };
        let Some(target) = self.anchors.get(name).copied() else {
            // The kubelet quotes the name, which may be the beginning of a password.
            let message = "yaml: unknown anchor '...' referenced";
            return Err(Fault { verbatim: false, ..Fault::at(message, token.start.byte) });
        };
        self.add(Content::Alias(target), token.start.line, token.span())
    }

    /// An anchor and a tag, in either order.
    fn properties(&mut self) -> Result<Properties, Fault> {
        let mut found = Properties::default();
        let (mut has_anchor, mut has_tag) = (false, false);
        loop {
            let token = self.peek()?;
            match &token.kind {
                Kind::Anchor(_) if !has_anchor => has_anchor = true,
                Kind::Tag { .. } if !has_tag => has_tag = true,
                _ => break,
            }
            let token = self.take()?;
            self.tree.texts.push(token.span());
            found.start = found.start.or(Some(token.start));
            found.end = token.end;
            match token.kind {
                Kind::Anchor(name) => found.anchor = Some(name),
                Kind::Tag { handle, suffix } => {
                    found.tag = suffix;
                    if !handle.is_empty() {
                        let known = self.tags.iter().find(|(known, _)| *known == handle);
                        let mut tag = known.map_or_else(Vec::new, |(_, prefix)| prefix.clone());
                        if known.is_some() {
                            tag.extend(&found.tag);
                        }
                        if tag.is_empty() {
                            // What follows a tag is checked before the tag itself.
                            self.peek()?;
                            return Err(fault_at("found undefined tag handle", token.start));
                        }
                        found.tag = tag;
                    }
                }
                _ => {}
            }
        }
        Ok(found)
    }

    fn scalar(&mut self, properties: Properties, start: Mark) -> Result<usize, Fault> {
        let token = self.take()?;
        let span = token.span();
        self.tree.texts.push(span.clone());
        let Kind::Scalar { text, is_plain } = token.kind else {
            return Err(Fault::at("yaml: no scalar", span.start));
        };
        let Properties { anchor, tag, .. } = properties;
        let is_implicit = (tag.is_empty() && is_plain) || tag == b"!";
        let content = Content::Scalar { text: text.into(), tag, is_implicit };
        let node = self.add(content, start.line, span)?;
        self.tree.nodes[node].written.start = start.byte;
        self.name(anchor, node);
        Ok(node)
    }

    fn block_sequence(
        &mut self,
        dashes: &mut Vec<usize>,
        depth: usize,
    ) -> Result<(Content, usize), Fault> {
        self.take()?;
        let mut items = Vec::new();
        loop {
            match self.peek()?.kind {
                Kind::BlockEntry => {
                    let Token { start, end, .. } = self.take()?;
                    dashes.push(start.byte);
                    items.push(match self.peek()?.kind {
                        Kind::BlockEntry | Kind::BlockEnd => self.empty(end)?,
                        _ => self.node(true, false, depth + 1)?,
                    });
                }
                Kind::BlockEnd => {
                    let end = self.take()?.end.byte;
                    return Ok((Content::Sequence(items), end));
                }
                _ => return Err(self.fault("did not find expected '-' indicator")),
            }
        }
    }

    fn indentless_sequence(
        &mut self,
        dashes: &mut Vec<usize>,
        depth: usize,
    ) -> Result<(Content, usize), Fault> {
        let mut items = Vec::new();
        while self.peek()?.kind == Kind::BlockEntry {
            let Token { start, end, .. } = self.take()?;
            dashes.push(start.byte);
            items.push(match self.peek()?.kind {
                Kind::BlockEntry | Kind::Key | Kind::Value | Kind::BlockEnd => self.empty(end)?,
                _ => self.node(true, false, depth + 1)?,
            });
        }
        let end = self.peek()?.start.byte;
        Ok((Content::Sequence(items), end))
    }

    fn block_mapping(&mut self, depth: usize) -> Result<(Content, usize), Fault> {
        self.take()?;
        let mut items = Vec::new();
        loop {
            match self.peek()?.kind {
                Kind::Key => items.push(self.block_mapping_part(depth)?),
                Kind::BlockEnd => {
                    let end = self.take()?.end.byte;
                    return Ok((Content::Mapping(items), end));
                }
                _ => return Err(self.fault("did not find expected key")),
            }
            items.push(match self.peek()?.kind {
                Kind::Value => self.block_mapping_part(depth)?,
                _ => self.empty_at_next()?,
            });
        }
    }

    /// What follows a `?` or a `:`.
    fn block_mapping_part(&mut self, depth: usize) -> Result<usize, Fault> {
        let end = self.take()?.end;
        match self.peek()?.kind {
            Kind::Key | Kind::Value | Kind::BlockEnd => self.empty(end),
            _ => self.node(true, true, depth + 1),
        }
    }

    /// A value that is not written, before the next token.
    fn empty_at_next(&mut self) -> Result<usize, Fault> {
        let mark = self.peek()?.start;
        self.empty(mark)
    }

    fn empty(&mut self, mark: Mark) -> Result<usize, Fault> {
        let content = Content::Scalar { text: "".into(), tag: Vec::new(), is_implicit: true };
        self.add(content, mark.line, mark.byte..mark.byte)
    }

    fn add(&mut self, content: Content, line: usize, span: Range<usize>) -> Result<usize, Fault> {
        if self.tree.nodes.len() >= MOST_NODES {
            return Err(Fault::too_many_nodes(span.start));
        }
        self.tree.nodes.push(YamlNode { content, line, written: span.clone(), span });
        Ok(self.tree.nodes.len() - 1)
    }

    fn name(&mut self, anchor: Option<String>, node: usize) {
        if let Some(name) = anchor {
            self.anchors.insert(name, node);
        }
    }

    /// Gives a collection what was found in it. One in block style ends with its last item.
    fn finish(&mut self, node: usize, content: Content, end: usize) {
        let items = match &content {
            Content::Sequence(items) | Content::Mapping(items) => items.as_slice(),
            _ => &[],
        };
        let last = items.last().map(|item| self.tree.nodes[*item].span.end);
        let found = &mut self.tree.nodes[node];
        found.span.end = last.unwrap_or(end).max(found.span.start);
        found.written.end = self.last_end.max(found.span.start);
        found.content = content;
    }

    fn peek(&mut self) -> Result<&Token, Fault> {
        self.scanner.peek()
    }

    fn take(&mut self) -> Result<Token, Fault> {
        let at = self.scanner.peek()?.start.byte;
        let token = self.scanner.take().ok_or_else(|| Fault::at("yaml: no token", at))?;
        if token.start != token.end {
            self.last_end = token.end.byte;
        }
        Ok(token)
    }

    /// An error at the next token. Lines are counted from 0 here, and the first is not named.
    fn fault(&mut self, words: &str) -> Fault {
        match self.scanner.peek() {
            Ok(token) => fault_at(words, token.start),
            Err(fault) => fault,
        }
    }
}

fn fault_at(words: &str, mark: Mark) -> Fault {
    let line = match mark.line {
        0 => String::new(),
        line => format!("line {line}: "),
    };
    Fault::at(format!("yaml: {line}{words}"), mark.byte)
}
