//! `pullpass config merge` and `pullpass config remove`.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use crate::{Node, Ran, command, entry, pullpass};

/// Of a real kind: comments, a secret, an unknown place of the list.
const FILE: &str = "# by hand
providers:   # two of them
  - name: a
    apiVersion: credentialprovider.kubelet.k8s.io/v1
    matchImages: [a.io] # ours
    defaultCacheDuration: 10m
    env:
      - name: PASSWORD
        value: correct-horse   # do not show
kind: CredentialProviderConfig
apiVersion: kubelet.config.k8s.io/v1
";

const NEW: &str = "- name: b\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n  \
                   matchImages: [b.io]\n  defaultCacheDuration: 10m\n  args: [battery-staple]\n";

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("a file")
}

/// What identifies a file that nothing was done to.
fn state(path: &Path) -> (u64, i64, i64, Vec<u8>) {
    let metadata = fs::metadata(path).expect("a file");
    (metadata.ino(), metadata.mtime(), metadata.mtime_nsec(), fs::read(path).expect("a file"))
}

/// No file but these is in the folder.
fn holds(node: &Node, names: &[&str]) -> bool {
    let entries = fs::read_dir(node.path("")).expect("a folder");
    let mut found: Vec<_> = entries
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    found.retain(|name| name != "bin");
    found.sort();
    found == names
}

#[test]
fn merge_twice_and_remove() {
    let node = Node::new();
    let (file, entry) = (node.write("c.yaml", FILE), node.write("e.yaml", NEW));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("a mode");
    // Only root may give a file away, and not every file system has attributes.
    let owner = match chown(&file, Some(1234), Some(4321)) {
        Ok(()) => (1234, 4321),
        Err(_) => fs::metadata(&file).map(|now| (now.uid(), now.gid())).expect("a file"),
    };
    let has_attributes =
        rustix::fs::setxattr(&file, "user.label", b"etc_t", rustix::fs::XattrFlags::empty());
    let old = SystemTime::now() - Duration::from_secs(3600);
    fs::File::options()
        .append(true)
        .open(&file)
        .expect("a file")
        .set_modified(old)
        .expect("a time");
    let ran = pullpass(["config", "merge", &file, &entry]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.stdout, format!("added: `b` to {file}\n"));
    assert!(ran.stderr.starts_with("note: the kubelet reads its configuration at its start only"));
    let merged = read(Path::new(&file));
    let (start, end) = FILE.split_once("kind: ").expect("two parts");
    assert!(merged.starts_with(start) && merged.ends_with(&format!("kind: {end}")), "{merged}");
    let metadata = fs::metadata(&file).expect("a file");
    assert_eq!(metadata.mode() & 0o7777, 0o640);
    assert_eq!((metadata.uid(), metadata.gid()), owner);
    if has_attributes.is_ok() {
        let mut label = [0; 5];
        let length = rustix::fs::getxattr(&file, "user.label", label.as_mut_slice());
        assert_eq!((length.expect("an attribute"), &label), (5, b"etc_t"));
    }
    let before = state(Path::new(&file));
    let ran = pullpass(["config", "merge", &file, &entry]);
    assert_eq!((ran.code, ran.stdout), (Some(0), format!("unchanged: {file} has `b`\n")));
    assert_eq!(ran.stderr, "");
    assert_eq!(state(Path::new(&file)), before);
    let ran = pullpass(["config", "remove", &file, "b"]);
    assert_eq!((ran.code, ran.stdout), (Some(0), format!("removed: `b` from {file}\n")));
    assert_eq!(read(Path::new(&file)), FILE);
    let before = state(Path::new(&file));
    let ran = pullpass(["config", "remove", &file, "b"]);
    assert_eq!((ran.code, ran.stdout), (Some(0), format!("unchanged: {file} does not have `b`\n")));
    assert_eq!(state(Path::new(&file)), before);
    assert!(holds(&node, &["c.yaml", "e.yaml"]));
}

#[test]
fn a_short_name_is_not_taken_for_the_whole_one() {
    let node = Node::new();
    let file = node.write("c.yaml", &FILE.replace("name: a", "name: oidc-credential-provider"));
    let ran = pullpass(["config", "remove", &file, "oidc"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.stderr, "hint: it has `oidc-credential-provider`: give the whole name\n");
}

#[test]
fn a_dry_run_shows_the_change_without_secrets_and_writes_nothing() {
    let node = Node::new();
    let (file, entry) = (node.write("c.yaml", FILE), node.write("e.yaml", NEW));
    let before = state(Path::new(&file));
    let ran = pullpass(["config", "merge", &file, &entry, "--dry-run"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let expected = format!(
        "--- {file}
+++ {file}
@@ -7,5 +7,12 @@
     env:
       - name: PASSWORD
         value: *************   * ** *** ****
+  - name: b
+    apiVersion: credentialprovider.kubelet.k8s.io/v1
+    matchImages:
+      - b.io
+    defaultCacheDuration: 10m
+    args:
+      - **************
 kind: CredentialProviderConfig
 apiVersion: kubelet.config.k8s.io/v1
"
    );
    assert_eq!(ran.stdout, expected);
    assert_eq!(ran.stderr, format!("note: dry run, nothing is written\nadded: `b` to {file}\n"));
    assert_eq!(state(Path::new(&file)), before);
    let new = node.text("new.yaml");
    let ran = pullpass(["config", "merge", "--dry-run", &new, &entry]);
    assert!(ran.stdout.starts_with(&format!("--- /dev/null\n+++ {new}\n@@ -0,0 +1,")), "{ran:?}");
    assert!(!Path::new(&new).exists());
    for secret in ["horse", "staple"] {
        assert!(!ran.stdout.contains(secret) && !expected.contains(secret));
    }
}

#[test]
fn what_the_kubelet_would_refuse_is_not_written() {
    let node = Node::new();
    let file = node.write("c.yaml", FILE);
    let before = state(Path::new(&file));
    for (text, words, more) in [
        (NEW.replace("[b.io]", "['%']"), "invalid URL escape", &[][..]),
        (NEW.replace("  defaultCacheDuration: 10m\n", ""), "defaultCacheDuration", &[]),
        (NEW.replace("args", "arguments"), "unknown field \"providers[1].arguments\"", &[]),
        (format!("{NEW}  tokenAttributes: {{}}\n"), "unknown field", &["--kubelet-version=1.32"]),
    ] {
        let entry = node.write("e.yaml", &text);
        let ran =
            pullpass(["config", "merge", &file, &entry].into_iter().chain(more.iter().copied()));
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.stdout.starts_with("refused: kubelet 1.3"), "{ran:?}");
        assert!(ran.stdout.contains(&format!("; {file} is unchanged\nkubelet: ")), "{ran:?}");
        assert!(ran.stdout.contains(words) && ran.stdout.contains("hint: "), "{ran:?}");
        assert!(!ran.stdout.contains("either"), "{ran:?}");
        assert!(!format!("{ran:?}").contains("horse") && !format!("{ran:?}").contains("staple"));
        assert_eq!(state(Path::new(&file)), before);
    }
    let broken = node.write("broken.yaml", &FILE.replace("10m", "soon"));
    let entry = node.write("e.yaml", NEW);
    let ran = pullpass(["config", "merge", &broken, &entry]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.stdout.contains("note: it would not start with the file as it is, either\n"),
        "{ran:?}"
    );
    assert!(holds(&node, &["broken.yaml", "c.yaml", "e.yaml"]));
}

#[test]
fn warnings_about_the_result_are_told() {
    let node = Node::new();
    let (file, entry) =
        (node.write("c.yaml", FILE), node.write("e.yaml", &NEW.replace("b.io", "b.io/*")));
    let ran = pullpass(["config", "merge", &file, &entry]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(!ran.stderr.contains("PASSWORD"));
    assert!(
        ran.stderr.contains("warning: `*` in a path")
            && ran.stderr.contains("\nhint: write `b.io`"),
        "{ran:?}"
    );
}

#[test]
fn the_last_provider_stays_unless_that_is_wanted() {
    let node = Node::new();
    let text = format!(
        "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n{}",
        entry("a", "")
    );
    let file = node.write("c.yaml", &text);
    let ran = pullpass(["config", "remove", &file, "a"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.stdout.starts_with(&format!(
            "refused: `a` is the last provider of {file}, which is unchanged\nhint: "
        )),
        "{ran:?}"
    );
    assert_eq!(read(Path::new(&file)), text);
    let ran = pullpass(["config", "remove", &file, "a", "--allow-empty"]);
    assert_eq!((ran.code, ran.stdout), (Some(0), format!("removed: `a` from {file}\n")));
    assert!(read(Path::new(&file)).ends_with("\nproviders: []\n"));
    let ran = pullpass(["config", "remove", &file, "a"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

#[test]
fn a_file_that_is_not_there_is_made() {
    let node = Node::new();
    let entry = node.write("e.yaml", NEW);
    for (name, start) in [
        (
            "new.yaml",
            "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n- name: b\n",
        ),
        ("new.json", "{\n  \"apiVersion\": \"kubelet.config.k8s.io/v1\",\n"),
    ] {
        let file = node.text(name);
        let ran = pullpass(["config", "merge", &file, &entry]);
        assert_eq!(ran.stdout, format!("added: `b` to the new file {file}\n"), "{ran:?}");
        assert!(read(Path::new(&file)).starts_with(start), "{}", read(Path::new(&file)));
        // Its arguments may be secret.
        assert_eq!(fs::metadata(&file).expect("a file").mode() & 0o7777, 0o600);
        assert_eq!(pullpass(["check", "--strict", &file]).code, Some(0));
        let ran = pullpass(["config", "remove", &node.text("none.yaml"), "b"]);
        assert!(ran.code == Some(2) && ran.stderr.contains("does not exist"), "{ran:?}");
    }
    let plain = node.write("e.yaml", &NEW.replace("  args: [battery-staple]\n", ""));
    let file = node.write("empty.yaml", " \n");
    assert_eq!(pullpass(["config", "merge", &file, &plain]).code, Some(0));
    let file = node.text("public.yaml");
    assert_eq!(pullpass(["config", "merge", &file, &plain]).code, Some(0));
    assert_eq!(fs::metadata(&file).expect("a file").mode() & 0o7777, 0o644);
}

#[test]
fn a_link_is_followed_and_stays() {
    let node = Node::new();
    let (file, entry) = (node.write("c.yaml", FILE), node.write("e.yaml", NEW));
    fs::create_dir(node.path("links")).expect("a folder");
    let link = node.text("links/link.yaml");
    symlink("../c.yaml", &link).expect("a link");
    let ran = pullpass(["config", "merge", &link, &entry]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
    assert!(read(Path::new(&file)).contains("- name: b\n"));
    let dangling = node.text("links/dangling.yaml");
    symlink("nowhere", &dangling).expect("a link");
    let ran = pullpass(["config", "merge", &dangling, &entry]);
    assert!(ran.code == Some(2) && ran.stderr.contains("a broken symbolic link"), "{ran:?}");
}

/// Runs `config merge FILE -` with this on stdin.
fn merge_stdin(file: &str, entry: &[u8]) -> Ran {
    let mut command = command();
    command.args(["config", "merge", file, "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("a run");
    child.stdin.take().expect("stdin").write_all(entry).expect("written");
    let output = child.wait_with_output().expect("an end");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[test]
fn what_config_prints_is_merged_from_stdin() {
    let node = Node::new();
    let file = node.write("c.yaml", FILE);
    let printed = pullpass(["config", "oidc", "--match-image", "zot.example:5000"]).stdout;
    let ran = merge_stdin(&file, printed.as_bytes());
    assert_eq!(ran.stdout, format!("added: `oidc-credential-provider` to {file}\n"), "{ran:?}");
    let ran = merge_stdin(&file, pullpass(["config", "ecr", "acr"]).stdout.as_bytes());
    assert!(ran.code == Some(2) && ran.stderr.contains("holds 2 providers"), "{ran:?}");
}

#[test]
fn many_at_once_lose_nothing() {
    let node = Node::new();
    let file = node.write("c.yaml", FILE);
    let runs: Vec<_> = (0..12)
        .map(|number| {
            let entry = node
                .write(&format!("e{number}"), &NEW.replace("name: b", &format!("name: b{number}")));
            command()
                .args(["config", "merge", &file, &entry])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("a run")
        })
        .collect();
    for mut run in runs {
        assert_eq!(run.wait().expect("an end").code(), Some(0));
    }
    let text = read(Path::new(&file));
    for number in 0..12 {
        assert!(text.contains(&format!("name: b{number}\n")), "{text}");
    }
}

#[test]
fn a_kill_leaves_the_old_file_or_the_new_one() {
    let node = Node::new();
    let (file, entry) = (node.write("c.yaml", FILE), node.write("e.yaml", NEW));
    let start = Instant::now();
    assert_eq!(pullpass(["config", "merge", &file, &entry]).code, Some(0));
    // From no time to that of two whole runs, on a busy machine too.
    let step = start.elapsed() / 30;
    let new = read(Path::new(&file));
    let (mut was_old, mut was_new) = (0, 0);
    for number in 0..60 {
        let args: &[&str] = match read(Path::new(&file)) == new {
            true => &["config", "remove", &file, "b"],
            false => &["config", "merge", &file, &entry],
        };
        let mut run = command()
            .args(args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a run");
        std::thread::sleep(step * number);
        run.kill().expect("killed");
        run.wait().expect("an end");
        let text = read(Path::new(&file));
        assert!(text == new || text == FILE, "{text}");
        was_new += usize::from(text == new);
        was_old += usize::from(text == FILE);
    }
    assert!(was_old > 0 && was_new > 0, "{was_old} {was_new}");
    for entry in fs::read_dir(node.path("")).expect("a folder") {
        let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
        let is_left = name.starts_with(".pullpass-") && name.ends_with(".tmp");
        assert!(is_left || ["bin", "c.yaml", "e.yaml"].contains(&name.as_str()), "{name}");
    }
}

#[test]
fn what_cannot_be_done_is_told_and_leaves_the_file() {
    let node = Node::new();
    let (file, entry) = (node.write("c.yaml", FILE), node.write("e.yaml", NEW));
    let text = node.write("text.yaml", "providers: [\n");
    let secret = node.write("secret.yaml", "name: [correct-horse\n");
    for (args, words) in [
        (["merge", &node.text(""), &entry], "is a directory"),
        (["merge", "-", &entry], "`-` is not a file that can be edited"),
        (["merge", &node.text("no/c.yaml"), &entry], "create the directory first"),
        (["merge", &file, &node.text("no.yaml")], "or `-` for stdin"),
        (["merge", &file, &secret], "secret.yaml`: "),
        (["merge", &text, &entry], "text.yaml:2`: yaml: line 1: did not"),
        (["merge", "/dev/null", &entry], "/dev/null"),
        (["remove", &file, "--allow-empty"], "required"),
        (["remove", "", "b"], "a value is required"),
    ] {
        let ran = pullpass(["config"].into_iter().chain(args));
        assert_eq!(ran.code, Some(2), "{args:?} {ran:?}");
        assert!(ran.stdout.is_empty() && ran.stderr.contains(words), "{args:?} {ran:?}");
        assert!(!ran.stderr.contains("horse"), "{ran:?}");
    }
    assert_eq!(read(Path::new(&file)), FILE);
    let ran = pullpass(["config", "ecr", "merge", &file]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
}
