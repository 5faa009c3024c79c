//! The process around `pullpass_ecr`.

fn main() -> std::process::ExitCode {
    pullpass::main(&pullpass_ecr::PLUGIN)
}
