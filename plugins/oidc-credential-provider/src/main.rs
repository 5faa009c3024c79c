//! The process around `pullpass_oidc`.

fn main() -> std::process::ExitCode {
    pullpass::main(&pullpass_oidc::PLUGIN)
}
