//! Files that the operator names: what is not a regular file is an error, and is not waited for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use pullpass_tests::fixtures::checks::CONFIG;
use pullpass_tests::plugin::{PluginCommand, PluginRun};
use serde_json::Value;
use tempfile::TempDir;

use super::Rule;
use crate::ground::Ground;

pub(super) fn rules() -> Vec<Rule> {
    vec![
        Rule::of(a_ca_file_that_is_not_a_regular_file_is_an_error),
        Rule::of(a_ca_file_that_is_swapped_for_a_fifo_is_not_waited_for),
        Rule::of(a_file_that_is_not_a_regular_file_is_an_error),
        Rule::of(a_file_without_end_is_an_error),
    ]
}

/// What must not be opened as a file: a FIFO, devices, a file of the kernel that blocks.
fn odd_files(folder: &Path) -> Vec<PathBuf> {
    let fifo = folder.join("fifo");
    make_fifo(&fifo);
    let others = ["/proc/kmsg", "/dev/zero", "/dev/tty", "/", "/nonexistent/file"];
    others.into_iter().map(PathBuf::from).chain([fifo]).collect()
}

fn a_ca_file_that_is_not_a_regular_file_is_an_error(ground: &Ground<'_>) {
    let folder = TempDir::new().unwrap();
    for file in odd_files(folder.path()) {
        let plugin = ground.plugin.clone().env("SSL_CERT_FILE", &file);
        let run = in_time(&plugin, &ground.request());
        assert_eq!(run.code, Some(CONFIG), "{file:?}: {}", run.stderr);
        assert!(run.stderr.contains(file.to_str().unwrap()), "{file:?}: {}", run.stderr);
    }
}

/// Between a look at the name and the opening of it, it can become another.
fn a_ca_file_that_is_swapped_for_a_fifo_is_not_waited_for(ground: &Ground<'_>) {
    let folder = TempDir::new().unwrap();
    let (file, regular, fifo) =
        (folder.path().join("ca"), folder.path().join("regular"), folder.path().join("fifo"));
    let authority = ground.world.ca().pem_file();
    fs::copy(&authority, &file).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let swapper = thread::spawn({
        let (stop, file) = (Arc::clone(&stop), file.clone());
        move || {
            while !stop.load(Ordering::Relaxed) {
                make_fifo(&fifo);
                fs::rename(&fifo, &file).unwrap();
                fs::copy(&authority, &regular).unwrap();
                fs::rename(&regular, &file).unwrap();
            }
        }
    });
    let request = ground.request();
    for _ in 0..15 {
        let plugin = ground.plugin.clone().env("SSL_CERT_FILE", &file);
        let run = in_time(&plugin, &request);
        assert!(matches!(run.code, Some(0 | CONFIG)), "{}", run.stderr);
    }
    stop.store(true, Ordering::Relaxed);
    swapper.join().unwrap();
}

fn a_file_that_is_not_a_regular_file_is_an_error(ground: &Ground<'_>) {
    let folder = TempDir::new().unwrap();
    for file in odd_files(folder.path()) {
        for input in &ground.files {
            let run = in_time(&(input.plugin)(&file), &input.request);
            assert_eq!(run.code, Some(CONFIG), "{}, {file:?}: {}", input.name, run.stderr);
        }
    }
}

fn a_file_without_end_is_an_error(ground: &Ground<'_>) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("large");
    fs::File::create(&file).unwrap().set_len(1 << 40).unwrap();
    for input in &ground.files {
        let run = in_time(&(input.plugin)(&file), &input.request);
        assert_eq!(run.code, Some(CONFIG), "{}: {}", input.name, run.stderr);
        assert!(run.stderr.contains("is larger than"), "{}: {}", input.name, run.stderr);
    }
    let run = in_time(&ground.plugin.clone().env("SSL_CERT_FILE", &file), &ground.request());
    assert_eq!(run.code, Some(CONFIG), "{}", run.stderr);
}

fn in_time(plugin: &PluginCommand, request: &Value) -> PluginRun {
    let plugin = plugin.clone().arg("--timeout=3s");
    let run = plugin.run(request.to_string().as_bytes());
    assert!(run.duration < Duration::from_secs(5), "{:?}: {}", run.duration, run.stderr);
    run
}

fn make_fifo(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().expect("`mkfifo` of coreutils");
    assert!(made.success());
}
