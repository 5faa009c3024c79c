//! The kubelet's configuration for a profile file: for `pullpass config`.

use std::path::Path;

use pullpass::{CacheType, Error};

use crate::profile::{Exchange, Policy, Profile, Source, file};

/// One entry of a CredentialProviderConfig: profiles that need the same token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderEntry {
    /// The names of its profiles.
    pub profiles: Vec<String>,
    /// Those of them whose pulls fail without `--allow-audience`: the Kubernetes API server may
    /// accept tokens for the audience, and the profile does not allow that.
    pub refused_profiles: Vec<String>,
    /// Its `matchImages`.
    pub match_images: Vec<String>,
    /// `serviceAccountTokenAudience`; `None` where no token is needed.
    pub audience: Option<String>,
    /// `cacheType`: `Token` where the pod's own token is the login of one of its profiles.
    pub cache_type: CacheType,
    /// `requireServiceAccount`: `false` where a profile allows pulls without a service account.
    pub require_service_account: bool,
    /// `requiredServiceAccountAnnotationKeys`: needed by its one profile.
    pub required_annotations: Vec<String>,
    /// `optionalServiceAccountAnnotationKeys`.
    pub optional_annotations: Vec<String>,
}

/// The entries for the profile file at `path`, in the order of the file.
///
/// # Errors
/// Config, when the file is not valid.
pub fn provider_entries(path: &Path) -> Result<Vec<ProviderEntry>, Error> {
    let profiles = file::load(path)?;
    let mut groups: Vec<(Option<&str>, Vec<&Profile>)> = Vec::new();
    for profile in &profiles {
        let audience = profile.service_account.as_ref().map(|it| it.audience.as_str());
        match groups.iter_mut().find(|(known, _)| *known == audience) {
            Some((_, group)) => group.push(profile),
            None => groups.push((audience, vec![profile])),
        }
    }
    Ok(groups.into_iter().map(|(audience, group)| build_entry(audience, &group)).collect())
}

fn build_entry(audience: Option<&str>, group: &[&Profile]) -> ProviderEntry {
    let is_passthrough =
        group.iter().any(|profile| matches!(profile.exchange, Exchange::Passthrough));
    let may_lack = |profile: &&Profile| {
        profile.service_account.as_ref().is_none_or(|it| it.on_missing == Policy::Empty)
    };
    let require_service_account = !group.iter().any(may_lack);
    let (mut required, mut optional) = (Vec::new(), Vec::new());
    for variable in group.iter().flat_map(|profile| &profile.variables) {
        let Source::Annotation { key, default, .. } = &variable.source else { continue };
        // What one profile needs, the others may not need.
        let keys = match default.is_none() && group.len() == 1 && require_service_account {
            true => &mut required,
            false => &mut optional,
        };
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    optional.retain(|key| !required.contains(key));
    let mut match_images: Vec<String> = Vec::new();
    for registry in group.iter().flat_map(|profile| &profile.registries) {
        let pattern = registry.to_string();
        if !match_images.contains(&pattern) {
            match_images.push(pattern);
        }
    }
    ProviderEntry {
        profiles: group.iter().map(|profile| profile.name.clone()).collect(),
        refused_profiles: group
            .iter()
            .filter(|it| it.service_account.as_ref().is_some_and(|it| it.may_be_for_api_server()))
            .map(|profile| profile.name.clone())
            .collect(),
        match_images,
        audience: audience.map(str::to_owned),
        cache_type: if is_passthrough { CacheType::Token } else { CacheType::ServiceAccount },
        require_service_account,
        required_annotations: required,
        optional_annotations: optional,
    }
}
