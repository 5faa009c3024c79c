//! The process around `pullpass_acr`.

fn main() -> std::process::ExitCode {
    pullpass::main(&pullpass_acr::PLUGIN)
}
