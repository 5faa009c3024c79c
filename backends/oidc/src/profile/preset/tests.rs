use std::path::Path;

use super::*;

/// What an operator would set.
fn value(name: &str) -> &'static str {
    match name {
        "address" | "issuer" => "https://login.example/realms/one",
        "registry" | "host" => "reg.example:8443",
        "file" | "secretFile" => "/etc/secret",
        "path" => "secret/data/registries/corp",
        "provider" => "projects/1/locations/global/workloadIdentityPools/p/providers/x",
        "serviceAccount" => "a@p.iam.gserviceaccount.com",
        "scope" => "api://x/.default",
        "tenant" => "contoso.example",
        _ => "value",
    }
}

fn needed(preset: &Preset) -> Vec<(String, String)> {
    let needed = preset.parameters.iter().filter(|it| it.default == ParameterDefault::Missing);
    needed.map(|it| (it.name.to_owned(), value(it.name).to_owned())).collect()
}

#[test]
fn every_preset_is_a_profile_with_what_it_needs_and_none_without() {
    for preset in PRESETS {
        let name = preset.name;
        let set = needed(preset);
        let raw = profile(name, set.clone()).and_then(fill);
        let raw = raw.unwrap_or_else(|why| panic!("{name}: {why}"));
        let is_parameter = |parameter: &str| has_parameter(Some(name), parameter);
        let draft = raw.compile(Path::new("/"), is_parameter);
        let draft = draft.unwrap_or_else(|why| panic!("{name}: {why}"));
        assert!(draft.into_profile(&[]).is_ok(), "{name}");
        for at in 0..set.len() {
            let mut less = set.clone();
            let (left_out, _) = less.remove(at);
            let error = profile(name, less).and_then(fill).err().unwrap();
            assert!(error.contains(&format!("needs the variable `{left_out}`")), "{name}: {error}");
        }
        let error = profile(name, vec![("nothing".to_owned(), String::new())]).err().unwrap();
        assert!(error.contains("has no `nothing`"), "{name}: {error}");
    }
}

#[test]
fn every_parameter_is_used() {
    for preset in PRESETS {
        for parameter in preset.parameters {
            let used = format!("${{{}}}", parameter.name);
            let by_another = |it: &Parameter| it.default == ParameterDefault::Default("${host}");
            let is_used = preset.text.contains(&used)
                || parameter.name == "host" && preset.parameters.iter().any(by_another);
            assert!(is_used, "{}: {}", preset.name, parameter.name);
        }
    }
}

#[test]
fn names_are_told_apart() {
    let names: std::collections::BTreeSet<_> = PRESETS.iter().map(|it| it.name).collect();
    assert_eq!(names.len(), PRESETS.len());
    assert!(profile("nothing", Vec::new()).err().unwrap().contains("there is no preset"));
}
