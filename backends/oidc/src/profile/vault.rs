//! `vault`: what the file says of Vault or OpenBao.

use super::address::Address;
use super::compile_context::CompileContext;
use super::raw::RawExchange;
use super::template::{Position, Template};

/// A login with the pod's token, and a secret read with what it gave.
pub(crate) struct Vault {
    pub(crate) login: Address,
    pub(crate) role: Template,
    pub(crate) namespace: Option<String>,
    pub(crate) read: Address,
}

/// Both calls.
///
/// # Errors
/// The first field of `exchange` that `vault` needs and that is missing or not valid.
pub(super) fn compile(raw: RawExchange, context: &CompileContext<'_>) -> Result<Vault, String> {
    let needed = |name: &str, template: Option<Template>| {
        template.ok_or_else(|| format!("`vault` needs `exchange.{name}`"))
    };
    let address = context.constant("exchange.address", needed("address", raw.address)?)?;
    let mount = raw.mount.unwrap_or_else(|| Template::from_text("jwt"));
    let role = needed("role", raw.role)?;
    // Its constants first: the path may be one of them.
    let read = needed("read", raw.read)?;
    let read = context.template("exchange.read", read, Position::Url)?.trim_start('/');
    if read.texts().next().is_some_and(|text| text.starts_with("v1/")) {
        return Err("`exchange.read` is a path below `/v1/`: leave that out".to_owned());
    }
    let address = address.trim_end_matches('/');
    let url = |path: Vec<Template>| {
        let base = Template::from_text(&format!("{address}/v1/"));
        let all = std::iter::once(base).chain(path).collect();
        context.address("exchange.address", Template::join(all, ""))
    };
    let namespace =
        raw.namespace.map(|it| context.constant("exchange.namespace", it)).transpose()?;
    Ok(Vault {
        login: url(vec![Template::from_text("auth/"), mount, Template::from_text("/login")])?,
        role: context.template("exchange.role", role, Position::Body)?,
        namespace: namespace.filter(|it| !it.is_empty()),
        read: url(vec![read])?,
    })
}
