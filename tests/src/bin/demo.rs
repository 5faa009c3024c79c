//! `cargo xtask demo` builds the plugin and runs this with the plugin's folder as its argument.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it talks to a person")]

use std::path::PathBuf;
use std::process::ExitCode;

use pullpass_tests::demo;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("error: the folder with the plugin is missing\nhint: run `cargo xtask demo`");
        return ExitCode::FAILURE;
    };
    match demo::run(&folder).await {
        Ok(last_line) => {
            println!("{last_line}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("\nerror: {reason}");
            ExitCode::FAILURE
        }
    }
}
