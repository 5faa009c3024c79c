//! Collections in brackets and braces.

use crate::document::Fault;
use crate::yaml::parser::Parser;
use crate::yaml::token::TokenKind as Kind;
use crate::yaml::tree::Content;

impl Parser<'_> {
    pub(super) fn flow_sequence(
        &mut self,
        commas: &mut Vec<usize>,
        depth: usize,
    ) -> Result<(Content, usize), Fault> {
        self.take()?;
        let mut items = Vec::new();
        while self.peek()?.kind != Kind::FlowSequenceEnd {
            if !items.is_empty() {
                if self.peek()?.kind != Kind::FlowEntry {
                    return Err(self.fault("did not find expected ',' or ']'"));
                }
                commas.push(self.take()?.start.byte);
            }
            match self.peek()?.kind {
                Kind::Key => items.push(self.single_pair(depth + 1)?),
                Kind::FlowSequenceEnd => break,
                _ => items.push(self.node(false, false, depth + 1)?),
            }
        }
        let end = self.take()?.end.byte;
        Ok((Content::Sequence(items), end))
    }

    /// A mapping with one key, which needs no braces in a flow sequence.
    fn single_pair(&mut self, depth: usize) -> Result<usize, Fault> {
        let token = self.take()?;
        let (line, start) = (token.start.line, token.start.byte);
        let node = self.add(Content::Mapping(Vec::new()), line, start..start)?;
        let key = match self.peek()?.kind {
            // Without a key the library uses the next token as the key, whatever it is.
            Kind::Value | Kind::FlowEntry | Kind::FlowSequenceEnd => {
                let end = self.take()?.end;
                self.empty(end)?
            }
            _ => self.node(false, false, depth + 1)?,
        };
        if self.peek()?.kind == Kind::Value {
            self.take()?;
            if !matches!(self.peek()?.kind, Kind::FlowEntry | Kind::FlowSequenceEnd) {
                let value = self.node(false, false, depth + 1)?;
                let end = self.peek()?.start.byte;
                self.finish(node, Content::Mapping(vec![key, value]), end);
                return Ok(node);
            }
        }
        let value = self.empty_at_next()?;
        let end = self.peek()?.start.byte;
        self.finish(node, Content::Mapping(vec![key, value]), end);
        Ok(node)
    }

    pub(super) fn flow_mapping(&mut self, depth: usize) -> Result<(Content, usize), Fault> {
        self.take()?;
        let mut items = Vec::new();
        while self.peek()?.kind != Kind::FlowMappingEnd {
            if !items.is_empty() {
                if self.peek()?.kind != Kind::FlowEntry {
                    return Err(self.fault("did not find expected ',' or '}'"));
                }
                self.take()?;
            }
            match self.peek()?.kind {
                Kind::Key => {
                    self.take()?;
                    let key = match self.peek()?.kind {
                        Kind::Value | Kind::FlowEntry | Kind::FlowMappingEnd => {
                            self.empty_at_next()?
                        }
                        _ => self.node(false, false, depth + 1)?,
                    };
                    items.push(key);
                    items.push(self.flow_mapping_value(depth)?);
                }
                Kind::FlowMappingEnd => break,
                _ => {
                    items.push(self.node(false, false, depth + 1)?);
                    items.push(self.empty_at_next()?);
                }
            }
        }
        let end = self.take()?.end.byte;
        Ok((Content::Mapping(items), end))
    }

    fn flow_mapping_value(&mut self, depth: usize) -> Result<usize, Fault> {
        if self.peek()?.kind == Kind::Value {
            self.take()?;
            if !matches!(self.peek()?.kind, Kind::FlowEntry | Kind::FlowMappingEnd) {
                return self.node(false, false, depth + 1);
            }
        }
        self.empty_at_next()
    }
}
