//! A preset by its number, its parameters with one line each, and the answers after a NUL.

use pullpass_oidc::{PLUGIN, presets};

use crate::run::Run;

pub fn run(input: &[u8]) {
    let Some((number, rest)) = input.split_first() else { return };
    let end = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
    let Ok(parameters) = std::str::from_utf8(&rest[..end]) else { return };
    let mut lines = parameters.split('\n');
    let image = lines.next().unwrap_or_default();
    let presets = presets().expect("our own presets");
    let preset = &presets[usize::from(number.wrapping_sub(b'A')) % presets.len()];
    let name = format!("--preset={}", preset.name());
    let settings: Vec<String> = lines.map(|line| format!("--set={line}")).collect();
    let mut args = vec![name.as_str()];
    args.extend(settings.iter().map(String::as_str));
    let annotations: &[(&str, &str)] = &[
        ("quay.io/federated-robot-account", "org+robot"),
        ("credentials.chainguard.dev/identity", "0123abcd/4567"),
    ];
    let annotations = Some(annotations);
    let answers = rest.get(end + 1..).unwrap_or_default();
    Run { plugin: &PLUGIN, args: &args, env: &[], image, annotations }.check(answers);
}
