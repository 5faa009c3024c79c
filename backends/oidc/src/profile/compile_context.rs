//! What the compilation of a profile's fields refers to.

use std::path::{Path, PathBuf};

use super::address::Address;
use super::template::{Position, Scope, Template};

/// What the compilation of a profile's fields refers to. `field` is the field's name in messages.
pub(super) struct CompileContext<'a> {
    pub(super) scope: &'a Scope,
    /// Relative paths start here.
    pub(super) folder: &'a Path,
    pub(super) allow_loopback_http: bool,
    /// Whether the client has a certificate for the TLS handshake.
    pub(super) has_certificate: bool,
}

impl CompileContext<'_> {
    /// A template whose names are allowed in `position`.
    pub(super) fn template(
        &self,
        field: &str,
        template: Template,
        position: Position,
    ) -> Result<Template, String> {
        template.compile(position, self.scope).map_err(|why| format!("`{field}`: {why}"))
    }

    /// A fixed text.
    pub(super) fn constant(&self, field: &str, template: Template) -> Result<String, String> {
        template.constant(self.scope).map_err(|why| format!("`{field}`: {why}"))
    }

    /// The path of a file.
    pub(super) fn path(&self, field: &str, template: Template) -> Result<PathBuf, String> {
        Ok(self.folder.join(self.constant(field, template)?))
    }

    /// A URL.
    pub(super) fn address(&self, field: &str, template: Template) -> Result<Address, String> {
        self.address_with_query(field, template, Vec::new())
    }

    /// A URL, and further parameters of its query.
    pub(super) fn address_with_query(
        &self,
        field: &str,
        template: Template,
        query: Vec<(String, Template)>,
    ) -> Result<Address, String> {
        let compile = |template| self.template(field, template, Position::Url);
        let query = query.into_iter().map(|(name, value)| Ok((name, compile(value)?)));
        let query = query.collect::<Result<_, String>>()?;
        Address::new(field, compile(template)?, query, self.allow_loopback_http)
    }
}
