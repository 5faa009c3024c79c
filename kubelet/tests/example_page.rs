//! The example of the Kubernetes page "Configure a kubelet image credential provider",
//! with what it says about `tokenAttributes`.

#![allow(clippy::expect_used, reason = "a test stops at the first surprise")]

use pullpass_kubelet::{Config, KubeletVersion, Target, lints};
use secrecy::ExposeSecret as _;

const EXAMPLE: &str = "\
apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
# providers is a list of credential provider helper plugins that will be enabled by the kubelet.
providers:
  - name: ecr-credential-provider
    matchImages:
      - \"*.dkr.ecr.*.amazonaws.com\"
      - \"*.dkr.ecr.*.amazonaws.com.cn\"
      - \"*.dkr.ecr-fips.*.amazonaws.com\"
      - \"*.dkr.ecr.us-iso-east-1.c2s.ic.gov\"
      - \"*.dkr.ecr.us-isob-east-1.sc2s.sgov.gov\"
    defaultCacheDuration: \"12h\"
    apiVersion: credentialprovider.kubelet.k8s.io/v1
    args:
      - --example
    env:
      - name: AWS_PROFILE
        value: example_profile
    tokenAttributes:
      serviceAccountTokenAudience: \"<audience for the token>\"
      requireServiceAccount: true
      requiredServiceAccountAnnotationKeys:
      - \"example.com/required-annotation-key-1\"
      - \"example.com/required-annotation-key-2\"
      optionalServiceAccountAnnotationKeys:
      - \"example.com/optional-annotation-key-1\"
      - \"example.com/optional-annotation-key-2\"
";

fn judge(minor: u8, gates: &str) -> Result<Config, String> {
    let version = KubeletVersion::new(minor).expect("known");
    let target = Target { version, gates: gates.parse().expect("gates") };
    Config::parse("example.yaml", EXAMPLE.as_bytes(), &target).map_err(|error| {
        let place = error.findings[0].location.as_ref().expect("a place");
        assert_eq!((place.line(), place.column()), (20, 7), "{place}");
        error.message
    })
}

#[test]
fn accepted_on_1_33_with_the_gate_on() {
    let config =
        judge(33, "KubeletServiceAccountTokenForCredentialProviders=true").expect("accepted");
    let provider = &config.providers[0];
    assert_eq!(provider.match_images.len(), 5);
    assert_eq!(provider.env[0].value.expose_secret(), "example_profile");
    let tokens = provider.token_attributes.as_ref().expect("tokens");
    assert_eq!(tokens.required_annotation_keys.len(), 2);
    assert_eq!(tokens.optional_annotation_keys[1].value, "example.com/optional-annotation-key-2");
    let advice = lints::check(&config.providers);
    let codes: Vec<&str> = advice.iter().map(|lint| lint.code).collect();
    assert_eq!(codes, ["negative-cache", "audience-rbac"]);
    let manifest = advice[1].manifest.as_deref().expect("a manifest");
    assert!(
        manifest.contains("resources: [\"\\u003caudience for the token\\u003e\"]"),
        "{manifest}"
    );
}

#[test]
fn refused_on_1_33_by_default() {
    assert_eq!(
        judge(33, "").expect_err("refused"),
        "failed to validate credential provider config: providers.tokenAttributes: Forbidden: \
         tokenAttributes is not supported when KubeletServiceAccountTokenForCredentialProviders \
         feature gate is disabled"
    );
}

#[test]
fn refused_on_1_34_without_cache_type() {
    assert_eq!(
        judge(34, "").expect_err("refused"),
        "failed to validate credential provider config: providers.tokenAttributes.cacheType: \
         Required value: cacheType is required to be set when tokenAttributes is specified. \
         Supported values are: ServiceAccount, Token"
    );
}
