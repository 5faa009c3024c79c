//! One provider put into files of different hands and taken out again.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests may fail the test")]

mod generated;
mod hands;
mod refused;
mod style;

use pullpass_kubelet::edit::{Change, Edited, ProviderEntry, merge, remove};
use pullpass_kubelet::{Config, Target};

/// A provider with everything in it.
const ENTRY: &str = r#"
name: oidc-credential-provider
apiVersion: credentialprovider.kubelet.k8s.io/v1
matchImages: ["*.registry.example", registry.example:5000/team]
defaultCacheDuration: 10m
args: [--config=/etc/pullpass/oidc.yaml, "with \"quotes\" # and more: é"]
env:
- {name: HOME, value: /root}
- {name: EMPTY, value: ""}
tokenAttributes:
  serviceAccountTokenAudience: registry.example
  cacheType: ServiceAccount
  requireServiceAccount: true
  optionalServiceAccountAnnotationKeys: []
"#;

const NAME: &str = "oidc-credential-provider";

fn entry(text: &str) -> ProviderEntry {
    ProviderEntry::parse(text.as_bytes()).expect("an entry")
}

fn show(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// Adds [`ENTRY`], adds it again, takes it out, and gives what was in between.
fn go_round(title: &str, text: &[u8]) -> Edited {
    let added = merge(text, &entry(ENTRY)).unwrap_or_else(|error| panic!("{title}: {error}"));
    assert_eq!(added.change, Change::Added, "{title}");
    let shown = show(&added.text);
    let again = merge(&added.text, &entry(ENTRY)).expect(title);
    assert_eq!((again.change, &again.text), (Change::Nothing, &added.text), "{title}\n{shown}");
    let removed = remove(&added.text, NAME).unwrap_or_else(|error| panic!("{title}: {error}"));
    assert_eq!(removed.change, Change::Removed, "{title}");
    assert_eq!(show(&removed.text), show(text), "{title}\n{shown}");
    assert_eq!(removed.text, text, "{title}");
    assert_eq!(removed.providers + 1, added.providers, "{title}");
    added
}

/// The kubelet takes the text, and these are its providers.
fn accepted(title: &str, text: &[u8]) -> Vec<String> {
    let config = Config::parse("config", text, &Target::default())
        .unwrap_or_else(|error| panic!("{title}: {error}\n{}", show(text)));
    config.providers.iter().map(|provider| provider.name.value.clone()).collect()
}
