//! What a plugin prints: right, and wrong in each way that the kubelet tells apart.

use pullpass_kubelet::image_name::lookup_name;

use crate::document::Tree;
use crate::names::duration_text;
use crate::odd::odd_value;
use crate::random::Random;
use crate::world;

const GROUP: &str = "credentialprovider.kubelet.k8s.io";

/// What is put into an answer.
pub(crate) struct Wishes<'a> {
    /// The version that the configuration has.
    pub(crate) api_version: &'a str,
    /// Distinguishes this plugin's logins from those of others.
    pub(crate) login: &'a str,
    /// The image that is asked for.
    pub(crate) image: Option<&'a str>,
    /// The token that a plugin might hand back, where there is one.
    pub(crate) token: &'a str,
    /// How many in a hundred are wrong.
    pub(crate) wrong: usize,
}

/// The whole of a plugin's stdout.
pub(crate) fn stdout(random: &mut Random, wishes: &Wishes<'_>) -> String {
    let mut answer = right(random, wishes);
    if !random.percent(wishes.wrong) {
        return answer.json(random) + random.pick(&["", "\n", " \n"]);
    }
    if random.percent(30) {
        let text = answer.json(random);
        return wrong_text(random, &text, &mut answer);
    }
    for _ in 0..random.below(2) + 1 {
        break_once(random, &mut answer);
    }
    answer.json(random)
}

fn right(random: &mut Random, wishes: &Wishes<'_>) -> Tree {
    let mut answer = Tree::map([
        ("kind", Tree::text("CredentialProviderResponse")),
        ("apiVersion", Tree::text(wishes.api_version)),
        ("cacheKeyType", Tree::Text(random.word(&["Image", "Registry", "Global"]))),
    ]);
    if random.percent(60) {
        let durations = ["0", "0s", "5m", "1h", "10m", "1ns", "-1h", "90m"];
        let duration = if random.percent(85) {
            Tree::Text(random.word(&durations))
        } else {
            Tree::raw("null")
        };
        answer.set("cacheDuration", Some(duration));
    }
    if random.percent(5) {
        answer.set("auth", Some(Tree::raw("null")));
    } else if random.percent(95) {
        answer.set("auth", Some(Tree::Map(auth(random, wishes))));
    }
    if random.percent(30) {
        answer.entries().reverse();
    }
    answer
}

fn auth(random: &mut Random, wishes: &Wishes<'_>) -> Vec<(String, Tree)> {
    let mut entries: Vec<(String, Tree)> = Vec::new();
    for at in 0..random.below(4) {
        let key = match wishes.image {
            Some(image) if random.percent(60) => key_for(image, random),
            _ => world::auth_key(random),
        };
        if entries.iter().any(|(known, _)| *known == key) {
            continue;
        }
        let user = match random.below(20) {
            0 => String::new(),
            1 => "é\"\\ \u{1}".to_owned(),
            _ => format!("u-{}-{at}", wishes.login),
        };
        let password = match random.below(20) {
            0 => String::new(),
            1 | 2 if !wishes.token.is_empty() => wishes.token.to_owned(),
            _ => format!("p-{}-{at}", wishes.login),
        };
        let mut login =
            Tree::map([("username", Tree::Text(user)), ("password", Tree::Text(password))]);
        if random.percent(5) {
            login.set(random.pick(&["username", "password"]), None);
        }
        entries.push((key, login));
    }
    entries
}

/// A key that covers the image, or does so nearly.
fn key_for(image: &str, random: &mut Random) -> String {
    let name = lookup_name(image).unwrap_or_else(|_| "r.io/app".to_owned());
    let host = name.split('/').next().unwrap_or_default();
    let scheme = random.pick(&["", "", "", "", "https://", "http://"]);
    match random.below(5) {
        0 => format!("{scheme}{host}"),
        1 => format!("{scheme}{host}/"),
        2 => {
            let label = host.split(['.', ':']).next().unwrap_or_default();
            name.replacen(label, "*", 1)
        }
        3 => format!("{scheme}{}", &name[..name.floor_char_boundary(random.below(name.len() + 1))]),
        _ => format!("{scheme}{name}"),
    }
}

fn break_once(random: &mut Random, answer: &mut Tree) {
    match random.below(14) {
        0 => answer.set(
            "kind",
            some(
                random,
                &[
                    "CredentialProviderRequest",
                    "Foo",
                    "",
                    "credentialproviderresponse",
                    "CredentialProviderConfig",
                    "Status",
                    "List",
                ],
            ),
        ),
        1 => answer.set(
            "apiVersion",
            some(
                random,
                &[
                    "",
                    "v1",
                    "credentialprovider.kubelet.k8s.io/v1",
                    "credentialprovider.kubelet.k8s.io/v1beta1",
                    "credentialprovider.kubelet.k8s.io/v1alpha1",
                    "credentialprovider.kubelet.k8s.io/v2",
                    "a/b/c",
                    "/",
                    "x/",
                    "credentialprovider.kubelet.k8s.io/",
                    "kubelet.config.k8s.io/v1",
                    "é/\"",
                ],
            ),
        ),
        2 | 3 => answer.set(
            "cacheKeyType",
            some(random, &["", "image", "ServiceAccount", "Global ", "é\"\n", "<&>"]),
        ),
        4 | 5 => {
            let duration = duration_text(random);
            answer.set("cacheDuration", Some(Tree::Text(duration)));
        }
        6 => {
            let value = odd_value(random);
            answer.set(
                random.pick(&["cacheDuration", "auth", "cacheKeyType", "kind", "apiVersion"]),
                Some(value),
            );
        }
        7 => {
            let entries = answer.any_map(random);
            let value = odd_value(random);
            let key = random.word(&[
                "email",
                "auth",
                "identitytoken",
                "x",
                "Kind",
                "APIVERSION",
                "é",
                "",
            ]);
            let at = random.below(entries.len() + 1);
            entries.insert(at, (key, value));
        }
        8 => {
            let entries = answer.any_map(random);
            if !entries.is_empty() {
                let doubled = entries[random.below(entries.len())].clone();
                entries.push(doubled);
            }
        }
        9 => {
            let entries = answer.any_map(random);
            if !entries.is_empty() {
                let at = random.below(entries.len());
                entries[at].0 = match random.below(3) {
                    0 => entries[at].0.to_uppercase(),
                    1 => entries[at].0.to_lowercase(),
                    _ => random.damage(&entries[at].0.clone(), "sX_ é"),
                };
            }
        }
        10 => {
            let entries = answer.any_map(random);
            if !entries.is_empty() {
                entries.remove(random.below(entries.len()));
            }
        }
        11 => answer.set("auth", Some(Tree::map([("r.io", odd_value(random))]))),
        _ => *answer.any(random) = odd_value(random),
    }
}

fn some(random: &mut Random, words: &[&str]) -> Option<Tree> {
    (!random.percent(15)).then(|| Tree::Text(random.word(words)))
}

fn wrong_text(random: &mut Random, text: &str, answer: &mut Tree) -> String {
    match random.below(12) {
        0 => random
            .word(&["", "\n", " ", "null", "[]", "\"x\"", "1", "true", "{}", "[{}]", "nul", "-"]),
        1 => format!("time=now level=info\n{text}"),
        2 => format!("{text}\nlog line\n"),
        3 => format!("\u{feff}{text}"),
        4 => text[..text.floor_char_boundary(random.below(text.len() + 1))].to_owned(),
        5 => format!("{text}{text}"),
        6 => answer.yaml(random),
        7 => format!("\u{a0}{text}"),
        8 => format!("// comment\n{text}"),
        9 => text.replace("\"kind\"", "'kind'"),
        10 => format!("{{\"kind\":\"CredentialProviderResponse\",\"apiVersion\":\"{GROUP}/v1\"}}"),
        _ => random.damage(text, "{}[]:,\"\\ \n0-u.é\t"),
    }
}
