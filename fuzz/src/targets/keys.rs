//! A private key in PEM, as service accounts, clients and service principals have.

use std::time::{Duration, SystemTime};

use pullpass::SigningKey;
use pullpass::serde_json::Map;

use crate::run;

pub fn run(input: &[u8]) {
    match SigningKey::from_pem(input) {
        Ok(key) => {
            let _ = key.certificate_sha256();
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
            let signed = key.sign_jwt(Map::new(), Map::new(), now, Duration::from_secs(60));
            signed.err().iter().for_each(run::check_error);
        }
        Err(error) => run::check_error(&error),
    }
}
