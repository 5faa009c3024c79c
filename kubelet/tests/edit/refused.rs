//! What is not edited, and texts that are not entries.

use pullpass_kubelet::edit::{EditError, EntryError, ProviderEntry, merge, remove};

use crate::{ENTRY, NAME, entry};

const ITEM: &str = "- name: a\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n  \
                    matchImages: [a.io]\n  defaultCacheDuration: 1m\n";

#[test]
fn a_text_that_would_change_elsewhere_is_left_alone() {
    for (text, expected) in [
        ("providers: [", "Syntax"),
        ("- a", "NotAMapping"),
        ("", "NotAMapping"),
        ("# nothing\n", "NotAMapping"),
        ("a", "NotAMapping"),
        ("{\"providers\": [], \"providers\": []}", "RepeatedList"),
        ("providers: []\nproviders: []\n", "RepeatedList"),
        ("x: &a []\nproviders: *a\n", "NotAList"),
        ("providers: {}\n", "NotAList"),
        ("{\"providers\": 1}", "NotAList"),
        (
            &format!("providers:\n{ITEM}{ITEM}").replace("name: a", &format!("name: {NAME}")),
            "RepeatedProvider",
        ),
        (&format!("providers:\n{ITEM}  args:\n  - |\n    a text without a line end"), "OtherPart"),
        (&format!("? providers\n: {}", ITEM.replace("\n  ", "\n    ")), "Form"),
        ("--- {providers: , a: 1}", "Form"),
    ] {
        let error = merge(text.as_bytes(), &entry(ENTRY)).expect_err(text);
        assert!(format!("{error:?}").starts_with(expected), "{text}: {error:?}");
        assert!(!error.hint().is_empty());
    }
    let aliased = format!("providers:\n- &a\n{}- *a\n", ITEM.replace("- name", "  name"));
    let aliased = aliased + "- <<: *a\n  x: 1\n";
    assert_eq!(
        remove(b"providers: [{name: b}, &x {name: a}, *x]", "b").expect("text").text,
        b"providers: [&x {name: a}, *x]"
    );
    assert_eq!(
        remove(aliased.replace("- *a\n", "").as_bytes(), "a").expect_err("an alias"),
        EditError::OtherPart
    );
}

#[test]
fn every_provider_of_the_name_goes() {
    let text = format!("providers:\n{ITEM}{}{ITEM}x: 1\n", ITEM.replace("name: a", "name: b"));
    let removed = remove(text.as_bytes(), "a").expect("a text");
    assert_eq!(removed.providers, 1);
    let left = format!("providers:\n{}x: 1\n", ITEM.replace("name: a", "name: b"));
    assert_eq!(String::from_utf8_lossy(&removed.text), left);
}

#[test]
fn comments_between_the_items_of_a_flow_list_stay() {
    let text =
        "providers: [\n  {name: a}, # about a\n  {name: b}, # about b\n  {name: c} # about c\n]\n";
    for (name, left) in [
        ("a", "providers: [\n   # about a\n  {name: b}, # about b\n  {name: c} # about c\n]\n"),
        ("b", "providers: [\n  {name: a} # about a\n  , # about b\n  {name: c} # about c\n]\n"),
        ("c", "providers: [\n  {name: a}, # about a\n  {name: b} # about b\n   # about c\n]\n"),
    ] {
        let removed = remove(text.as_bytes(), name).expect(name);
        assert_eq!(String::from_utf8_lossy(&removed.text), left);
    }
}

#[test]
fn an_entry_is_one_provider_in_any_of_three_forms() {
    let json = r#"{"name": "a", "matchImages": ["a.io"]}"#;
    for text in [
        "name: a\nmatchImages: [a.io]\n",
        "- name: a\n  matchImages: [a.io]\n",
        json,
        &format!("[{json}]"),
        &format!("{{\"kind\": \"CredentialProviderConfig\", \"providers\": [{json}]}}"),
        "providers:\n- name: a\n  matchImages: [a.io]\n",
        "x: &x [a.io]\nproviders: [{name: a, matchImages: *x}]",
    ] {
        let entry = ProviderEntry::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(entry.name(), "a");
        assert!(!entry.may_hold_secrets());
        let merged = merge(b"providers: []", &entry).expect(text);
        let expected = "providers:\n- name: a\n  matchImages:\n  - a.io";
        assert_eq!(String::from_utf8_lossy(&merged.text), expected, "{text}");
    }
    for (text, expected) in [
        ("", EntryError::OtherDocument),
        ("a", EntryError::OtherDocument),
        ("[a]", EntryError::OtherDocument),
        ("kind: OIDCExchangeConfig\nprofiles: []", EntryError::OtherDocument),
        ("kind: Pod\nproviders: [{name: a}]", EntryError::OtherDocument),
        ("kind: CredentialProviderConfig\n", EntryError::OtherDocument),
        ("[]", EntryError::NotOne(0)),
        ("- name: a\n- name: b\n", EntryError::NotOne(2)),
        ("providers: [{name: a}, {name: b}]", EntryError::NotOne(2)),
        ("matchImages: []", EntryError::NoName),
        ("name: ''", EntryError::NoName),
        ("name: 1", EntryError::NoName),
        ("name: a\nname: b", EntryError::Repeated),
        (r#"{"name": "a", "env": [{"name": "A", "name": "B"}]}"#, EntryError::Repeated),
    ] {
        assert_eq!(ProviderEntry::parse(text.as_bytes()).expect_err(text), expected, "{text}");
    }
    let secret = ProviderEntry::parse(b"name: a\nenv: [{name: P, value: correct-horse}]");
    let secret = secret.expect("an entry");
    assert!(secret.may_hold_secrets() && !format!("{secret:?}").contains("horse"));
}
