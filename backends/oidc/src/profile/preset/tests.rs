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

/// One parameter for each thing that the preset needs.
fn needed(preset: &Preset) -> Vec<(String, String)> {
    let mut set: Vec<(String, String)> = Vec::new();
    for parameter in preset.parameters() {
        let is_needed = match parameter.default {
            ParameterDefault::Required => true,
            ParameterDefault::RequiredUnless(other) => !set.iter().any(|(name, _)| *name == other),
            ParameterDefault::Value(_) | ParameterDefault::Annotation(_) => false,
        };
        if is_needed {
            let value = value(&parameter.name).to_owned();
            set.push((parameter.name, value));
        }
    }
    set
}

fn filled(name: &str, set: Vec<(String, String)>) -> Result<(RawProfile, Vec<String>), String> {
    let preset = Preset::find(name)?;
    let profile = preset.with_set(set)?;
    preset.fill(profile)
}

#[test]
fn every_preset_is_a_profile_with_what_it_needs_and_none_without() {
    let presets = presets().unwrap();
    assert_eq!(presets.len(), FILES.len());
    for preset in presets {
        let name = preset.name;
        let set = needed(&preset);
        let (raw, parameters) =
            filled(name, set.clone()).unwrap_or_else(|why| panic!("{name}: {why}"));
        let draft = raw.compile(Path::new("/"), &parameters);
        let draft = draft.unwrap_or_else(|why| panic!("{name}: {why}"));
        assert!(draft.into_profile(&[]).is_ok(), "{name}");
        for at in 0..set.len() {
            let mut less = set.clone();
            let (left_out, _) = less.remove(at);
            let error = filled(name, less).err().unwrap();
            assert!(error.contains(&format!("needs the variable `{left_out}`")), "{name}: {error}");
        }
        let error = filled(name, vec![("nothing".to_owned(), String::new())]).err().unwrap();
        assert!(error.contains("has no variable `nothing`"), "{name}: {error}");
    }
}

#[test]
fn every_parameter_is_used() {
    for preset in presets().unwrap() {
        let text = FILES.iter().find(|(name, _)| *name == preset.name).unwrap().1;
        for parameter in preset.parameters() {
            let used = format!("${{{}}}", parameter.name);
            assert!(text.contains(&used), "{}: {}", preset.name, parameter.name);
        }
    }
}

#[test]
fn either_of_two_parameters_is_enough() {
    let set = |name: &str| vec![(name.to_owned(), "x".to_owned())];
    assert!(filled("ibm", set("profileId")).is_ok());
    assert!(filled("ibm", set("profileName")).is_ok());
    let error = filled("ibm", Vec::new()).err().unwrap();
    assert!(error.contains("needs the variable `profileId` or `profileName`"), "{error}");
}

#[test]
fn a_value_of_another_type_is_refused() {
    for (name, parameter, value, why) in [
        ("quay", "host", "https://quay.example", "HOST[:PORT] only"),
        ("quay", "host", "quay.example/path", "HOST[:PORT] only"),
        ("keycloak", "issuer", "https://login.example/", "must not end in `/`"),
    ] {
        let set = vec![
            (parameter.to_owned(), value.to_owned()),
            ("registry".to_owned(), "reg.example".to_owned()),
        ];
        let error = filled(name, set).err().unwrap();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn help_says_what_each_needs() {
    let rows = help_rows();
    assert_eq!(rows.len(), FILES.len());
    let row = |name: &str| &rows.iter().find(|(known, _)| known == name).unwrap().1;
    assert!(row("ibm").starts_with("profileId or profileName ("), "{}", row("ibm"));
    assert!(row("quay").starts_with("robot or an annotation ("), "{}", row("quay"));
    assert!(row("artifactory").starts_with("host, provider ("), "{}", row("artifactory"));
    assert!(Preset::find("nothing").err().unwrap().contains("no preset has this name"));
}
