//! What to do about each refusal.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests may fail the test")]

use pullpass_kubelet::{Config, KubeletVersion, StartupError, Target, lints};

const HEAD: &str = "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\n";

/// One provider with these `matchImages` instead of the usual ones, and further lines.
fn provider(lines: &str) -> String {
    let mut text = format!(
        "{HEAD}providers:\n- name: p\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n"
    );
    for (field, line) in [
        ("matchImages:", "matchImages: [r.example]"),
        ("defaultCacheDuration:", "defaultCacheDuration: 10m"),
    ] {
        if !lines.contains(field) {
            text.push_str(&format!("  {line}\n"));
        }
    }
    lines.lines().for_each(|line| text.push_str(&format!("  {line}\n")));
    text
}

fn refuse(text: &str, minor: u8) -> (StartupError, Target) {
    let target = Target::new(KubeletVersion::new(minor).expect("known"));
    match Config::parse("c.yaml", text.as_bytes(), &target) {
        Ok(_) => panic!("1.{minor} accepts\n{text}"),
        Err(error) => (error, target),
    }
}

/// The hints of a refusal, each on a line.
fn hints(text: &str) -> String {
    let (error, target) = refuse(text, 37);
    let all = error.findings.iter().chain(&error.further);
    all.map(|finding| lints::hint(finding, &target) + "\n").collect()
}

#[test]
fn the_kinds_that_real_files_had() {
    let entry = provider("");
    let mut wrong = Vec::new();
    for (text, expected) in [
        // JSON and YAML.
        (format!("{{\"kind\": \"{}\", \"providers\": [1,]}}", "x"), "remove the comma before `]`"),
        ("{\"kind\": \"x\",}".to_owned(), "remove the comma before `}`"),
        ("{'kind': 'x'}".to_owned(), "JSON allows only double quotes"),
        ("{\"kind\": \"x\"".to_owned(), "the file ends too early"),
        (provider("args: [\"a]"), "close the quotes"),
        (provider("args: [a"), "close the list"),
        (provider("matchImages:\n- *.azurecr.io"), "put quotes around a pattern"),
        (provider("args:\n\t- a"), "indent with spaces"),
        (provider("matchImages: [r.example]\n   args: [a]"), "indentation"),
        (provider("args: [@a]"), "put quotes around a value"),
        // The document.
        (entry.replace("kubelet.config", "Kubelet.config"), "`kubelet.config.k8s.io` in lower case"),
        (entry.replace("k8s.io/v1\nkind", "k8s.io/v2\nkind"), "no version `v2`"),
        (entry.replace("Config\n", "Configs\n"), "write `kind: CredentialProviderConfig`"),
        (String::new(), "no content"),
        ("# nothing\n---\n".to_owned(), "no content"),
        (entry.replace(HEAD, ""), "add `apiVersion: kubelet.config.k8s.io/v1` and `kind: "),
        (entry.replace("kind: CredentialProviderConfig\n", ""), "add `kind: "),
        (entry.replace("apiVersion: kubelet.config.k8s.io/v1\n", ""), "add `apiVersion: kubelet"),
        ("- name: p\n  matchImages: [a.example]\n".to_owned(), "this is a list of providers"),
        ("name: p\nmatchImages: [a.example]\n".to_owned(), "this is a single provider"),
        (
            "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n".to_owned(),
            "no field for image credential providers",
        ),
        (
            format!("apiVersion: v1\nkind: ConfigMap\ndata:\n  c.yaml: |\n    {}", HEAD.replace('\n', "\n    ")),
            "this is a ConfigMap with the configuration inside, at line 5",
        ),
        (
            format!("#cloud-config\nwrite_files:\n- content: |\n    {}", HEAD.replace('\n', "\n    ")),
            "this is cloud-init user data with the configuration inside, at line 4",
        ),
        (
            "apiVersion: machineconfiguration.openshift.io/v1\nkind: MachineConfig\nspec: {config: \
             {storage: {files: [{contents: {source: 'data:;base64,eA=='}}]}}}\n"
                .to_owned(),
            "this is a MachineConfig with encoded content",
        ),
        (
            "apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec: {}\n".to_owned(),
            "this is a NodeConfig of nodeadm",
        ),
        ("version: v1alpha1\nmachine:\n  kubelet: {}\n".to_owned(), "a Talos machine config"),
        // Other formats.
        ("<!DOCTYPE html>\n<html></html>\n".to_owned(), "a web page or an XML document"),
        ("{\"auths\": {}}".to_owned(), "this is a Docker configuration with logins"),
        ("[settings.kubernetes]\nenabled = true\n".to_owned(), "this is TOML or INI"),
        ("# a\nversion = 2\n[plugins]\n".to_owned(), "this is TOML or INI"),
        ("[Unit]\nDescription=x\n[Service]\n".to_owned(), "this is a systemd unit"),
        ("MIME-Version: 1.0\n\n--B\nx\n".to_owned(), "this is MIME user data"),
        ("kubelet-arg:\n- a=b\n".to_owned(), "a k3s or RKE2 configuration"),
        (format!("---\n---\n{entry}"), "the first document of the file is empty"),
        ("null\n".to_owned(), "no content"),
        (entry.replace("  match", "\u{a0}\u{a0}match"), "a no-break or wide space"),
        (provider("args:\n  config: /x"), "begin each entry with `- `"),
        (entry.replace("- name", "  name"), "begin each provider with `- `"),
        (provider("name2: x").replace("- name: p", "- name: /bin/p"), "write only the program's file name"),
        (
            "{\"kind\":\"CredentialProviderRequest\",\"apiVersion\":\
             \"credentialprovider.kubelet.k8s.io/v1\"}"
                .to_owned(),
            "is a message between the kubelet and a plugin",
        ),
        (format!("<<<<<<< HEAD\n{entry}=======\n{entry}>>>>>>> b\n"), "has a merge conflict"),
        (format!("```yaml\n{entry}```\n"), "a Markdown page with the configuration inside, at line 2"),
        (format!("cat > f <<EOF\n{entry}EOF\n"), "a script with the configuration inside, at line 2"),
        ("--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a: b\n".to_owned(), "this is a diff"),
        (
            "A=\"--image-credential-provider-config=/etc/x --v=2\"\n".to_owned(),
            "these are flags of the kubelet",
        ),
        (
            format!("- name: write\n  copy:\n    content: |\n      {}", HEAD.replace('\n', "\n      ")),
            "this is a list with the configuration inside, at line 4",
        ),
        (
            format!(
                "apiVersion: bootstrap.cluster.x-k8s.io/v1beta1\nkind: KubeadmConfig\nspec:\n  \
                 files:\n  - content: |\n      {}",
                HEAD.replace('\n', "\n      ")
            ),
            "`KubeadmConfig`, with the configuration inside, at line 6",
        ),
        ("mirrors:\n  docker.io: {}\n".to_owned(), "this is not a CredentialProviderConfig"),
        (entry.replace("name: p", "name:p"), "a space after each `NAME:`"),
        // Templates.
        (entry.replace("10m", "{{ .Values.duration }}"), "line 7 has `{{`: this is a template; render"),
        (provider("matchImages: [\"${REGISTRY}\"]"), "line 7 has `${`: this is a template; render"),
        (entry.replace("10m", "${D}"), "line 7 has `${`: this is a template; render"),
        // A variable elsewhere is not what is wrong.
        (provider("args: [\"${A}\"]\ndefaultCacheDuration: 1d"), "write `24h`"),
        (entry.replace("- name", "{% for p in ps %}\n- name"), "line 4 has `{%`: this is a template; render"),
        (entry.replace("kind: Cr", "kind: <no value> Cr"), "line 2 has `<no value>`"),
        // Fields.
        (provider("matchImage: [a.example]"), "did you mean `matchImages`?"),
        (provider("cacheType: Token"), "it is a field of `tokenAttributes`"),
        (format!("{entry}providers: []\n"), "keep one `providers:` list"),
        (format!("{HEAD}providers: []\n"), "list at least one provider"),
        // Values.
        (provider("env:\n- name: A\n  value: true"), "put quotes around it: YAML reads `true`"),
        (provider("env:\n- name: A\n  value: 1"), "put quotes around it: YAML reads it as a number"),
        (provider("env: [A=b]"), "write the variable as `name: NAME`"),
        (provider("env:\n  A: b"), "write each variable as `- name: NAME`"),
        (
            provider("tokenAttributes: {}").replace("config.k8s.io/v1\n", "config.k8s.io/v1beta1\n"),
            "write `apiVersion: kubelet.config.k8s.io/v1` at the top of the file",
        ),
        (provider("args: --config=x"), "write a list"),
        (provider("defaultCacheDuration: 1d"), "write `24h`"),
        (provider("defaultCacheDuration: 3600"), "write `3600s`"),
        (provider("defaultCacheDuration: \"3600\""), "write `3600s`"),
        (provider("defaultCacheDuration: 12H"), "write `12h`"),
        (provider("defaultCacheDuration: 10M"), "write `10m`"),
        (provider("defaultCacheDuration: 5min"), "write `5m`"),
        (provider("defaultCacheDuration: 12 h"), "write `12h`"),
        (provider("defaultCacheDuration: -1m"), "write `0s`"),
        (
            entry.replace("credentialprovider.kubelet.k8s.io/v1\n", "kubelet.config.k8s.io/v1\n"),
            "write `apiVersion: credentialprovider.kubelet.k8s.io/v1`",
        ),
    ] {
        let found = hints(&text);
        if !found.contains(expected) {
            wrong.push(format!("{expected}\n{found}\n{text}\n{}\n", refuse(&text, 37).0));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_finding_is_without_a_hint_and_none_shows_a_secret() {
    for minor in 30..=37 {
        for text in [
            "hunter2: [",
            "{\"hunter2\": ]",
            &provider("env:\n- name: PASSWORD\n  value: [hunter2]"),
            &provider("args: {hunter2: hunter2}"),
            &provider("env:\n- hunter2"),
            "kind: Secret\napiVersion: v1\nstringData: {password: hunter2}\n",
        ] {
            let (error, target) = refuse(text, minor);
            for finding in error.findings.iter().chain(&error.further) {
                let hint = lints::hint(finding, &target);
                assert!(!hint.is_empty() && !hint.contains("hunter2"), "{text}\n{hint}");
            }
        }
    }
}
