//! Rules that hold for generated input.

#![allow(clippy::expect_used, reason = "a test stops at the first surprise")]

use proptest::prelude::*;
use pullpass_kubelet::image_name::lookup_name;
use pullpass_kubelet::pattern::{AuthKey, Pattern};
use pullpass_kubelet::{Config, KubeletVersion, Target, lints};

/// The rule of matchImages, written down once more: slowly and by the letter of the
/// documentation, for hosts of plain characters and stars.
fn covers(pattern: &str, image: &str) -> bool {
    fn split(text: &str) -> (Vec<&str>, &str, &str) {
        let slash = text.find('/').unwrap_or(text.len());
        let (authority, path) = text.split_at(slash);
        let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
        (host.split('.').collect(), port, path)
    }
    /// Tries every way to share `text` between the stars.
    fn glob(pattern: &str, text: &str) -> bool {
        match pattern.chars().next() {
            None => text.is_empty(),
            Some('*') => (0..=text.len()).any(|taken| glob(&pattern[1..], &text[taken..])),
            Some(c) => text.starts_with(c) && glob(&pattern[1..], &text[1..]),
        }
    }
    let (pattern_labels, pattern_port, pattern_path) = split(pattern);
    let (image_labels, image_port, image_path) = split(image);
    pattern_port == image_port
        && pattern_labels.len() == image_labels.len()
        && image_path.starts_with(pattern_path)
        && pattern_labels.iter().zip(&image_labels).all(|(p, i)| glob(p, i))
}

/// What makes structure in JSON and YAML.
const MARKS: &[u8] = b"{}[]:,\"'\n -&*!|>%@#?<~.0y\\";

/// Few letters, so that hits are as frequent as misses.
const HOST: &str = "([ab]{0,3}\\.){0,3}[ab]{0,3}(:[12]?)?";
const GLOB: &str = "([ab*]{0,4}\\.){0,3}[ab*]{0,4}(:[12]?)?";
const PATH: &str = "(/[ab*]{0,2}){0,3}";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn matching_is_the_rule(
        pattern_host in GLOB, pattern_path in PATH, image_host in HOST, image_path in PATH,
    ) {
        let pattern = format!("{pattern_host}{pattern_path}");
        let image = format!("{image_host}{image_path}");
        let parsed = Pattern::parse(&pattern, KubeletVersion::NEWEST).expect("a pattern");
        prop_assert_eq!(parsed.matches(&image), covers(&pattern, &image), "{} {}", pattern, image);
    }

    /// The same with a pattern made of the image, so that most of them cover it.
    #[test]
    fn near_hits_are_the_rule(
        host in HOST, path in PATH, stars in prop::collection::vec(any::<bool>(), 16), cut in 0usize..8,
    ) {
        let image = format!("{host}{path}");
        let starred: String = host
            .chars()
            .zip(stars.iter().cycle())
            .map(|(c, star)| if *star && c.is_ascii_alphabetic() { '*' } else { c })
            .collect();
        let pattern = format!("{starred}{}", &path[..path.len().saturating_sub(cut)]);
        let parsed = Pattern::parse(&pattern, KubeletVersion::NEWEST).expect("a pattern");
        prop_assert_eq!(parsed.matches(&image), covers(&pattern, &image), "{} {}", pattern, image);
    }

    #[test]
    fn patterns_keys_and_images_never_panic(text in "\\PC{0,40}", image in "[\\x00-\\x7f]{0,30}") {
        for text in [&text, &image] {
            if let Ok(pattern) = Pattern::parse(text, KubeletVersion::NEWEST) {
                let _ = pattern.explain(&image);
            }
            let _ = AuthKey::parse(text, KubeletVersion::NEWEST).map(|key| key.explain(&image));
            let _ = lookup_name(text);
        }
    }

    /// A look-up name looks up as itself and is covered by its own registry.
    #[test]
    fn look_up_names_are_stable(
        image in "([a-z0-9]{1,5}\\.[a-z]{2,3}(:[0-9]{1,5})?/)?[a-z0-9]{1,4}([._/-][a-z0-9]{1,4}){0,3}(:[a-z0-9]{1,4})?",
    ) {
        if let Ok(name) = lookup_name(&image) {
            prop_assert_eq!(lookup_name(&name), Ok(name.clone()));
            let registry = name.split('/').next().expect("a part");
            prop_assert!(Pattern::parse(registry, KubeletVersion::NEWEST).expect("a pattern").matches(&name), "{}", name);
        }
    }

    #[test]
    fn configurations_of_any_bytes_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300), minor in 30u8..=37,
    ) {
        judge(&bytes, minor);
    }

    /// Bytes put into a good configuration, which go deeper than bytes alone.
    #[test]
    fn damaged_configurations_never_panic(
        json: bool,
        at in any::<prop::sample::Index>(),
        removed in 0usize..12,
        insert in prop::collection::vec(
            prop_oneof![any::<u8>(), prop::sample::select(MARKS)],
            0..8,
        ),
        minor in 30u8..=37,
    ) {
        let mut bytes = if json { JSON.as_bytes().to_vec() } else { YAML.as_bytes().to_vec() };
        let start = at.index(bytes.len());
        let end = (start + removed).min(bytes.len());
        bytes.splice(start..end, insert);
        judge(&bytes, minor);
    }
}

fn judge(bytes: &[u8], minor: u8) {
    let version = KubeletVersion::new(minor).expect("known");
    match Config::parse("c", bytes, &Target::new(version)) {
        Ok(config) => {
            let _ = lints::check(&config.providers);
        }
        Err(error) => {
            assert!(!error.findings.is_empty());
            for place in
                error.findings.iter().chain(&error.further).filter_map(|f| f.location.as_ref())
            {
                assert!(place.line() >= 1 && place.column() >= 1);
                if let Some(excerpt) = place.excerpt(usize::MAX) {
                    assert!(excerpt.text.get(excerpt.marked).is_some());
                }
            }
        }
    }
}

const YAML: &str = "kind: CredentialProviderConfig
apiVersion: kubelet.config.k8s.io/v1
providers:
- name: &n one
  matchImages: ['*.r.io', \"r.io/x\"]
  defaultCacheDuration: 10m
  apiVersion: credentialprovider.kubelet.k8s.io/v1
  args: [--x, *n, |-
    text
    ]
  env:
  - {name: A, value: b}
  tokenAttributes:
    serviceAccountTokenAudience: >-
      folded
    cacheType: Token
    requireServiceAccount: yes
    requiredServiceAccountAnnotationKeys: [a/b]
";

const JSON: &str = r#"{"kind":"CredentialProviderConfig","apiVersion":"kubelet.config.k8s.io/v1",
"providers":[{"name":"one","matchImages":["*.r.io"],"defaultCacheDuration":"10m",
"apiVersion":"credentialprovider.kubelet.k8s.io/v1","args":["\u00e9\ud83d\ude00"],
"env":[{"name":"A","value":"b"}]}]}"#;
