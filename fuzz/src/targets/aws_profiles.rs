//! The node's profile files, divided by NUL from the answers: among them what a
//! `credential_process` prints, which is not run here.

use pullpass_ecr::PLUGIN;

use crate::files;
use crate::run::Run;

pub fn run(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == 0).unwrap_or(input.len());
    let (profiles, answers) = input.split_at(end);
    let (config, credentials) = (files::write("config", profiles), files::write("nothing", b""));
    let path = |path: &std::path::Path| path.display().to_string();
    let (config, credentials) = (path(&config), path(&credentials));
    let env = [("AWS_CONFIG_FILE", &*config), ("AWS_SHARED_CREDENTIALS_FILE", &*credentials)];
    let image = "111122223333.dkr.ecr.us-west-2.amazonaws.com/team/app";
    let answers = answers.get(1..).unwrap_or_default();
    Run { plugin: &PLUGIN, args: &[], env: &env, image, annotations: None }.check(answers);
}
