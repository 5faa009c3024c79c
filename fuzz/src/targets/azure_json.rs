//! The cloud provider's configuration, `azure.json`, or a cloud's description.

use pullpass_acr::PLUGIN;

use crate::files;
use crate::run::Run;

/// The file; one that starts with `!` is a cloud's description.
pub fn run(input: &[u8]) {
    let image = "contoso.azurecr.io/team/app";
    let run = Run { plugin: &PLUGIN, args: &[], env: &[], image, annotations: None };
    match input.strip_prefix(b"!") {
        Some(description) => {
            let file = files::write("cloud.json", description).display().to_string();
            let env = [("AZURE_ENVIRONMENT_FILEPATH", &*file)];
            let args = ["--managed-identity=system", "--cloud=AzureStackCloud"];
            Run { env: &env, args: &args, ..run }.check(b"");
        }
        None => {
            let file = files::write("azure.json", input).display().to_string();
            Run { args: &[&file], ..run }.check(b"");
        }
    }
}
