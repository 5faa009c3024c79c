//! `dist`: static release binaries with their checksums, in `dist/TARGET/`.

use std::fs;

use xshell::cmd;

use crate::elf::Elf;
use crate::release::{self, Product};
use crate::workspace::Workspace;
use crate::{Result, flags};

/// The first is built on any x86_64 machine with a C compiler, the second also needs a cross one.
const TARGETS: [&str; 2] = ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"];

/// Builds for the targets asked for, or for all that this machine can build.
pub(crate) fn run(workspace: &Workspace, flags: &flags::Dist) -> Result {
    let asked = !flags.target.is_empty();
    let targets: Vec<&str> = match asked {
        true => flags.target.iter().map(String::as_str).collect(),
        false => TARGETS.to_vec(),
    };
    let mut built = 0;
    for target in targets {
        match release::find_obstacle(target) {
            Some(obstacle) if asked => return Err(obstacle.into()),
            Some(obstacle) => eprintln!("warning: left out: {obstacle}"),
            None => {
                build(workspace, target)?;
                built += 1;
            }
        }
    }
    if built == 0 {
        return Err("this machine can build for none of the targets".into());
    }
    Ok(())
}

fn build(workspace: &Workspace, target: &str) -> Result {
    release::add_target(workspace, target)?;
    let plugins = workspace.plugins()?;
    let cli = Product::Binary { package: "pullpass-cli", name: "pullpass" };
    let products = plugins.iter().map(|name| Product::plugin(name)).chain([cli]);

    let folder = workspace.root.join("dist").join(target);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let mut names = Vec::new();
    for product in products {
        let binary = release::build(workspace, product, target)?;
        let bytes = fs::read(&binary)?;
        let elf = Elf::parse(&bytes).map_err(|error| format!("{}: {error}", binary.display()))?;
        if !elf.is_static() || !elf.is_position_independent {
            let binary = binary.display();
            return Err(format!("{binary} is not static and position independent: {elf:?}").into());
        }
        if !target.starts_with(elf.arch) {
            return Err(format!("{} is for {}", binary.display(), elf.arch).into());
        }
        let name = binary.file_name().ok_or("a binary without a name")?;
        fs::copy(&binary, folder.join(name))?;
        names.push((name.to_string_lossy().into_owned(), bytes.len()));
    }

    let files: Vec<&String> = names.iter().map(|(name, _)| name).collect();
    let shell = workspace.shell.clone();
    shell.change_dir(&folder);
    let sums = cmd!(shell, "sha256sum {files...}").quiet().read()?;
    fs::write(folder.join("SHA256SUMS"), format!("{sums}\n"))?;

    println!("dist/{target}");
    for (name, size) in &names {
        println!("  {name:<32} {:>6.2} MB, static", *size as f64 / 1e6);
    }
    println!("  SHA256SUMS");
    Ok(())
}
