//! The plugins that this command knows, as their backends describe them.

use pullpass::Plugin;

use crate::report::Failure;
use crate::text::sanitize;

/// All of them.
pub(crate) const PLUGINS: &[&Plugin] =
    &[&pullpass_acr::PLUGIN, &pullpass_ecr::PLUGIN, &pullpass_gar::PLUGIN, &pullpass_oidc::PLUGIN];

/// The part of a plugin's name that may be left out on the command line.
const SUFFIX: &str = "-credential-provider";

/// One line on each: its short name and what it does.
pub(crate) fn table() -> String {
    let width = PLUGINS.iter().map(|plugin| short_name(plugin).len()).max().unwrap_or_default();
    let row = |plugin: &&Plugin| format!("  {:width$}  {}", short_name(plugin), plugin.summary);
    PLUGINS.iter().map(row).collect::<Vec<String>>().join("\n")
}

fn short_name(plugin: &Plugin) -> &'static str {
    plugin.name.strip_suffix(SUFFIX).unwrap_or(plugin.name)
}

/// The plugin that a provider's program is, by the program's name. Links such as
/// `oidc-corp-credential-provider` belong to the oidc plugin.
pub(crate) fn find_by_program(name: &str) -> Option<&'static Plugin> {
    let is_link = |plugin: &&&Plugin| {
        name.strip_prefix(short_name(plugin))
            .is_some_and(|rest| rest.starts_with('-') && rest.ends_with(SUFFIX))
    };
    PLUGINS.iter().find(is_link).copied()
}

/// The plugin of this name, long or short.
pub(crate) fn find(name: &str) -> Result<&'static Plugin, Failure> {
    let mut known = PLUGINS.iter().copied();
    known.find(|plugin| plugin.name == name || short_name(plugin) == name).ok_or_else(|| {
        let names: Vec<String> =
            PLUGINS.iter().map(|plugin| format!("`{}`", plugin.name)).collect();
        Failure::new(format!("there is no plugin `{}`", sanitize(name)))
            .hint(format!("the plugins are {}", names.join(", ")))
    })
}
