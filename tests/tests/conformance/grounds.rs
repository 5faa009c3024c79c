//! Every plugin's description.

mod acr;
mod ecr;
mod gar;
mod oidc;

use pullpass_tests::world::World;

use crate::ground::Ground;

/// By the plugin's folder.
pub(crate) const ALL: &[(&str, Build)] = &[
    ("acr-credential-provider", acr::ground),
    ("ecr-credential-provider", ecr::ground),
    ("gar-credential-provider", gar::ground),
    ("oidc-credential-provider", oidc::ground),
];

pub(crate) type Build = for<'w> fn(&'w World) -> Ground<'w>;

/// The cluster's issuer.
const ISSUER: &str = "oidc.cluster.example";
/// Where a redirect would lead.
const ELSEWHERE: &str = "https://evil.example/token";
