//! Where the kubelet's own code (`cargo xtask oracle`) once said otherwise than we did. The
//! words here are the kubelet's, v1.34.4 and v1.37.2.

#![allow(clippy::expect_used, reason = "a test stops at the first surprise")]

use std::fs;

use pullpass_kubelet::image_name::lookup_name;
use pullpass_kubelet::{Config, KubeletVersion, Target};

const HEAD: &str = "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\n";
const PROVIDER: &str = "providers:\n- name: p\n  matchImages: [r.io]\n  \
    apiVersion: credentialprovider.kubelet.k8s.io/v1\n  defaultCacheDuration: 1h\n";

fn judge(bytes: &[u8]) -> Result<Config, String> {
    Config::parse("c", bytes, &Target::new(version(37))).map_err(|error| error.message)
}

fn version(minor: u8) -> KubeletVersion {
    KubeletVersion::new(minor).expect("known")
}

#[test]
fn utf_16_is_yaml() {
    let text = format!("\u{feff}{HEAD}{PROVIDER}");
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [&little, &big] {
        let config = judge(bytes).expect("accepted");
        assert_eq!(config.providers[0].name.as_str(), "p");
        assert_eq!(config.providers[0].name.location.line(), 4);
    }
    assert!(judge(&little[..little.len() - 1]).is_err());
    // Without a mark it is neither.
    assert!(judge(&little[2..]).is_err());
}

#[test]
fn a_file_is_judged_before_the_next_is_opened() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.yaml"), format!("{HEAD}zz: 1\n")).expect("written");
    std::os::unix::fs::symlink("nowhere", folder.path().join("b.yaml")).expect("linked");
    let refusal = Config::load(folder.path(), &Target::new(version(34))).expect_err("refused");
    let file = folder.path().join("a.yaml");
    assert_eq!(
        refusal.message,
        format!("error decoding config {file:?}: strict decoding error: unknown field \"zz\"")
    );
}

#[test]
fn a_tab_where_a_key_could_begin_is_none_of_yaml_s_blanks() {
    for text in [
        format!("\t{HEAD}{PROVIDER}"),
        format!("{HEAD}providers: []\n\t"),
        format!("{HEAD}\t# comment\n{PROVIDER}"),
        format!("{HEAD}{}", PROVIDER.replace("- name", "-\tname")),
    ] {
        let refusal = judge(text.as_bytes()).expect_err(&text);
        assert!(refusal.starts_with("error decoding config \"c\": yaml: "), "{refusal}");
    }
    for text in [
        format!("---\t\n{HEAD}{PROVIDER}"),
        format!("{HEAD}{}", PROVIDER.replace("name: p", "name:\tp\t# comment")),
        format!("{HEAD}{}", PROVIDER.replace("[r.io]", "[\tr.io,\n\t'*.r.io'\t]\t")),
        format!("{HEAD}{PROVIDER}  args:\n  - |-\n    a\tb\n\n    c\n  - \"a\n   \tb\"\n"),
    ] {
        judge(text.as_bytes()).expect(&text);
    }
}

#[test]
fn a_value_that_is_written_over_is_not_written_out() {
    let text = format!("{HEAD}{PROVIDER}  env: .inf\n  env: []\n");
    assert_eq!(
        judge(text.as_bytes()).expect_err("refused"),
        "error decoding config \"c\": strict decoding error: yaml: unmarshal errors:\n  \
         line 9: key \"env\" already set in map"
    );
}

#[test]
fn small_letters_are_go_s() {
    let error = |image: &str| lookup_name(image).expect_err("no name").to_string();
    assert!(error("\u{130}.io/app").ends_with("repository name must be lowercase"));
    let key = "  tokenAttributes:\n    serviceAccountTokenAudience: a\n    cacheType: Token\n    \
               requireServiceAccount: true\n    requiredServiceAccountAnnotationKeys: [\u{130}]\n";
    judge(format!("{HEAD}{PROVIDER}{key}").as_bytes()).expect("accepted");
}

#[test]
fn a_key_is_on_one_line() {
    let text = format!("{HEAD}providers: [{{\"name\nx\": 1}}]\n");
    let refusal = judge(text.as_bytes()).expect_err("refused");
    assert!(refusal.starts_with("error decoding config \"c\": yaml: "), "{refusal}");
}
