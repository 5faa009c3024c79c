//! Questions that need no files: patterns, image names, durations, the order of keys.

use std::collections::BTreeSet;

use pullpass_go_duration::GoDuration;
use pullpass_kubelet::KubeletVersion;
use pullpass_kubelet::exec::{AuthConfig, AuthConfigs};
use pullpass_kubelet::image_name::lookup_name;
use pullpass_kubelet::keyring::Keyring;
use pullpass_kubelet::pattern::{AuthKey, Pattern};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::bench::{Bench, Verdict};
use crate::explained::Context;
use crate::random::Random;
use crate::world;

/// One pattern against one compared string.
pub(crate) fn matches(bench: &mut Bench, random: &mut Random) -> Verdict {
    let image = world::compared(random);
    let pattern = match random.below(4) {
        // Made of the image, so that hits are not rare.
        0 => image[..image.floor_char_boundary(random.below(image.len() + 1))].to_owned(),
        1 => image.replacen(random.pick(&["a", "r", "b", "io"]), "*", 1),
        _ => world::pattern(random),
    };
    let question = json!({"op": "match", "pattern": pattern, "image": image});
    let kubelet = bench.judge.ask(&question);
    let parsed = Pattern::parse(&pattern, bench.version);
    let ours = json!({
        "matched": parsed.as_ref().is_ok_and(|pattern| pattern.matches(&image)),
        "pattern_error": parsed.err().map(|error| error.to_string()).unwrap_or_default(),
    });
    let matched = kubelet["matched"] == true;
    let refused = kubelet["pattern_error"] != "";
    let label = match (matched, refused) {
        (true, _) => "match: hit",
        (_, true) => "match: no pattern",
        _ => "match: miss",
    };
    let mut verdict = Verdict::new(label, question);
    let context = Context::new(bench.version);
    verdict.compare(&context, &kubelet, &ours, &["matched", "pattern_error"]);
    verdict
}

/// A pod's image to the compared string.
pub(crate) fn normalize(bench: &mut Bench, random: &mut Random) -> Verdict {
    let image = world::pod_image(random);
    let question = json!({"op": "normalize", "image": image});
    let kubelet = bench.judge.ask(&question);
    let ours = match lookup_name(&image) {
        Ok(name) => json!({"lookup": name, "error": ""}),
        Err(error) => json!({"lookup": "", "error": error.to_string()}),
    };
    let label = if kubelet["error"] == "" { "image: a name" } else { "image: no name" };
    let mut verdict = Verdict::new(label, question);
    verdict.compare(&Context::new(bench.version), &kubelet, &ours, &["lookup", "error"]);
    verdict
}

/// A duration's value, its printed form, or what is wrong with it.
pub(crate) fn duration(bench: &mut Bench, random: &mut Random) -> Verdict {
    let text = duration_text(random);
    let question = json!({"op": "duration", "text": text});
    let kubelet = bench.judge.ask(&question);
    let ours = match text.parse::<GoDuration>() {
        Ok(duration) => json!({
            "nanoseconds": duration.nanoseconds(), "printed": duration.to_string(), "error": "",
        }),
        Err(error) => json!({"nanoseconds": 0, "printed": "", "error": error.to_string()}),
    };
    let label = if kubelet["error"] == "" { "duration: valid" } else { "duration: invalid" };
    let mut verdict = Verdict::new(label, question);
    let context = Context::new(bench.version);
    verdict.compare(&context, &kubelet, &ours, &["nanoseconds", "printed", "error"]);
    verdict
}

/// Numbers and units, mostly as Go expects them.
pub(crate) fn duration_text(random: &mut Random) -> String {
    let mut text = random.word(&["", "", "", "", "-", "+", "--"]);
    for _ in 0..random.below(3) + 1 {
        text += &match random.below(6) {
            0 => random.word(&["0", "9223372036854775807", "9223372036854775808", "00", "2562047"]),
            1 => format!("{}.{}", random.below(100), random.below(1_000_000_000)),
            2 => random.word(&[".5", "1.", ".", "", "1e3", "0.000000000000000000001"]),
            _ => random.below(2000).to_string(),
        };
        text += random.pick(&["h", "m", "s", "ms", "us", "µs", "μs", "ns", "", "d", "H", " s"]);
    }
    if random.percent(10) { random.damage(&text, "0.-hms é\n\"") } else { text }
}

/// The order of the credentials of several answers.
pub(crate) fn keyring(bench: &mut Bench, random: &mut Random) -> Verdict {
    let image = world::compared(random);
    let mut ring = Keyring::new(bench.version);
    let mut dropped = Vec::new();
    let mut auths = Vec::new();
    let mut context = Context::new(bench.version);
    for provider in 0..random.below(3) + 1 {
        let mut auth = AuthConfigs::new();
        for entry in 0..random.below(6) {
            let key = if random.percent(20) {
                image[..image.floor_char_boundary(random.below(image.len() + 1))].to_owned()
            } else {
                world::auth_key(random)
            };
            let username = format!("{provider}-{entry}");
            auth.insert(key, AuthConfig { username, password: "p".into() });
        }
        context.filed_alike |= has_keys_filed_alike(&auth, bench.version);
        let shown = auth.iter().map(|(key, login)| {
            (key.clone(), json!({"username": login.username, "password": "p"}))
        });
        auths.push(Value::Object(shown.collect()));
        for (key, error) in ring.add("", &auth) {
            dropped.push(AuthKey::log_line(&key, &error, bench.version));
        }
    }
    let question = json!({"op": "keyring", "auth": auths, "image": image});
    let mut kubelet = bench.judge.ask(&question);
    // Within one answer the kubelet meets the keys in random order.
    let mut lines: Vec<String> = kubelet["logs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["message"].as_str().unwrap().to_owned())
        .collect();
    lines.sort();
    kubelet["logs"] = json!(lines);
    dropped.sort();
    let credentials: Vec<Value> = ring
        .lookup(&image)
        .iter()
        .map(
            |found| json!({"username": found.username, "password": found.password.expose_secret()}),
        )
        .collect();
    let label = match credentials.len() {
        0 => "keyring: nothing",
        1 => "keyring: one",
        _ => "keyring: several",
    };
    let ours = json!({"credentials": credentials, "logs": dropped});
    let mut verdict = Verdict::new(label, question);
    verdict.compare(&context, &kubelet, &ours, &["credentials", "logs"]);
    verdict
}

/// Whether two keys of one answer are one key to the kubelet.
pub(crate) fn has_keys_filed_alike(auth: &AuthConfigs, version: KubeletVersion) -> bool {
    let mut filed = BTreeSet::new();
    auth.keys()
        .filter_map(|key| AuthKey::parse(key, version).ok())
        .any(|key| !filed.insert(key.as_str().to_owned()))
}
