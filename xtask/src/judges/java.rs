//! Judges from Maven Central.

use std::fs;
use std::path::{Path, PathBuf};

use xshell::{Cmd, Shell, cmd};

use super::{Fetch, is_current, run_tool};
use crate::Result;
use crate::workspace::{Workspace, on_path};

/// The Maven plugin that resolves, downloads and unpacks.
const PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1";

/// Options that Keycloak compiles itself for; a server can only start with the same.
const KEYCLOAK_BUILD: [&str; 3] = [
    "--db=dev-mem",
    // The first is a preview, and the others are for a pod's token as a client's assertion.
    "--features=jwt-authorization-grant,client-auth-federated,kubernetes-service-accounts",
    "--health-enabled=false",
];

/// The jar that starts Keycloak, `lib/quarkus-run.jar` in its folder.
pub(super) fn keycloak(workspace: &Workspace, fetch: Fetch) -> Result<PathBuf> {
    let recipe = format!("{KEYCLOAK_BUILD:?}");
    let files = install(workspace, fetch, "keycloak", &recipe, |shell, folder| {
        let goal = format!("{PLUGIN}:unpack-dependencies");
        let target = format!("-DoutputDirectory={}", folder.display());
        run_tool(maven(shell, &goal, &target))?;
        let home = keycloak_home(folder)?;
        // Once, here: without it each start would take half a minute longer.
        let (program, options) = (home.join("bin/kc.sh"), KEYCLOAK_BUILD);
        run_tool(cmd!(shell, "sh {program} build {options...}"))
    })?;
    Ok(keycloak_home(&files)?.join("lib/quarkus-run.jar"))
}

/// The jar of `mock-oauth2-server`, by navikt; the jars that it needs are beside it.
pub(super) fn mock_oauth2_server(workspace: &Workspace, fetch: Fetch) -> Result<PathBuf> {
    let files = install(workspace, fetch, "mock-oauth2-server", "", |shell, folder| {
        let goal = format!("{PLUGIN}:copy-dependencies");
        let target = format!("-DoutputDirectory={}", folder.display());
        run_tool(maven(shell, &goal, &target).arg("-DincludeScope=runtime"))
    })?;
    find_one(&files, "mock-oauth2-server-")
}

/// Installs `target/judges/<name>/files`, unless it is there and from these pins, which are
/// `xtask/src/judges/<name>/pom.xml`, and by this recipe.
fn install(
    workspace: &Workspace,
    fetch: Fetch,
    name: &str,
    recipe: &str,
    fetch_files: impl FnOnce(&Shell, &Path) -> Result,
) -> Result<PathBuf> {
    let pom = workspace.root.join("xtask/src/judges").join(name).join("pom.xml");
    let pins = fs::read_to_string(&pom)
        .map_err(|error| format!("cannot read {}: {error}", pom.display()))?;
    let stamped = format!("{pins}{recipe}");
    let folder = workspace.target.join("judges").join(name);
    let (files, stamp) = (folder.join("files"), folder.join("made-from.txt"));
    if on_path("java").is_none() {
        return Err("it needs Java 17 or newer, and there is no `java` on PATH".into());
    }
    if is_current(&stamp, &stamped) {
        return Ok(files);
    }
    if fetch == Fetch::Never {
        return Err("not fetched, or not from these pins, and fetching was not allowed".into());
    }
    if on_path("mvn").is_none() {
        return Err("it is fetched by Maven, and there is no `mvn` on PATH".into());
    }

    eprintln!("fetching `{name}` into {}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&files)?;
    let shell = Shell::new()?;
    shell.change_dir(&folder);
    // It leaves files beside what it reads.
    fs::write(folder.join("pom.xml"), &pins)?;
    fetch_files(&shell, &files)?;
    // Last: if it is there, the rest is.
    fs::write(&stamp, stamped)?;
    Ok(files)
}

/// Maven with one goal of its dependency plugin. Maven's own settings choose the repository.
fn maven<'shell>(shell: &'shell Shell, goal: &str, target: &str) -> Cmd<'shell> {
    cmd!(shell, "mvn --batch-mode --quiet {goal} {target}")
}

fn keycloak_home(files: &Path) -> Result<PathBuf> {
    find_one(files, "keycloak-")
}

/// The one entry of a folder whose name starts so.
fn find_one(folder: &Path, start: &str) -> Result<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(start)) {
            found.push(path);
        }
    }
    match found.as_slice() {
        [one] => Ok(one.clone()),
        _ => Err(format!("{} `{start}*` in {}", found.len(), folder.display()).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_match_is_needed() {
        let folder = std::env::temp_dir().join(format!("pullpass-java-{}", std::process::id()));
        fs::create_dir_all(folder.join("judge-1")).unwrap();
        fs::create_dir_all(folder.join("other-1")).unwrap();
        let one = find_one(&folder, "judge-").map_err(|error| error.to_string());
        let none = find_one(&folder, "nothing-").is_err();
        fs::create_dir_all(folder.join("judge-2")).unwrap();
        let two = find_one(&folder, "judge-").is_err();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!((one, none, two), (Ok(folder.join("judge-1")), true, true));
    }
}
