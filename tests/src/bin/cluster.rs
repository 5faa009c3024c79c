//! `cargo xtask cluster` builds this and runs it with the folder of the plugins as its argument.
//! containerd runs it too, under the name of runc.

use std::process::ExitCode;

use pullpass_tests::cluster;

fn main() -> ExitCode {
    if cluster::runc::is_meant() {
        cluster::runc::run();
    }
    cluster::main()
}
