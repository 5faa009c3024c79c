//! `pullpass records`.

use std::fs;

use crate::{Node, pullpass};

const SA: &str = r#"{"kind":"ImagePulledRecord","apiVersion":"kubelet.config.k8s.io/v1beta1","lastUpdatedTime":"2026-11-27T10:00:00Z","imageRef":"REF","credentialMapping":{"NAME":{"kubernetesSecrets":[{"uid":"u-1","namespace":"shop","name":"regcred","credentialHash":"0123456789abcdef0123"}],"kubernetesServiceAccounts":[{"uid":"a-1","namespace":"shop","name":"web"}]}}}"#;
const OPEN: &str = r#"{"kind":"ImagePulledRecord","apiVersion":"kubelet.config.k8s.io/v1beta1","lastUpdatedTime":"2026-11-26T10:00:00Z","imageRef":"REF","credentialMapping":{"NAME":{"nodePodsAccessible":true}}}"#;

/// A node with a record for a team and one for everybody.
pub(crate) fn write_records(node: &Node) {
    let folder = node.path("var/lib/kubelet/image_manager");
    let write = |kind: &str, name: &str, text: &str| {
        fs::create_dir_all(folder.join(kind)).expect("a folder");
        fs::write(folder.join(kind).join(name), text).expect("a record");
    };
    write(
        "pulled",
        &file("sha256:a1"),
        &SA.replace("REF", "sha256:a1").replace("NAME", "registry.example/team/app"),
    );
    write("pulled", &file("sha256:b2"), &OPEN.replace("REF", "sha256:b2").replace("NAME", "nginx"));
    let intent = r#"{"kind":"ImagePullIntent","apiVersion":"kubelet.config.k8s.io/v1beta1","image":"registry.example/team/next:2"}"#;
    write("pulling", &file("registry.example/team/next:2"), intent);
}

fn file(key: &str) -> String {
    use sha2::{Digest as _, Sha256};
    let digits: String =
        Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256-{digits}")
}

#[test]
fn who_may_use_an_image_and_who_pulls_again() {
    let node = Node::new();
    write_records(&node);
    let root = node.text("");
    let records = |more: &[&str]| {
        pullpass(["records", "--root", &root].into_iter().chain(more.iter().copied()))
    };
    let app = "registry.example/team/app:7";
    let ran = records(&[app]);
    let shown = "image: registry.example/team/app
  on the node: sha256:a1 (recorded 2026-11-27T10:00:00Z)
  no pull: pods of service account `shop/web` (uid a-1), by a credential provider
  no pull: pods with secret `shop/regcred` (uid u-1), or with the same login in another secret
  pull again: every other pod, with its own credentials
";
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), shown), "{ran:?}");
    for (pod, code, words) in [
        (
            &["--service-account", "shop/web"][..],
            0,
            "  ok: no pull, since a token of service account `shop/web` pulled it\n",
        ),
        (
            &["--service-account", "shop/api"],
            1,
            "  must pull: the pod's credentials never pulled it here\n  hint: ",
        ),
        (
            &["--secret", "shop/regcred"],
            0,
            "  ok: no pull, since the login in secret `shop/regcred` pulled it\n",
        ),
        (&["--secret", "other/regcred"], 1, "  must pull: "),
        (
            &["--secret", "other/regcred", "--policy", "NeverVerify"],
            0,
            "the policy lets every pod use the image",
        ),
    ] {
        let ran = records(&[&[app], pod].concat());
        assert!(ran.code == Some(code) && ran.stdout.contains(words), "{pod:?} {ran:?}");
    }
    let ran = records(&[]);
    assert!(
        ran.stdout.starts_with("image: nginx\n  on the node: sha256:b2")
            && ran.stdout.contains("\n\nimage: registry.example/"),
        "{ran:?}"
    );
    assert!(
        ran.stdout.contains("  no pull: every pod of this node (it was pulled without credentials"),
        "{ran:?}"
    );
    assert!(ran.stdout.contains("note: a pull of registry.example/team/next:2 began"), "{ran:?}");
    // The kubelet compares names as they are written.
    let ran = records(&["docker.io/library/nginx"]);
    assert!(
        ran.code == Some(1) && ran.stdout.contains("hint: it is recorded as nginx; "),
        "{ran:?}"
    );
    let ran = records(&["r.io/none"]);
    assert!(
        ran.code == Some(1)
            && ran
                .stdout
                .contains("with the policy `NeverVerifyPreloadedImages` every pod may use it"),
        "{ran:?}"
    );
    let ran = records(&[
        app,
        "--kubelet-version",
        "1.34",
        "--feature-gates",
        "KubeletEnsureSecretPulledImages=true",
    ]);
    assert!(
        ran.stdout.contains("warning: the kubelet cannot read ")
            && !ran.stdout.contains("note: kubelet 1.34"),
        "{ran:?}"
    );
    let ran = records(&[app, "--kubelet-version", "1.34"]);
    assert!(
        ran.stdout.starts_with(
            "note: kubelet 1.34 has the feature gate `KubeletEnsureSecretPulledImages` off"
        ),
        "{ran:?}"
    );
    let shown = records(&[app, "--service-account", "shop/api", "--format", "json"]).json();
    let row = &shown["records"][0];
    assert_eq!(row["service_accounts"][0]["uid"], "a-1", "{shown}");
    assert_eq!((&row["must_pull"], &row["reason"]), (&true.into(), &"other-credentials".into()));
    assert_eq!(row["secrets"][0]["name"], "regcred");
    assert!(!shown.to_string().contains("0123456789ab"), "the hash has no salt: {shown}");
    assert_eq!(shown["enabled"], true);
}

#[test]
fn what_the_kubelet_passes_over_is_told() {
    let node = Node::new();
    write_records(&node);
    let pulled = node.path("var/lib/kubelet/image_manager/pulled");
    fs::write(pulled.join(file("sha256:c3")), "{").expect("a file");
    fs::write(pulled.join("sha256-00"), OPEN.replace("REF", "sha256:d4").replace("NAME", "x"))
        .expect("a file");
    let root = node.text("");
    let ran = pullpass(["records", "--root", &root]);
    assert!(
        ran.stdout.contains(&format!(
            "{}: couldn't get version/kind; json parse error: unexpected end of JSON input\nhint: ",
            file("sha256:c3")
        )),
        "{ran:?}"
    );
    assert!(
        ran.stdout.contains("warning: the kubelet never finds ")
            && !ran.stdout.contains("image: x\n"),
        "{ran:?}"
    );
    let shown = pullpass(["records", "--root", &root, "--format=json"]).json();
    assert_eq!(shown["unreadable"].as_array().map(Vec::len), Some(1), "{shown}");
    assert_eq!(shown["misnamed"].as_array().map(Vec::len), Some(1), "{shown}");
    let ran = pullpass(["records", "--root", &node.text("bin")]);
    assert!(ran.code == Some(1) && ran.stdout.starts_with("none: "), "{ran:?}");
    let ran = pullpass(["records", "nginx", "--root", &node.text("bin")]);
    assert!(ran.code == Some(1) && ran.stdout.contains("hint: `--kubelet-dir` names"), "{ran:?}");
    fs::write(node.path("file"), "x").expect("a file");
    for (args, words) in [
        (&["records", "--root", &node.text("file")][..], "there is no such directory"),
        (&["records", "--root", &node.text(""), "--kubelet-dir=file"], "cannot read"),
        (&["doctor", "--root", &node.text("nowhere")], "there is no such directory"),
        (&["records", "a b"], "not an image"),
        (&["records", "--policy", "Never"], "NeverVerifyPreloadedImages"),
        (&["records", "--service-account", "a/b"], "<IMAGE>"),
    ] {
        let ran = pullpass(args.iter().copied());
        assert!(ran.code == Some(2) && ran.stderr.contains(words), "{args:?} {ran:?}");
    }
}
