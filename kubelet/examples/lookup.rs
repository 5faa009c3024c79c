//! Looks up credentials for an image as a kubelet would:
//!
//! `cargo run -p pullpass-kubelet --example lookup -- CONFIG BIN_DIR IMAGE`

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example talks to a person")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use pullpass_kubelet::service_account::{Pod, PodServiceAccount, TokenSource};
use pullpass_kubelet::{Kubelet, KubeletOptions, Target, lints, startup};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, config, bin_dir, image] = args.as_slice() else {
        return Err("usage: lookup CONFIG BIN_DIR IMAGE".into());
    };
    let target = Target::default();
    let startup = startup(Path::new(config), Some(Path::new(bin_dir)), &target);
    if let Some(error) = &startup.error {
        for finding in &error.findings {
            eprintln!("hint: {}", lints::hint(finding, &target));
        }
    }
    let kubelet = Kubelet::new(&startup.into_config()?, bin_dir, KubeletOptions::default());

    let pod = Pod {
        namespace: "shop".to_owned(),
        name: "web-0".to_owned(),
        service_account: Some(PodServiceAccount { name: "web".to_owned(), ..Default::default() }),
        // A real program asks the API server for a token here, as the kubelet does.
        tokens: TokenSource::Request(Arc::new(|audience| {
            Err(format!("no API server to ask for a token for {audience}"))
        })),
        ..Pod::default()
    };
    let lookup = kubelet.lookup(image, Some(&pod))?;
    for report in &lookup.providers {
        println!("{}: {}", report.name, report.outcome);
        report.log.iter().for_each(|line| println!("  {line}"));
    }
    for credential in &lookup.credentials {
        println!("user {} for {}", credential.username, credential.key);
    }
    Ok(())
}
