//! Release builds: one package at a time, static where the target is musl.

use std::env;
use std::path::{Path, PathBuf};

use xshell::cmd;

use crate::Result;
use crate::workspace::{Workspace, on_path};

/// What to build of a package.
#[derive(Clone, Copy)]
pub(crate) enum Product<'a> {
    /// The binary of this name, of this package.
    Binary { package: &'a str, name: &'a str },
    /// The example of this name, of this package, with the feature that it needs, or `""`.
    Example { package: &'a str, name: &'a str, feature: &'a str },
}

impl<'a> Product<'a> {
    /// A plugin, whose binary has the name of its package.
    pub(crate) fn plugin(name: &'a str) -> Self {
        Self::Binary { package: name, name }
    }
}

/// Builds one product on its own and returns its path.
///
/// Separately, since a build of the whole workspace gives every binary the features that any of
/// them needs.
pub(crate) fn build(workspace: &Workspace, product: Product<'_>, target: &str) -> Result<PathBuf> {
    let (package, selection, name, feature, folder) = match product {
        Product::Binary { package, name } => (package, "--bin", name, "", ""),
        Product::Example { package, name, feature } => {
            (package, "--example", name, feature, "examples")
        }
    };
    let mut flags = remap_paths(&workspace.root);
    let mut cargo = workspace.cargo().args([
        "build",
        "--release",
        "--target",
        target,
        "-p",
        package,
        selection,
        name,
        "--features",
        feature,
    ]);
    if let Some(musl) = Musl::parse(target) {
        flags.extend(Musl::rust_flags(&workspace.root));
        let compiler = musl.c_compiler();
        let suffix = target.replace('-', "_");
        // `ring` has C and assembly. It asks nothing of the C library, so the system's compiler
        // serves for musl too, once glibc's checked functions are off.
        cargo = cargo
            .env(format!("CC_{suffix}"), compiler)
            .env(format!("CFLAGS_{suffix}"), "-U_FORTIFY_SOURCE");
    }
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}")).run()?;
    Ok(workspace.target.join(target).join("release").join(folder).join(name))
}

/// Makes rustup add the target if it is missing.
pub(crate) fn add_target(workspace: &Workspace, target: &str) -> Result {
    if has_target(workspace, target)? {
        return Ok(());
    }
    if on_path("rustup").is_none() {
        return Err(format!("no standard library for `{target}`, and no rustup to add it").into());
    }
    Ok(cmd!(workspace.shell, "rustup target add {target}").quiet().run()?)
}

/// Whether the target's standard library is installed.
pub(crate) fn has_target(workspace: &Workspace, target: &str) -> Result<bool> {
    let print = ["--print", "target-libdir", "--target", target];
    let folder = cmd!(workspace.shell, "rustc {print...}").quiet().read()?;
    Ok(Path::new(&folder).is_dir())
}

/// The target that this machine runs, and that static builds for it have.
pub(crate) fn host_musl() -> String {
    format!("{}-unknown-linux-musl", env::consts::ARCH)
}

/// What keeps this machine from building for the target, in a sentence.
pub(crate) fn find_obstacle(target: &str) -> Option<String> {
    let Some(musl) = Musl::parse(target) else {
        return Some(format!(
            "`{target}` is not a static target: use an `ARCH-unknown-linux-musl`"
        ));
    };
    let compiler = musl.c_compiler();
    on_path(&compiler).is_none().then(|| {
        let package = match compiler.strip_suffix("-gcc") {
            Some(triple) => format!("gcc-{}", triple.replace('_', "-")),
            None => "gcc".to_owned(),
        };
        format!("`{target}` needs `{compiler}`; on Debian: `apt-get install {package}`")
    })
}

/// A musl target of some architecture.
struct Musl<'a> {
    arch: &'a str,
}

impl<'a> Musl<'a> {
    fn parse(target: &'a str) -> Option<Self> {
        target.strip_suffix("-unknown-linux-musl").map(|arch| Self { arch })
    }

    fn is_host(&self) -> bool {
        self.arch == env::consts::ARCH
    }

    fn c_compiler(&self) -> String {
        if self.is_host() { "cc".to_owned() } else { format!("{}-linux-gnu-gcc", self.arch) }
    }

    /// Rust brings musl's startup code and library, and a linker for every architecture.
    ///
    /// The rest is for size: relocations in a tenth of their space, equal functions once, and what
    /// `release.ld` says.
    fn rust_flags(root: &Path) -> Vec<String> {
        let script = root.join("xtask/src/release.ld");
        let link = [
            "-zpack-relative-relocs",
            "--icf=all",
            "--no-eh-frame-hdr",
            &format!("-T{}", script.display()),
        ];
        let mut flags =
            ["-Ctarget-feature=+crt-static", "-Clinker=rust-lld", "-Clink-self-contained=yes"]
                .map(str::to_owned)
                .to_vec();
        flags.extend(link.map(|argument| format!("-Clink-arg={argument}")));
        flags
    }
}

/// Flags that keep this machine's folders out of panic messages, so that a build elsewhere has
/// the same bytes.
fn remap_paths(root: &Path) -> Vec<String> {
    let cargo_home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
    let mut flags = vec![format!("--remap-path-prefix={}=pullpass", root.display())];
    if let Some(home) = cargo_home {
        flags.push(format!("--remap-path-prefix={}=cargo", home.display()));
    }
    flags
}
