//! Configurations that the kubelet accepts.

use pullpass_kubelet::KubeletVersion;

use crate::document::Tree;
use crate::random::Random;
use crate::world;

/// Names of programs that are in every good bin dir.
pub(crate) const PROGRAMS: [&str; 4] = ["p0", "p1", "p2", "p-3.x"];
pub(crate) const EXEC: &str = "credentialprovider.kubelet.k8s.io/";
pub(crate) const ANNOTATIONS: [&str; 5] = ["a", "b.io/role", "B.io/Role", "c_1", "x.y/z"];

/// A whole configuration without a fault, with providers of these names.
pub(crate) fn good(random: &mut Random, version: KubeletVersion, names: &[&str]) -> Tree {
    let tokens = version.minor() >= 33;
    let config_version = match random.below(10) {
        0 => "v1alpha1",
        1 => "v1beta1",
        _ => "v1",
    };
    let providers = names
        .iter()
        .map(|name| provider(random, version, name, tokens && config_version == "v1"))
        .collect();
    let mut config = Tree::map([
        ("apiVersion", Tree::text(format!("kubelet.config.k8s.io/{config_version}"))),
        ("kind", Tree::text("CredentialProviderConfig")),
        ("providers", Tree::List(providers)),
    ]);
    if random.percent(20) {
        config.entries().rotate_left(1);
    }
    config
}

fn provider(random: &mut Random, version: KubeletVersion, name: &str, tokens: bool) -> Tree {
    let patterns: Vec<String> =
        (0..random.below(3) + 1).map(|_| world::good_pattern(random)).collect();
    let tokens = tokens && random.percent(40);
    let api = if tokens { "v1" } else { random.pick(&["v1", "v1", "v1beta1", "v1alpha1"]) };
    let duration = random.word(&["0", "0s", "10m", "1h30m", "1.5h", "12h", "1ns", "+5m"]);
    let mut provider = Tree::map([
        ("name", Tree::text(name)),
        ("matchImages", Tree::texts(&patterns)),
        ("defaultCacheDuration", Tree::Text(duration)),
        ("apiVersion", Tree::text(format!("{EXEC}{api}"))),
    ]);
    if random.percent(30) {
        let args = ["get-credentials", "--x=1 2", "$HOME", "", "*", "é\"'"];
        let args: Vec<String> = (0..random.below(4)).map(|_| random.word(&args)).collect();
        provider.set("args", Some(Tree::texts(&args)));
    }
    if random.percent(30) {
        let variable = |random: &mut Random| {
            let names = ["INNER", "OUTER", "INNER", "", "A=B", "PATH2"];
            Tree::map([
                ("name", Tree::Text(random.word(&names))),
                ("value", Tree::Text(random.word(&["1", "two words", "", "a=b", "$OUTER"]))),
            ])
        };
        let list = (0..random.below(4)).map(|_| variable(random)).collect();
        provider.set("env", Some(Tree::List(list)));
    }
    if tokens {
        provider.set("tokenAttributes", Some(token_attributes(random, version)));
    }
    provider
}

fn token_attributes(random: &mut Random, version: KubeletVersion) -> Tree {
    let required = random.percent(60);
    let mut tokens = Tree::map([
        ("serviceAccountTokenAudience", Tree::Text(random.word(&["aud", "https://r.io", "x y"]))),
        ("requireServiceAccount", Tree::raw(if required { "true" } else { "false" })),
    ]);
    if version.minor() >= 34 {
        let kind = random.word(&["ServiceAccount", "Token"]);
        tokens.set("cacheType", Some(Tree::Text(kind)));
    }
    let (mut must, mut may) = (Vec::new(), Vec::new());
    for key in ANNOTATIONS {
        match random.below(6) {
            0 if required => must.push(key.to_owned()),
            1 => may.push(key.to_owned()),
            _ => {}
        }
    }
    if !must.is_empty() || random.percent(10) {
        tokens.set("requiredServiceAccountAnnotationKeys", Some(Tree::texts(&must)));
    }
    if !may.is_empty() || random.percent(10) {
        tokens.set("optionalServiceAccountAnnotationKeys", Some(Tree::texts(&may)));
    }
    tokens
}
