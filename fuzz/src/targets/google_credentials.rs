//! A Google credential file: a service account's key, or an `external_account`.

use pullpass_gar::PLUGIN;

use crate::files;
use crate::run::Run;

/// The file, and the answers after a NUL.
pub fn run(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == 0).unwrap_or(input.len());
    let (file, answers) = (&input[..end], input.get(end + 1..).unwrap_or_default());
    let file = files::write("credentials.json", file).display().to_string();
    let image = "us-docker.pkg.dev/contoso/team/app";
    let args = ["--credentials", &file];
    let run = Run { plugin: &PLUGIN, args: &args, env: &[], image, annotations: None };
    run.check(answers);
    Run { annotations: Some(&[]), ..run }.check(answers);
}
