//! Programs that this project did not write. `cargo xtask test` fetches them and says where they
//! are; without one a test fails, so that it cannot pass by not judging.

use std::env;
use std::path::PathBuf;

pub mod docker_registry;
pub mod skopeo;

/// The program that `variable` names, or else the one called `name` on the path.
///
/// `None` only where `PULLPASS_HERMETIC=1` says that judges may be missing; it is then said loudly.
///
/// # Panics
/// If it is missing and must not be.
fn judge(variable: &str, name: &str) -> Option<PathBuf> {
    if let Some(file) = env::var_os(variable).map(PathBuf::from) {
        assert!(file.is_file(), "`{variable}` names `{}`, which is no file", file.display());
        return Some(file);
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    if found.is_some() {
        return found;
    }
    assert!(
        env::var_os("PULLPASS_HERMETIC").is_some_and(|value| value == "1"),
        "the judge `{name}` is missing: run the tests by `cargo xtask test`, which fetches it, \
         or set `{variable}` to its file; `PULLPASS_HERMETIC=1` goes without"
    );
    eprintln!("\n*** JUDGE MISSING: `{name}`. This test has proved nothing. ***\n");
    None
}
