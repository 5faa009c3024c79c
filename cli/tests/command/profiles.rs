//! `pullpass config oidc --profiles`: the kubelet's side of a profile file.

use crate::{Node, Ran, pullpass};

const HEAD: &str = "apiVersion: pullpass.dev/v1alpha1\nkind: OIDCExchangeConfig\nprofiles:\n";

const ZOT: &str = "- {name: zot, registries: ['zot.example:5000'], serviceAccountToken: {audience: \
                   zot.example}, exchange: {type: passthrough}}\n";

const STS: &str = "- name: corp\n  registries: ['*.corp.example', mirror.example/team]\n  \
                   serviceAccountToken: {audience: sts.example}\n  exchange: {type: \
                   tokenExchange, endpoint: 'https://sts.example/token'}\n";

const QUAY: &str = "- {name: quay, preset: quay}\n";

const STATIC: &str = "- {name: old, preset: static, variables: [{name: registry, value: \
                      old.example}, {name: file, value: old.json}]}\n";

fn made(node: &Node, profiles: &[&str], more: &[&str]) -> Ran {
    let file = node.write("oidc.yaml", &format!("{HEAD}{}", profiles.concat()));
    pullpass(["config", "oidc", "--profiles", &file].into_iter().chain(more.iter().copied()))
}

/// The lines of the entry of this name.
fn entry<'a>(text: &'a str, name: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("- name: {name}\n")).expect(name);
    rest.split("\n#").next().expect("lines")
}

#[test]
fn one_entry_for_each_audience() {
    let node = Node::new();
    let second =
        ZOT.replace("name: zot", "name: 'zot 2'").replace("zot.example:5000", "zot.example");
    let ran = made(&node, &[ZOT, STS, &second, QUAY, STATIC], &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let text = &ran.stdout;
    let names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("- name: ")).collect();
    assert_eq!(
        names,
        [
            "oidc-credential-provider",
            "oidc-corp-credential-provider",
            "oidc-quay-credential-provider",
            "oidc-old-credential-provider"
        ]
    );
    assert!(text.contains("# For the profiles \"zot\", \"zot 2\"\n- name: "), "{text}");
    assert!(
        text.contains("#   ln -s oidc-credential-provider oidc-corp-credential-provider\n- name: "),
        "{text}"
    );
    assert!(!text.contains("oidc-credential-provider oidc-credential-provider"), "{text}");

    // The answer is the token itself.
    let zot = entry(text, "oidc-credential-provider");
    for words in [
        "  - \"zot.example:5000\"\n  - \"zot.example\"\n",
        "    serviceAccountTokenAudience: \"zot.example\"\n",
        "    requireServiceAccount: true\n",
        "    cacheType: Token",
        &format!("  args:\n  - \"--config\"\n  - \"{}\"\n", node.text("oidc.yaml")),
    ] {
        assert!(zot.contains(words), "{words}\n{zot}");
    }
    let corp = entry(text, "oidc-corp-credential-provider");
    assert!(corp.contains("  - \"*.corp.example\"\n  - \"mirror.example/team\"\n"), "{corp}");
    assert!(text.contains("    serviceAccountTokenAudience: \"sts.example\"\n"));
    assert_eq!(text.matches("    cacheType: Token\n").count(), 1);
    assert_eq!(text.matches("    cacheType: ServiceAccount\n").count(), 2);
    assert!(
        text.contains(
            "    requiredServiceAccountAnnotationKeys:\n    - \"quay.io/federated-robot-account\"\n"
        ),
        "{text}"
    );
    // A file needs no token.
    let (_, old) = text.split_once("- name: oidc-old-credential-provider\n").expect("an entry");
    assert!(!old.contains("tokenAttributes:"), "{old}");

    // One role for each, in the order of the entries.
    let at = |audience: &str| text.find(&format!("#   resources: [\"{audience}\"]\n"));
    assert!(at("zot.example").is_some() && at("zot.example") < at("sts.example"), "{text}");
    assert!(at("sts.example") < at("quay.io"), "{text}");
    assert_eq!(text.matches("# kind: ClusterRole\n").count(), 3);
}

#[test]
fn the_kubelet_starts_with_it() {
    let node = Node::new();
    let profiles = [ZOT, STS, QUAY, STATIC];
    for minor in 33..=37 {
        let version = format!("--kubelet-version=1.{minor}");
        let ran = made(&node, &profiles, &[&version]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(ran.stdout.contains("cacheType"), minor >= 34, "{}", ran.stdout);
        for name in ran.stdout.lines().filter_map(|line| line.strip_prefix("- name: ")) {
            node.script(name, "exit 1");
        }
        let path = node.write("made.yaml", &ran.stdout);
        let bin_dir = node.text("bin");
        let gate = "--feature-gates=KubeletServiceAccountTokenForCredentialProviders=true";
        let check = ["check", "--strict", &path, "--bin-dir", &bin_dir, &version, gate];
        let checked = pullpass(check);
        assert_eq!(checked.code, Some(0), "{}\n{}", ran.stdout, checked.stdout);
    }
}

#[test]
fn who_may_ask_without_a_token_and_which_annotations_are_heard() {
    let node = Node::new();
    let open = ZOT.replace("zot.example}", "zot.example, onMissing: empty}");
    let ran = made(&node, &[&open], &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("    requireServiceAccount: false\n"), "{}", ran.stdout);

    // The kubelet would keep the other profile's pods out: the key is not for them.
    let robots = "- {name: quay, preset: quay, serviceAccountToken: {audience: zot.example}}\n";
    let ran = made(&node, &[ZOT, robots], &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.stdout.contains(
            "    optionalServiceAccountAnnotationKeys:\n    - \"quay.io/federated-robot-account\"\n"
        ),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains("    requiredService"), "{}", ran.stdout);
}

#[test]
fn the_rbac_alone_is_what_kubectl_takes() {
    let node = Node::new();
    let ran = made(&node, &[ZOT, STS, STATIC], &["--rbac"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let documents: Vec<&str> = ran.stdout.split("---\n").collect();
    assert_eq!(documents.len(), 4, "{}", ran.stdout);
    for (document, kind) in documents.iter().zip(["ClusterRole", "ClusterRoleBinding"].repeat(2)) {
        let start = format!("apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\n");
        assert!(document.starts_with(&start), "{document}");
    }
    assert!(documents[0].contains("resources: [\"zot.example\"]\n"));
    assert!(documents[2].contains("resources: [\"sts.example\"]\n"));
}

#[test]
fn what_cannot_be_is_not_printed() {
    let node = Node::new();
    let part = "- {name: part, registries: [zot.example:5000/team], serviceAccountToken: \
                {audience: other.example}, exchange: {type: passthrough}}\n";
    let api_server = ZOT.replace("zot.example}", "https://kubernetes.default.svc}");
    let token = ["--arg=--profile=zot"];
    assert_eq!(made(&node, &[ZOT], &token).code, Some(0));
    let allowed = ["--arg=--allow-audience=https://kubernetes.default.svc"];
    assert_eq!(made(&node, &[&api_server], &allowed).code, Some(0));
    let file = node.write("oidc.yaml", &format!("{HEAD}{ZOT}"));
    for (ran, words) in [
        (made(&node, &[ZOT, part], &[]), "the same `serviceAccountToken.audience`"),
        (made(&node, &[ZOT], &["--kubelet-version=1.32"]), "1.33"),
        (made(&node, &[&api_server], &[]), "profile \"zot\" can never be used"),
        (
            made(&node, &[&api_server], &[]),
            "`--arg=--allow-audience=https://kubernetes.default.svc`",
        ),
        (made(&node, &[STATIC], &["--rbac"]), "leave out `--rbac`"),
        (made(&node, &[ZOT], &["--arg=--config=x"]), "cannot be combined"),
        (made(&node, &[ZOT], &["--match-image=r.example"]), "--match-image"),
        (made(&node, &[ZOT], &["--service-account-audience=a"]), "--service-account-audience"),
        (made(&node, &[ZOT], &["gar"]), "can only be used with `oidc-credential-provider`"),
        (pullpass(["config", "--profiles", &file]), "pullpass config oidc --profiles FILE"),
        (
            pullpass(["config", "ecr", "--profiles", &file]),
            "can only be used with `oidc-credential-provider`",
        ),
        (made(&node, &[ZOT, ZOT], &[]), "two profiles are named `zot`"),
        (made(&node, &["- {name: a, registres: []}\n"], &[]), "line 4"),
        (pullpass(["config", "oidc", "--profiles", "/nonexistent/file"]), "cannot read"),
    ] {
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stdout.is_empty() && ran.stderr.contains(words), "{words}: {ran:?}");
        assert!(
            ran.stderr.starts_with("error: ") && !ran.stderr.contains("error: error"),
            "{ran:?}"
        );
    }
}

#[test]
fn a_name_can_say_nothing_but_itself() {
    let node = Node::new();
    let evil = "- {name: \"x\\n- name: /bin/sh\", registries: [x.example], serviceAccountToken: \
                {audience: x}, exchange: {type: passthrough}}\n";
    let ran = made(&node, &[ZOT, evil], &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let names: Vec<&str> =
        ran.stdout.lines().filter_map(|line| line.strip_prefix("- name: ")).collect();
    let expected = ["oidc-credential-provider", "oidc-x---name---bin-sh-credential-provider"];
    assert_eq!(names, expected, "{}", ran.stdout);
}

#[test]
fn the_path_is_absolute_as_the_kubelet_runs_plugins_in_the_root() {
    let node = Node::new();
    node.write("oidc.yaml", &format!("{HEAD}{ZOT}"));
    let mut command = crate::command();
    let run = command.args(["config", "oidc", "--profiles", "./oidc.yaml"]);
    let output = run.current_dir(node.path("")).output().expect("a run");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let written = text.lines().find(|line| line.ends_with("oidc.yaml\"")).expect("the path");
    assert!(written.starts_with("  - \"/") && !written.contains("./"), "{written}");
}
