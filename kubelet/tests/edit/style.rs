//! How an added provider looks.

use crate::{accepted, go_round, show};

const HEAD: &str = "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\n";

fn added(text: &str) -> String {
    let added = go_round(text, text.as_bytes());
    accepted(text, &added.text);
    show(&added.text)
}

#[test]
fn yaml_with_lists_at_the_column_of_their_keys() {
    let added = added(&format!("{HEAD}providers: [] # none\n"));
    let expected = r#"providers: # none
- name: oidc-credential-provider
  apiVersion: credentialprovider.kubelet.k8s.io/v1
  matchImages:
  - "*.registry.example"
  - "registry.example:5000/team"
  defaultCacheDuration: 10m
  args:
  - "--config=/etc/pullpass/oidc.yaml"
  - "with \"quotes\" # and more: é"
  env:
  - name: HOME
    value: "/root"
  - name: EMPTY
    value: ""
  tokenAttributes:
    serviceAccountTokenAudience: registry.example
    cacheType: ServiceAccount
    requireServiceAccount: true
    optionalServiceAccountAnnotationKeys: []
"#;
    assert_eq!(added, format!("{HEAD}{expected}"));
}

#[test]
fn yaml_with_indented_lists() {
    let text = include_str!("hands/aks.yaml");
    let expected = r#"  - name: oidc-credential-provider
    apiVersion: credentialprovider.kubelet.k8s.io/v1
    matchImages:
      - "*.registry.example"
      - "registry.example:5000/team"
    defaultCacheDuration: 10m
    args:
      - "--config=/etc/pullpass/oidc.yaml"
      - "with \"quotes\" # and more: é"
    env:
      - name: HOME
        value: "/root"
      - name: EMPTY
        value: ""
    tokenAttributes:
"#;
    assert!(added(text).starts_with(&format!("{text}{expected}")), "{}", added(text));
}

#[test]
fn json_in_lines_with_their_indent() {
    let text = include_str!("hands/tabs.json");
    let expected = "\t\t},\n\t\t{\n\t\t\t\"name\": \"oidc-credential-provider\",\n\t\t\t\
                    \"apiVersion\": \"credentialprovider.kubelet.k8s.io/v1\",\n\t\t\t\"matchImages\": [\n\
                    \t\t\t\t\"*.registry.example\",\n\t\t\t\t\"registry.example:5000/team\"\n\t\t\t],\n";
    // The last one is in one line, but for its fields.
    assert!(added(text).contains(expected), "{}", added(text));
    let text = include_str!("hands/eks.json");
    let empty = text[..text.find('[').expect("it")].to_owned() + "[]\n}\n";
    let filled = added(&empty);
    let end = "\n        \"optionalServiceAccountAnnotationKeys\": []\n      }\n    }\n  ]\n}\n";
    assert!(filled.ends_with(end), "{filled}");
    assert!(filled.contains("  \"providers\": [\n    {\n      \"name\": \"oidc-"), "{filled}");
}

#[test]
fn minified_json_stays_in_its_line() {
    let text = r#"{"kind":"CredentialProviderConfig","apiVersion":"kubelet.config.k8s.io/v1","providers":[]}"#;
    let added = added(text);
    assert!(added.contains(r#"[{"name":"oidc-credential-provider","apiVersion":"#), "{added}");
    assert!(!added.contains('\n') && !added.contains(": ["), "{added}");
}

#[test]
fn a_file_without_a_list_gets_one_and_keeps_it_empty() {
    use crate::{ENTRY, NAME, entry};
    use pullpass_kubelet::edit::{merge, remove};
    let json = r#""kind": "CredentialProviderConfig", "apiVersion": "kubelet.config.k8s.io/v1""#;
    for (text, left) in [
        (HEAD.to_owned(), format!("{HEAD}providers: []\n")),
        (HEAD.trim_end().to_owned(), format!("{HEAD}providers: []")),
        (format!("{HEAD}providers:\n"), format!("{HEAD}providers: []\n")),
        (format!("{HEAD}providers: # c\n\nx: 1\n"), format!("{HEAD}providers: [] # c\n\nx: 1\n")),
        (format!("{HEAD}providers: null\n"), format!("{HEAD}providers: []\n")),
        (format!("{HEAD}providers: ~ # c"), format!("{HEAD}providers: [] # c")),
        (format!("{HEAD}providers:   null\n"), format!("{HEAD}providers:   []\n")),
        (format!("{{{json}}}"), format!("{{{json}, \"providers\": []}}")),
        (format!("{{\n  {json}\n}}\n"), format!("{{\n  {json},\n  \"providers\": []\n}}\n")),
        (format!("{{{json}, \"providers\": null}}"), format!("{{{json}, \"providers\": []}}")),
    ] {
        let added = merge(text.as_bytes(), &entry(ENTRY)).unwrap_or_else(|e| panic!("{text}: {e}"));
        if !text.contains("x: 1") {
            assert_eq!(accepted(&text, &added.text), [NAME], "{text}");
        }
        let removed = remove(&added.text, NAME).expect(&text);
        assert_eq!(show(&removed.text), left, "{text}");
    }
}
