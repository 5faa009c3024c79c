//! A registry with one login, which is in a file on the node.

use serde_json::{Value, json};

use super::{Cluster, REGISTRY, oidc};
use crate::image::Image;
use crate::judges::docker_registry::DockerRegistry;
use crate::jwt::random_text;
use crate::server::Server;

const USER: &str = "puller";

/// A running registry under the name [`REGISTRY`]; gone when dropped.
pub struct PasswordRegistry {
    password: String,
    _registry: DockerRegistry,
    _name: Server,
}

impl PasswordRegistry {
    /// Starts it with one image.
    pub fn start(cluster: &Cluster<'_>) -> Self {
        let password = random_text(24);
        let registry = DockerRegistry::start_with_password(USER, &password, None)
            .expect("the judge `docker-registry`");
        registry.seed("team/app", "1", &Image::that_runs("for everyone on this node"));
        let name = cluster.world.https_to(REGISTRY, registry.authority().parse().unwrap());
        Self { password, _registry: registry, _name: name }
    }

    /// The name of its image.
    pub fn image(&self) -> String {
        format!("{REGISTRY}/team/app:1")
    }

    /// The kubelet's entry for the generic plugin with that login, which needs no token.
    pub fn provider(&self, cluster: &Cluster<'_>) -> Value {
        let login = json!({"username": USER, "password": self.password});
        cluster.file("login.json", &login.to_string());
        oidc::static_provider(cluster, "login.json")
    }
}
