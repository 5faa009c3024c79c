//! Each lint where it belongs, and none where it does not.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test stops at the first surprise, and makes its own files"
)]

use std::os::unix::fs::PermissionsExt as _;

use pullpass_kubelet::lints::{self, Lint, Severity};
use pullpass_kubelet::{Config, Target, startup};

fn config(providers: &[&str]) -> Config {
    let text = text(providers);
    Config::parse("c.yaml", text.as_bytes(), &Target::default())
        .unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn text(providers: &[&str]) -> String {
    let mut text =
        "kind: CredentialProviderConfig\napiVersion: kubelet.config.k8s.io/v1\nproviders:\n"
            .to_owned();
    for (index, provider) in providers.iter().enumerate() {
        let mut lines = vec![];
        for (field, default) in [
            ("name:", format!("p{index}")),
            ("matchImages:", format!("[r{index}.io]")),
            ("defaultCacheDuration:", "10m".into()),
            ("apiVersion:", "credentialprovider.kubelet.k8s.io/v1".into()),
        ] {
            if !provider.starts_with(field) {
                lines.push(format!("{field} {default}"));
            }
        }
        lines.extend(provider.lines().map(str::to_owned));
        text.push_str(&format!("- {}\n", lines.join("\n  ")));
    }
    text
}

fn check(providers: &[&str]) -> Vec<Lint> {
    lints::check(&config(providers).providers)
}

#[test]
fn one_mistake_one_lint() {
    for (provider, code) in [
        ("matchImages: ['r.io/*']", "glob-in-path"),
        ("matchImages: ['https://r.io']", "scheme-in-pattern"),
        ("matchImages: ['r.io/x:1']", "tag-in-pattern"),
        ("matchImages: ['r.io/x@sha256:00']", "tag-in-pattern"),
        ("matchImages: ['']", "empty-pattern"),
        ("matchImages: ['“r.io”']", "foreign-letter-in-pattern"),
        ("matchImages: [R.io]", "uppercase-in-pattern"),
        ("matchImages: [r.io.]", "trailing-dot-in-pattern"),
        ("matchImages: ['*']", "bare-star"),
        ("matchImages: ['**.io']", "double-star"),
        ("matchImages: [index.docker.io]", "docker-hub-alias"),
        ("matchImages: [registry-1.docker.io]", "docker-hub-alias"),
        ("matchImages: [library/nginx]", "not-a-registry"),
        ("matchImages: [user@r.io]", "ignored-part-in-pattern"),
        ("matchImages: ['r.io?x']", "ignored-part-in-pattern"),
        ("matchImages: ['r.io#x']", "ignored-part-in-pattern"),
        ("matchImages: ['[::1]']", "ipv6-without-port"),
        ("matchImages: ['r.io:443']", "port-443"),
        ("matchImages: [r.io//x]", "unclean-path-in-pattern"),
        ("matchImages: [r.io, r.io]", "repeated-pattern"),
        ("name: ''", "empty-name"),
        ("name: a\\b", "backslash-in-name"),
        ("env: [{name: '', value: x}]", "empty-env-name"),
        ("env: [{name: A=B, value: x}]", "equals-in-env-name"),
        ("env: [{name: A, value: x}, {name: A, value: z}]", "repeated-env-name"),
        ("args: [\"a\\0b\"]", "nul-character"),
        ("defaultCacheDuration: 0s", "zero-cache-duration"),
        ("defaultCacheDuration: 21600ns", "tiny-cache-duration"),
        ("defaultCacheDuration: 24h", "long-cache-duration"),
        ("defaultCacheDuration: 12h", "negative-cache"),
        ("args: [--password=hunter2]", "secret-in-args"),
        ("args: [--client-secret, hunter2]", "secret-in-args"),
        ("env: [{name: AWS_SECRET_ACCESS_KEY, value: hunter2}]", "secret-in-env"),
    ] {
        let found = check(&[provider]);
        let codes: Vec<&str> = found.iter().map(|lint| lint.code).collect();
        assert_eq!(codes, [code], "{provider}");
        assert!(found[0].location.is_some() && !found[0].hint.is_empty());
        assert!(!found[0].message.ends_with('.'), "{}", found[0].message);
        assert!(!format!("{found:?}").contains("hunter2"), "a secret is shown");
    }
}

#[test]
fn good_configurations_are_left_alone() {
    for provider in [
        "matchImages: ['*.dkr.ecr.*.amazonaws.com', public.ecr.aws]",
        "matchImages: ['*.azurecr.io', 'r.io:5000/team/', localhost, '*:5000', docker.io]",
        "args: [get-credentials, --token-audience=x, --token-file, /etc/token]\nenv: [{name: TOKEN_FILE, value: x}]",
        "defaultCacheDuration: 1h",
    ] {
        assert_eq!(check(&[provider]), [], "{provider}");
    }
}

#[test]
fn the_glob_s_hint_is_the_remedy() {
    assert_eq!(
        check(&["matchImages: ['r.io/team/*']"])[0].hint,
        "write `r.io/team/`; a path covers every image that begins with it"
    );
}

#[test]
fn overlaps() {
    for (first, second, meet) in [
        ("'*.a.io'", "b.a.io", true),
        ("'*.a.io'", "b.c.a.io", false),
        ("r.io/x", "r.io", true),
        ("r.io/x", "r.io/y", false),
        ("r.io:1", "r.io:2", false),
        ("'a*.io'", "'*b.io'", true),
        ("'a*.io'", "'b*.io'", false),
    ] {
        let list = [format!("matchImages: [{first}]"), format!("matchImages: [{second}]")];
        for list in [[&list[0], &list[1]], [&list[1], &list[0]]] {
            let found = check(&[list[0], list[1]]);
            assert_eq!(found.iter().any(|l| l.code == "overlapping-patterns"), meet, "{list:?}");
        }
    }
}

#[test]
fn tokens() {
    let provider = "tokenAttributes:\n    serviceAccountTokenAudience: my-audience\n    cacheType: ServiceAccount\n    requireServiceAccount: true";
    let found = check(&[provider, provider]);
    let codes: Vec<&str> = found.iter().map(|lint| lint.code).collect();
    assert_eq!(codes, ["audience-rbac"], "one audience, one role");
    assert_eq!(found[0].severity, Severity::Advice);
    let manifest = found[0].manifest.as_deref().expect("a manifest");
    for line in [
        "kind: ClusterRole\n",
        "kind: ClusterRoleBinding\n",
        "  resources: [\"my-audience\"]\n",
        "  verbs: [\"request-serviceaccounts-token-audience\"]\n",
        "  name: system:nodes\n",
        "  name: image-pull-audience-my-audience\n",
    ] {
        assert!(manifest.contains(line), "{line}{manifest}");
    }
    let longer = format!("defaultCacheDuration: 30m\n{provider}");
    let found = check(&[&longer]);
    assert_eq!(found[0].code, "service-account-cache");
}

#[test]
fn modes() {
    let folder = tempfile::tempdir().expect("a folder");
    let (bin, path) = (folder.path().join("bin"), folder.path().join("c.yaml"));
    std::fs::create_dir(&bin).expect("a folder");
    std::fs::write(bin.join("p0"), "#!/bin/sh\n").expect("a program");
    std::fs::write(&path, text(&[""])).expect("a file");
    let set = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
    };
    let codes = || -> Vec<&str> {
        let startup = startup(&path, Some(&bin), &Target::default());
        lints::check_files(&startup, &path, Some(&bin)).iter().map(|lint| lint.code).collect()
    };
    set(&path, 0o644);
    set(&bin, 0o755);
    set(&bin.join("p0"), 0o755);
    assert!(codes().is_empty());
    set(&path, 0o666);
    set(&bin, 0o777);
    set(&bin.join("p0"), 0o757);
    assert_eq!(codes(), ["writable-config", "writable-bin-dir", "writable-binary"]);
}

/// More providers than any node has.
#[test]
fn a_thousand_providers() {
    let patterns: Vec<String> = (0..1000)
        .map(|n| format!("matchImages: ['*.team{n}.example.com', 'r{n}.io', 'h{n}.*.net/x']"))
        .collect();
    let providers: Vec<&str> = patterns.iter().map(String::as_str).collect();
    assert_eq!(check(&providers), []);
}

/// Forty thousand patterns in two providers: time grew with the square of their number.
#[test]
fn many_patterns_are_judged_in_time() {
    let list = |name: &str| {
        let patterns: Vec<String> = (0..20_000).map(|n| format!("'*.{name}{n}.io'")).collect();
        format!("matchImages: [{}]", patterns.join(", "))
    };
    let (a, b) = (list("a"), list("b"));
    let config = config(&[&a, &b]);
    let start = std::time::Instant::now();
    assert_eq!(lints::check(&config.providers), []);
    let stars: Vec<String> = (0..20_000).map(|n| format!("'a{n}*.r.io'")).collect();
    let stars = format!("matchImages: [{}]", stars.join(", "));
    let config = self::config(&[&stars, &stars]);
    let codes: Vec<&str> = lints::check(&config.providers).iter().map(|lint| lint.code).collect();
    assert_eq!(codes, ["overlap-unknown", "overlapping-patterns"]);
    // Generous, for a debug build on a busy machine; it was over a minute.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn many_faults_are_named_in_time() {
    let start = std::time::Instant::now();
    // All in one line, and each in its own.
    let patterns = vec!["'%'"; 20_000];
    let keys: String = (0..20_000).map(|n| format!("k{n}: v\n")).collect();
    for provider in [
        format!("matchImages: [{}]", patterns.join(", ")),
        format!("matchImages:\n- {}", patterns.join("\n- ")),
        keys.trim_end().to_owned(),
    ] {
        let text = text(&[&provider]);
        let target = Target::default();
        let error = Config::parse("c", text.as_bytes(), &target).expect_err("refused");
        for finding in &error.findings {
            assert!(!lints::hint(finding, &target).is_empty());
            let location = finding.location.as_ref().expect("a place");
            assert!(location.column() > 0);
            location.excerpt(1000);
        }
    }
    // Generous, for a debug build on a busy machine; it was over a minute.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn programs_that_the_kernel_does_not_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let (bin, path) = (folder.path().join("bin"), folder.path().join("c.yaml"));
    std::fs::create_dir(&bin).expect("a folder");
    std::fs::write(&path, text(&[""])).expect("a file");
    let executable = |name: &str, content: &str| {
        let path = bin.join(name);
        std::fs::write(&path, content).expect("a program");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    };
    let lints = || {
        let startup = startup(&path, Some(&bin), &Target::default());
        assert!(startup.error.is_none(), "{:?}", startup.error);
        lints::check_files(&startup, &path, Some(&bin))
    };
    executable("p0", "#!/bin/sh\nexit 1\n");
    assert_eq!(lints(), []);
    for content in ["", "<?xml version=\"1.0\"?><Error/>", "#!/no/such/python\n", "#!/bin/sh\r\n"] {
        executable("p0", content);
        let found = lints();
        assert_eq!(found.len(), 1, "{content}: {found:?}");
        assert_eq!(found[0].code, "program-does-not-run");
        assert!(found[0].location.is_some() && !found[0].hint.is_empty(), "{found:?}");
    }
    executable("docker-credential-ecr-login", "#!/bin/sh\n");
    std::fs::remove_file(bin.join("p0")).expect("removed");
    std::os::unix::fs::symlink("docker-credential-ecr-login", bin.join("p0")).expect("a link");
    assert!(lints()[0].message.contains("Docker credential helper"), "{:?}", lints());
}

#[test]
fn a_second_document_and_files_that_are_not_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("c.yaml");
    let codes = |path: &std::path::Path| -> Vec<&str> {
        let startup = startup(path, None, &Target::default());
        lints::check_files(&startup, path, None).iter().map(|lint| lint.code).collect()
    };
    let one = text(&[""]);
    for (content, expected) in [
        (one.clone(), &[][..]),
        (format!("---\n# the first\n{one}---\n"), &[]),
        (format!("# a\n---\n{one}"), &[]),
        (format!("{one}---\n# nothing\n"), &[]),
        (format!("{one}---\n{one}"), &["second-document"]),
        (format!("{one}--- # more\nkind: x\n"), &["second-document"]),
    ] {
        std::fs::write(&path, &content).expect("a file");
        assert_eq!(codes(&path), expected, "{content}");
    }
    std::fs::write(&path, one).expect("a file");
    assert_eq!(codes(folder.path()), [""; 0]);
    for name in ["c.yaml.bak", "d.conf", "e.YAML"] {
        std::fs::write(folder.path().join(name), "").expect("a file");
    }
    assert_eq!(codes(folder.path()), ["skipped-file"]);
}
