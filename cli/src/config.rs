//! `pullpass config`: a CredentialProviderConfig from what the plugins say of
//! themselves.

mod render;

use pullpass::Plugin;
use pullpass_kubelet::lints::{self, Severity};
use pullpass_kubelet::{Config, KubeletVersion, SERVICE_ACCOUNT_TOKENS, Target};

use crate::args::ConfigArgs;
use crate::plugins;
use crate::report::{Failure, Report};
use crate::text::harmless;

/// Prints the configuration, or only the RBAC. What it prints has passed the kubelet's
/// rules and our lints.
pub(crate) fn run(args: &ConfigArgs) -> Result<Report, Failure> {
    let audience = args.service_account_audience.as_deref();
    if let Some(audience) = audience {
        check_audience(audience, args.kubelet_version)?;
        if args.rbac {
            return Ok(Report::new(lints::audience_manifest(audience), 0));
        }
    }
    let chosen: Vec<&Plugin> = if args.plugins.is_empty() {
        plugins::PLUGINS.to_vec()
    } else {
        args.plugins.iter().map(|name| plugins::find(name)).collect::<Result<_, _>>()?
    };
    let mut entries = Vec::new();
    for plugin in &chosen {
        entries.push(render::Entry {
            plugin,
            match_images: match_images(plugin, chosen.len() == 1, args)?,
            args: &args.args,
        });
    }
    let text = render::config(&entries, audience, args.kubelet_version);
    prove(&text, args.kubelet_version)?;
    Ok(Report::new(text, 0))
}

fn check_audience(audience: &str, version: KubeletVersion) -> Result<(), Failure> {
    if audience.is_empty() {
        return Err(Failure::new("the audience is empty")
            .hint("name the audience that the registry or token endpoint expects"));
    }
    if version.minor() < 33 {
        return Err(Failure::new(format!("kubelet {version} gives providers no tokens"))
            .hint("`--service-account-audience` needs 1.33 or later"));
    }
    Ok(())
}

fn match_images(plugin: &Plugin, alone: bool, args: &ConfigArgs) -> Result<Vec<String>, Failure> {
    if !args.match_images.is_empty() && (alone || plugin.match_images.is_empty()) {
        return Ok(args.match_images.clone());
    }
    if plugin.match_images.is_empty() {
        return Err(Failure::new(format!(
            "`{}` is for no registry in particular, so it has no default `matchImages`",
            plugin.name
        ))
        .hint("name yours, such as `--match-image registry.example`"));
    }
    Ok(plugin.match_images.iter().map(|pattern| (*pattern).to_owned()).collect())
}

/// What is printed must pass; only the words of the command line can be the reason why
/// it does not.
fn prove(text: &str, version: KubeletVersion) -> Result<(), Failure> {
    let mut target = Target::new(version);
    target.gates.set(SERVICE_ACCOUNT_TOKENS, true);
    let config = Config::parse("config", text.as_bytes(), &target).map_err(|error| {
        Failure::new(harmless(&error.message))
            .hint(format!("kubelet {version} would not start with this; correct the command line"))
    })?;
    let lints = lints::check(&config);
    match lints.into_iter().find(|lint| lint.severity == Severity::Warning) {
        Some(lint) => Err(Failure::new(harmless(&lint.message)).hint(harmless(&lint.hint))),
        None => Ok(()),
    }
}
