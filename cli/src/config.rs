//! `pullpass config`: a CredentialProviderConfig from the plugins' own data, or from the
//! profiles of one of them; and edits of a node's file.

mod edit;
mod node_file;
mod profiles;
mod render;

use pullpass::{Annotation, Plugin};
use pullpass_kubelet::lints::{self, Severity};
use pullpass_kubelet::{Config, KubeletVersion, SERVICE_ACCOUNT_TOKENS, Target};

use crate::args::ConfigArgs;
use crate::environment::Environment;
use crate::plugin_lints;
use crate::plugins;
use crate::report::{Failure, Report};
use crate::text::sanitize;

/// Prints the configuration, or only the RBAC, or edits a file.
pub(crate) fn run(args: &ConfigArgs, environment: &Environment) -> Result<Report, Failure> {
    match &args.edit {
        Some(command) => edit::run(command, environment),
        None => print(args),
    }
}

/// Its output has passed the kubelet's rules and our lints.
fn print(args: &ConfigArgs) -> Result<Report, Failure> {
    match &args.profiles {
        Some(path) => {
            let entries = profiles::entries(path, args)?;
            let audiences: Vec<&str> = entries
                .iter()
                .filter_map(|entry| entry.tokens.as_ref())
                .map(|tokens| tokens.audience.as_str())
                .collect();
            if (args.rbac || args.access_review) && audiences.is_empty() {
                let option = if args.rbac { "--rbac" } else { "--access-review" };
                return Err(Failure::new("no profile in this file uses the pod's token")
                    .hint(format!("the cluster needs no RBAC for it: leave out `{option}`")));
            }
            let rbac = "pullpass config oidc --rbac --profiles FILE";
            let text = render::config(&entries, rbac, args.kubelet_version);
            prove(&text, args)?;
            Ok(Report::new(for_cluster(&audiences, args).unwrap_or(text), 0))
        }
        None => of_plugins(args),
    }
}

/// The manifests for the cluster instead of the node's file, if they are requested.
fn for_cluster(audiences: &[&str], args: &ConfigArgs) -> Option<String> {
    match (args.rbac, args.access_review) {
        (true, _) => Some(render::rbac(audiences)),
        (_, true) => Some(render::access_reviews(audiences)),
        _ => None,
    }
}

fn of_plugins(args: &ConfigArgs) -> Result<Report, Failure> {
    let audience = args.service_account_audience.as_deref();
    if let Some(audience) = audience {
        check_audience(audience, args.kubelet_version)?;
        if let Some(text) = for_cluster(&[audience], args) {
            return Ok(Report::new(text, 0));
        }
    }
    if args.plugins.is_empty() {
        // All plugins together are wrong on every node: a kubelet does not start while one of the
        // programs is missing.
        return Err(Failure::new("no plugin was given").hint(format!(
            "name the plugins that this node has, such as `pullpass config ecr`\n{}",
            plugins::table()
        )));
    }
    let chosen: Vec<&Plugin> =
        args.plugins.iter().map(|name| plugins::find(name)).collect::<Result<_, _>>()?;
    let mut entries = Vec::new();
    for plugin in &chosen {
        entries.push(render::Entry {
            plugin,
            name: plugin.name.to_owned(),
            remarks: vec![plugin.summary.to_owned()],
            match_images: match_images(plugin, chosen.len() == 1, args)?,
            args: args.args.clone(),
            shows_options: true,
            tokens: audience.map(|audience| tokens(plugin, audience, &args.args)),
        });
    }
    let rbac = "pullpass config --rbac --service-account-audience AUDIENCE";
    let text = render::config(&entries, rbac, args.kubelet_version);
    prove(&text, args)?;
    Ok(Report::new(text, 0))
}

/// The entry as the plugin itself describes it.
fn tokens(plugin: &Plugin, audience: &str, args: &[String]) -> render::Tokens {
    let is_given = |option: &str| {
        args.iter().any(|arg| {
            let name = arg.strip_prefix("--").unwrap_or_default();
            name.split('=').next() == Some(option)
        })
    };
    let (wanted, left_out): (Vec<&Annotation>, Vec<_>) =
        plugin.annotations.iter().partition(|known| known.option.is_none_or(is_given));
    let named = |known: &Annotation| (known.key.to_owned(), known.help.to_owned());
    render::Tokens {
        audience: audience.to_owned(),
        cache_type: plugin.cache_type,
        require_service_account: true,
        required_annotations: Vec::new(),
        optional_annotations: wanted.into_iter().map(named).collect(),
        left_out_annotations: left_out.into_iter().map(named).collect(),
    }
}

fn check_audience(audience: &str, version: KubeletVersion) -> Result<(), Failure> {
    if audience.is_empty() {
        return Err(Failure::new("the audience is empty")
            .hint("name the audience that the registry or token endpoint expects"));
    }
    if version.minor() < 33 {
        return Err(Failure::new(format!(
            "kubelet {version} gives plugins no service account tokens"
        ))
        .hint(
            "they need 1.33 or later; on older nodes only plugins that log in as the node work, \
             such as `pullpass config ecr`",
        ));
    }
    Ok(())
}

fn match_images(plugin: &Plugin, alone: bool, args: &ConfigArgs) -> Result<Vec<String>, Failure> {
    if !args.match_images.is_empty() && (alone || plugin.match_images.is_empty()) {
        return Ok(args.match_images.clone());
    }
    if plugin.match_images.is_empty() {
        return Err(Failure::new(format!(
            "`{}` works with any registry, so it has no default `matchImages`",
            plugin.name
        ))
        .hint("name your registry, such as `--match-image registry.example`"));
    }
    Ok(plugin.match_images.iter().map(|pattern| (*pattern).to_owned()).collect())
}

/// The output must pass; only the command line or the profiles can be the reason why it does
/// not.
fn prove(text: &str, args: &ConfigArgs) -> Result<(), Failure> {
    let version = args.kubelet_version;
    let whose = if args.profiles.is_some() { "profiles" } else { "command line" };
    let mut target = Target::new(version);
    target.gates.set(SERVICE_ACCOUNT_TOKENS, true);
    let config = Config::parse("config", text.as_bytes(), &target).map_err(|error| {
        Failure::new(sanitize(&error.message))
            .hint(format!("kubelet {version} would not start with this; correct the {whose}"))
    })?;
    let mut lints = lints::check(&config.providers);
    lints.extend(plugin_lints::check(&config.providers));
    match lints.into_iter().find(|lint| lint.severity == Severity::Warning) {
        None => Ok(()),
        Some(lint) => Err(Failure::new(sanitize(&lint.message)).hint(match lint.code {
            // Each would get the other's token, and fail.
            "overlapping-patterns" if args.profiles.is_some() => {
                "an entry has a single audience: give profiles that cover the same images the \
                 same `serviceAccountToken.audience`"
                    .to_owned()
            }
            _ => sanitize(&lint.hint),
        })),
    }
}
