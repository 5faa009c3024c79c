//! The plugins that this command knows, as their backends describe them.

use pullpass::Plugin;

use crate::report::Failure;

/// All of them.
pub(crate) const PLUGINS: &[&Plugin] =
    &[&pullpass_acr::PLUGIN, &pullpass_ecr::PLUGIN, &pullpass_gar::PLUGIN, &pullpass_oidc::PLUGIN];

/// What may be left out of a plugin's name on the command line.
const SUFFIX: &str = "-credential-provider";

/// The plugin of this name, long or short.
pub(crate) fn find(name: &str) -> Result<&'static Plugin, Failure> {
    let mut known = PLUGINS.iter().copied();
    known
        .find(|plugin| plugin.name == name || plugin.name.strip_suffix(SUFFIX) == Some(name))
        .ok_or_else(|| {
            let names: Vec<String> =
                PLUGINS.iter().map(|plugin| format!("`{}`", plugin.name)).collect();
            Failure::new(format!("no plugin is called `{name}`"))
                .hint(format!("there is {}", names.join(", ")))
        })
}
