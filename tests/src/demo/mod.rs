//! `cargo xtask demo`: one image pull from start to end, from a pod's identity to the last byte,
//! explained to someone who sees it for the first time.

mod kubelet;
mod pull;
mod story;
mod world;

use std::path::Path;

use crate::demo::kubelet::Node;
use crate::demo::pull::Puller;
use crate::demo::story::Story;
use crate::demo::world::World;

/// What may go wrong: a sentence for the terminal.
pub type Result<T = ()> = std::result::Result<T, String>;

/// Plays it with the plugin in `bin_dir`, and returns the last line: what was pulled, and as whom.
///
/// # Errors
/// The step that did not do what it should.
pub async fn run(bin_dir: &Path) -> Result<String> {
    let mut story = Story::new();
    story.title(
        "An image pulled with a pod's own identity: no password in the cluster, none on the node",
        "Everything below runs on this machine's loopback; nothing is installed, nothing is kept",
    );

    let world = World::start()?;
    story.step("Three servers start, each of which believes only what it can verify");
    story.fact("issuer", &format!("{}  the cluster: signs pods' tokens", world.issuer.url()));
    story.fact("exchange", &format!("{}  RFC 8693: pod's token to login", world.exchange.url()));
    story.fact("registry", &format!("{}  wants a login", world.registry.url()));

    story.step("The operator writes two files: for the kubelet, and for the plugin");
    story.file("credential-provider-config.yaml", &world.config_text());
    story.file("oidc.yaml", &world.profile_text());

    let mut node = Node::start(&world.config_file(), bin_dir)?;
    story.step("A pod asks for an image, and the kubelet looks for a provider");
    story.fact("config", &node.summary());
    story.fact("pod", &format!("runs as {}/{}", world::NAMESPACE, world::SERVICE_ACCOUNT));
    story.fact("image", &world.reference());
    let matched = node.matching(&world.image_name())?;
    story.fact("match", &format!("`{}` covers it", matched.pattern));
    let command = matched.command();

    story.step("The kubelet runs the plugin: request on stdin, response on stdout");
    let call = node.look_up(&world, &world.pod_token())?;
    story.fact("command", &command);
    story.fact("request", &call.request);
    let violations = world.exchange.violations();
    if !violations.is_empty() {
        return Err(format!("the exchange server complains: {}", violations.join(", ")));
    }
    let exchanges = world.exchange.exchanges();
    let outcome = exchanges.last().map(|exchange| &exchange.outcome);
    let Some(Ok(subject)) = outcome else {
        return Err(format!("the exchange server gave no token: {outcome:?}"));
    };
    story.fact("exchange", &format!("verified the token of {subject}"));
    story.fact("response", &call.response);

    story.step("The registry gives nothing without the login, and everything with it");
    let puller = Puller::new(&world);
    let challenge = puller.refused_without_login().await?;
    story.fact("without", &format!("401, {challenge}"));
    let pulled = puller.pull(&call.logins).await?;
    for (what, size, digest) in &pulled.parts {
        story.fact(what, &format!("{digest}, {size} bytes, digest checked"));
    }

    // Not what we asked for but what the registry was convinced of.
    let subjects: Vec<String> =
        world.registry.pulls().into_iter().map(|pull| pull.subject).collect();
    let [subject, rest @ ..] = subjects.as_slice() else {
        return Err("the registry remembers no pull".to_owned());
    };
    if rest.iter().any(|other| other != subject) {
        return Err("the registry saw more than one identity".to_owned());
    }
    story.end();
    Ok(format!("pulled {}@{} as {subject}", world.reference(), pulled.digest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin;

    #[tokio::test]
    async fn it_ends_with_what_was_pulled_and_as_whom() {
        let plugin = plugin::binary(world::PLUGIN);
        let last = run(plugin.parent().unwrap()).await.unwrap();
        let (pulled, subject) = last.split_once(" as ").unwrap();
        assert_eq!(subject, "system:serviceaccount:shop:web");
        let (reference, digest) = pulled.split_once("@sha256:").unwrap();
        assert!(
            reference.starts_with("pulled 127.0.0.1:") && reference.ends_with("/demo/hello:v1")
        );
        assert_eq!(digest.len(), 64);
    }

    #[tokio::test]
    async fn without_the_plugin_the_kubelet_does_not_start() {
        let empty = tempfile::TempDir::new().unwrap();
        let reason = run(empty.path()).await.unwrap_err();
        assert!(reason.contains("did not exist"), "{reason}");
    }
}
