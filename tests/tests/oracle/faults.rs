//! The ways to break a configuration.

use crate::configs::{ANNOTATIONS, EXEC};
use crate::document::Tree;
use crate::names::duration_text;
use crate::odd::odd_value;
use crate::random::Random;
use crate::world;

/// Breaks it in one place, or changes it in a way that may be none.
pub(crate) fn break_once(config: &mut Tree, random: &mut Random) {
    match random.below(10) {
        0 => break_head(config, random),
        1..=5 => {
            if let Some(Tree::List(providers)) = config.field("providers")
                && !providers.is_empty()
            {
                let at = random.below(providers.len());
                break_provider(&mut providers[at], random);
            }
        }
        6 => break_tokens(config, random),
        7 => break_keys(config.any_map(random), random),
        8 => *config.any(random) = odd_value(random),
        _ => match random.below(5) {
            0 => config.set("providers", None),
            1 => config.set("providers", Some(Tree::List(Vec::new()))),
            2 => config.set("providers", Some(odd_value(random))),
            3 => {
                if let Some(Tree::List(providers)) = config.field("providers") {
                    providers.push(odd_value(random));
                }
            }
            _ => {
                if let Some(Tree::List(providers)) = config.field("providers")
                    && !providers.is_empty()
                {
                    let at = random.below(providers.len());
                    providers.push(providers[at].clone());
                }
            }
        },
    }
}

fn break_head(config: &mut Tree, random: &mut Random) {
    if random.percent(50) {
        let kinds = [
            "CredentialProviderRequest",
            "KubeletConfiguration",
            "SerializedNodeConfigSource",
            "List",
            "credentialproviderconfig",
            "",
            "CredentialProviderConfigList",
            "Status",
            "é\"",
            "ImagePullIntent",
            "ImagePulledRecord",
            "CredentialProviderResponse",
            "WatchEvent",
            "ListOptions",
            "DeleteOptions",
            "CreateOptions",
            "APIVersions",
            "APIGroup",
            "GetOptions",
        ];
        let kind = (!random.percent(10)).then(|| Tree::Text(random.word(&kinds)));
        config.set("kind", kind);
    }
    if random.percent(60) {
        let versions = [
            "kubelet.config.k8s.io/v2",
            "kubelet.config.k8s.io/v1beta1",
            "kubelet.config.k8s.io/v1alpha1",
            "kubelet.config.k8s.io/__internal",
            "v1",
            "",
            "/",
            "/v1",
            "kubelet.config.k8s.io/",
            "a/b/c",
            "credentialprovider.kubelet.k8s.io/v1",
            "credentialprovider.kubelet.k8s.io/__internal",
            "kubelet.config.k8s.io",
            "Kubelet.config.k8s.io/v1",
            "kubelet.config.k8s.io/V1",
            "__internal",
            "meta.k8s.io/v1",
            "foobar/v1alpha1",
            "credentialprovider.kubelet.k8s.io/v1beta1",
        ];
        let version = (!random.percent(10)).then(|| Tree::Text(random.word(&versions)));
        config.set("apiVersion", version);
    }
}

fn break_provider(provider: &mut Tree, random: &mut Random) {
    let field = random.word(&[
        "name",
        "matchImages",
        "matchImages",
        "defaultCacheDuration",
        "apiVersion",
        "args",
        "env",
    ]);
    let value = match field.as_str() {
        _ if random.percent(15) => odd_value(random),
        "name" => Tree::Text(random.word(&[
            "a/b",
            "a b",
            ".",
            "..",
            "",
            "p0",
            "p1",
            "absent",
            "dangling",
            "noexec",
            "folder",
            "../bin/p0",
            " ",
            "a\\b",
            "é",
            "P0",
            "foo/../bar baz",
            "link",
        ])),
        "matchImages" if random.percent(10) => Tree::List(Vec::new()),
        "matchImages" => {
            let patterns: Vec<String> =
                (0..random.below(3) + 1).map(|_| world::pattern(random)).collect();
            Tree::texts(&patterns)
        }
        "defaultCacheDuration" if random.percent(30) => Tree::text("-1m"),
        "defaultCacheDuration" => Tree::Text(duration_text(random)),
        "apiVersion" => Tree::Text(random.word(&[
            "",
            "v1",
            "credentialprovider.kubelet.k8s.io/v2",
            "credentialprovider.kubelet.k8s.io/V1",
            "credentialprovider.kubelet.k8s.io/v1beta1",
            "credentialprovider.kubelet.k8s.io/v1alpha1",
            "kubelet.config.k8s.io/v1",
            "é\"\\\n",
        ])),
        "args" => Tree::List(vec![Tree::text("x"), odd_value(random)]),
        _ => Tree::List(vec![match random.below(3) {
            0 => odd_value(random),
            1 => Tree::map([("name", odd_value(random)), ("value", odd_value(random))]),
            _ => Tree::map([("nam", Tree::text("x")), ("value", Tree::text("y"))]),
        }]),
    };
    provider.set(&field, (!random.percent(12)).then_some(value));
}

fn break_tokens(config: &mut Tree, random: &mut Random) {
    let Some(Tree::List(providers)) = config.field("providers") else { return };
    let Some(provider) = providers.first_mut() else { return };
    if provider.field("tokenAttributes").is_none() || random.percent(10) {
        let tokens = if random.percent(10) { odd_value(random) } else { Tree::Map(Vec::new()) };
        provider.set("tokenAttributes", Some(tokens));
    }
    if random.percent(15) {
        provider.set("apiVersion", Some(Tree::text(format!("{EXEC}v1beta1"))));
    }
    let Some(tokens) = provider.field("tokenAttributes") else { return };
    for _ in 0..random.below(3) + 1 {
        let field = random.word(&[
            "serviceAccountTokenAudience",
            "cacheType",
            "requireServiceAccount",
            "requiredServiceAccountAnnotationKeys",
            "optionalServiceAccountAnnotationKeys",
            "requiredServiceAccountAnnotationKeys",
            "optionalServiceAccountAnnotationKeys",
        ]);
        let value = match field.as_str() {
            _ if random.percent(12) => odd_value(random),
            "serviceAccountTokenAudience" => Tree::Text(random.word(&["", "aud", " "])),
            "cacheType" => {
                Tree::Text(random.word(&["", "token", "Token", "ServiceAccount", "Pod", "<&>\"é"]))
            }
            "requireServiceAccount" => Tree::Raw(random.word(&["true", "false", "null", "yes"])),
            _ => {
                let keys: Vec<String> =
                    (0..random.below(4) + 1).map(|_| annotation_key(random)).collect();
                Tree::texts(&keys)
            }
        };
        tokens.set(&field, (!random.percent(12)).then_some(value));
    }
}

fn annotation_key(random: &mut Random) -> String {
    match random.below(6) {
        0..=2 => random.word(&ANNOTATIONS),
        3 => random.word(&[
            "",
            "/",
            "a/",
            "/a",
            "a/b/c",
            "-a",
            "a-",
            "a b",
            "A",
            "ends.",
            "_x",
            "é",
            "x..y/z",
            "-x.io/a",
            "x_y/a",
            "<a>",
            "X.io/A",
            "k8s.io/é",
            "İ",
            "ǅ/ǅ",
            "\u{212a}",
        ]),
        4 => "a".repeat(random.below(4) + 61) + random.pick(&["", "é"]),
        _ => format!("{}{}/x", "abc.".repeat(63), random.pick(&["d", "", "de", "-"])),
    }
}

fn break_keys(entries: &mut Vec<(String, Tree)>, random: &mut Random) {
    let known = !entries.is_empty();
    match random.below(6) {
        0 | 1 if known => {
            let at = random.below(entries.len());
            let doubled = (
                entries[at].0.clone(),
                if random.percent(50) { odd_value(random) } else { entries[at].1.clone() },
            );
            let place = random.below(entries.len() + 1);
            entries.insert(place, doubled);
        }
        2 if known => {
            let at = random.below(entries.len());
            let key = entries[at].0.clone();
            entries[at].0 = match random.below(4) {
                0 => key.to_lowercase(),
                1 => key.to_uppercase(),
                2 => key[..1].to_uppercase() + &key[1..],
                _ => random.damage(&key, "sX_ \"é"),
            };
        }
        3 if known => drop(entries.remove(random.below(entries.len()))),
        _ => {
            let key = random.word(&[
                "zz",
                "aa",
                "unknownField",
                "",
                "é",
                "a.b",
                "metadata",
                "Kind",
                "x\"y",
                "<",
            ]);
            let at = random.below(entries.len() + 1);
            entries.insert(at, (key, odd_value(random)));
        }
    }
}
