//! What containerd takes for `runc`: this program under another name, which takes out of a
//! container's specification what needs rights that a user namespace with one user does not have,
//! and then becomes runc.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The name of the link by which this program knows what to be.
const NAME: &str = "runc";
/// Names the real one.
pub(super) const VARIABLE: &str = "PULLPASS_CLUSTER_RUNC";

/// Makes the link in that folder.
pub(super) fn link(folder: &Path) -> PathBuf {
    let link = folder.join(NAME);
    symlink(env::current_exe().unwrap(), &link).unwrap();
    link
}

/// Whether this process was started as runc.
pub fn is_meant() -> bool {
    let own = env::args_os().next();
    own.is_some_and(|own| Path::new(&own).file_name() == Some(OsStr::new(NAME)))
}

/// Edits the specification that the command line names, if it names one, and becomes runc.
///
/// # Panics
/// If the specification cannot be read, or runc cannot be started.
pub fn run() -> ! {
    let args: Vec<_> = env::args_os().skip(1).collect();
    let bundle = args.iter().skip_while(|arg| *arg != "--bundle").nth(1);
    if let Some(bundle) = bundle {
        let file = Path::new(bundle).join("config.json");
        let mut specification: Value =
            serde_json::from_slice(&fs::read(&file).unwrap()).expect("a specification is JSON");
        relax(&mut specification);
        fs::write(&file, specification.to_string()).unwrap();
    }
    let error = Command::new(env::var_os(VARIABLE).expect("the real runc")).args(args).exec();
    panic!("cannot start runc: {error}");
}

/// No cgroups, which are the machine's, and no group of terminals, which is not mapped.
fn relax(specification: &mut Value) {
    if let Some(linux) = specification["linux"].as_object_mut() {
        linux.remove("cgroupsPath");
        linux.remove("resources");
    }
    for mount in specification["mounts"].as_array_mut().into_iter().flatten() {
        if let Some(options) = mount["options"].as_array_mut() {
            options.retain(|option| option != "gid=5");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_needs_more_rights_is_taken_out() {
        let mut specification = json!({
            "linux": {"cgroupsPath": "/k8s.io/x", "resources": {}, "namespaces": []},
            "mounts": [{"destination": "/dev/pts", "options": ["nosuid", "gid=5"]}, {}],
        });
        relax(&mut specification);
        assert_eq!(specification["linux"], json!({"namespaces": []}));
        assert_eq!(specification["mounts"][0]["options"], json!(["nosuid"]));
    }
}
