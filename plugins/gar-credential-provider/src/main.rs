//! The process around `pullpass_gar`.

fn main() -> std::process::ExitCode {
    pullpass::main(&pullpass_gar::PLUGIN)
}
