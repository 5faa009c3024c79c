//! `cluster`: fetches and builds the parts of a cluster, then hands the terminal to the trials.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use crate::judges::cluster::{TRIED_MINORS, programs};
use crate::release::{self, Product};
use crate::workspace::Workspace;
use crate::{Result, flags};

/// The folder of the plugins and `pullpass`, if they are not to be built here.
const BIN_DIR: &str = "PULLPASS_BIN_DIR";

/// Runs the trials; their exit code is ours.
pub(crate) fn run(workspace: &Workspace, flags: &flags::Cluster) -> Result<ExitCode> {
    let minors = choose_minors(&flags.kubelet);
    let programs = programs(workspace, &minors)?;
    let bin_dir = match env::var_os(BIN_DIR) {
        Some(folder) => PathBuf::from(folder),
        None => release_binaries(workspace)?,
    };
    workspace.cargo().args(["build", "-p", "pullpass-tests", "--bin", "cluster"]).run()?;

    let cluster = workspace.dev_binaries().join("cluster");
    let mut command = Command::new(&cluster);
    command.arg(bin_dir).envs(programs).current_dir(&workspace.root);
    for (option, values) in [("--kubelet", &minors), ("--only", &flags.only)] {
        command.args(values.iter().flat_map(|value| [option, value]));
    }
    if flags.keep {
        command.arg("--keep");
    }
    let status =
        command.status().map_err(|error| format!("cannot run {}: {error}", cluster.display()))?;
    match status.code() {
        Some(code) => Ok(ExitCode::from(u8::try_from(code).unwrap_or(1))),
        None => Err(format!("the cluster was stopped: {status}").into()),
    }
}

/// The minors that the command line asks for: `1.37`, or several as `1.37,1.34`.
fn choose_minors(asked: &[String]) -> Vec<String> {
    let asked = asked.iter().flat_map(|minors| minors.split(',')).map(str::to_owned);
    let minors: Vec<String> = asked.collect();
    if minors.is_empty() { TRIED_MINORS.map(str::to_owned).to_vec() } else { minors }
}

/// The plugins and `pullpass` as they are shipped, in one folder.
fn release_binaries(workspace: &Workspace) -> Result<PathBuf> {
    let target = release::host_musl();
    release::add_target(workspace, &target)?;
    let folder = workspace.target.join("cluster/bin");
    fs::create_dir_all(&folder)?;
    let plugins = workspace.plugins()?;
    let mut products: Vec<Product<'_>> = plugins.iter().map(|name| Product::plugin(name)).collect();
    products.push(Product::Binary { package: "pullpass-cli", name: "pullpass" });
    for product in products {
        let program = release::build(workspace, product, &target)?;
        let name = program.file_name().ok_or("a program has a name")?;
        fs::copy(&program, folder.join(name))?;
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minors_are_listed_or_repeated() {
        let choose = |asked: &[&str]| {
            choose_minors(&asked.iter().map(|minor| (*minor).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(choose(&[]), TRIED_MINORS);
        assert_eq!(choose(&["1.37,1.34"]), ["1.37", "1.34"]);
        assert_eq!(choose(&["1.34", "1.37"]), ["1.34", "1.37"]);
    }
}
