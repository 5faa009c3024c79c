//! `pullpass doctor` on trees of nodes: healthy ones, and one for each fault.

mod trees;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::{Ran, pullpass};

use self::trees::{CONFIG, Tree, aks, eks, gke, k3s, kubeadm, rke2};

/// A user without rights.
const NOBODY: u32 = 65534;

fn doctor(tree: &Tree, more: &[&str]) -> Ran {
    let root = tree.root();
    pullpass(["doctor", "--root", &root].into_iter().chain(more.iter().copied()))
}

fn ids(tree: &Tree, more: &[&str]) -> Vec<String> {
    let found = doctor(tree, &[&["--format=json"], more].concat()).json();
    let findings = found["findings"].as_array().expect("findings").iter();
    for finding in findings.clone() {
        for field in ["message", "read", "fix", "severity"] {
            assert!(finding[field].as_str().is_some_and(|text| !text.is_empty()), "{finding}");
        }
    }
    findings.map(|finding| finding["id"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn nothing_is_found_on_healthy_nodes() {
    for (title, tree) in [
        ("kubeadm", kubeadm()),
        ("EKS", eks()),
        ("AKS", aks()),
        ("GKE", gke()),
        ("k3s", k3s()),
        ("RKE2", rke2()),
    ] {
        let ran = doctor(&tree, &["--kubelet-version", "1.34"]);
        assert!(
            ran.code == Some(0) && ran.stdout.ends_with("ok: nothing is wrong in what was seen\n"),
            "{title}: {}",
            ran.stdout
        );
        assert!(!ran.stdout.contains("not seen"), "{title}: {}", ran.stdout);
        assert_eq!(ids(&tree, &["--kubelet-version", "1.34"]), [""; 0], "{title}");
    }
}

/// A change of a healthy node, and the fault that it makes.
type Case = (&'static str, fn(&Tree));

/// On a node of kubeadm's packages.
const CASES: &[Case] = &[
    ("one-flag", |tree| {
        tree.args(&["--image-credential-provider-config=/etc/kubernetes/providers.yaml"])
    }),
    ("one-flag", |tree| {
        tree.args(&["-image-credential-provider-bin-dir", "/usr/local/bin/plugins"])
    }),
    ("flag-not-running", |tree| tree.args(&["--v=2"])),
    ("environment-overridden", |tree| {
        tree.args(&["--v=2"]);
        tree.write("etc/default/kubelet", "KUBELET_EXTRA_ARGS=\n");
        tree.write(
            "etc/systemd/system/kubelet.service.d/20-own.conf",
            &format!("[Service]\nEnvironment=\"KUBELET_EXTRA_ARGS={}\"\n", trees::FLAGS),
        );
    }),
    ("env-file-not-read", |tree| {
        tree.args(&["--v=2"]);
        tree.write("etc/default/kubelet", "KUBELET_EXTRA_ARGS=\n");
        tree.write("etc/sysconfig/kubelet", &format!("KUBELET_EXTRA_ARGS=\"{}\"\n", trees::FLAGS));
    }),
    ("variable-not-used", |tree| {
        tree.args(&["--v=2"]);
        tree.write("etc/default/kubelet", &format!("KUBELET_FLAGS=\"{}\"\n", trees::FLAGS));
    }),
    ("flag-repeated", |tree| {
        let mut args: Vec<&str> = trees::FLAGS.split(' ').collect();
        args.insert(0, "--image-credential-provider-config=/etc/kubernetes/other.yaml");
        tree.args(&args);
    }),
    ("flag-in-kubelet-configuration", |tree| {
        tree.write(
            "var/lib/kubelet/config.yaml",
            "kind: KubeletConfiguration\nimageCredentialProviderConfigFile: /etc/x\n",
        );
    }),
    ("unit-newer-than-kubelet", |tree| tree.touch("usr/lib/systemd/system/kubelet.service")),
    ("other-unit", |tree| {
        tree.write("proc/700/cgroup", "0::/system.slice/rke2-agent.service\n");
        tree.write(
            "etc/systemd/system/kubelet.service.d/20-own.conf",
            &format!("[Service]\nEnvironment=\"KUBELET_EXTRA_ARGS={}\"\n", trees::FLAGS),
        );
    }),
    ("several-kubelets", |tree| {
        tree.write("proc/900/comm", "kubelet\n");
        tree.write("proc/900/cgroup", "0::/system.slice/other.service\n");
    }),
    ("config-newer-than-kubelet", |tree| tree.touch(CONFIG)),
    ("program-missing", |tree| {
        fs::remove_file(tree.path("usr/local/bin/plugins/registry-login")).expect("removed")
    }),
    ("program-dangling", |tree| {
        fs::remove_file(tree.path("usr/local/bin/plugins/registry-login")).expect("removed");
        symlink("gone", tree.path("usr/local/bin/plugins/registry-login")).expect("a link");
    }),
    ("program-directory", |tree| {
        fs::remove_file(tree.path("usr/local/bin/plugins/registry-login")).expect("removed");
        fs::create_dir(tree.path("usr/local/bin/plugins/registry-login")).expect("a folder");
    }),
    ("program-not-executable", |tree| tree.mode("usr/local/bin/plugins/registry-login", 0o644)),
    ("bin-dir", |tree| fs::remove_dir_all(tree.path("usr/local/bin/plugins")).expect("removed")),
    ("noexec", |tree| {
        tree.write("proc/700/mountinfo", "1 0 8:1 / / rw,relatime - ext4 /dev/sda rw\n2 1 8:2 / /usr/local rw,noexec - ext4 /dev/sdb rw\n")
    }),
    // Also where the bin dir is a link.
    ("noexec", |tree| {
        fs::rename(tree.path("usr/local/bin/plugins"), tree.path("opt-plugins")).expect("moved");
        symlink("/opt-plugins", tree.path("usr/local/bin/plugins")).expect("a link");
        tree.write("proc/700/mountinfo", "1 0 8:1 / / rw,relatime - ext4 /dev/sda rw\n2 1 8:2 / /opt-plugins rw,noexec - ext4 /dev/sdb rw\n")
    }),
    // The loader, the architecture, the download, the protocol: one lint of `check`.
    ("program-does-not-run", |tree| tree.program(&trees::elf(None, Some("/lib/none.so")))),
    ("program-does-not-run", |tree| tree.program(&trees::elf(Some(8), None))),
    ("program-does-not-run", |tree| tree.program(b"<!DOCTYPE html><html>404")),
    ("program-does-not-run", |tree| tree.program(b"")),
    ("program-does-not-run", |tree| tree.program(&trees::elf(None, None)[..100])),
    ("program-does-not-run", |tree| {
        let plugins = tree.path("usr/local/bin/plugins");
        fs::rename(plugins.join("registry-login"), plugins.join("docker-credential-x"))
            .expect("renamed");
        symlink("docker-credential-x", plugins.join("registry-login")).expect("a link");
    }),
    ("text-file-busy", |tree| {
        tree.write("proc/900/fdinfo/3", "pos:\t0\nflags:\t0100001\n");
        fs::create_dir_all(tree.path("proc/900/fd")).expect("folders");
        symlink("/usr/local/bin/plugins/registry-login", tree.path("proc/900/fd/3"))
            .expect("a link");
    }),
    ("text-file-busy", |tree| {
        let plugins = tree.path("usr/local/bin/plugins");
        fs::rename(plugins.join("registry-login"), plugins.join("real")).expect("moved");
        symlink("real", plugins.join("registry-login")).expect("a link");
        tree.write("proc/900/fdinfo/3", "pos:\t0\nflags:\t0100001\n");
        fs::create_dir_all(tree.path("proc/900/fd")).expect("folders");
        symlink("/usr/local/bin/plugins/real", tree.path("proc/900/fd/3")).expect("a link");
    }),
    ("feature-gate", |tree| {
        tree.args(
            &[
                &["--feature-gates=KubeletCredentialProviders=true"][..],
                &trees::FLAGS.split(' ').collect::<Vec<_>>(),
            ]
            .concat(),
        )
    }),
    ("no-cache-duration", |tree| tree.edit(CONFIG, "  defaultCacheDuration: 10m\n", "")),
    ("no-exec-api-version", |tree| {
        tree.edit(CONFIG, "  apiVersion: credentialprovider.kubelet.k8s.io/v1\n", "")
    }),
    ("later-field", |tree| {
        tree.edit("var/lib/dpkg/status", "1.34.2", "1.32.9");
        tree.edit(
            CONFIG,
            "  defaultCacheDuration",
            "  tokenAttributes: {}\n  defaultCacheDuration",
        );
    }),
    ("unknown-field", |tree| {
        tree.edit(CONFIG, "  defaultCacheDuration", "  cacheDuration: 1m\n  defaultCacheDuration")
    }),
    ("syntax", |tree| tree.edit(CONFIG, "providers:", "providers: [")),
    ("wrong-document", |tree| {
        tree.edit(CONFIG, "kind: CredentialProviderConfig", "kind: KubeletConfiguration")
    }),
    ("unreadable", |tree| fs::remove_file(tree.path(CONFIG)).expect("removed")),
    // A pipe is not waited for.
    ("unreadable", |tree| {
        fs::remove_file(tree.path(CONFIG)).expect("removed");
        let status = Command::new("mkfifo").arg(tree.path(CONFIG)).status();
        assert!(status.expect("mkfifo").success());
    }),
    ("glob-in-path", |tree| tree.edit(CONFIG, "\"registry.example\"", "\"registry.example/*\"")),
    ("overlapping-patterns", |tree| {
        tree.edit(CONFIG, "providers:\n", "providers:\n- name: other-login\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n  matchImages: [registry.example]\n  defaultCacheDuration: 10m\n");
        tree.copy_program("other-login");
    }),
    ("mirror-in-pattern", |tree| {
        tree.edit(CONFIG, "\"registry.example\"", "\"mirror.example\"");
        tree.write(
            "etc/containerd/certs.d/registry.example/hosts.toml",
            "server = \"https://registry.example\"\n[host.\"https://mirror.example/v2\"]\n",
        );
    }),
    ("pause-image", |tree| {
        tree.write(
            "etc/containerd/config.toml",
            "[plugins.cri]\n  sandbox_image = \"registry.example/pause:3.10\"\n",
        )
    }),
    ("v1-too-early", |tree| tree.edit("var/lib/dpkg/status", "1.34.2", "1.25.0")),
    ("env-too-early", |tree| {
        tree.edit("var/lib/dpkg/status", "1.34.2", "1.22.0");
        tree.edit(CONFIG, "kubelet.config.k8s.io/v1", "kubelet.config.k8s.io/v1alpha1");
        tree.edit(
            CONFIG,
            "  defaultCacheDuration",
            "  env: [{name: A, value: b}]\n  defaultCacheDuration",
        );
    }),
    ("no-home", |tree| {
        tree.write("proc/700/environ", "PATH=/bin\0");
        tree.edit(
            CONFIG,
            "  defaultCacheDuration",
            "  env: [{name: AWS_PROFILE, value: b}]\n  defaultCacheDuration",
        );
    }),
    ("no-proxy", |tree| {
        tree.write("etc/environment", "PATH=/bin\nHTTPS_PROXY=http://proxy.example:3128\n")
    }),
    ("bin-dir-relative", |tree| {
        tree.args(&[
            "--image-credential-provider-config=/etc/kubernetes/providers.yaml",
            "--image-credential-provider-bin-dir=plugins",
        ])
    }),
    ("bin-dir-link-circle", |tree| {
        fs::remove_dir_all(tree.path("usr/local/bin/plugins")).expect("removed");
        symlink("more", tree.path("usr/local/bin/plugins")).expect("a link");
        symlink("plugins", tree.path("usr/local/bin/more")).expect("a link");
    }),
    ("writable-config", |tree| tree.mode("etc/kubernetes", 0o777)),
    ("writable-bin-dir", |tree| tree.mode("usr/local", 0o757)),
    ("writable-binary", |tree| tree.mode("usr/local/bin/plugins/registry-login", 0o757)),
    ("not-a-file", |tree| {
        tree.config_directory();
        let status =
            Command::new("mkfifo").arg(tree.path("etc/kubernetes/providers.d/b.yaml")).status();
        assert!(status.expect("mkfifo").success());
    }),
    ("skipped-file", |tree| {
        tree.config_directory();
        tree.write("etc/kubernetes/providers.d/own.conf", "x");
    }),
    ("duplicate-provider", |tree| {
        tree.config_directory();
        fs::copy(tree.path(CONFIG), tree.path("etc/kubernetes/providers.d/b.yaml"))
            .expect("copied");
    }),
    ("directory-too-early", |tree| {
        tree.config_directory();
        tree.edit("var/lib/dpkg/status", "1.34.2", "1.33.1");
    }),
    ("selinux-denied", |tree| {
        tree.write("var/log/audit/audit.log", "type=AVC msg=audit(1): avc:  denied  { execute } for  pid=9 comm=\"kubelet\" name=\"registry-login\" scontext=a tcontext=b\n")
    }),
    ("fapolicyd", |tree| {
        tree.write(
            "etc/fapolicyd/rules.d/80-rke2.rules",
            "allow perm=any all : dir=/var/lib/rancher/\n",
        );
        tree.write("usr/lib/systemd/system/fapolicyd.service", "");
        fs::create_dir_all(tree.path("etc/systemd/system/multi-user.target.wants"))
            .expect("folders");
        symlink(
            "/usr/lib/systemd/system/fapolicyd.service",
            tree.path("etc/systemd/system/multi-user.target.wants/fapolicyd.service"),
        )
        .expect("a link");
    }),
    ("extension-not-merged", |tree| {
        tree.write("var/lib/extensions/own/usr/local/bin/plugins/registry-login", "x");
        tree.write(
            "var/lib/extensions/own/usr/lib/extension-release.d/extension-release.own",
            "ID=flatcar\nVERSION_ID=1\n",
        );
    }),
    ("not-possible-here", |tree| {
        tree.write("etc/os-release", "ID=bottlerocket\nVERSION_ID=1.20\n")
    }),
    ("written-by-minikube", |tree| {
        fs::create_dir_all(tree.path("var/lib/minikube")).expect("folders");
        tree.write("etc/default/kubelet", "");
        tree.write(
            "etc/systemd/system/kubelet.service.d/20-own.conf",
            &format!("[Service]\nExecStart=\nExecStart=/usr/bin/kubelet {}\n", trees::FLAGS),
        );
    }),
    ("audience-not-allowed", |tree| {
        tree.log("serviceaccounts \\\"x\\\" is forbidden: audience \\\"y\\\" not found in pod spec volume")
    }),
    ("audience-not-allowed", |tree| {
        tree.log("system:node:n is not authorized to request tokens for audience \\\"y\\\"")
    }),
    ("plugin-answers-other-version", |tree| {
        tree.log("apiVersion from credential plugin response did not match expected apiVersion:a, actual apiVersion:b")
    }),
    ("plugin-answer-not-json", |tree| {
        tree.log("error reading GVK from response: couldn't get version/kind; json parse error: x")
    }),
    ("plugin-cache-key-type", |tree| {
        tree.log("credential provider plugin did not return a valid cacheKeyType: x")
    }),
    ("plugin-too-slow", |tree| {
        tree.log(
            "error execing credential provider plugin a for image b: context deadline exceeded",
        )
    }),
    ("plugin-exec-format", |tree| tree.log("fork/exec /a: exec format error")),
    ("plugin-not-permitted", |tree| tree.log("fork/exec /a: operation not permitted")),
    ("clock", |tree| tree.log("token is not yet valid")),
];

#[test]
fn each_fault_is_named_first() {
    assert!(CASES.len() >= 40);
    let mut wrong = Vec::new();
    for (number, (id, change)) in CASES.iter().enumerate() {
        let tree = kubeadm();
        change(&tree);
        let found = ids(&tree, &[]);
        if found.first().map(String::as_str) != Some(*id) {
            wrong.push(format!("{number} {id}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_platform_sets_back_is_named() {
    let added = "- name: registry-login\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n  matchImages: [registry.example]\n  defaultCacheDuration: 10m\n";
    for (tree, path, dir, id) in [
        (
            eks(),
            "etc/eks/image-credential-provider/config.json",
            "etc/eks/image-credential-provider",
            "set-back-at-boot",
        ),
        (
            gke(),
            "etc/srv/kubernetes/cri_auth_config.yaml",
            "home/kubernetes/bin",
            "set-back-at-boot",
        ),
        (
            aks(),
            "var/lib/kubelet/credential-provider-config.yaml",
            "var/lib/kubelet/credential-provider",
            "lost-at-upgrade",
        ),
    ] {
        tree.write("entry.yaml", added);
        let ran = pullpass([
            "config",
            "merge",
            tree.path(path).to_str().expect("UTF-8"),
            tree.path("entry.yaml").to_str().expect("UTF-8"),
        ]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        tree.write(&format!("{dir}/registry-login"), "#!/bin/sh\n");
        tree.mode(&format!("{dir}/registry-login"), 0o755);
        assert_eq!(ids(&tree, &["--kubelet-version=1.34"]), [id]);
    }
}

#[test]
fn a_tree_without_processes_is_judged_by_its_files() {
    let tree = kubeadm();
    fs::remove_dir_all(tree.path("proc")).expect("removed");
    let ran = doctor(&tree, &[]);
    assert!(
        ran.code == Some(0)
            && ran.stdout.contains("config: /etc/kubernetes/providers.yaml (1 provider)"),
        "{ran:?}"
    );
    assert!(ran.stdout.contains("note: not seen: the running kubelet: "), "{ran:?}");
    assert!(!ran.stdout.contains("config: none"), "{ran:?}");
    tree.edit(CONFIG, "10m", "soon");
    assert_eq!(ids(&tree, &[]), ["wrong-type"]);
    fs::remove_dir_all(tree.path("etc")).expect("removed");
    let ran = doctor(&tree, &[]);
    assert!(
        ran.stdout.contains("config: none: no `--image-credential-provider-config`"),
        "{ran:?}"
    );
}

#[test]
fn a_finding_says_what_was_read_and_what_fixes_it() {
    let tree = kubeadm();
    tree.mode("usr/local/bin/plugins/registry-login", 0o644);
    fs::remove_file(tree.path("var/lib/dpkg/status")).expect("removed");
    let ran = doctor(&tree, &[]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    for words in [
        "kubelet: process 700 `kubelet`, kubelet.service, 1.37 assumed\n",
        "\nkills the kubelet: error inspecting binary executable",
        "[program-not-executable]\n  read: ",
        "\n  fix: ",
        "note: not seen: the kubelet's version: ",
        "\n1 finding\n",
    ] {
        assert!(ran.stdout.contains(words), "{words}\n{}", ran.stdout);
    }
}

#[test]
fn the_example_of_the_readme_is_true() {
    let tree = kubeadm();
    tree.mode("usr/local/bin/plugins/registry-login", 0o644);
    tree.write("etc/default/kubelet", "KUBELET_EXTRA_ARGS=\n");
    tree.write("etc/sysconfig/kubelet", &format!("KUBELET_EXTRA_ARGS=\"{}\"\n", trees::FLAGS));
    let ran = doctor(&tree, &[]);
    let shown = ran.stdout.replace(&tree.root(), "");
    let readme = include_str!("../../README.md");
    assert!(readme.contains(&format!("```text\n{shown}```\n")), "{shown}");
}

#[test]
fn what_was_logged_before_the_last_start_does_not_count() {
    let tree = kubeadm();
    tree.log("token is not yet valid");
    let old = fs::read_to_string(tree.path("var/log/kubelet.log")).expect("a log");
    tree.write(
        "var/log/kubelet.log",
        &format!("{old}I1127 server.go:1] \"Kubelet version\" kubeletVersion=\"v1.34.2\"\n"),
    );
    assert_eq!(ids(&tree, &[]), [""; 0]);
}

#[test]
fn without_root_it_says_what_it_could_not_see() {
    let tree = kubeadm();
    tree.mode("proc/700/environ", 0o600);
    tree.mode(CONFIG, 0o600);
    let mut run = crate::command();
    run.args(["doctor", "--root", &tree.root()]);
    // Only root can become another user; another user already is one.
    if std::process::Command::new("true").uid(NOBODY).status().is_err() {
        return;
    }
    let Ok(output) = run.uid(NOBODY).output() else { return };
    let shown = String::from_utf8(output.stdout).expect("UTF-8");
    for what in ["the environment of process 700", "/etc/kubernetes/providers.yaml"] {
        let line = format!("note: not seen: {what}: Permission denied");
        assert!(shown.contains(&line), "{shown}");
    }
    assert_eq!(output.status.code(), Some(0), "{shown}");
}

#[test]
fn no_secret_of_a_node_is_shown() {
    let tree = kubeadm();
    tree.write("proc/700/environ", "PASSWORD=correct-horse\0");
    tree.edit(CONFIG, "  defaultCacheDuration", "  args: [battery-staple]\n  env: [{name: TOKEN, value: correct-horse}]\n  defaultCacheDuration");
    tree.log("error execing credential provider plugin a: correct-horse: exec format error");
    for format in ["text", "json"] {
        let ran = doctor(&tree, &["--format", format]);
        let shown = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!shown.contains("horse") && !shown.contains("staple"), "{shown}");
        assert!(shown.contains("plugin-exec-format"), "{shown}");
    }
    let mode = fs::metadata(tree.path(CONFIG)).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
}
