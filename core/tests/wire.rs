//! The exact bytes that go to the kubelet, for each version of its API.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::time::{Duration, SystemTime};

use pullpass::{
    Cache, CacheKey, Clock, Context, Env, Error, Login, Plugin, Provider, Request, Response,
    async_trait,
};

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

static PLUGIN: Plugin =
    Plugin::new("fixed", |_, _| Ok(Box::new(Fixed))).version("0").summary("always the same login");

/// Twelve hours of a login whose password needs escaping.
struct Fixed;

#[async_trait]
impl Provider for Fixed {
    async fn credentials(&self, request: &Request, cx: &Context) -> Result<Response, Error> {
        let expires = cx.clock.now() + Duration::from_secs(12 * 3600);
        let cache = Cache::until(CacheKey::Registry, expires, cx.clock.now());
        let login = Login::new("me", "pa\"ss<w>&\u{1}é")?;
        Ok(Response::for_registry_of(&request.image, login, cache))
    }
}

#[test]
fn each_version_is_answered_byte_for_byte() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire");
    #[expect(clippy::disallowed_methods, reason = "a test reads its own data")]
    let file = |name: &str| std::fs::read(folder.join(name)).unwrap();
    for version in ["v1", "v1beta1", "v1alpha1"] {
        let request = file(&format!("{version}.request.json"));
        let response =
            pullpass::run(&PLUGIN, [], Env::default(), Clock::fixed(NOW), &request).unwrap();
        let expected = file(&format!("{version}.response.json"));
        assert_eq!(String::from_utf8(response), String::from_utf8(expected), "{version}");
    }
}
