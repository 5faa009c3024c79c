//! A profile file of the generic plugin: its fields, templates, patterns and URLs. What `validate`
//! says of it, what `explain` says, and a run with it.

use pullpass::{Clock, Context, Deadline, Env, Options};
use pullpass_oidc::PLUGIN;

use crate::run::{self, Run};
use crate::{files, secrets};

const ANSWER: &[u8] = br#"{"access_token": "{{h}}", "expires_in": 300, "username": "u"}"#;

pub fn run(input: &[u8]) {
    let file = files::write("oidc.yaml", input).display().to_string();
    let image = "registry.example/team/app";
    for (command, args) in
        [("validate", vec![file.as_str()]), ("explain", vec![image, "--config", &file])]
    {
        run_command(command, &args);
    }
    let annotations: &[(&str, &str)] = &[("example.com/role", "web")];
    Run {
        plugin: &PLUGIN,
        args: &["--config", &file],
        env: &[],
        image,
        annotations: Some(annotations),
    }
    .check(ANSWER);
}

fn run_command(name: &str, args: &[&str]) {
    let command = PLUGIN.commands.iter().find(|command| command.name == name);
    let command = command.expect("a command of the plugin's");
    let env = Env::default();
    let args = args.iter().map(Into::into);
    let options = Options::parse(command.options, args, &env).expect("its own options");
    let cx = Context::new(env, Clock::system(), Deadline::after(Deadline::DEFAULT));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    match runtime.block_on((command.run)(&options, &cx)) {
        Ok(text) => secrets::check(&text),
        Err(error) => run::check_error(&error),
    }
}
