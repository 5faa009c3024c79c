//! Every mistake has its cure: what `check`, `match` and `lookup` say to do.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::programs::{IMAGE, lookup};
use crate::{LOGIN, Node, Ran, answer, entry, pullpass};

/// An entry for one of our plugins with these patterns and further lines.
fn plugin_entry(name: &str, patterns: &str, more: &str) -> String {
    entry(&format!("{name}-credential-provider"), more).replace("[registry.example]", patterns)
}

fn check(node: &Node, providers: &str, more: &[&str]) -> Ran {
    let config = node.config(providers);
    pullpass(["check", config.as_str()].into_iter().chain(more.iter().copied()))
}

fn assert_says(ran: &Ran, words: &str) {
    assert!(ran.stdout.contains(words) || ran.stderr.contains(words), "{words}\n{ran:?}");
}

#[test]
fn feature_gates_that_the_kubelet_does_not_take() {
    let node = Node::new();
    for (minor, gates, message, hint) in [
        (37, "X=true", "unrecognized feature gate: X", "kubelet 1.37 has no gate of this name"),
        (
            30,
            "KubeletCredentialProviders=true",
            "unrecognized feature gate: KubeletCredentialProviders",
            "always on from 1.26, and the gate was removed in 1.28",
        ),
        (
            34,
            "SidecarContainers=false",
            "cannot set feature gate SidecarContainers to false, feature is locked to true",
            "this gate can no longer be changed",
        ),
    ] {
        let version = format!("--kubelet-version=1.{minor}");
        let ran = check(&node, &entry("p", ""), &[&version, "--feature-gates", gates]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        let line = format!(
            "kubelet: \"command failed\" err=\"failed to set feature gates from initial flags-based \
             config: {message}\"\n"
        );
        assert_says(&ran, &line);
        assert_says(&ran, hint);
        let config = node.text("config.yaml");
        let ran =
            pullpass(["match", IMAGE, "--config", &config, &version, "--feature-gates", gates]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        let again = format!(
            "{} --feature-gates {gates}` shows",
            if minor == 37 { "" } else { &version }.replace('=', " ")
        );
        assert_says(&ran, again.trim_start());
    }
    let ran = check(
        &node,
        &entry("p", ""),
        &["--feature-gates=AllBeta=false,APIResponseCompression=true"],
    );
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

#[test]
fn faults_and_warnings_are_shown_together() {
    let node = Node::new();
    let provider =
        entry("p", "").replace("10m", "-1m").replace("[registry.example]", "['r.io/*', '%']");
    let ran = check(&node, &provider, &[]);
    assert_eq!(ran.code, Some(1));
    for words in [
        "refused: kubelet",
        "must be greater than or equal to 0",
        "hint: write `0s` to cache nothing",
        "match image is invalid",
        "the kubelet's verdict ends here",
        "[glob-in-path]",
        "hint: write `r.io`",
    ] {
        assert_says(&ran, words);
    }
}

#[test]
fn a_profile_file_is_recognised() {
    let node = Node::new();
    let file = node.write(
        "oidc.yaml",
        "apiVersion: pullpass.dev/v1alpha1\nkind: OIDCExchangeConfig\nprofiles: []\n",
    );
    let ran = pullpass(["check", &file]);
    assert_eq!(ran.code, Some(1));
    assert_says(&ran, "hint: this is a profile file of `oidc-credential-provider`");
    assert_says(&ran, "pullpass config oidc --profiles FILE");
}

#[test]
fn what_only_our_plugins_say() {
    let node = Node::new();
    let audience = |audience: &str, more: &str| {
        plugin_entry(
            "oidc",
            "[registry.example]",
            &format!(
                "{more}  tokenAttributes:\n    serviceAccountTokenAudience: {audience}\n    \
                 cacheType: Token\n    requireServiceAccount: true\n"
            ),
        )
    };
    let allowed = "  args: [--config=/o.yaml, --allow-audience=https://kubernetes.default.svc]\n";
    for (providers, code) in [
        (plugin_entry("ecr", "['*.dkr.ecr.*.amaonaws.com']", ""), "misspelt-registry"),
        (plugin_entry("ecr", "['*.dkr.ecr.*.amazonaws.cn']", ""), "misspelt-registry"),
        (plugin_entry("acr", "[foo.azurecr.de]", ""), "misspelt-registry"),
        (plugin_entry("ecr", "['*.dkr.ecr.amazonaws.com']", ""), "host-not-answered"),
        (plugin_entry("ecr", "[foo.azurecr.io]", ""), "host-not-answered"),
        (plugin_entry("gar", "['*.pkg.dev']", "  args: [--no-such-option]\n"), "plugin-arguments"),
        (plugin_entry("oidc-corp", "[r.example]", "  args: [--config]\n"), "plugin-arguments"),
        (audience("https://kubernetes.default.svc", ""), "api-server-audience"),
        (audience("k3s", allowed), "api-server-audience"),
    ] {
        let ran = check(&node, &providers, &["--strict"]);
        assert_eq!(ran.code, Some(1), "{code}: {ran:?}");
        assert_says(&ran, &format!("[{code}]"));
    }
    for providers in [
        plugin_entry("ecr", "['*.dkr.ecr.*.amazonaws.com', public.ecr.aws]", ""),
        plugin_entry("acr", "['*.azurecr.us']", "  args: [/etc/kubernetes/azure.json]\n"),
        plugin_entry("other", "['*.azurecr.io']", "  args: [--no-such-option]\n"),
        audience("https://kubernetes.default.svc", allowed),
        audience("registry.example", ""),
    ] {
        let ran = check(&node, &providers, &["--strict"]);
        assert_eq!(ran.code, Some(0), "{providers}\n{}", ran.stdout);
    }
    let ran = pullpass([
        "config",
        "oidc",
        "--match-image=registry.example",
        "--service-account-audience=https://kubernetes.default.svc",
    ]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert_says(&ran, "as logins to the cluster");
}

#[test]
fn patterns_that_miss_have_their_cure() {
    for (image, pattern, cure) in [
        ("r.example:5000/a", "r.example", "write `r.example:5000`; no `*` covers a port"),
        ("r.example:5000/a", "*.example:5001/a", "write `*.example:5000/a`"),
        ("r.example/a", "r.example:5000/a", "write `r.example/a`"),
        ("nginx", "index.docker.io", "write `docker.io`"),
        ("a.b.azurecr.io/x", "*.azurecr.io", "write `*.*.azurecr.io`"),
        ("r.example/a", "https://r.example", "write `r.example`"),
    ] {
        let ran = pullpass(["match", image, "--pattern", pattern]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert_says(&ran, &format!("hint: {cure}"));
    }
    let ran = pullpass(["match", "https://r.example/a", "--pattern", "r.example"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert_says(&ran, "hint: write `r.example/a`: an image's name has no scheme");
}

#[test]
fn keys_that_do_not_cover_the_image_are_an_error() {
    let node = Node::new();
    let config = node.config(&entry("p", ""));
    node.script("p", &answer("Image", &LOGIN.replace("registry.example", "*")));
    let bin = node.text("bin");
    let ran = pullpass(["lookup", IMAGE, "--config", &config, "--bin-dir", &bin]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_says(&ran, "error: p: answered with 1 key, none of which covers the image");
    assert_says(&ran, "key `*`: the pattern's host has 1 label and the image's has 2");
    let found = lookup(&node, &config, &[]).json();
    assert_eq!(found["providers"][0]["keys"], serde_json::json!(["*"]));
}

#[test]
fn a_provider_that_is_not_run_is_skipped() {
    let node = Node::new();
    let config = node.config(&entry(
        "p",
        "  tokenAttributes:\n    serviceAccountTokenAudience: a\n    cacheType: Token\n    \
         requireServiceAccount: true\n    requiredServiceAccountAnnotationKeys: [k]\n",
    ));
    node.script("p", "exit 1");
    let bin = node.text("bin");
    let run = |more: &[&str]| {
        let args = ["lookup", IMAGE, "--config", &config, "--bin-dir", &bin];
        pullpass(args.into_iter().chain(more.iter().copied()))
    };
    let ran = run(&[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_says(&ran, "skipped: p: not run: it requires a service account");
    assert_says(
        &ran,
        "kubelet, at `-v=5` only: \"Service account name is empty\" provider=\"p\" \
         image=\"registry.example/team/app\" pod=\"NAMESPACE/POD\" podUID=\"UID\"",
    );
    let ran = run(&["--service-account=shop/web"]);
    assert_says(&ran, "skipped: p: not run: the service account has no annotation `k`");
    for more in [&["--strict"][..], &["--strict", "--service-account=shop/web"]] {
        assert_eq!(run(more).code, Some(1));
    }
}

#[test]
fn a_plugin_that_explains_itself_on_stdout_is_heard() {
    let node = Node::new();
    let config = node.config(&entry("p", ""));
    let bin = node.text("bin");
    let run = || pullpass(["lookup", IMAGE, "--config", &config, "--bin-dir", &bin]);
    node.script("p", "echo no access to the vault; exit 3");
    let ran = run();
    assert_says(&ran, "stdout, which the kubelet discards: no access to the vault");
    assert_says(&ran, "it wrote nothing to stderr, where errors belong");
    node.script("p", &format!("{}; exit 3", answer("Image", LOGIN)));
    let ran = run();
    assert!(!ran.stdout.contains("correct-horse"), "{ran:?}");
    node.script("p", "echo no luck >&2; exit 3");
    let ran = run();
    assert_eq!(ran.stdout.matches("no luck").count(), 1, "{}", ran.stdout);
}

#[test]
fn passwords_are_not_shown_in_any_form() {
    let node = Node::new();
    let config = node.config(&entry("p", ""));
    for (password, key, written) in [
        // Its key does not cover the image.
        ("correct-horse", "other.example", "the password is correct-horse"),
        ("correct-horse", "registry.example", "esroh-tcerroc"),
        ("correct-horse", "registry.example", "Y29ycmVjdC1ob3JzZQ=="),
        ("correct-horse", "registry.example", "CORRECT horse"),
        ("pa1", "registry.example", "password: pa1"),
        ("pa1", "registry.example", "cGEx"),
    ] {
        let auth = format!("{{\"{key}\":{{\"username\":\"user\",\"password\":\"{password}\"}}}}");
        node.script("p", &format!("echo '{written}' >&2\n{}", answer("Image", &auth)));
        for format in ["text", "json"] {
            let bin = node.text("bin");
            let ran = pullpass([
                "lookup",
                IMAGE,
                "--config",
                &config,
                "--bin-dir",
                &bin,
                "--format",
                format,
            ]);
            let last = written.rsplit(' ').next().expect("a word");
            assert!(!ran.stdout.contains(last), "{written}: {}", ran.stdout);
        }
    }
}

#[test]
fn passwords_of_answers_that_are_dropped_are_not_shown() {
    let node = Node::new();
    let config = node.config(&entry("p", ""));
    let head = r#""kind":"CredentialProviderResponse","apiVersion":"credentialprovider.kubelet.k8s.io/v1""#;
    let auth = format!("\"auth\":{LOGIN}");
    for stdout in [
        format!(r#"{{{head},"cacheKeyType":"Image","cacheDuration":"soon",{auth}}}"#),
        format!(r#"{{{head},"cacheKeyType":"Image","cacheDuration":5,{auth}}}"#),
        format!(r#"{{{head},"cacheKeyType":"Host",{auth}}}"#),
        format!(r#"{{{head},{auth}}}"#),
        format!(r#"{{{head},"cacheKeyType":"Image","more":1,{auth}}}"#),
        format!(r#"{{"kind":"CredentialProviderResponse","apiVersion":"v2",{auth}}}"#),
        format!(r#"{{{head},"cacheKeyType":"Image",{auth}"#),
        format!(r#"{{{head},"cacheKeyType":"Image",{auth}}} and more"#),
        format!("login: {LOGIN}"),
        r#"{"Username":"user","Secret":"correct-horse"}"#.to_owned(),
        r#"{"auth":["correct-horse"]}"#.to_owned(),
    ] {
        for written in ["with correct-horse", "with Y29ycmVjdC1ob3JzZQ==", "esroh-tcerroc"] {
            for end in ["exit 0", "exit 1"] {
                node.script("p", &format!("echo '{written}' >&2\necho '{stdout}'\n{end}"));
                for format in ["text", "json"] {
                    let ran = lookup(&node, &config, &["--format", format]);
                    let printed = format!("{}{}", ran.stdout, ran.stderr);
                    for word in ["correct-horse", "Y29ycmVjdC1ob3JzZQ", "esroh-tcerroc"] {
                        assert!(!printed.contains(word), "{stdout}, {written}: {printed}");
                    }
                }
            }
        }
        node.script("p", &format!("echo '{stdout}'; exit 1"));
        let ran = lookup(&node, &config, &[]);
        assert!(!ran.stdout.contains("correct-horse"), "{stdout}: {}", ran.stdout);
    }
    // A token alone, which is not an answer.
    node.script("p", "echo ya29.a0AfH6SMBx2Lq9vKJ3mN8pR5tW7yZ1bC4dE6fG; exit 1");
    let ran = lookup(&node, &config, &[]);
    assert!(!ran.stdout.contains("a0AfH6SMB"), "{}", ran.stdout);
}

#[test]
fn marks_that_deceive_are_not_shown() {
    let node = Node::new();
    let config = node.config(&entry("p", ""));
    node.script("p", "printf 'a\\342\\200\\256b\\177c\\033[2J' >&2; exit 1");
    let bin = node.text("bin");
    for format in ["text", "json"] {
        let ran =
            pullpass(["lookup", IMAGE, "--config", &config, "--bin-dir", &bin, "--format", format]);
        assert!(!ran.stdout.contains(['\u{202e}', '\u{7f}', '\u{1b}']), "{}", ran.stdout);
    }
    let stderr = lookup(&node, &config, &[]).json()["providers"][0]["stderr"].clone();
    assert_eq!(stderr, "a\u{202e}b\u{7f}c\u{1b}[2J", "JSON escapes them");
}

#[test]
fn the_profile_file_that_args_name_is_compared() {
    let node = Node::new();
    let profiles = node.write(
        "oidc.yaml",
        "apiVersion: pullpass.dev/v1alpha1\nkind: OIDCExchangeConfig\nprofiles:\n- name: ours\n  \
         registries: ['registry.example:5000']\n  serviceAccountToken: {audience: ours}\n  \
         exchange: {type: passthrough}\n  response: {username: jwt}\n",
    );
    let broken = node.write("broken.yaml", "kind: x\n");
    let team = node.write(
        "team.yaml",
        &fs::read_to_string(&profiles).expect("the file").replace(
            "{username: jwt}",
            "{username: '${team}'}\n  variables: [{name: team, fromAnnotation: {key: a.io/team, \
             pattern: '[a-z]+'}}]",
        ),
    );
    let run = |file: &str, pattern: &str, audience: &str, cache: &str| {
        let more = format!(
            "  args: [--config, {file}]\n  tokenAttributes:\n    serviceAccountTokenAudience: \
             {audience}\n    cacheType: {cache}\n    requireServiceAccount: true\n"
        );
        check(&node, &plugin_entry("oidc", pattern, &more), &["--strict"])
    };
    let ran = run(&profiles, "['registry.example:5000']", "ours", "Token");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for (file, pattern, audience, cache, code) in [
        (profiles.as_str(), "['registry.example:5000']", "theirs", "Token", "profile-audience"),
        (&profiles, "[registry.example]", "ours", "Token", "profile-registry"),
        (&profiles, "['other.example:5000']", "ours", "Token", "profile-registry"),
        (&profiles, "['registry.example:5000']", "ours", "ServiceAccount", "profile-cache-type"),
        (&team, "['registry.example:5000']", "ours", "Token", "profile-annotation"),
        (&broken, "['registry.example:5000']", "ours", "Token", "profile-file"),
        ("oidc.yaml", "['registry.example:5000']", "ours", "Token", "profile-file"),
    ] {
        let ran = run(file, pattern, audience, cache);
        assert_eq!(ran.code, Some(1), "{code}: {ran:?}");
        assert_says(&ran, &format!("[{code}]"));
    }
    let ran = run("/no/such/oidc.yaml", "['registry.example:5000']", "ours", "Token");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_says(&ran, "does not exist on this machine, so it was not compared");
}

#[test]
fn a_tab_is_shown_as_one() {
    let node = Node::new();
    let ran = check(&node, &entry("p", "  args:\n\t- a\n"), &[]);
    assert_eq!(ran.code, Some(1));
    assert_says(&ran, " | →- ");
    assert_says(&ran, "hint: indent with spaces");
}

#[test]
fn advice_about_arguments_repeats_no_value() {
    let node = Node::new();
    for args in
        ["[--no-such=hunter2]", "[hunter2, hunter2]", "[--host, hunter2, --no-such, hunter2]"]
    {
        let providers = plugin_entry("gar", "['*.pkg.dev']", &format!("  args: {args}\n"));
        for format in ["text", "json"] {
            let ran = check(&node, &providers, &["--format", format]);
            assert_says(&ran, "plugin-arguments");
            assert!(!ran.stdout.contains("hunter2"), "{}", ran.stdout);
        }
    }
}

#[test]
fn a_look_up_says_why_no_provider_is_asked() {
    let node = Node::new();
    let config = node.config(&entry("p", ""));
    node.script("p", "exit 1");
    let bin = node.text("bin");
    let image = "registry.example:5000/team/app";
    let ran = pullpass(["lookup", image, "--config", &config, "--bin-dir", &bin]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_says(&ran, "no pattern covers the image: p\n");
    assert_says(&ran, "the pattern has no port and the image has `5000`");
    assert_says(&ran, "write `registry.example:5000`");
}

#[test]
fn a_token_of_another_service_account_is_noticed() {
    let node = Node::new();
    let config = node.config(&entry(
        "p",
        "  tokenAttributes:\n    serviceAccountTokenAudience: a\n    cacheType: Token\n    \
         requireServiceAccount: true\n",
    ));
    node.script("p", &answer("Image", LOGIN));
    // system:serviceaccount:shop:web, for `a`.
    let claims = URL_SAFE_NO_PAD.encode(
        r#"{"iss":"https://i.example","sub":"system:serviceaccount:shop:web","aud":["a"],"exp":4102444800}"#,
    );
    let token = format!("{}.{claims}.c2ln", URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#));
    let file = node.write("token", &token);
    let run = |account: &str| {
        lookup(&node, &config, &["--service-account", account, "--token-file", &file])
    };
    assert_eq!(run("shop/web").stderr, "");
    let ran = run("shop/other");
    assert_says(&ran, "warning: the token belongs to `system:serviceaccount:shop:web`");
    assert_says(&ran, "one for `system:serviceaccount:shop:other`");
}
