//! `pullpass config`: what it prints passes `pullpass check --strict`.

use crate::{Node, pullpass};

fn passes(node: &Node, config: &[&str], check: &[&str]) -> String {
    let ran = pullpass(["config"].into_iter().chain(config.iter().copied()));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let path = node.write("made.yaml", &ran.stdout);
    let args = ["check", "--strict", path.as_str()].into_iter();
    let checked = pullpass(args.chain(check.iter().copied()));
    assert_eq!(checked.code, Some(0), "{}\n{}", ran.stdout, checked.stdout);
    ran.stdout
}

#[test]
fn what_it_prints_passes() {
    let node = Node::new();
    let image = "--match-image=zot.example:5000";
    for minor in 30..=37 {
        let version = format!("--kubelet-version=1.{minor}");
        let text = passes(&node, &["oidc", image, &version], &[&version]);
        assert!(!text.lines().any(|line| line.trim() == "tokenAttributes:"), "{text}");
        if minor < 33 {
            continue;
        }
        let gate = "--feature-gates=KubeletServiceAccountTokenForCredentialProviders=true";
        let check: &[&str] = if minor == 33 { &[&version, gate] } else { &[&version] };
        let audience = "--service-account-audience=zot.example";
        let text = passes(&node, &["oidc-credential-provider", image, &version, audience], check);
        assert_eq!(text.contains("    cacheType: Token\n"), minor >= 34, "{text}");
        assert!(text.contains("# kind: ClusterRoleBinding\n"), "{text}");
    }
    let text = passes(
        &node,
        &["oidc", image, "--match-image=*.other.example/team", "--arg=--config=/etc/\"x\" y"],
        &[],
    );
    assert!(text.contains("  - \"--config=/etc/\\\"x\\\" y\"\n"), "{text}");
    assert!(text.contains("# - \"--profile=NAME\""), "the other options are shown: {text}");
    assert!(!text.contains("# - \"--config=FILE\""), "{text}");
}

#[test]
fn what_cannot_pass_is_not_printed() {
    for (args, words) in [
        (&["config", "oidc"][..], "--match-image"),
        (
            &["config"],
            "name the plugins that this node has, such as `pullpass config ecr`\n  acr   ",
        ),
        (&["config", "--service-account-audience=a"], "no plugin was given"),
        (&["config", "nonsense"], "oidc-credential-provider"),
        (&["config", "oidc", "--match-image=%"], "invalid URL escape"),
        (&["config", "oidc", "--match-image=r.example/*"], "write `r.example`"),
        (&["config", "oidc", "oidc", "--match-image=r.example"], "duplicate provider name"),
        (
            &[
                "config",
                "oidc",
                "--match-image=r.example",
                "--service-account-audience=a",
                "--kubelet-version=1.32",
            ],
            "1.33",
        ),
        (&["config", "oidc", "--match-image=r.example", "--service-account-audience="], "empty"),
        (&["config", "--rbac"], "--service-account-audience"),
        (&["config", "--access-review"], "--service-account-audience"),
    ] {
        let ran = pullpass(args.iter().copied());
        assert_eq!(ran.code, Some(2), "{args:?} {ran:?}");
        assert!(ran.stdout.is_empty() && ran.stderr.contains(words), "{args:?} {ran:?}");
    }
}

#[test]
fn rbac_alone_is_what_kubectl_takes() {
    let ran = pullpass(["config", "--rbac", "--service-account-audience", "https://a.example"]);
    assert_eq!(ran.code, Some(0));
    assert!(
        ran.stdout.starts_with("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n")
    );
    assert!(ran.stdout.contains("resources: [\"https://a.example\"]\n"), "{}", ran.stdout);
    assert!(!ran.stdout.contains('#'));
}

#[test]
fn the_access_review_asks_about_the_audience_as_it_is() {
    let audience = "--service-account-audience=https://a.example/b";
    let ran = pullpass(["config", "--access-review", audience]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for words in [
        "kind: SubjectAccessReview\n",
        "groups: [\"system:nodes\", \"system:authenticated\"]\n",
        "    verb: request-serviceaccounts-token-audience\n",
        "    resource: \"https://a.example/b\"\n",
    ] {
        assert!(ran.stdout.contains(words), "{words}\n{}", ran.stdout);
    }
}
