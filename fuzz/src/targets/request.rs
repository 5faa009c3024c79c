//! What the kubelet writes to a plugin's stdin.

use pullpass::Request;

use crate::{run, secrets};

pub fn run(input: &[u8]) {
    match Request::parse(&secrets::expand(input)) {
        Ok(request) => {
            // Its parts may be printed, and so may be logged.
            secrets::check(&format!("{:?}", request.service_account));
            let image = &request.image;
            assert!(image.as_str().starts_with(image.registry()));
        }
        Err(error) => run::check_error(&error),
    }
}
