//! Lists the files of `presets/`: a new preset is one file there.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

#[expect(clippy::disallowed_methods, reason = "cargo says by a variable where to write")]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=presets");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("presets"))? {
        let file = entry?.file_name();
        let name = file.to_str().and_then(|file| file.strip_suffix(".yaml"));
        names.push(name.ok_or("`presets/` holds only `NAME.yaml`")?.to_owned());
    }
    names.sort();
    let mut list = String::from("&[\n");
    for name in names {
        let path = format!("concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/presets/{name}.yaml\")");
        writeln!(list, "    (\"{name}\", include_str!({path})),")?;
    }
    list.push_str("]\n");
    Ok(std::fs::write(Path::new(&std::env::var("OUT_DIR")?).join("presets.rs"), list)?)
}
