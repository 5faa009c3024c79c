//! Judges from Debian or Ubuntu packages, unpacked without root and without installing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use xshell::{Shell, cmd};

use super::{Fetch, run_tool};
use crate::Result;
use crate::workspace::{Workspace, on_path};

/// The program of the package of the same name.
pub(super) fn program(workspace: &Workspace, package: &str, fetch: Fetch) -> Result<PathBuf> {
    Ok(programs(workspace, package, &[package], fetch)?.join(package))
}

/// The folder with these programs of a package, of which the first says its version.
pub(super) fn programs(
    workspace: &Workspace,
    package: &str,
    programs: &[&str],
    fetch: Fetch,
) -> Result<PathBuf> {
    let folder = workspace.target.join("judges/debian").join(package);
    // Written last: if they are there, the rest is.
    if programs.iter().all(|program| folder.join(program).is_file()) {
        return Ok(folder);
    }
    if fetch == Fetch::Never {
        return Err("not on PATH, and fetching was not allowed".into());
    }
    if on_path("apt-get").is_none() || on_path("dpkg").is_none() {
        return Err(
            format!("not on PATH, and there is no apt-get here; install `{package}`").into()
        );
    }

    eprintln!("fetching `{package}` into {}", folder.display());
    let shell = Shell::new()?;
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let packages = folder.join("packages");
    fs::create_dir_all(&packages)?;
    shell.change_dir(&packages);
    if !is_known(&shell, package) {
        update_lists(&shell, package)?;
    }
    // A list older than the archive names files that no longer exist: refresh it once.
    if download_packages(&shell, package).is_err() {
        update_lists(&shell, package)?;
        download_packages(&shell, package)?;
    }

    let root = folder.join("root");
    for entry in fs::read_dir(&packages)? {
        let archive = entry?.path();
        run_tool(cmd!(shell, "dpkg -x {archive} {root}"))?;
    }
    shell.change_dir(&folder);
    fs::remove_dir_all(&packages)?;

    let drafts = folder.join("wrappers");
    fs::create_dir(&drafts)?;
    for program in programs {
        let draft = drafts.join(program);
        fs::write(&draft, wrapper_script(&root, program)?)?;
        fs::set_permissions(&draft, fs::Permissions::from_mode(0o755))?;
    }
    let first = drafts.join(programs[0]);
    let version = cmd!(shell, "{first} --version").quiet().ignore_stderr().read()?;
    eprintln!("fetched {}", version.lines().next().unwrap_or(package));
    for program in programs {
        fs::rename(drafts.join(program), folder.join(program))?;
    }
    fs::remove_dir(&drafts)?;
    Ok(folder)
}

/// Whether the package lists offer it.
fn is_known(shell: &Shell, package: &str) -> bool {
    let policy = cmd!(shell, "apt-cache policy {package}").quiet().ignore_stderr();
    policy.read().is_ok_and(|text| has_candidate(&text))
}

/// Reads what `apt-cache policy` prints: nothing for an unknown name.
fn has_candidate(policy: &str) -> bool {
    policy
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Candidate: "))
        .any(|version| version != "(none)")
}

/// Fetches the package lists, which only root may.
fn update_lists(shell: &Shell, package: &str) -> Result {
    if cmd!(shell, "id -u").quiet().read()? != "0" {
        return Err(format!(
            "the package lists are missing or old; run `sudo apt-get update` once, or install `{package}`"
        )
        .into());
    }
    run_tool(cmd!(shell, "apt-get -qq update"))
}

/// Downloads the package, and what it depends on and this system lacks, into the shell's folder.
fn download_packages(shell: &Shell, package: &str) -> Result {
    // A simulation needs no root; it leaves out what is installed.
    let plan = cmd!(shell, "apt-get --simulate --no-install-recommends install {package}")
        .quiet()
        .env("LC_ALL", "C")
        .read()?;
    let packages = parse_plan(&plan);
    // Otherwise apt warns that its own user cannot write here.
    let sandbox = ["-o", "APT::Sandbox::User=root"];
    run_tool(cmd!(shell, "apt-get -qq {sandbox...} download {packages...}"))
}

/// The `name=version` pairs that a simulated installation would unpack.
fn parse_plan(plan: &str) -> Vec<String> {
    plan.lines()
        .filter_map(|line| line.strip_prefix("Inst "))
        .filter_map(|line| {
            let name = line.split_whitespace().next()?;
            let version = line.split_once('(')?.1.split_whitespace().next()?;
            Some(format!("{name}={version}"))
        })
        .collect()
}

/// A script that starts the unpacked program with its unpacked libraries.
fn wrapper_script(root: &Path, name: &str) -> Result<String> {
    let program = ["usr/bin", "bin", "usr/sbin"]
        .iter()
        .map(|folder| root.join(folder).join(name))
        .find(|file| file.is_file())
        .ok_or_else(|| format!("the package holds no program `{name}`"))?;
    let mut script = "#!/bin/sh\n".to_owned();
    let libraries: Vec<String> =
        library_folders(root)?.iter().map(|folder| folder.display().to_string()).collect();
    // An empty part of the list would mean the working directory.
    if !libraries.is_empty() {
        let libraries = libraries.join(":");
        script += &format!(
            "export LD_LIBRARY_PATH=\"{libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}\"\n"
        );
    }
    script += &format!("exec \"{}\" \"$@\"\n", program.display());
    Ok(script)
}

/// The library folders of an unpacked tree, those of its architecture included.
fn library_folders(root: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for folder in [root.join("usr/lib"), root.join("lib")] {
        if !folder.is_dir() {
            continue;
        }
        folders.push(folder.clone());
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.path().is_dir() && entry.file_name().to_string_lossy().contains("-linux-") {
                folders.push(entry.path());
            }
        }
    }
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_without_a_list_has_no_candidate() {
        assert!(has_candidate("skopeo:\n  Installed: (none)\n  Candidate: 1.9.3+ds1-1\n"));
        assert!(!has_candidate("skopeo:\n  Installed: (none)\n  Candidate: (none)\n"));
        assert!(!has_candidate(""));
    }

    #[test]
    fn the_wrapper_names_only_folders_that_exist() {
        let root = std::env::temp_dir().join(format!("pullpass-wrapper-{}", std::process::id()));
        fs::create_dir_all(root.join("usr/bin")).unwrap();
        fs::write(root.join("usr/bin/judge"), "").unwrap();
        let bare = wrapper_script(&root, "judge").unwrap();
        fs::create_dir_all(root.join("usr/lib/x86_64-linux-gnu")).unwrap();
        let with_libraries = wrapper_script(&root, "judge").unwrap();
        let missing = wrapper_script(&root, "other").is_err();
        fs::remove_dir_all(&root).unwrap();

        let at = root.display();
        assert_eq!(bare, format!("#!/bin/sh\nexec \"{at}/usr/bin/judge\" \"$@\"\n"));
        let path = format!("LD_LIBRARY_PATH=\"{at}/usr/lib:{at}/usr/lib/x86_64-linux-gnu${{");
        assert!(with_libraries.contains(&path), "{with_libraries}");
        assert!(missing);
    }

    #[test]
    fn reads_the_plan_of_new_and_of_upgraded_packages() {
        let plan = "Reading package lists...\n\
                    Inst libgpgme11 (1.18.0-3+b1 Debian:12.15/oldstable [amd64])\n\
                    Inst skopeo [1.9.2] (1.9.3+ds1-1+b10 Debian:12.15/oldstable [amd64])\n\
                    Conf skopeo (1.9.3+ds1-1+b10 Debian:12.15/oldstable [amd64])\n";
        assert_eq!(parse_plan(plan), ["libgpgme11=1.18.0-3+b1", "skopeo=1.9.3+ds1-1+b10"]);
    }
}
