//! Files as platforms, tools and people write them.

use pullpass_kubelet::edit::{Change, merge};

use crate::{ENTRY, NAME, accepted, entry, go_round, show};

const EKS: &str = include_str!("hands/eks.json");
const AKS: &str = include_str!("hands/aks.yaml");
const GKE: &str = include_str!("hands/gke.yaml");
const K3S: &str = include_str!("hands/k3s.yaml");
const KOPS: &str = include_str!("hands/kops.yaml");
const COMMENTS: &str = include_str!("hands/comments.yaml");
const ANCHORS: &str = include_str!("hands/anchors.yaml");
const TABS: &str = include_str!("hands/tabs.json");

/// `{}` is the place of the list.
const HEAD: &str = "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\n";
const ITEM: &str = r#"{"name":"a","apiVersion":"credentialprovider.kubelet.k8s.io/v1","matchImages":["a.io"],"defaultCacheDuration":"1m"}"#;
const LINES: &str = "- name: a\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n  \
                     matchImages:\n  - a.io\n  defaultCacheDuration: 1m\n";

/// Every file, and how many providers it has.
pub(crate) fn hands() -> Vec<(&'static str, Vec<u8>, usize)> {
    let yaml = |list: &str| format!("{HEAD}{list}");
    let json = |list: &str| {
        format!(
            r#"{{"apiVersion":"kubelet.config.k8s.io/v1","kind":"CredentialProviderConfig","providers":{list}}}"#
        )
    };
    let block = yaml(&format!("providers:\n{LINES}"));
    let indented = LINES.replace("\n  ", "\n    ").replace("- name", "  - name");
    let indented = indented.replace("    - a.io", "      - a.io");
    let spaced = ITEM.replace(':', ": ").replace("\",\"", "\", \"").replace(",\"d", ", \"d");
    let two = ITEM.replace("\"a\"", "\"b\"");
    let utf_16 = |text: &str, write: fn(u16) -> [u8; 2]| -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(write).collect()
    };
    let texts = [
        ("EKS's JSON", EKS.to_owned(), 1),
        ("AKS's YAML", AKS.to_owned(), 1),
        ("GKE's YAML", GKE.to_owned(), 1),
        ("k3s's YAML", K3S.to_owned(), 1),
        ("kops's YAML", KOPS.to_owned(), 1),
        ("comments in odd places", COMMENTS.to_owned(), 2),
        ("anchors and merges", ANCHORS.to_owned(), 3),
        ("JSON with tabs", TABS.to_owned(), 2),
        ("a list at its key's column", block.clone(), 1),
        ("an indented list", yaml(&format!("providers:\n{indented}")), 1),
        ("no final line end", block.trim_end().to_owned(), 1),
        ("CRLF", block.replace('\n', "\r\n"), 1),
        ("CRLF without the last", block.trim_end().replace('\n', "\r\n"), 1),
        ("a carriage return at the end", block.trim_end().to_owned() + "\r", 1),
        ("a byte order mark", format!("\u{feff}{block}"), 1),
        ("a byte order mark before JSON", format!("\u{feff}{}\n", json(&format!("[{ITEM}]"))), 1),
        ("the list first", format!("providers:\n{LINES}{HEAD}"), 1),
        ("the list first, between empty lines", format!("providers:\n\n{LINES}\n\n{HEAD}"), 1),
        ("a document mark and an end", format!("---\n{block}...\n"), 1),
        ("a second document", format!("{block}---\nproviders: []\n"), 1),
        ("an indented document", format!("  {}", block.trim_end().replace('\n', "\n  ")), 1),
        (
            "a dash far from its key",
            block.replace("- name", "-   name").replace("\n  ", "\n    "),
            1,
        ),
        ("a dash on its own line", block.replace("- name", "-\n  name"), 1),
        ("a block of text at the end", format!("{block}  args:\n  - |\n    a\n\n    # b\n\n"), 1),
        ("a kept block of text at the end", format!("{block}  args:\n  - |+\n    a\n\n\n"), 1),
        ("a value that is missing", format!("{block}  args:\n\n# the end\n"), 1),
        ("an empty list", yaml("providers: []\n"), 0),
        ("an empty list with a comment", yaml("providers: [] # none yet\n  # here\nother: 1\n"), 0),
        ("an empty list without a line end", yaml("providers: []"), 0),
        ("an empty list with blanks", yaml("providers: [ ]\n"), 0),
        ("an empty list far from its key", yaml("providers:   []\n"), 0),
        ("a flow list", yaml(&format!("providers: [{ITEM}]\n")), 1),
        (
            "a flow list over lines",
            yaml(&format!("providers: [\n  {ITEM}, # the first\n  {two},\n]\n")),
            2,
        ),
        (
            "a flow document",
            format!(
                "--- {{kind: CredentialProviderConfig, apiVersion: kubelet.config.k8s.io/v1, providers: [{}]}}\n",
                spaced
            ),
            1,
        ),
        ("minified JSON", json(&format!("[{ITEM}]")), 1),
        ("minified JSON, two", json(&format!("[{ITEM},{two}]")) + "\n", 2),
        ("JSON in one line with blanks", json(&format!("[ {spaced} ]")).replace("\":", "\": "), 1),
        ("JSON without providers", json("[]"), 0),
        (
            "indented JSON without providers",
            EKS[..EKS.find("\"providers\"").expect("it")].to_owned() + "\"providers\": []\n}\n",
            0,
        ),
        ("JSON with a list over two lines", json("[\n]"), 0),
        ("JSON with CRLF", EKS.replace('\n', "\r\n"), 1),
        (
            "JSON with unknown fields",
            json(&format!("[{}]", ITEM.replace("\"n", "\"future\":{\"a\":[1.50,null]},\"n"))),
            1,
        ),
        (
            "JSON with the list first",
            format!(
                "{{\n  \"providers\": [{ITEM}],\n  \"kind\": \"CredentialProviderConfig\",\n  \"apiVersion\": \"kubelet.config.k8s.io/v1\"\n}}"
            ),
            1,
        ),
        (
            "JSON with a brace beside the bracket",
            EKS.replace("[\n    {", "[{").replace("}\n  ]", "}]"),
            1,
        ),
        ("JSON with white space before", format!("\n\t{}\n\n", json(&format!("[{ITEM}]"))), 1),
    ];
    let mut hands: Vec<_> =
        texts.into_iter().map(|(title, text, count)| (title, text.into_bytes(), count)).collect();
    hands.push(("UTF-16, little-endian", utf_16(&block, u16::to_le_bytes), 1));
    let flow = yaml(&format!("providers: [{ITEM}, {two}]\n"));
    hands.push(("UTF-16 with a flow list", utf_16(&flow, u16::to_le_bytes), 2));
    hands.push(("UTF-16, big-endian", utf_16(&block.replace('\n', "\r\n"), u16::to_be_bytes), 1));
    hands
}

#[test]
fn merge_and_remove_give_the_old_bytes_back() {
    let hands = hands();
    assert!(hands.len() >= 30);
    for (title, text, count) in &hands {
        let added = go_round(title, text);
        assert_eq!(added.providers, count + 1, "{title}");
        if !title.contains("unknown fields") && !title.contains("with a comment") {
            let names = accepted(title, &added.text);
            assert_eq!(names.len(), count + 1, "{title}");
            assert_eq!(names.last().map(String::as_str), Some(NAME), "{title}");
        }
    }
}

#[test]
fn the_other_bytes_stay() {
    for (title, text, count) in hands() {
        let added = merge(&text, &entry(ENTRY)).expect(title);
        let start = text.iter().zip(&added.text).take_while(|(old, new)| old == new).count();
        let rest = &text[start..];
        // An empty list becomes one with dashes, which takes its brackets away.
        if count > 0 {
            assert!(added.text.ends_with(rest), "{title}\n{}", show(&added.text));
        }
    }
}

#[test]
fn a_provider_of_the_name_is_replaced_in_its_place() {
    for (title, text, count) in hands() {
        let added = merge(&text, &entry(ENTRY)).expect(title);
        let other =
            ENTRY.replace("10m", "11m").replace("cacheType: ServiceAccount", "cacheType: Token");
        let replaced =
            merge(&added.text, &entry(&other)).unwrap_or_else(|error| panic!("{title}: {error}"));
        assert_eq!((replaced.change, replaced.providers), (Change::Replaced, count + 1), "{title}");
        let back = merge(&replaced.text, &entry(ENTRY)).expect(title);
        assert_eq!(show(&back.text), show(&added.text), "{title}");
        assert_eq!(back.text, added.text, "{title}");
    }
}

#[test]
fn each_provider_can_be_taken_out_and_the_others_stay() {
    for (title, text, count) in hands() {
        let text = merge(&text, &entry(ENTRY)).expect(title).text;
        let Ok(config) =
            pullpass_kubelet::Config::parse("config", &text, &pullpass_kubelet::Target::default())
        else {
            continue;
        };
        for provider in &config.providers {
            let removed = match pullpass_kubelet::edit::remove(&text, &provider.name) {
                // Something else of the file refers to it.
                Err(error) if title == "anchors and merges" => {
                    assert_eq!(error.to_string(), "the edit would change another part of the file");
                    continue;
                }
                removed => removed.unwrap_or_else(|error| panic!("{title}: {error}")),
            };
            assert_eq!(removed.providers, count, "{title}");
            if count > 0 {
                let names = accepted(title, &removed.text);
                assert!(names.len() == count && !names.contains(&provider.name.value), "{title}");
            }
        }
    }
}
