//! Advice that needs to know Pullpass's own plugins.

mod audience;
mod command_line;
mod hosts;
mod profile_file;

use pullpass_kubelet::CredentialProvider;
use pullpass_kubelet::lints::Lint;

use crate::plugins;

/// All such advice about these providers.
pub(crate) fn check(providers: &[CredentialProvider]) -> Vec<Lint> {
    let mut lints = Vec::new();
    for provider in providers {
        let plugin = plugins::find_by_program(&provider.name);
        audience::check(provider, &mut lints);
        for pattern in &provider.match_images {
            hosts::check(pattern, &mut lints);
        }
        if let Some(plugin) = plugin {
            hosts::check_answered(plugin, provider, &mut lints);
            if let Some(options) = command_line::check(plugin, provider, &mut lints)
                && plugin.name == pullpass_oidc::PLUGIN.name
            {
                profile_file::check(&options, provider, &mut lints);
            }
        }
    }
    lints
}
