//! The entries for a profile file of `oidc-credential-provider`.

use std::collections::HashSet;
use std::path::Path;

use pullpass_oidc::ProviderEntry;

use super::check_audience;
use super::render::{Entry, Tokens, quoted};
use crate::args::ConfigArgs;
use crate::plugins;
use crate::report::Failure;
use crate::text::sanitize;

/// One entry for each audience: an entry can only have one.
pub(super) fn entries(path: &Path, args: &ConfigArgs) -> Result<Vec<Entry<'static>>, Failure> {
    let plugin = &pullpass_oidc::PLUGIN;
    match args.plugins.as_slice() {
        [one] if plugins::find(one)?.name == plugin.name => {}
        _ => {
            return Err(Failure::new(format!(
                "`--profiles` can only be used with `{}`",
                plugin.name
            ))
            .hint("write `pullpass config oidc --profiles FILE`"));
        }
    }
    let names_profiles = |arg: &String| {
        ["--config", "--preset", "--set"].iter().any(|name| arg.split('=').next() == Some(name))
    };
    if args.args.iter().any(names_profiles) {
        return Err(Failure::new("`--profiles` cannot be combined with an `--arg` that names profiles")
            .hint("leave out the `--arg` with `--config`, `--preset` or `--set`: `--profiles` writes `--config`"));
    }
    let provider_entries = pullpass_oidc::provider_entries(path).map_err(|error| {
        let text = error.render();
        Failure::new(sanitize(text.strip_prefix("error: ").unwrap_or(&text).trim_end()))
    })?;
    // The kubelet runs plugins in `/`.
    let file = std::path::absolute(path).map_err(|error| {
        Failure::new(format!("cannot find the absolute path of `{}`: {error}", path.display()))
    })?;
    let file = file.to_str().ok_or_else(|| {
        Failure::new("the path of the profile file is not UTF-8").hint("rename the file")
    })?;
    let mut names = HashSet::new();
    let mut entries = Vec::new();
    for entry in provider_entries {
        if let Some(audience) = &entry.audience {
            check_audience(audience, args.kubelet_version)?;
            if let Some(profile) = entry.refused_profiles.first()
                && !allows(&args.args, audience)
            {
                return Err(Failure::new(format!(
                    "profile {} can never be used: the Kubernetes API server may accept tokens for \
                     the audience {}",
                    quoted(profile),
                    quoted(audience)
                ))
                .hint(format!(
                    "use a separate audience for the registry; or allow this one with \
                     `--arg=--allow-audience={}`, or with `allowApiServerAudience: true` in the \
                     profile's `serviceAccountToken`",
                    sanitize(audience)
                )));
            }
        }
        let name = match entries.is_empty() {
            true => plugin.name.to_owned(),
            false => entry_name(&entry, &names),
        };
        let quoted_names: Vec<String> = entry.profiles.iter().map(|name| quoted(name)).collect();
        let s = if quoted_names.len() == 1 { "" } else { "s" };
        let mut remarks = vec![format!("For the profile{s} {}", quoted_names.join(", "))];
        if name != plugin.name {
            remarks.push(
                "An entry has a single audience, and needs its own program name. In the bin dir \
                 run:"
                    .to_owned(),
            );
            remarks.push(format!("  ln -s {} {name}", plugin.name));
        }
        names.insert(name.clone());
        entries.push(Entry {
            plugin,
            name,
            remarks,
            match_images: entry.match_images,
            args: [&["--config".to_owned(), file.to_owned()], args.args.as_slice()].concat(),
            shows_options: false,
            tokens: entry.audience.map(|audience| Tokens {
                audience,
                cache_type: entry.cache_type,
                require_service_account: entry.require_service_account,
                required_annotations: entry.required_annotations,
                optional_annotations: entry
                    .optional_annotations
                    .into_iter()
                    .map(|key| (key, String::new()))
                    .collect(),
                left_out_annotations: Vec::new(),
            }),
        });
    }
    Ok(entries)
}

/// Whether the plugin's `args` let it send tokens of this audience.
fn allows(args: &[String], audience: &str) -> bool {
    args.iter().any(|arg| arg.strip_prefix("--allow-audience=") == Some(audience))
}

/// A name for a further entry, which is also the name of a file.
fn entry_name(entry: &ProviderEntry, taken: &HashSet<String>) -> String {
    let profile = entry.profiles.first().map(String::as_str).unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let plain: String = profile.chars().map(|c| if is_plain(c) { c } else { '-' }).collect();
    let mut name = format!("oidc-{plain}-credential-provider");
    let mut number = 2;
    while taken.contains(&name) {
        name = format!("oidc-{plain}-{number}-credential-provider");
        number += 1;
    }
    name
}

#[cfg(test)]
mod tests {
    use pullpass::CacheType;

    use super::*;

    #[test]
    fn names_are_file_names_and_differ() {
        let entry = |name: &str| ProviderEntry {
            profiles: vec![name.to_owned()],
            refused_profiles: Vec::new(),
            match_images: Vec::new(),
            audience: None,
            cache_type: CacheType::Token,
            require_service_account: true,
            required_annotations: Vec::new(),
            optional_annotations: Vec::new(),
        };
        let mut taken = HashSet::new();
        for (profile, expected) in [
            ("corp", "oidc-corp-credential-provider"),
            ("a/../b c", "oidc-a-..-b-c-credential-provider"),
            ("a b", "oidc-a-b-credential-provider"),
            ("a/b", "oidc-a-b-2-credential-provider"),
            ("a\nb", "oidc-a-b-3-credential-provider"),
        ] {
            let made = entry_name(&entry(profile), &taken);
            assert_eq!(made, expected);
            taken.insert(made);
        }
    }
}
